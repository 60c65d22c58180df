"""Stand-ins are explained on the owner's screen, and sealed so that no friend reads them."""

from pathlib import Path

from tests.conftest import run_here
from tests.trainer.ingest.test_postprocess import imported, settings_of, telegram
from trainer.__main__ import app
from trainer.bundle.sealing import sealed_stand_ins, somebody_of
from trainer.corpus.stand_ins import stand_in_lines, stand_ins_of

TALK = [
    ("Mara Voss", "wo ist denn die Lampe geblieben, Zelda?"),
    ("Zelda Quist", "die steht doch im Garten neben dem Baum"),
    ("Zelda Quist", "und da bleibt sie auch stehen"),
    ("Bob", "das ist eine gute Idee, finde ich"),
]


def test_the_screen_says_who_a_stand_in_is(tmp_path: Path) -> None:
    """Who wrote most comes first; nothing is said where everybody goes by their own name."""
    corpus = imported(settings_of(tmp_path), telegram(tmp_path, TALK)).corpus
    names = {identity.name: corpus.people[key].name for key, identity in corpus.identities.items()}
    assert list(stand_ins_of(corpus).items()) == [(names["Zelda Quist"], ["Zelda Quist"]), (names["Bob"], ["Bob"])]
    assert f"  {names['Bob']} is Bob" in list(stand_in_lines(stand_ins_of(corpus)))
    assert not list(stand_in_lines({}))
    assert not list(stand_in_lines({"Avocet": ["SOMEONE"]}))


def test_the_seal_knows_them_and_what_friends_read_instead(tmp_path: Path) -> None:
    """In the language that is spoken most."""
    corpus = imported(settings_of(tmp_path), telegram(tmp_path, TALK)).corpus
    assert sealed_stand_ins(corpus) == list(stand_ins_of(corpus))
    assert somebody_of(corpus) == "jemand"


def test_stats_and_import_say_it(tmp_path: Path) -> None:
    """And stats what it leaves out; neither's JSON names anybody."""
    settings = settings_of(tmp_path)
    imported(settings, export := telegram(tmp_path, TALK))
    config = ("--config", str(settings.path))
    for command in (("stats",), ("import", "--fresh", str(export))):
        said = run_here(app, "python -m trainer", *command, *config).stdout
        assert " is Zelda Quist\n" in said
        assert "Zelda" not in run_here(app, "python -m trainer", *command, "--json", *config).stdout
    said = run_here(app, "python -m trainer", "stats", *config).stdout
    assert "not counted: private messages, for [data] dms is false" in said
    assert "not counted: what imports dropped" in said
