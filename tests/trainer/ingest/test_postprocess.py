"""Exports to a corpus: what may be in it, what never, and what the user is told."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from persona.config import Settings, load
from persona.errors import UserError
from persona.pii.scrub import may_hold_any
from persona.transcript import Quote, Turn
from trainer.commands.import_ import show_import
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.ingest.pipeline import Imported, import_exports
from trainer.ingest.postprocess import _SIGNS
from trainer.ingest.summary import absences, import_summary
from trainer.people.text_scan import TextScan
from trainer.progress import Bars

HOUR = 3600


def settings_of(folder: Path, data: str = "", people: str = "") -> Settings:
    path = folder / "persona.toml"
    text = f'[persona]\nname = "Mara Voss"\naliases = ["maravoss"]\n{people}[data]\n{data}'
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def telegram(folder: Path, said: Sequence[tuple[str, str]], kind: str = "private_group", start: int = 0) -> Path:
    """A Telegram export of these (name, text) pairs, a minute apart."""
    rows = [
        {
            "id": start + place,
            "type": "message",
            "date": "2021-03-04T00:00:00",
            "date_unixtime": str(1_600_000_000 + 60 * (start + place)),
            "from": name,
            "from_id": f"user{sum(name.encode())}",
            "text": text,
        }
        for place, (name, text) in enumerate(said)
    ]
    path = folder / f"{kind}{start}.json"
    chat = {"name": "kitchen", "type": kind, "id": 7, "messages": rows}
    path.write_text(json.dumps(chat, ensure_ascii=False), encoding="utf-8")
    return path


def archive(folder: Path, handle: str, number: str, tweets: Sequence[Mapping[str, Any]]) -> Path:
    """An X archive of these tweets."""
    data = folder / handle / "data"
    data.mkdir(parents=True)
    account = [{"account": {"username": handle, "accountId": number, "accountDisplayName": handle.title()}}]
    (data / "account.js").write_text(f"window.YTD.account.part0 = {json.dumps(account)}")
    rows = [{"tweet": {"created_at": "Thu Mar 04 05:06:07 +0000 2021", **one}} for one in tweets]
    (data / "tweets.js").write_text(f"window.YTD.tweets.part0 = {json.dumps(rows)}")
    return folder / handle


def imported(settings: Settings, *paths: Path, fresh: bool = False) -> Imported:
    return import_exports(settings, list(paths), fresh=fresh, bars=Bars(quiet=True))


def everything_in(folder: Path) -> str:
    """All that was written, columns of Parquet files included."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")]
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.[tj]*") if path.name != "people.json"]
    return "\n".join(map(repr, (*tables, *texts)))


def scenes(corpus: Corpus) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    found = [one.conversation for one in corpus.conversations]
    return [(one.scene, [(turn.speaker, turn.lines) for turn in one.turns]) for one in found]


def test_personal_data_is_nowhere_in_the_corpus(tmp_path: Path) -> None:
    """Replaced before anything is written, counted by kind; national numbers of the countries the data are from."""
    export = telegram(
        tmp_path,
        [
            ("Mara Voss", "write to mara.voss@example.org or call +49 151 23456789"),
            ("Zelda Quist", "zelda@example.org, card 4111 1111 1111 1111, Hauptstraße 5"),
            ("Mara Voss", "meine Nummer ist jetzt 0151-98765432, bitte nicht weitersagen, sie ist ganz neu"),
            ("Mara Voss", "am 04.03.2021 um 10:30, 10/10"),
        ],
    )
    settings = settings_of(tmp_path)
    summary = import_summary(settings, imported(settings, export))
    assert summary["replaced"] == {"e-mail": 2, "phone": 2, "card": 1, "address": 1}
    written = everything_in(settings.corpus)
    for secret in ("example.org", "23456789", "4111", "Hauptstraße 5", "98765432"):
        assert secret not in written
    assert "am 04.03.2021 um 10:30, 10/10" in written
    assert load_corpus(settings).regions[0] == "DE"


def test_personal_data_is_looked_for_before_runs_are_folded(tmp_path: Path) -> None:
    """A card or an account may hold one digit many times over; other runs of digits are folded then."""
    talk = [("Mara Voss", "card 4111111111111111 ok"), ("Zelda", "iban GB33BUKB20201555555555"), ("Zelda", "1" * 30)]
    settings = settings_of(tmp_path)
    found = imported(settings, telegram(tmp_path, talk))
    assert import_summary(settings, found)["replaced"] == {"card": 1, "iban": 1}
    assert [row.lines for row in found.corpus.rows] == [("card [card] ok",), ("iban [iban]",), ("1" * 8,)]


def test_a_switch_keeps_personal_data(tmp_path: Path) -> None:
    """For a corpus of plays there are no phones."""
    settings = settings_of(tmp_path, "[data.cleaning]\npii = false\n")
    found = imported(settings, telegram(tmp_path, [("Mara Voss", "a@b.example")]))
    assert not found.counts.replaced
    assert "a@b.example" in everything_in(settings.corpus)


@pytest.mark.parametrize("others", ["mask", "drop"])
def test_words_of_people_who_are_masked_or_left_out_are_never_written(tmp_path: Path, others: str) -> None:
    """Nor their names; a drop is counted, so that read = kept + dropped."""
    export = telegram(tmp_path, [("Mara Voss", "hi Zelda"), ("Zelda Quist", "my secret"), ("Mara Voss", "aha")])
    settings = settings_of(tmp_path, f'others = "{others}"\n')
    summary = import_summary(settings, imported(settings, export))
    assert summary["total"] == {"read": 3, "kept": 3 - (others == "drop"), "dropped": 0 + (others == "drop")}
    written = everything_in(settings.corpus).casefold()
    assert "secret" not in written
    assert "zelda" not in written
    assert ("[…]" in written) == (others == "mask")


@pytest.mark.parametrize("others", ["mask", "drop"])
def test_settings_that_became_stricter_reach_what_was_imported_before(tmp_path: Path, others: str) -> None:
    """The next import takes the words of others away."""
    export = telegram(tmp_path, [("Mara Voss", "hi"), ("Zelda Quist", "my secret"), ("Mara Voss", "aha")])
    loose = settings_of(tmp_path)
    imported(loose, export)
    assert "secret" in everything_in(loose.corpus)
    imported(settings_of(tmp_path, f'others = "{others}"\n'), export)
    assert "secret" not in everything_in(loose.corpus)


def test_saying_it_again_is_dropped_and_stays_dropped(tmp_path: Path) -> None:
    """In the same import, in a later one, and when it is read again."""
    long = "the lamp man on the corner says that the lemon tree is closed until further notice"
    first = telegram(
        tmp_path, [("Mara Voss", long), ("Mara Voss", "ok"), ("Mara Voss", long + "!"), ("Mara Voss", "ok")]
    )
    later = telegram(tmp_path, [("Mara Voss", long.upper()), ("Mara Voss", "ok")], start=50)
    settings = settings_of(tmp_path)
    assert imported(settings, first).counts.dropped.total() == 1
    second = imported(settings, first, later)
    assert {key[2]: count for key, count in second.counts.dropped.items()} == {"already there": 3, "near_duplicates": 2}
    assert len(load_corpus(settings).rows) == 4


def test_conversations_in_other_languages_are_left_out(tmp_path: Path) -> None:
    """Those that are too short to tell stay."""
    english = "did you see the match last night, it was really close until the end and then everybody left"
    german = "hast du gestern das Spiel gesehen, bis zum Schluss war es knapp und dann sind alle gegangen"
    one = telegram(tmp_path, [("Mara Voss", english)], start=0)
    two = telegram(tmp_path, [("Mara Voss", german), ("Mara Voss", "ok")], start=5000)
    three = telegram(tmp_path, [("Mara Voss", "jawohl")], start=9000)
    settings = settings_of(tmp_path, 'languages = ["en"]\nmax_gap_minutes = 60\n')
    found = imported(settings, one, two, three)
    assert {key[2]: count for key, count in found.counts.dropped.items()} == {"languages": 2}
    assert [turns for _, turns in scenes(found.corpus)] == [[("MARA VOSS", (english,))], [("MARA VOSS", ("jawohl",))]]


def test_private_messages_are_counted_apart(tmp_path: Path) -> None:
    """Under a source of their own, read or not."""
    group = telegram(tmp_path, [("Mara Voss", "in public")])
    private = telegram(tmp_path, [("Mara Voss", "in private")], kind="personal_chat", start=9)
    without = settings_of(tmp_path)
    summary = import_summary(without, imported(without, group, private))
    assert [(row["source"], row["kept"], row["dropped"]) for row in summary["table"]] == [
        ("Telegram JSON", 1, {}),
        ("Telegram JSON, private", 0, {"private": 1}),
    ]
    asked = settings_of(tmp_path, "dms = true\n")
    summary = import_summary(asked, imported(asked, group, private))
    assert summary["corpus"]["private"] == 1
    assert ("dm", [("MARA VOSS", ("in private",))]) in scenes(load_corpus(asked))


def test_a_reply_finds_its_parent_in_a_friends_archive_or_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of wanted posts becomes replies.jsonl when its texts are filled in; beside the settings it is read."""
    mine = archive(
        tmp_path,
        "maravoss",
        "1",
        [
            {
                "id_str": "11",
                "full_text": "@bramdw no",
                "in_reply_to_status_id_str": "21",
                "in_reply_to_screen_name": "bramdw",
            },
            {
                "id_str": "12",
                "full_text": "@zq yes",
                "in_reply_to_status_id_str": "31",
                "in_reply_to_screen_name": "zq",
            },
            {"id_str": "13", "full_text": "alone"},
        ],
    )
    bram = archive(tmp_path, "bramdw", "2", [{"id_str": "21", "full_text": "is it raining?"}])
    settings = settings_of(tmp_path, people='[people.BRAM]\nnames = ["bramdw"]\nconsent = true\n')
    first = imported(settings, mine, bram)
    assert sorted(scenes(first.corpus)) == [
        ("reply", [("BRAM", ("is it raining?",)), ("MARA VOSS", ("no",))]),
        ("reply", [("SOMEONE", ("[…]",)), ("MARA VOSS", ("yes",))]),
        ("timeline", [("MARA VOSS", ("alone",))]),
    ]
    show_import(settings, first, as_json=False)
    assert "1 answered posts are in no export" in capsys.readouterr().out
    (line,) = (settings.corpus / "wanted.jsonl").read_text().splitlines()
    wish = json.loads(line)
    assert wish == {"id": "31", "author": "", "text": "", "platform": "x", "url": "https://x.com/i/status/31"}
    (tmp_path / "replies.jsonl").write_text(json.dumps(wish | {"author": "@zq", "text": "are you sure?"}) + "\n")
    second = imported(settings, mine)
    stand_in = second.corpus.people["x:=ZQ"].key
    assert ("reply", [(stand_in, ("are you sure?",)), ("MARA VOSS", ("yes",))]) in scenes(second.corpus)
    assert not (settings.corpus / "wanted.jsonl").read_text()


def test_what_rules_rewrote_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By rule, in the report and in its JSON; quoted words of strangers stand under a stand-in."""
    mine = archive(
        tmp_path,
        "maravoss",
        "1",
        [
            {"id_str": "1", "full_text": "so true RT @zq: cats are liquid"},
            {"id_str": "2", "full_text": "nooooooooooooooo"},
            {"id_str": "3", "full_text": "@pim see https://example.org/x"},
        ],
    )
    settings = settings_of(tmp_path)
    found = imported(settings, mine)
    assert import_summary(settings, found)["rewritten"] == {"quotes": 1, "runs": 1, "handles": 1, "links": 1}
    show_import(settings, found, as_json=False)
    assert "rewritten: quotes 1, runs 1, handles 1, links 1" in capsys.readouterr().out
    stand_in = found.corpus.people["x:=ZQ"].key
    answers = [turn for record in found.corpus.conversations for turn in record.conversation.turns if turn.quote]
    assert answers == [Turn("MARA VOSS", ("so true",), Quote(stand_in, "cats are liquid"))]


def test_the_words_that_names_replaced_most_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that a name which eats a word is seen; words stay."""
    talk = [("Don", "hi"), ("Mara Voss", "I don't know, ask Don or zelda"), ("Zelda", "don't ask Don, don’t")]
    settings = settings_of(tmp_path)
    found = imported(settings, telegram(tmp_path, talk))
    assert import_summary(settings, found)["names"] == {"don": 2, "zelda": 1}
    show_import(settings, found, as_json=False)
    assert "words replaced by stand-ins, most often: don 2, zelda 1" in capsys.readouterr().out
    assert everything_in(settings.corpus).count("don't") == 6  # in messages, conversations, transcript


def test_names_of_files_and_chats_are_not_written(tmp_path: Path) -> None:
    """Where an export has no ids, readers make them of names; in the corpus they are hashes."""
    path = tmp_path / "Zelda Quist.txt"
    path.write_text("Mara Voss:\nhi\n\nZelda Quist:\nhello\n\nMara Voss:\nbye\n", encoding="utf-8")
    settings = settings_of(tmp_path)
    imported(settings, path)
    assert "zelda" not in everything_in(settings.corpus).casefold()
    assert imported(settings, path).new == 0


def test_where_nobody_is_the_persona_nothing_is_written(tmp_path: Path) -> None:
    """The names that are there are told."""
    settings = settings_of(tmp_path)
    with pytest.raises(UserError, match="there are Zelda Quist"):
        imported(settings, telegram(tmp_path, [("Zelda Quist", "hi")]))
    assert not settings.corpus.exists()


def test_no_sign_of_personal_data_is_passed_over() -> None:
    """What `may_hold_any` sees in a text, the look at many texts sees too."""
    texts = [
        "hi",
        "call 1",
        "a@b",
        "x (at) y",
        "[at]",
        "3号",
        "五號",
        "栋",
        "幢",
        "k: v",
        "a=b",
        "：",
        "１",
        "٣",
        "at)",
        "",
    ]
    seen = TextScan(texts).holding(_SIGNS).tolist()
    assert [flag or not may_hold_any(text) for text, flag in zip(texts, seen, strict=True)] == [True] * len(texts)
    assert seen[0] is False


def test_who_agreed_and_is_in_no_export_is_named(tmp_path: Path) -> None:
    """With the name that is nearest: spelled otherwise, they are a stranger. JSON has their key alone."""
    people = '[people.ZELDA]\nnames = ["Zelda Kwist"]\nconsent = true\n[people.BOB]\nnames = ["Bob"]\nconsent = true\n'
    settings = settings_of(tmp_path, people=people)
    export = telegram(tmp_path, [("Mara Voss", "hi"), ("Zelda Quist", "hello"), ("Bob", "yo")])
    found = imported(settings, export)
    assert import_summary(settings, found)["not_in_exports"] == ["ZELDA"]
    (sentence,) = absences(settings, found.corpus)
    assert sentence.startswith("[people] ZELDA agreed to be imitated, but wrote nothing")
    assert "did you mean 'Zelda Quist'?" in sentence
