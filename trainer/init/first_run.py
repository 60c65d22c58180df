"""A first run: find exports, ask who is who, choose a base, write the settings. Terminal and machine are arguments."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from persona.config import Base, Settings, load
from persona.errors import SettingsError
from persona.sample import is_copy
from persona.settings_file import save_settings
from trainer.init.answers import (
    ChosenPerson,
    Flags,
    Terminal,
    asked,
    choose_consenting,
    choose_dms,
    choose_persona,
    require_flags,
)
from trainer.init.exports import ExportLocation, find_exports
from trainer.init.first_settings import TEMPLATE, FirstRunAnswers, rendered, settings_path
from trainer.init.local_models import LocalModel
from trainer.init.machine import Machine, RevisionOf, Suggestion, base_rows, named_base, suggest
from trainer.init.revised_settings import revised
from trainer.init.writers import Writer, writers
from trainer.progress import Bars

AUTO = "auto"
LIST_BASES = ("?", "？")  # answers
LISTED = 12  # models on this machine that are named


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a first run takes place. places: where to look if nothing is named. machine, models: only asked when needed;
    models that are on it already."""

    places: Sequence[Path]
    machine: Callable[[], Machine]
    models: Callable[[], Sequence[LocalModel]]
    revision_of: RevisionOf
    home: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found and written."""

    settings: Settings
    locations: tuple[ExportLocation, ...]
    writers: tuple[Writer, ...]
    me: ChosenPerson
    friends: tuple[ChosenPerson, ...]
    base: Suggestion


def first_run(
    folders: Sequence[Path],
    target: Path,
    flags: Flags,
    environment: Environment,
    terminal: Terminal | None,
    show: Callable[[Sequence[ExportLocation], Sequence[Writer]], None],
    bars: Bars,
    *,
    force: bool,
    keep: bool = False,
) -> Outcome | None:
    """Find exports, ask who is who, write `target`. terminal: None if nobody can be asked. show: prints
    the exports before the questions. keep: settings that are there are changed, and keep what else they say.
    Returns None if the user keeps the settings that are there. Raises UserError."""
    target = target.absolute()
    kept = load(target) if keep and target.exists() and not is_copy(target) else None
    if not _may_write(target, terminal, force or kept is not None):
        return None
    if kept:
        flags = replace(flags, dms=kept.data.dms if flags.dms is None else flags.dms)
    locations, listed = look(folders, environment.places, bars)
    if not terminal:
        require_flags(flags, listed)
    show(locations, listed)
    me = choose_persona(flags, listed, terminal)
    friends = choose_consenting(flags, me, listed, terminal)
    dms = choose_dms(flags, me, listed, terminal)
    unchanged = Suggestion(kept.base, "as it was") if kept and flags.base is None else None
    base = unchanged or _base(flags, target.parent, environment, terminal, bars)
    sources = tuple(settings_path(location.path, target.parent, environment.home) for location in locations)
    chosen = FirstRunAnswers(me, tuple(friends), sources, dms, base.base)
    sample = is_copy(target)
    if kept:
        text = revised(chosen, target.read_text("utf-8-sig"), listed, rename=flags.name is not None)
    else:
        text = rendered(chosen, TEMPLATE.read_text("utf-8"))
    if sample:
        _put_aside(load(target), bars)
    settings = save_settings(text, target, overwrite=bool(sample or force or terminal or kept))
    return Outcome(settings, tuple(locations), tuple(listed), me, tuple(friends), base)


def look(
    folders: Sequence[Path], places: Sequence[Path], bars: Bars
) -> tuple[Sequence[ExportLocation], Sequence[Writer]]:
    """Return the exports in `folders`, else in `places`, and who writes in them. Raises UserError if that is nobody."""
    with bars:
        locations = find_exports(folders, places, bars)
        listed = writers([export for location in locations for export in location.exports], bars)
    if not listed:
        raise SettingsError("there is no message in these exports that an import would keep; name others")
    return locations, listed


def _may_write(target: Path, terminal: Terminal | None, force: bool) -> bool:
    """Check first that the file may be written: nobody likes to answer questions for nothing."""
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
    if force or not target.exists() or is_copy(target):
        return True
    if not terminal:
        raise SettingsError(f"{target} is there already; add --force to replace it, or name another with --to")
    return terminal.confirm(f"{target.name} is there already; replace it")


def _put_aside(sample: Settings, bars: Bars) -> None:
    """Rename the corpus that the sample's settings filled, so that no import adds yours to it."""
    corpus = sample.corpus
    if corpus.is_dir():
        aside = corpus.with_name(f"{corpus.name}-sample")
        shutil.rmtree(aside, ignore_errors=True)
        corpus.rename(aside)
        bars.say(f"the sample's settings make room for yours; its corpus is now {aside}")


def _base(flags: Flags, root: Path, environment: Environment, terminal: Terminal | None, bars: Bars) -> Suggestion:
    models: Sequence[LocalModel] = ()

    def chosen(text: str) -> Suggestion:
        if text in LIST_BASES and terminal:
            for base, training in base_rows(machine):
                terminal.say(
                    f"{base.model}: {base.billions:.1f} billion, languages {base.languages}; trains here: {training}"
                )
            raise SettingsError(
                "these are some that imitate well; python -m trainer init --bases tells their licences too"
            )
        if text.isdecimal() and 1 <= int(text) <= len(models):
            model = models[int(text) - 1]
            return Suggestion(Base(model=model.model, revision=model.revision), "named by you")
        return Suggestion(named_base(text, root, environment.revision_of), "named by you")

    if flags.base not in (None, AUTO):
        return chosen(str(flags.base))
    bars.say("looking at this machine")
    models = environment.models()
    machine = environment.machine()
    suggested = suggest(machine, environment.revision_of, models)
    if flags.base == AUTO or flags.yes or not terminal:
        return suggested
    for number, model in enumerate(models[:LISTED], 1):
        kind = "instruct" if model.instruct else "base"
        terminal.say(f"{number:>2} {model.name}: {model.billions:.1f} billion parameters, {kind}, in {model.place}")
    terminal.say(suggested.why)
    default = suggested.base.model
    question = "Which base? scratch, a folder, a GGUF file, or a model of the Hugging Face Hub (? lists some)"
    question = question.replace("scratch", "A number above, scratch", 1) if models else question
    return asked(terminal, question, default, lambda text: suggested if text == default else chosen(text))
