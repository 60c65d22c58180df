"""Every way out is a way back in: what is exported as text or instruction data is imported to the same turns."""

import json
import stat
from pathlib import Path

import pytest

from persona.atomic import write_whole
from persona.config import Settings, load
from persona.errors import UserError
from persona.transcript import Conversation, Turn, render
from tests.conftest import sample_settings
from trainer.corpus.store import Corpus
from trainer.export.conversations import alpaca, jade
from trainer.export.export_formats import FORMATS, ExportJob
from trainer.ingest.pipeline import import_exports
from trainer.progress import Bars

PERSONA = "MARA VOSS"


def settings_in(folder: Path, more: str = "") -> Settings:
    folder.mkdir()
    (folder / "persona.toml").write_text(sample_settings(f"dms = true\n{more}"), encoding="utf-8")
    return load(folder / "persona.toml")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_in(tmp_path_factory.mktemp("export") / "home")


@pytest.fixture(scope="module")
def corpus(home: Settings, sample_exports: Path) -> Corpus:
    """The sample's small edition."""
    return import_exports(home, [sample_exports], fresh=True, bars=Bars(quiet=True)).corpus


def conversations(corpus: Corpus) -> list[str]:
    return sorted(render(one.conversation) for one in corpus.conversations)


def speaks(text: str) -> bool:
    return f"\n{PERSONA}:\n" in text


def export(settings: Settings, name: str, target: Path) -> str:
    """Export the corpus of `settings`; what the command says of it."""
    return FORMATS[name].write(ExportJob(settings, target, "f16", Bars(quiet=True)))


@pytest.mark.parametrize("kind", ["transcript", "messages", "alpaca", "sharegpt", "jade"])
def test_what_is_exported_is_imported_to_the_same_turns(
    kind: str, home: Settings, corpus: Corpus, tmp_path: Path
) -> None:
    """Scene, year, speakers and lines; alpaca has the conversations that the persona speaks in, JadeV8 ends with one."""
    path = tmp_path / "exported"
    assert export(home, kind, path) == f"{len(corpus.conversations):,} conversations"
    other = settings_in(tmp_path / "other", "[data.cleaning]\nnear_duplicates = false\n")  # bursts are one message now
    again = import_exports(other, [path], fresh=True, bars=Bars(quiet=True)).corpus
    before, after = conversations(corpus), conversations(again)
    if kind == "alpaca":
        before = [one for one in before if speaks(one)]
    if kind == "jade":
        lost = set(before) - set(after)
        assert len(lost) <= 1 + len([one for one in lost if not speaks(one)])
        before = [one for one in before if one not in lost]
        after = [one for one in after if one in before]
    assert after == before
    assert len(before) > 100


def test_stand_in_names_come_back_as_they_went(tmp_path: Path, sample_exports: Path) -> None:
    """Whoever is a heron in the export is a heron in the import, and not a heron by another name."""
    corpora = []
    for name, source in (("first", sample_exports), ("second", tmp_path / "talk.txt")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "persona.toml").write_text('[persona]\nname = "Mara Voss"\n', encoding="utf-8")
        settings = load(folder / "persona.toml")
        corpora.append(import_exports(settings, [source], fresh=True, bars=Bars(quiet=True)).corpus)
        export(settings, "transcript", tmp_path / "talk.txt")
    speakers = [{turn.speaker for one in corpus.conversations for turn in one.conversation.turns} for corpus in corpora]
    assert speakers[0] == speakers[1]
    assert conversations(corpora[0]) == conversations(corpora[1])


def test_alpaca_records_show_what_was_said_before(tmp_path: Path) -> None:
    """A record for each turn of the persona: twenty turns before it, or as many as there are since its last."""
    others = [Turn("BOB", (f"line {number}",)) for number in range(50)]
    talk = Conversation(
        "group",
        (*others[:30], Turn(PERSONA, ("one", "two")), *others[30:32], Turn(PERSONA, ("three",)), others[33]),
        2021,
    )
    records = json.loads("".join(alpaca([talk], PERSONA)))
    assert [(one["instruction"], one["output"], one["before"]) for one in records] == [
        ("# group 2021", "one\ntwo", 0),
        ("# group 2021", "three", 13),
    ]
    assert records[0]["input"].count("BOB:") == 30
    assert records[1]["input"].endswith(f"{PERSONA}:\none\ntwo\n\nBOB:\nline 30\n\nBOB:\nline 31")
    assert records[1]["after"] == "BOB:\nline 33"


def test_the_last_row_of_jade_is_the_personas() -> None:
    """As the format asks for; `|br|` in a text does not part it."""
    talks = [
        Conversation("group", (Turn("BOB", ("a |br| b", "c")), Turn(PERSONA, ("yes", "no")), Turn("BOB", ("ok",)))),
        Conversation("group", (Turn("BOB", ("nobody answers",)),)),
    ]
    rows = "".join(jade(talks, PERSONA)).splitlines()
    assert rows == ["# group", "BOB: a |br | b |br| c", "|aigenerationstart| yes |br| no |endofgeneration|"]


def test_an_export_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    """What was there before stays where the new one fails."""
    path = tmp_path / "out.txt"
    write_whole(path, ["one", "two"])
    assert path.read_text() == "onetwo"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ZeroDivisionError):
        write_whole(path, (str(1 // number) for number in (1, 0)))
    assert path.read_text() == "onetwo"
    assert [one.name for one in tmp_path.iterdir()] == ["out.txt"]


def test_a_place_that_can_not_be_written_is_a_sentence(tmp_path: Path, home: Settings, corpus: Corpus) -> None:
    """A folder, a folder that is not there; and a corpus in which the persona is silent."""
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "no" / "out.txt", "there is no folder")):
        with pytest.raises(UserError, match=words):
            export(home, "messages", path)
    config = tmp_path / "persona.toml"
    config.write_text(f'[persona]\nname = "Nobody"\n[data]\ncorpus = "{home.corpus}"\n', encoding="utf-8")
    other = load(config)
    with pytest.raises(UserError, match="says nothing in the corpus"):
        export(other, "messages", tmp_path / "out.txt")
