"""Play, export and tally the Turing game on the current adapter."""

import json
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from engine.choose import open_voice_of
from persona.archive.index import archive_of
from persona.atomic import write_whole
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import UserError
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.evaluate.generation import generate
from trainer.evaluate.reply_context import context_key, reminded, reply_contexts
from trainer.evaluate.rival.kept_answers import rival_answers
from trainer.game.game_page import game_page
from trainer.game.rounds import (
    FOUND,
    RIVAL,
    Round,
    Tally,
    candidates,
    read_results,
    render_round,
    result,
    rounds_of,
    tally,
)

RESULTS = "games.json"
MIN_ROUNDS = 4  # rounds


def new_game(settings: Settings, corpus: Corpus, bundle: Bundle, seed: int | None) -> tuple[str, list[Round]]:
    """Return a game's name and its rounds. Raises UserError if too little was held out."""
    chosen = secrets.randbits(31) if seed is None else seed
    held_out = reply_contexts(corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), bundle.seal.speaker)
    rival = rival_answers(settings.adapters)
    answered = candidates([context for context in held_out if context_key(context) in rival])
    asked = answered if len(answered) >= MIN_ROUNDS else candidates(held_out)
    voice = open_voice_of(settings, bundle)
    with closing(archive_of(bundle)) as archive:
        asked = reminded(asked, archive, voice.encoding, voice.seal)
    replies = generate(voice, asked, chosen)
    names = {key: speaker.name for key, speaker in bundle.seal.speakers.items()}
    rounds = rounds_of(replies, names, chosen, rival=rival)
    if len(rounds) < MIN_ROUNDS:
        raise UserError(
            f"{len(rounds)} held-out messages can be played with, {MIN_ROUNDS} are needed; import more exports"
        )
    return f"{chosen:08x}", rounds


def play(rounds: list[Round], ask: Callable[[str], str], show: Callable[[str], None]) -> str:
    """Play in the terminal; returns the digit of each choice. ask: puts a question and returns the answer."""
    digits = ""
    for number, shown_round in enumerate(rounds, start=1):
        show(render_round(shown_round, number, len(rounds)))
        numbers = [str(place) for place in range(1, len(shown_round.answers) + 1)]
        labels = f"{', '.join(numbers[:-1])} or {numbers[-1]}"
        while (choice := _answer(ask, labels)) not in numbers:
            show(f"type {labels}")
        digits += shown_round.digit(int(choice) - 1)
        wrong = "the rival" if digits[-1] == RIVAL else "the imitation"
        show("yes" if digits[-1] in FOUND else f"no, that was {wrong}")
    return digits


def _answer(ask: Callable[[str], str], labels: str) -> str:
    try:
        return ask(f"which one is real, {labels}? ").strip()
    except EOFError:
        raise UserError("nobody is there to play; run it in a terminal, or make a page with --export") from None


def export(settings: Settings, game: str, rounds: list[Round], target: Path) -> None:
    """Write the game as a page or, if `target` ends in .json, for programs, with the start of the line that is counted."""
    if target.suffix == ".json":
        plain = {
            "rounds": [asdict(played_round) for played_round in rounds],
            "result": result(game, secrets.token_hex(4), ""),
        }
        text = json.dumps(plain, ensure_ascii=False)
    else:
        text = game_page(settings.persona.name, game, rounds)
    write_whole(target, [text])


def count(bundle: Bundle, text: str) -> Tally:
    """Add the results in `text` to those of the bundle; each is counted once. Raises UserError if there is none."""
    path = bundle.reports / RESULTS
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    new = read_results(text)
    if not new and not known:
        raise UserError("there is no result in this; it looks like alterego-0a1b2c3d-4e5f6071-0110100111")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    results = read_results("\n".join([*known, *new]))  # what is known goes first: nobody's second game counts
    write_whole(path, [json.dumps(sorted(results), indent=1) + "\n"])
    return tally_of(bundle) or tally([])


def tally_of(bundle: Bundle) -> Tally | None:
    """Return what came of the bundle's games so far."""
    path = bundle.reports / RESULTS
    if not path.is_file():
        return None
    return tally(list(read_results(path.read_text(encoding="utf-8")).values()))
