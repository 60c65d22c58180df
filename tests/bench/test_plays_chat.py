"""Plays as a chat: the words and the order of speakers are the plays' own, and what a chat has besides is found by the import."""

import json
import random
import re
from collections import Counter
from pathlib import Path

from bench.plays_chat import LEAD, chat, scenes, write_exports
from persona.config import load
from persona.markers import is_reaction, sticker_of
from trainer.ingest.pipeline import import_exports
from trainer.progress import Bars

WORDS = (
    "Speak, I pray you. What news from the north, and who brings it|I have it from a shepherd, my lord|Ay, ay!|To arms!"
)


def play(speeches: int) -> str:
    """Return so many speeches of three people, one of whom leads."""
    roles, words = ("DUKE", "SHEPHERD", "DUKE", "Second Lord"), WORDS.split("|")
    return "\n\n".join(f"{roles[k % 4]}:\n{words[k % 3 + (k % 9 == 8)]}, {k}." for k in range(speeches))


def test_every_speech_is_said_by_an_actor_in_the_order_of_its_scene() -> None:
    """Whoever has most to say is the lead; a late answer says what it answers."""
    speeches = [speech for scene in scenes(play(200)) for speech in scene]
    assert len(speeches) == 200
    said = list(chat(play(200), random.Random(1)))
    assert Counter(one.text.split()[-1] for one in said if one.text) == Counter(f"{k}." for k in range(200))
    assert Counter(one.who for one in said).most_common(1)[0][0] == LEAD
    keys = [one.key for one in said]
    late = [one for place, one in enumerate(said) if place and one.key < keys[place - 1]]
    assert late
    assert all(one.answers in keys for one in late)
    assert all(one.answers in keys[:place] for place, one in enumerate(said) if one.answers)


def test_an_import_finds_what_was_derived(tmp_path: Path) -> None:
    """Quotes, reactions and stickers."""
    plays = tmp_path / "plays.txt"
    plays.write_text(re.sub(r"!, \d+\.", "!", play(400)))
    write_exports(tmp_path / "exports" / "result.json", plays)
    (tmp_path / "persona.toml").write_text(f'[persona]\nname = "{LEAD}"\n[data]\nsources = ["exports"]\n')
    settings = load(tmp_path / "persona.toml")
    corpus = import_exports(settings, settings.sources, fresh=True, bars=Bars(quiet=True)).corpus
    turns = [turn for record in corpus.conversations for turn in record.conversation.turns]
    assert any(turn.quote for turn in turns)
    assert any(is_reaction(turn.lines) for turn in turns)
    exported = json.loads((tmp_path / "exports" / "result.json").read_text())["messages"]
    stickers = sum(row.get("media_type") == "sticker" for row in exported)
    assert stickers
    assert sum(bool(sticker_of(line)) for turn in turns for line in turn.lines) == stickers
