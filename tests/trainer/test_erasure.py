"""A person who asks to be forgotten is: in the corpus, in later imports, and on the list of bundles to train anew."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pexpect
import pytest

from persona.archive.index import FILE, archive_of
from persona.bundle import BaseModelSeal, Seal, Speaker, draft, open_bundle, publish
from persona.config import Settings, load
from persona.errors import UserError
from persona.retraining import mark, marked
from persona.transcript import Quote
from tests.conftest import ROOT, run_here
from tests.trainer.ingest.test_postprocess import archive, everything_in, imported, scenes, settings_of, telegram
from trainer.__main__ import app
from trainer.bundle.provenance import write_provenance
from trainer.corpus.archiving import write_archive
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.erasure import erase, undo_erasure
from trainer.ingest.summary import import_summary

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TALK = [
    ("Mara Voss", "Zelda, where is the lamp?"),
    ("Zelda Quist", "in the lemon tree"),
    ("Bob", "ZELDA QUIST! and zelda's lamp"),
    ("Mara Voss", "昨天Zelda来了"),
]


def sealed(settings: Settings, corpus: Corpus, *, takes_note: bool = True, remembers: bool = False) -> str:
    """A bundle that was trained on the corpus, as training seals it; its version."""
    base = BaseModelSeal(model="scratch", weights="abc", architecture="qwen3")
    speakers = {
        turn.speaker: Speaker(name=turn.speaker) for one in corpus.conversations for turn in one.conversation.turns
    }
    seal = Seal(speaker="MARA VOSS", speakers=speakers, end_of_turn=0, stops=(0,), max_length=64, base=base)
    with draft(settings.adapters) as folder:
        if takes_note:
            write_provenance(corpus, folder)
        if remembers:
            write_archive(settings, corpus, folder / "private" / FILE)
        return publish(folder, seal).version


@pytest.mark.parametrize("pseudonyms", ["true", "false"])
@pytest.mark.parametrize("name", ["Zelda Quist", "zelda quist", "user1111"])
def test_nothing_of_them_is_left(tmp_path: Path, pseudonyms: str, name: str) -> None:
    """Their messages, and their name in the messages of others, in any case and script, or its stand-in."""
    settings = settings_of(tmp_path, f"pseudonyms = {pseudonyms}\n")
    found = imported(settings, telegram(tmp_path, TALK))
    key = next(key for key, one in found.corpus.identities.items() if "Zelda Quist" in one.names)
    person = found.corpus.people[key]
    receipt = erase(settings, key if name == "user1111" else name, NOW)
    assert (receipt.messages, receipt.mentions, receipt.at) == (1, 3, "2026-11-22T12:00:00+00:00")
    assert scenes(load_corpus(settings)) == [
        (
            "group",
            [
                ("MARA VOSS", ("[…], where is the lamp?",)),
                (load_corpus(settings).people["telegram:user275"].key, ("[…]! and […]'s lamp",)),
                ("MARA VOSS", ("昨天[…]来了",)),
            ],
        )
    ]
    people = (settings.corpus / "people.json").read_text(encoding="utf-8")
    everything = (everything_in(settings.corpus) + people).casefold()
    assert not any(call in everything for call in ("zelda", "quist", key, person.name.casefold()))


def test_a_later_import_does_not_bring_them_back(tmp_path: Path) -> None:
    """Not the same export, not with --fresh, not another platform where they bear the name, nor their name in texts."""
    settings = settings_of(tmp_path)
    export = telegram(tmp_path, TALK)
    imported(settings, export)
    erase(settings, "Zelda Quist", NOW)
    more = archive(tmp_path, "maravoss", "1", [{"id_str": "1", "full_text": "zelda says hi"}])
    theirs = archive(tmp_path, "zelda quist", "9", [{"id_str": "2", "full_text": "hello"}])
    again = imported(settings, export, more, theirs, fresh=True)
    dropped = {key[2]: count for key, count in again.counts.dropped.items()}
    assert dropped == {"left_out": 1} | {"left_out": 1}
    assert again.counts.dropped.total() == 2
    assert "[…]" in [row["speaker"] for row in import_summary(settings, again)["table"]]
    remembered = (tmp_path / "corpus-forgotten.json").read_text(encoding="utf-8")
    people = (settings.corpus / "people.json").read_text(encoding="utf-8")
    assert "zelda" not in (everything_in(settings.corpus) + people + remembered).casefold()
    assert "[…] says hi" in everything_in(settings.corpus)


def test_their_name_is_masked_where_others_speak_of_them(tmp_path: Path) -> None:
    """In exports that they are not in themselves: only the hashes of what they were called can tell."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    erase(settings, "Zelda Quist", NOW)
    mine = archive(tmp_path, "maravoss", "1", [{"id_str": "1", "full_text": "zelda says hi"}])
    imported(settings, mine, fresh=True)
    assert "[…] says hi" in everything_in(settings.corpus)


def test_another_of_the_same_name_stays(tmp_path: Path) -> None:
    """Two ids of one platform are two people, and the name alone is not enough to choose."""
    settings = settings_of(tmp_path)
    mine = archive(tmp_path, "maravoss", "1", [{"id_str": "1", "full_text": "hi"}])
    two = [archive(tmp_path / number, "sam", number, [{"id_str": number, "full_text": "yo"}]) for number in ("8", "9")]
    imported(settings, mine, *two)
    with pytest.raises(UserError, match="'sam' may be several people; name one of their ids"):
        erase(settings, "sam", NOW)
    assert erase(settings, "x:8", NOW).messages == 1
    imported(settings, mine, *two, fresh=True)
    assert sorted(row.sender for row in load_corpus(settings).rows) == ["x:1", "x:9"]


def test_quotations_and_links_to_their_posts_go(tmp_path: Path) -> None:
    """A reply to them answers […]; nothing of theirs is wanted."""
    settings = settings_of(tmp_path)
    mine = archive(
        tmp_path,
        "maravoss",
        "1",
        [
            {"id_str": "1", "full_text": "so true RT @zq: cats are liquid"},
            {"id_str": "2", "full_text": "no", "in_reply_to_status_id_str": "77", "in_reply_to_screen_name": "zq"},
        ],
    )
    (tmp_path / "replies.jsonl").write_text('{"id": "77", "author": "zq", "text": "is it?"}\n')
    imported(settings, mine)
    receipt = erase(settings, "@zq", NOW)
    assert (receipt.messages, receipt.quotations) == (1, 1)
    assert sorted(scenes(load_corpus(settings))) == [
        ("reply", [("MARA VOSS", ("so true",))]),
        ("reply", [("SOMEONE", ("[…]",)), ("MARA VOSS", ("no",))]),
    ]
    (quoting,) = [record for record in load_corpus(settings).conversations if len(record.conversation.turns) == 1]
    assert quoting.conversation.turns[0].quote == Quote("", "[…]")
    assert not (settings.corpus / "wanted.jsonl").read_text()


def test_bundles_that_heard_them_are_marked_beside_the_seal(tmp_path: Path) -> None:
    """By the note in their private folder, or by the seal's speakers; sealed files are not touched."""
    settings = settings_of(tmp_path, "pseudonyms = false\n")
    imported(settings, telegram(tmp_path, [("Mara Voss", "alone")]))
    before = sealed(settings, load_corpus(settings))
    imported(settings, telegram(tmp_path, TALK, start=9))
    noted, older = (sealed(settings, load_corpus(settings), takes_note=note) for note in (True, False))
    for leftover in ("bases/abc-2-0", ".training/key", "rivals", f".draft-{2**30}-killed/private"):
        (settings.adapters / leftover).mkdir(parents=True)
    receipt = erase(settings, "Zelda Quist", NOW)
    assert list(receipt.bundles) == [noted, older]
    assert receipt.leftovers == 4
    assert not list(settings.adapters.glob(".draft-*"))
    assert not list(settings.adapters.glob("bases/*")) + list(settings.adapters.glob(".training/*"))
    assert marked(settings.adapters) == dict.fromkeys([noted, older], "2026-11-22T12:00:00+00:00")
    for version in (before, noted, older):
        open_bundle(settings.adapters / version)
    mark(settings.adapters, [before, noted], datetime(2027, 1, 1, tzinfo=UTC))
    assert marked(settings.adapters)[noted] == "2026-11-22T12:00:00+00:00"
    assert before in marked(settings.adapters)


def test_they_are_taken_out_of_what_adapters_remember(tmp_path: Path) -> None:
    """Of all bundles, and the receipt says out of how much."""
    settings = settings_of(tmp_path, "pseudonyms = false\n")
    imported(settings, telegram(tmp_path, TALK))
    corpus = load_corpus(settings)
    for _ in range(2):
        sealed(settings, corpus, remembers=True)
    assert erase(settings, "Zelda Quist", NOW).memories == 2
    for version in ("1", "2"):
        bundle = open_bundle(settings.adapters / version)
        (passage,) = archive_of(bundle).passages()
        assert [turn.lines for turn in passage.turns] == [
            ("[…], where is the lamp?",),
            ("[…]! and […]'s lamp",),
            ("昨天[…]来了",),
        ]
        assert b"zelda" not in (bundle.private / FILE).read_bytes().lower()


def test_nobody_and_the_persona_can_not_be_forgotten(tmp_path: Path) -> None:
    """A sentence says so, and nothing is changed."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    with pytest.raises(UserError, match="nobody in the corpus is called 'Xaver'"):
        erase(settings, "Xaver", NOW)
    with pytest.raises(UserError, match="'maravoss' is the persona"):
        erase(settings, "maravoss", NOW)
    assert not (tmp_path / "corpus-forgotten.json").exists()


def test_a_friend_is_forgotten_under_every_name_that_settings_give(tmp_path: Path) -> None:
    """Also those that are in no export yet, and the ids they have live."""
    friend = '[people.ZELDA]\nnames = ["Zelda Quist", "zq_99"]\ntelegram = ["5"]\nconsent = true\n'
    settings = settings_of(tmp_path, people=friend)
    imported(settings, telegram(tmp_path, TALK))
    assert erase(settings, "zq_99", NOW).messages == 1
    alone = settings_of(tmp_path)
    theirs = archive(tmp_path, "zq_99", "9", [{"id_str": "2", "full_text": "hello"}])
    assert imported(alone, theirs).counts.dropped.total() == 1


def test_a_damaged_list_stops_the_import(tmp_path: Path) -> None:
    """Rather than bring people back."""
    settings = settings_of(tmp_path)
    (tmp_path / "corpus-forgotten.json").write_text("{")
    with pytest.raises(UserError, match=r"corpus-forgotten\.json can't be read"):
        imported(settings, telegram(tmp_path, TALK))


def test_the_command_prints_a_receipt_without_a_name(tmp_path: Path) -> None:
    """And its JSON holds what the file beside the corpus keeps."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    done = run_here(app, "python -m trainer", "forget", "Zelda Quist", "--json", "--config", str(settings.path))
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["messages"] == 1
    kept = json.loads((tmp_path / "corpus-forgotten.json").read_text(encoding="utf-8"))["receipts"]
    assert kept == [receipt]
    again = run_here(app, "python -m trainer", "forget", "Bob", "--config", str(settings.path))
    assert "forgotten: 1 messages" in again.stdout
    assert len(json.loads((tmp_path / "corpus-forgotten.json").read_text(encoding="utf-8"))["receipts"]) == 2
    assert load(settings.path, {}).corpus.is_dir()


def test_what_was_forgotten_can_be_given_back_from_the_exports(tmp_path: Path) -> None:
    """All of it and nothing of anybody else; bundles are no longer marked, for they may have heard them."""
    settings = settings_of(tmp_path)
    export = telegram(tmp_path, TALK)
    before = imported(settings, export).corpus.fingerprint
    version = sealed(settings, load_corpus(settings))
    erase(settings, "Bob", NOW)
    bob_alone = (tmp_path / "corpus-forgotten.json").read_text(encoding="utf-8")
    erase(settings, "Zelda Quist", NOW)
    with pytest.raises(UserError, match="nobody called 'Xaver' was forgotten here"):
        undo_erasure(settings, "Xaver")
    assert undo_erasure(settings, "@zelda quist")["messages"] == 1
    assert (tmp_path / "corpus-forgotten.json").read_text(encoding="utf-8") == bob_alone
    assert marked(settings.adapters).keys() == {version}  # Bob is in it
    undo_erasure(settings, "Bob")
    assert not marked(settings.adapters)
    assert imported(settings, export, fresh=True).corpus.fingerprint == before


def test_a_list_of_an_older_release_says_what_it_does_not_know(tmp_path: Path) -> None:
    """It kept no hashes by person."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    erase(settings, "Zelda Quist", NOW)
    path = tmp_path / "corpus-forgotten.json"
    older = {key: value for key, value in json.loads(path.read_text()).items() if key != "people"}
    path.write_text(json.dumps(older))
    with pytest.raises(UserError, match="of those forgotten by a release before 'forget --undo'"):
        undo_erasure(settings, "Zelda Quist")


def test_a_dry_run_says_who_and_how_much_and_changes_nothing(tmp_path: Path) -> None:
    """Nor is anybody on the list."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    before = everything_in(settings.corpus)
    done = run_here(app, "python -m trainer", "forget", "Zelda Quist", "--dry-run", "--config", str(settings.path))
    assert "Zelda Quist" in done.stdout
    assert "1 messages, 0 quotations, their name in 3 messages of others; nothing was changed" in done.stdout
    assert everything_in(settings.corpus) == before
    assert not (tmp_path / "corpus-forgotten.json").exists()


def test_on_a_terminal_it_asks_first(tmp_path: Path) -> None:
    """With the names and the counts; only Enter is a no, and nothing is changed."""
    settings = settings_of(tmp_path)
    imported(settings, telegram(tmp_path, TALK))
    command = [sys.executable, "-m", "trainer", "forget", "Zelda Quist", "--config", str(settings.path)]
    with pexpect.spawn(command[0], command[1:], cwd=str(ROOT), encoding="utf-8", timeout=60) as terminal:
        terminal.expect(r"Forget .*Zelda Quist: 1 messages.*\[y/N\]")
        terminal.sendline("")
        terminal.expect("nothing was forgotten")
        terminal.expect(pexpect.EOF)
    assert not (tmp_path / "corpus-forgotten.json").exists()
