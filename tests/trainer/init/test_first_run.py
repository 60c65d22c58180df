"""`python -m trainer init` over invented exports: what it finds, asks, writes, and that an import goes on from there."""

import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pexpect
import pytest

from persona.command import CALLER
from persona.config import Base, load
from persona.errors import UserError
from persona.sample import copied_settings
from tests.conftest import ROOT, run_here
from tests.trainer.sources.reading import FIXTURES
from trainer.__main__ import app
from trainer.corpus.store import load as load_corpus
from trainer.init.answers import Flags, choose_persona, select_people
from trainer.init.exports import find_exports
from trainer.init.first_settings import TEMPLATE, FirstRunAnswers, rendered
from trainer.init.writers import Writer, writers
from trainer.progress import Bars

WRITERS = [
    Writer("Ines Quill", ("Ines Quill", "ines"), 9, 0),
    Writer("Moss, the elder", ("Moss, the elder",), 5, 0),
    Writer("Fern", ("Fern", "@fern"), 3, 1),
]


class Typed(io.StringIO):
    """What somebody types at a terminal; where it ends they press Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line = super().readline()
        if not line:
            raise KeyboardInterrupt
        return line


class Ended(io.StringIO):
    """The same; where it ends they press Ctrl-D."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, with a Telegram group, a WhatsApp chat and a Discord channel in another beside it."""
    for name in ("telegram", "discord", "whatsapp"):
        shutil.copytree(FIXTURES / name, tmp_path / "exports" / name)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def init(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in `folder`."""
    return run_here(app, "python -m trainer", "init", *arguments, cwd=folder)


def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", Typed("".join(f"{line}\n" for line in lines)))


@pytest.mark.parametrize(
    ("name", "me"),
    [
        ("x_2023", "Ines Quill"),
        ("telegram", "ines quill"),
        ("discord", "Ines"),
        ("slack", "ada"),
        ("mastodon", "1"),
        ("irc", "coot"),
    ],
)
def test_an_import_goes_on_from_what_was_written(tmp_path: Path, name: str, me: str) -> None:
    """Whatever the format: the settings load, and the one who was chosen is the persona of the corpus."""
    done = init(tmp_path, str(FIXTURES / name), "--me", me, "--yes", "--base", "scratch", "--dms", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["next"] == "python -m trainer import"
    imported = run_here(app, "python -m trainer", "import", "--json", cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr
    settings = load(tmp_path / "persona.toml")
    corpus = load_corpus(settings)
    mine = sum(corpus.people[row.sender].persona for row in corpus.rows)
    assert mine
    assert mine <= next(one["messages"] for one in told["writers"] if one["name"] == settings.persona.name)


def test_who_has_no_name_in_the_export_gives_one(tmp_path: Path) -> None:
    """Signal calls the account `Me`."""
    done = init(tmp_path, str(FIXTURES / "signal"), "--me", "Me", "--yes", "--base", "scratch")
    assert done.returncode == 2
    assert "add --name NAME" in done.stderr
    done = init(
        tmp_path, str(FIXTURES / "signal"), "--me", "Me", "--name", "Ines", "--dms", "--yes", "--base", "scratch"
    )
    assert done.returncode == 0, done.stderr
    assert "persona: Ines, " in done.stdout
    assert load(tmp_path / "persona.toml").persona.aliases == ()
    imported = run_here(app, "python -m trainer", "import", cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr


def test_every_question_can_be_answered(folder: Path, sample_exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong answers are asked again; what was answered stands in the settings, with the ids that exports tell."""
    typing(
        monkeypatch,
        "nobody at all",
        "Mara Voss",
        "",
        "mara voss, 2",
        "jonas, 小雨",
        "no/such base",
        "scrach",
        "scratch",
    )
    done = init(folder, str(sample_exports))
    assert done.returncode == 0, done.stderr
    assert "nobody is called 'nobody at all'" in done.stderr
    assert "Mara Voss is you already" in done.stderr
    assert "'no/such base' is neither a folder here nor a name" in done.stderr
    assert "no base is called 'scrach'" in done.stderr
    assert "did you mean 'scratch'?" in done.stderr
    settings = load(folder / "persona.toml")
    assert (settings.persona.name, settings.persona.aliases) == ("Mara Voss", ("maravoss",))
    jonas = settings.people["JONAS LINDQVIST"]
    assert list(settings.people) == ["JONAS LINDQVIST", "小雨"]
    assert (jonas.consent, len(jonas.ids("discord")), len(jonas.ids("telegram"))) == (True, 1, 1)
    assert settings.sources == [sample_exports]
    assert not settings.data.dms
    assert settings.base.model == "scratch"


@pytest.mark.parametrize("stdin", [Typed, Ended])
@pytest.mark.parametrize("answers", ["", "1\n", "1\nnobody\n", "1\nnobody\ny\n"])
def test_ctrl_c_and_ctrl_d_at_any_question_leave_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stdin: type[io.StringIO], answers: str
) -> None:
    """Neither settings nor a draft of them."""
    monkeypatch.setattr(sys, "stdin", stdin(answers))
    done = init(folder, "../exports")
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("stdin", [None, io.StringIO("1\n")])
def test_without_a_terminal_it_says_which_flags_are_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None
) -> None:
    """And whom --me may name; exit code 2. A process may be started without any standard input."""
    monkeypatch.setattr(sys, "stdin", stdin)
    done = init(folder, "../exports")
    assert done.returncode == 2
    assert "add --me NAME, --consent NAME, --base MODEL (--yes stands for nobody else" in done.stderr
    assert "'Ines Quill'" in done.stderr
    assert list(folder.iterdir()) == []


def test_settings_are_replaced_only_when_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --force, or yes at the question, which comes before all others."""
    (folder / "persona.toml").write_text("# mine\n")
    flags = ["../exports", "--me", "Ines", "--yes", "--base", "scratch"]
    done = init(folder, *flags)
    assert (done.returncode, (folder / "persona.toml").read_text()) == (2, "# mine\n")
    assert "add --force to replace it, or name another with --to" in done.stderr
    typing(monkeypatch, "n")
    done = init(folder, *flags)
    assert (done.returncode, (folder / "persona.toml").read_text()) == (0, "# mine\n")
    done = init(folder, *flags, "--to", "other.toml", "--json")
    assert json.loads(done.stdout)["next"] == "python -m trainer import --config other.toml"
    (folder / "persona.toml").chmod(0o600)
    assert init(folder, *flags, "--force").returncode == 0
    assert (folder / "persona.toml").stat().st_mode & 0o777 == 0o600
    assert load(folder / "persona.toml").persona.name.startswith("Ines")


def test_under_make_the_next_step_is_makes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As README has it: init, train, chat."""
    flags = ["../exports", "--me", "Ines", "--yes", "--base", "scratch"]
    assert init(folder, *flags).stdout.splitlines()[-1] == "next: python -m trainer import"
    monkeypatch.setenv(CALLER, "make")
    assert init(folder, *flags, "--force").stdout.splitlines()[-1] == "next: make train"


def test_the_samples_settings_make_room_without_a_question(folder: Path) -> None:
    """Nobody made them by hand; the corpus they filled does not get into one's own. Once changed, they are somebody's."""
    target, flags = folder / "persona.toml", ["../exports", "--me", "Ines", "--yes", "--base", "scratch"]
    target.write_text(copied_settings(), encoding="utf-8")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "transcript.txt").write_text("of the sample")
    done = init(folder, *flags)
    assert done.returncode == 0, done.stderr
    assert load(target).persona.name.startswith("Ines")
    assert not (folder / "corpus").exists()
    assert (folder / "corpus-sample" / "transcript.txt").is_file()
    target.write_text(copied_settings() + "# and mine\n", encoding="utf-8")
    assert init(folder, *flags).returncode == 2


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("there", "is a folder; name a file in it with --to"),
        ("/proc/self/persona.toml", "nothing can be written into /proc/self"),
        ("nowhere/persona.toml", "is no folder; make it"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_asked(folder: Path, to: str, sentence: str) -> None:
    """Nobody likes to answer questions for nothing."""
    (folder / "there").mkdir()
    done = init(folder, "../exports", "--to", to, "--force")  # no --me: that question would come next
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "--me" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--consent", "nobody", "--consent", "Fern"], "--consent says nobody and somebody"),
        (["--consent", "2", "--consent", "2"], "--consent names somebody twice"),
        (["--name", ":"], "holds nothing a name can be written with"),
        (["--name", ""], "holds nothing a name can be written with"),
        (["--base", ""], "--base names nothing"),
    ],
)
def test_flags_that_mean_nothing_write_nothing(folder: Path, flags: list[str], sentence: str) -> None:
    """Who agreed is never guessed from what contradicts itself; nor is a variable that a script left empty."""
    done = init(folder, "../exports", "--me", "1", "--yes", "--dms", *flags)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert list(folder.iterdir()) == []


def test_private_messages_alone_need_a_word(tmp_path: Path) -> None:
    """They are read only where the user says so."""
    flags = [str(FIXTURES / "whatsapp" / "klo.txt"), "--me", "1", "--yes", "--base", "scratch"]
    done = init(tmp_path, *flags)
    assert done.returncode == 2
    assert "private; say so with --dms" in done.stderr
    assert init(tmp_path, *flags, "--dms").returncode == 0


def test_the_usual_places_are_looked_through_entry_by_entry(tmp_path: Path) -> None:
    """Pictures, hidden folders and alterego's own are left out, and whatever can't be opened or named in settings; what is
    named is taken as a whole."""
    for name in ("telegram", "x_2023"):
        shutil.copytree(FIXTURES / name, tmp_path / name)
    for own in ("corpus", "examples", ".venv"):
        shutil.copytree(FIXTURES / "discord", tmp_path / own)
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__main__.py").write_text("")
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    shutil.copytree(FIXTURES / "telegram", tmp_path / os.fsdecode(b"caf\xe9"))
    bars = Bars(quiet=True)
    assert [one.path.name for one in find_exports([], [tmp_path], bars)] == ["telegram", "x_2023"]
    (whole,) = find_exports([tmp_path / "x_2023"], [tmp_path], bars)
    assert whole.formats == ["X archive", "X messages"]
    with pytest.raises(UserError, match="no export that alterego can read"):
        find_exports([tmp_path / "cat.png"], [], bars)
    with pytest.raises(UserError, match="isn't UTF-8"):
        find_exports([tmp_path / os.fsdecode(b"caf\xe9")], [], bars)


def test_a_download_that_was_cut_off_is_named_where_it_was_all_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside something readable nothing is said of it: nobody named it."""
    (tmp_path / "archive.zip").write_bytes(b"PK\x03\x04cut off")
    with pytest.raises(UserError, match="no export that alterego can read"):
        find_exports([], [tmp_path], Bars())
    assert "archive.zip is no readable zip" in capsys.readouterr().err
    shutil.copytree(FIXTURES / "telegram", tmp_path / "telegram")
    assert [each.path.name for each in find_exports([], [tmp_path], Bars())] == ["telegram"]
    assert capsys.readouterr().err == ""


NAMESAKES = [
    Writer("Alex", ("Alex", "alex_h", "11"), 9, 0, shared=frozenset({"ALEX"})),
    Writer("Alex", ("Alex", "12"), 5, 0, shared=frozenset({"ALEX"})),
    Writer("Jonas Lindqvist", ("Jonas Lindqvist", "jonas_l"), 3, 0),
]


def test_beginnings_of_names_will_do_and_near_ones_are_named() -> None:
    """A word's beginning, if it is of one person; what is misspelt is asked back, for it is about consent."""
    assert [one.name for one in select_people("lind", NAMESAKES)] == ["Jonas Lindqvist"]
    assert [one.name for one in select_people("jonas", NAMESAKES)] == ["Jonas Lindqvist"]
    for typed in ("alex_h, 3", "１，３", "1、Ｊｏｎａｓ"):
        assert [one.name for one in select_people(typed, NAMESAKES)] == ["Alex", "Jonas Lindqvist"], typed
    assert len(select_people("1＋2", NAMESAKES)) == 1
    with pytest.raises(UserError, match="did you mean 'Jonas Lindqvist'"):
        select_people("Jonsa Lindqvist", NAMESAKES)
    with pytest.raises(UserError, match="2 people are called"):
        select_people("Al", NAMESAKES)


@pytest.mark.parametrize("text", ["no", "None", "n", " no one "])
def test_a_no_is_no_beginning_of_a_name(text: str) -> None:
    """Noor did not agree where somebody says no; who is called so in full may still be named."""
    listed = [Writer("Noor Haddad", ("Noor Haddad",), 5, 0), Writer("None Such", ("None Such",), 3, 0)]
    assert select_people(text, listed) == []
    assert [each.name for each in select_people("No", [*listed, Writer("No", ("No",), 1, 0)])] == ["No"]


@pytest.mark.parametrize("text", ["y", "yes", "ALL", "everybody"])
def test_a_yes_is_asked_back(text: str) -> None:
    """It says that somebody agreed, not who."""
    listed = [Writer("Yesim", ("Yesim",), 5, 0), Writer("Allison", ("Allison",), 3, 0)]
    with pytest.raises(UserError, match="give numbers or names, with commas, or 'nobody'"):
        select_people(text, listed)


def test_a_name_that_two_bear_is_not_written() -> None:
    """Whoever did not agree would be imitated with the one who did, on a platform where they alone are called so."""
    (agreed,) = select_people("1", NAMESAKES)
    (other,) = select_people("2", NAMESAKES)
    assert (agreed.names, other.names) == (["alex_h", "11"], ["12"])
    jonas = select_people("3", NAMESAKES)[0]
    answers = FirstRunAnswers(jonas, (agreed, other), ("exports",), False, Base())
    people = tomllib.loads(rendered(answers, TEMPLATE.read_text("utf-8")))["people"]
    assert [person["names"] for person in people.values()] == [["alex_h", "11"], ["12"]]
    assert "ALEX" not in people
    assert choose_persona(Flags(me="1"), NAMESAKES, None).name == "alex_h"
    with pytest.raises(UserError, match="somebody else in the exports is called 'Alex' too"):
        choose_persona(Flags(me="1", name="Alex"), NAMESAKES, None)


@pytest.mark.parametrize("name", ["Jonas Lindqvist", "jonas_l", "@jonas_l"])
def test_the_persona_is_not_called_as_somebody_else(name: str) -> None:
    """Their messages would be taken for the persona's own."""
    with pytest.raises(UserError, match="somebody else in the exports is called"):
        choose_persona(Flags(me="1", name=name), NAMESAKES, None)
    assert choose_persona(Flags(me="1", name="Jonas"), NAMESAKES, None).name == "Jonas"


class Answers:
    """Somebody who has their answers ready. said: what they were told and asked."""

    def __init__(self, *answers: str, agrees: bool = True) -> None:
        self._answers = iter(answers)
        self._agrees = agrees
        self.said: list[str] = []

    def ask(self, question: str, default: str) -> str:
        self.said.append(question)
        return next(self._answers) or default

    def confirm(self, question: str) -> bool:
        self.said.append(question)
        return self._agrees

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


@pytest.mark.parametrize("agrees", [True, False])
def test_the_archive_of_another_name_is_asked_about(agrees: bool) -> None:
    """One makes archives of one's own account; and the persona is called as one likes."""
    listed = [*WRITERS, Writer("quillpost", ("quillpost", "@quillpost"), 2, 0, archive=True)]
    terminal = Answers("1", "Ines", agrees=agrees)
    me = choose_persona(Flags(), listed, terminal)
    assert "The archive of @quillpost (2 messages) isn't among your names: is it you" in terminal.said
    assert me.name == "Ines"
    assert ("quillpost" in me.calls, me.public) == (agrees, 11 if agrees else 9)


def test_people_are_picked_by_number_name_or_handle() -> None:
    """+ joins two accounts of one person; a comma in a name is no comma between names."""
    assert [one.name for one in select_people("2, FERN", WRITERS)] == ["Moss, the elder", "Fern"]
    assert [one.name for one in select_people("Moss, the elder", WRITERS)] == ["Moss, the elder"]
    (joined,) = select_people("@ines + 3", WRITERS)
    assert (joined.name, joined.calls, joined.public, joined.private) == ("Ines Quill", ("ines", "Fern"), 11, 1)
    assert select_people("nobody", WRITERS) == []
    assert [one.name for one in select_people("2, Fern,", WRITERS)] == ["Moss, the elder", "Fern"]
    for wrong in ("Zed", "1, 1", "4"):
        with pytest.raises(UserError):
            select_people(wrong, WRITERS)


def test_writers_are_counted_as_an_import_would_keep_them() -> None:
    """One name on several platforms is one person; the account that an export doesn't name is one too."""
    found = find_exports([FIXTURES / "telegram", FIXTURES / "signal"], [], Bars(quiet=True))
    listed = writers([export for one in found for export in one.exports], Bars(quiet=True))
    owners = writers(find_exports([FIXTURES / "x_2023"], [], Bars(quiet=True))[0].exports, Bars(quiet=True))
    assert [one.name for one in owners if one.archive] == ["Ines Quill"]
    assert [one.messages for one in listed] == sorted((one.messages for one in listed), reverse=True)
    assert sum(one.account for one in listed) == 1
    assert all(one.private <= one.messages for one in listed)
    assert {platform for one in listed for platform, _ in one.ids} == {"telegram"}


def test_a_look_names_everybody_and_writes_nothing(folder: Path) -> None:
    """For programs that ask themselves: exports, people, and a name for each that no other has."""
    looked = init(folder, "../exports", "--look", "--json")
    assert looked.returncode == 0, looked.stderr
    overview = json.loads(looked.stdout)
    assert {name for export in overview["exports"] for name in export["formats"]} >= {"Telegram JSON", "WhatsApp"}
    assert len({writer["call"] for writer in overview["writers"]}) == len(overview["writers"])
    assert list(folder.iterdir()) == []
    assert "messages" in init(folder, "../exports", "--look").stdout


def test_settings_that_are_there_are_changed_and_kept(folder: Path) -> None:
    """Who is who and where exports are; what else they say stays, a base too."""
    flags = ("../exports", "--consent", "nobody", "--yes", "--dms")
    assert init(folder, *flags, "--me", "1", "--base", "scratch").returncode == 0
    config = folder / "persona.toml"
    config.write_text(config.read_text("utf-8").replace("rank = 16", "rank = 4"), encoding="utf-8")
    before = load(config)
    changed = init(folder, *flags, "--me", "2", "--keep", "--json")
    assert changed.returncode == 0, changed.stderr
    after = load(config)
    assert after.persona.name != before.persona.name
    assert (after.train.rank, after.base, after.data.dms) == (4, before.base, True)
    config.write_text("[persona\n", encoding="utf-8")
    broken = init(folder, *flags, "--me", "2", "--keep")
    assert broken.returncode == 2
    assert "is not valid TOML" in broken.stderr


def test_answers_typed_ahead_are_taken_in_their_order(folder: Path, sample_exports: Path) -> None:
    """Before the first question is there, at a real terminal."""
    words = ["-m", "trainer", "init", str(sample_exports), "--base", "scratch", "--to", str(folder / "persona.toml")]
    with pexpect.spawn(sys.executable, words, cwd=str(ROOT), encoding="utf-8", timeout=120) as terminal:
        terminal.send("mara\nMara herself\npriya\n")
        terminal.expect("imitated too: Priya Raman")
        terminal.expect(pexpect.EOF)
    assert load(folder / "persona.toml", {}).persona.name == "Mara herself"
