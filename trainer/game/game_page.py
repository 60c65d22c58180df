"""The Turing game as one self-contained HTML page to send to friends; the right answers are disguised in it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict

from trainer.game.rounds import Round
from trainer.pages.render import render

_MASK = 90  # not secret: only not to be read at a glance; game.js undoes it


def game_page(name: str, game: str, rounds: Sequence[Round]) -> str:
    """Return the page. game: eight hexadecimal digits that tell this game from others."""
    plain = json.dumps([asdict(shown) for shown in rounds])
    disguised = base64.b64encode(bytes(byte ^ _MASK for byte in plain.encode())).decode()
    three = any(shown.rival is not None for shown in rounds)
    return render("game.html.j2", name=name, game=game, rounds=disguised, three=three)
