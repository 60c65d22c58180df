"""Imports of anything that lies in a folder of downloads: what is read, skipped, refused, rejected; twice, and at once."""

import json
import os
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest

from persona.config import Settings, load
from persona.errors import UserError
from tests.conftest import run_here
from tests.trainer.sources.reading import FIXTURES
from trainer.__main__ import app
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.store import load as load_corpus
from trainer.ingest.pipeline import Imported, import_exports
from trainer.ingest.plain_messages import clean_all
from trainer.ingest.reading import read_all
from trainer.ingest.summary import import_summary, notes
from trainer.progress import Bars
from trainer.sources.registry import find

SETTINGS = '[persona]\nname = "Ines Quill"\naliases = ["Ines", "ines_quill", "小鸥"]\n[data]\ndms = true\n'


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    (tmp_path / "persona.toml").write_text(SETTINGS, encoding="utf-8")
    return load(tmp_path / "persona.toml")


def imported(home: Settings, *paths: Path, fresh: bool = False, strict: bool = False) -> Imported:
    return import_exports(home, paths, fresh=fresh, strict=strict, bars=Bars(quiet=True))


def rejected(home: Settings) -> list[dict[str, object]]:
    lines = (home.corpus / REJECTS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_a_folder_of_downloads_simply_works(home: Settings, tmp_path: Path) -> None:
    """Exports of every format between pictures, notes and broken files: the former are read, the latter told."""
    downloads = tmp_path / "downloads"
    shutil.copytree(FIXTURES, downloads)
    (downloads / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (downloads / "note.txt").write_text("buy milk")
    (downloads / "empty.json").write_text("")
    (downloads / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    result = imported(home, *sorted(downloads.iterdir()))
    summary = import_summary(home, result)
    assert {Path(path).name for path in summary["unrecognised"]} == {"cat.png", "note.txt"}
    assert len(summary["refused"]) == 2
    assert set(summary["experimental"]) >= {"Reddit", "Weibo"}
    assert not {"Mastodon", "Bluesky"} & set(summary["experimental"])
    assert summary["corpus"]["messages"] > 40


def test_where_nothing_can_be_read_the_import_fails(home: Settings, tmp_path: Path) -> None:
    """And writes nothing."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match="no export that alterego can read"):
        imported(home, path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cat.png", "persona.toml"]


def test_where_no_message_can_be_read_the_import_says_why(home: Settings, tmp_path: Path) -> None:
    """A message too long to be one is the reason, not the name in the settings."""
    path = tmp_path / "result.json"
    long = "x" * (20 << 20)
    message = f'{{"id": 1, "type": "message", "date": "2024-01-13T14:03:00", "from_id": "user5", "text": "{long}"}}'
    path.write_text(f'{{"name": "Gang", "type": "private_group", "id": 7, "messages": [{message}]}}')
    with pytest.raises(UserError, match="no message in these exports that could be read"):
        imported(home, path)


def private_export(path: Path, kind: str) -> Path:
    message = (
        '{"id": 1, "type": "message", "date": "2024-01-13T14:03:00", "from": "Ines", "from_id": "user5", "text": "hi"}'
    )
    path.write_text(f'{{"name": "Bo", "type": "{kind}", "id": 7, "messages": [{message}]}}')
    return path


def test_where_everything_is_private_the_import_names_the_setting(tmp_path: Path) -> None:
    """Not the name in the settings, which is right."""
    (tmp_path / "persona.toml").write_text('[persona]\nname = "Ines"\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"private; set \[data\] dms = true"):
        imported(load(tmp_path / "persona.toml"), private_export(tmp_path / "result.json", "personal_chat"))


@pytest.mark.parametrize("place", ["thesis.txt", "documents", "."])
def test_an_import_replaces_nothing_but_a_corpus(tmp_path: Path, place: str) -> None:
    """A file or folder of the user's that [data] corpus names by mistake stays as it is."""
    (tmp_path / "persona.toml").write_text(f'{SETTINGS}corpus = "{place}"\n', encoding="utf-8")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter.txt").write_text("dear")
    (tmp_path / "thesis.txt").write_text("whereas")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"\[data\] corpus"):
        imported(load(tmp_path / "persona.toml"), FIXTURES / "telegram")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "thesis.txt").read_text() == "whereas"


def test_a_name_is_shown_to_the_letter(tmp_path: Path) -> None:
    """Brackets in a name are no markup of the tables, and nothing in it turns a line of the terminal around."""
    (tmp_path / "persona.toml").write_text('[persona]\nname = "Ines"\n[data]\npseudonyms = false\n', encoding="utf-8")
    path = tmp_path / "2024.txt"
    path.write_text("Ines:\nhello\n\nZed [/oops]\u202e:\nyes?\n", encoding="utf-8")
    for command in (["import", str(path)], ["stats"]):
        done = run_here(app, "python -m trainer", *command, "--config", str(tmp_path / "persona.toml"))
        assert done.returncode == 0, done.stderr
        assert "Zed [/oops] " in done.stdout
        assert "\u202e" not in done.stdout


def test_what_is_read_is_kept_or_dropped(home: Settings) -> None:
    """For every source and speaker."""
    for row in import_summary(home, imported(home, FIXTURES))["table"]:
        assert row["read"] == row["kept"] + sum(row["dropped"].values())


def test_what_could_not_be_read_lies_beside_the_corpus_verbatim(home: Settings, tmp_path: Path) -> None:
    """With export, file, offset and reason, for nobody else to read, also where it is no UTF-8."""
    path = tmp_path / "result.json"
    raw = (FIXTURES / "telegram/group/result.json").read_bytes().replace(b'"id": 6', b'"id": "\xe9"')
    path.write_bytes(raw)
    imported(home, path)
    (entry,) = rejected(home)
    kept = str(entry["raw"]).encode("utf-8", "surrogateescape")
    assert (entry["export"], entry["file"]) == ("result.json", "result.json")
    assert raw[int(str(entry["offset"])) :].startswith(kept)
    assert b'"id": "\xe9"' in kept
    assert stat.S_IMODE((home.corpus / REJECTS).stat().st_mode) == 0o600


def test_rejects_of_earlier_imports_stay_and_are_there_once(home: Settings) -> None:
    """Until a fresh import."""
    for _ in range(2):
        imported(home, FIXTURES / "reddit")
    assert len(rejected(home)) == 1
    imported(home, FIXTURES / "x_2023")
    assert len(rejected(home)) == 1
    imported(home, FIXTURES / "x_2023", fresh=True)
    assert not (home.corpus / REJECTS).exists()


def test_strict_writes_nothing_where_anything_could_not_be_read(home: Settings, tmp_path: Path) -> None:
    """Neither a passage nor a whole archive; the corpus of before stays as it was."""
    imported(home, FIXTURES / "x_2023", strict=True)
    before = snapshot(home.corpus)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    for bad in (FIXTURES / "reddit", tmp_path / "broken.zip"):
        with pytest.raises(UserError, match=r"1 passage could not be read, the first: .*nothing was written"):
            imported(home, FIXTURES / "discord", bad, strict=True)
        assert snapshot(home.corpus) == before


def test_an_export_imported_again_adds_nothing(home: Settings) -> None:
    """Every format knows its messages again."""
    first = imported(home, FIXTURES)
    again = imported(home, FIXTURES)
    assert again.new == 0
    assert len(again.corpus.rows) == len(first.corpus.rows)
    assert again.corpus.fingerprint == first.corpus.fingerprint


def test_a_look_says_what_is_there_and_writes_nothing(home: Settings, tmp_path: Path) -> None:
    """Under the names of the exports, whoever the persona is; how far it is is told as JSON."""
    (tmp_path / "persona.toml").write_text('[persona]\nname = "nobody of these"\n', encoding="utf-8")
    before = snapshot(tmp_path)
    words = ["import", "--look", str(FIXTURES / "telegram"), "--json", "--progress", "--config", str(home.path)]
    done = run_here(app, "python -m trainer", *words)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {row["speaker"] for row in summary["table"]} >= {"Ines Quill"}
    assert all(row["read"] == row["kept"] + sum(row["dropped"].values()) for row in summary["table"])
    assert summary["total"]["read"] == sum(row["read"] for row in summary["table"])
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert told[-1]["done"] == 1.0
    assert snapshot(tmp_path) == before


def test_an_overlapping_export_adds_what_is_new(home: Settings, tmp_path: Path) -> None:
    """A longer one of the same chat, later and under another name."""
    chat = json.loads((FIXTURES / "discord/channel.json").read_text(encoding="utf-8"))
    shorter = tmp_path / "march.json"
    shorter.write_text(json.dumps({**chat, "messages": chat["messages"][:1]}, indent=2), encoding="utf-8")
    assert imported(home, shorter).new == 1
    later = imported(home, FIXTURES / "discord")
    assert later.new == 2
    assert [row.message_id for row in sorted(load_corpus(home).rows, key=lambda row: row.message_id)] == ["1", "2", "4"]


def test_several_processes_read_the_same_in_the_same_order(tmp_path: Path) -> None:
    """Whichever is done first."""
    exports = [export for name in ("x_2023", "telegram", "reddit", "discord") for export in find(FIXTURES / name)]
    settings = Settings.model_validate({"persona": {"name": "Ines"}}).data
    found = []
    for parallel_from in (0, 1 << 40):
        readings = read_all(exports, partial(clean_all, settings=settings), tmp_path, Bars(quiet=True), parallel_from)
        found.append([(export.label, list(reading)) for export, reading in readings])
    assert found[0] == found[1]
    assert [label for label, _ in found[0]] == [export.label for export in exports]
    assert list(tmp_path.iterdir()) == []


def test_an_import_that_is_given_up_ends_its_processes_and_leaves_nothing(home: Settings, tmp_path: Path) -> None:
    """Ctrl-C while others read."""
    exports = list(find(FIXTURES / "x_2023"))
    folder = tmp_path / "scratch"
    folder.mkdir()
    readings = read_all(exports, partial(clean_all, settings=home.data), folder, Bars(quiet=True), 0)
    next(readings)
    with pytest.raises(KeyboardInterrupt):
        readings.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert not [one for one in Path("/proc").glob("[0-9]*/stat") if _is_child(one)]


def _is_child(path: Path) -> bool:
    try:
        fields = path.read_text().rpartition(")")[2].split()
        command = path.with_name("cmdline").read_bytes()
    except OSError:
        return False
    return int(fields[1]) == os.getpid() and b"multiprocessing.spawn" in command


def test_instruction_data_has_the_persona_in_the_role_that_settings_say(tmp_path: Path) -> None:
    """The assistant, unless told otherwise."""
    for role, words in {"assistant": "ok.", "user": "ok", "human": "ok"}.items():
        folder = tmp_path / role
        folder.mkdir()
        (folder / "persona.toml").write_text(f'[persona]\nname = "Ines"\n[data]\npersona_role = "{role}"\n')
        corpus = imported(load(folder / "persona.toml"), FIXTURES / "sharegpt").corpus
        said = [
            line
            for one in corpus.conversations
            for turn in one.conversation.turns
            if turn.speaker == "INES"
            for line in turn.lines
        ]
        assert words in said


def test_the_commands_take_an_export_in_and_the_corpus_out(tmp_path: Path) -> None:
    """import --strict, then export; wrong usage is a sentence and exit code 2."""
    (tmp_path / "persona.toml").write_text(SETTINGS, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        done = run_here(app, "python -m trainer", *arguments, "--config", str(tmp_path / "persona.toml"))
        return done.returncode, done.stdout, done.stderr

    code, out, _ = run("import", str(FIXTURES / "discord"), str(FIXTURES / "weibo"), "--strict")
    assert code == 0
    assert "experimental, no real export was ever seen: Weibo" in " ".join(out.split())
    code, _, err = run("import", str(FIXTURES / "reddit"), "--strict")
    assert code == 1
    assert "comments.csv at 591" in err
    target = tmp_path / "train.jsonl"
    assert run("export", "--messages", str(target))[0] == 0
    assert {"messages"} == {key for line in target.read_text(encoding="utf-8").splitlines() for key in json.loads(line)}
    code, _, err = run("export")
    assert code == 2
    assert "nothing to export: name one of --transcript, --messages, --alpaca, --sharegpt, --jade" in err


def test_strict_counts_files_that_no_reader_knows(home: Settings, tmp_path: Path) -> None:
    """Though others beside them are read; without it they are named in the summary."""
    folder = tmp_path / "down"
    shutil.copytree(FIXTURES / "x_2023", folder)
    (folder / "diary.txt").write_text("dear diary, nothing")
    with pytest.raises(UserError, match=r"1 file could not be read, the first: down/diary\.txt: text of a kind"):
        imported(home, folder, strict=True)
    summary = import_summary(home, imported(home, folder))
    assert summary["unread"] == [{"file": "down/diary.txt", "reason": "text of a kind that no reader knows"}]


def test_messages_without_a_date_are_told(home: Settings, tmp_path: Path) -> None:
    """With their number, in the order of their file; those of a text, which never has dates, are not."""
    log = tmp_path / "#fen.log"
    log.write_text("Mar 05 10:05 <Ines> first\nMar 04 10:06 <Bo> second\n")
    transcript = tmp_path / "play.txt"
    transcript.write_text("INES:\nwho is there\n\nBO:\nme\n", encoding="utf-8")
    result = imported(home, log, transcript)
    summary = import_summary(home, result)
    assert summary["corpus"]["undated"] == 2
    assert "2 messages have no date that can be told; they stand in the order of their files" in notes(
        home, result, summary
    )
    assert "first\n\nPUFFIN:\nsecond" in (home.corpus / "transcript.txt").read_text(encoding="utf-8")


def test_a_time_of_zero_is_none(home: Settings, tmp_path: Path) -> None:
    """Exports write 0 where they don't know: nobody chatted in 1970, and the message stays beside its neighbours."""
    stamps = (1673000000, 0, 1673000060)
    messages = [
        {
            "id": number,
            "type": "message",
            "date": "",
            "date_unixtime": str(at),
            "from": name,
            "from_id": name,
            "text": "hi",
        }
        for number, (at, name) in enumerate(zip(stamps, ("Ines", "Bo", "Ines"), strict=True))
    ]
    export = {"name": "Pond", "type": "private_group", "id": 1, "messages": messages}
    (tmp_path / "result.json").write_text(json.dumps(export), encoding="utf-8")
    corpus = imported(home, tmp_path / "result.json").corpus
    assert [row.at for row in corpus.rows] == [1673000000, None, 1673000060]
    assert [one.conversation.year for one in corpus.conversations] == [2023]


def test_two_talks_of_an_irc_channel_are_two_conversations(home: Settings, tmp_path: Path) -> None:
    """Told apart by nicks, though names in the text become stand-ins."""
    lines = []
    for minute in range(20):
        lines += [
            f"[10:{minute:02}:00] <Ines> the disk wants sda{minute}",
            f"[10:{minute:02}:10] <tomo_> the editor crashed {minute} times",
            f"[10:{minute:02}:20] <Ruud> Ines: which disk now, number {minute}",
            f"[10:{minute:02}:30] <Ruud> it is {minute} again, tomo_",
        ]
    log = tmp_path / "#help.2021-03-04.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    conversations = [record.conversation for record in imported(home, log).corpus.conversations]
    assert len(conversations) == 2
    assert [{turn.speaker for turn in talk.turns} == {"INES QUILL"} for talk in conversations] == [False, False]
    assert ["INES QUILL" in {turn.speaker for turn in talk.turns} for talk in conversations] == [True, False]


def test_a_group_dm_is_a_private_talk_if_the_settings_say_so(home: Settings, tmp_path: Path) -> None:
    """[data] group_dms = false: its messages are counted and trained on as those of a dm, though dms are asked for."""
    path = tmp_path / "friends.json"
    row = {"type": "Default", "timestamp": "2022-05-06T07:08:09+02:00", "content": "hi"}
    author = {"id": "7", "name": "ines_quill", "nickname": "Ines"}
    path.write_text(
        json.dumps(
            {
                "guild": {"id": "0", "name": "Direct Messages"},
                "channel": {"id": "9", "type": "DirectGroupTextChat", "name": "us"},
                "messages": [row | {"id": "1", "author": author}],
            }
        )
    )
    for setting, scene in (("", "group"), ("group_dms = false\n", "dm")):
        home.path.write_text(SETTINGS + setting, encoding="utf-8")
        corpus = imported(load(home.path), path, fresh=True).corpus
        assert [record.conversation.scene for record in corpus.conversations] == [scene]
