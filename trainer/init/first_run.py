"""The way of a first run: look, listen, ask, choose a base, write. Who is asked and what is known of the machine come in
as arguments."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.config import Settings
from persona.errors import SettingsError
from persona.settings_file import save_settings
from trainer.init.answers import Flags, Someone, Terminal, agreed, asked, private, require, who
from trainer.init.exports import Found, look
from trainer.init.machine import Machine, RevisionOf, Suggestion, named, suggest
from trainer.init.settings_file import TEMPLATE, Chosen, as_named, rendered
from trainer.init.writers import Writer, writers
from trainer.progress import Bars

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a first run finds itself in. places: where to look if nothing is named. machine: looked at when it is needed."""

    places: Sequence[Path]
    machine: Callable[[], Machine]
    revision_of: RevisionOf
    home: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found and written."""

    settings: Settings
    found: tuple[Found, ...]
    writers: tuple[Writer, ...]
    me: Someone
    friends: tuple[Someone, ...]
    base: Suggestion


def first_run(
    folders: Sequence[Path],
    target: Path,
    flags: Flags,
    around: Surroundings,
    terminal: Terminal | None,
    show: Callable[[Sequence[Found], Sequence[Writer]], None],
    bars: Bars,
    *,
    force: bool,
) -> Outcome | None:
    """Find exports, ask who is who, write `target`. terminal: None where nobody can be asked. show: shows what was found
    before the questions. None where the user would rather keep the settings that are there. Raises UserError."""
    target = target.absolute()
    if not _may_write(target, terminal, force):
        return None
    with bars:
        found = look(folders, around.places, bars)
        there = writers([export for one in found for export in one.exports], bars)
    if not there:
        raise SettingsError("there is no message in these exports that an import would keep; name others")
    if not terminal:
        require(flags, there)
    show(found, there)
    me = who(flags, there, terminal)
    friends = agreed(flags, me, there, terminal)
    dms = private(flags, me, there, terminal)
    base = _base(flags, target.parent, around, terminal, bars)
    sources = tuple(as_named(one.path, target.parent, around.home) for one in found)
    chosen = Chosen(me, tuple(friends), sources, dms, base.base)
    text = rendered(chosen, TEMPLATE.read_text("utf-8"))
    settings = save_settings(text, target, overwrite=force or terminal is not None)
    return Outcome(settings, tuple(found), tuple(there), me, tuple(friends), base)


def _may_write(target: Path, terminal: Terminal | None, force: bool) -> bool:
    """Asked before anything else: nobody likes to answer questions for nothing."""
    if not target.parent.is_dir():
        raise SettingsError(f"{target.parent} is no folder; make it, or name another with --to")
    if target.is_dir():
        raise SettingsError(f"{target} is a folder; name a file in it with --to")
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise SettingsError(
            f"nothing can be written into {target.parent} ({error.strerror}); name another folder with --to"
        ) from error
    if force or not target.exists():
        return True
    if not terminal:
        raise SettingsError(f"{target} is there already; add --force to replace it, or name another with --to")
    return terminal.confirm(f"{target.name} is there already; replace it")


def _base(flags: Flags, root: Path, around: Surroundings, terminal: Terminal | None, bars: Bars) -> Suggestion:
    def chosen(text: str) -> Suggestion:
        return Suggestion(named(text, root, around.revision_of), "named by you")

    if flags.base not in (None, AUTO):
        return chosen(str(flags.base))
    bars.say("looking at this machine")
    suggested = suggest(around.machine(), around.revision_of)
    if flags.base == AUTO or flags.yes or not terminal:
        return suggested
    terminal.say(suggested.why)
    default = suggested.base.model
    question = "Which base? scratch, a folder, or a model of the Hugging Face Hub"
    return asked(terminal, question, default, lambda text: suggested if text == default else chosen(text))
