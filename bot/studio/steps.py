"""How far the way from exports to a persona that speaks is, step by step. Knows nothing of Gradio."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.gateway import Finding
from bot.studio.bundles import unusable, versions_of
from persona.config import Settings, load
from persona.credentials import secret
from persona.errors import UserError

EXPORTS, PEOPLE, BASE, TRAINING, MEETING, TOKENS = range(6)
TITLES = ("Your exports", "Who are you, and who agreed", "Base and plan", "Training", "Meet it", "Tokens")
LET_IT_SPEAK = "Nobody hears it, here or elsewhere, until Make current in step 4 lets it speak all the same."
_BESIDE = {"disk": EXPORTS, "settings": PEOPLE, "bundle": TRAINING, "engine": MEETING}  # the rest concerns platforms


@dataclass(frozen=True, slots=True)
class Step:
    """What can be said of a step. done: nothing is left to do. faults: what the doctor found wrong, with how to mend it.
    too_early: a check that can't pass yet; the sentence says what comes first."""

    done: bool
    sentence: str
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    too_early: str = ""


def steps_of(config: Path) -> list[Step]:
    """Return how far each step is, by what lies on the disk. Raises SettingsError for settings that can't be read."""
    if not config.exists():
        return [
            Step(False, "Drop them below, or name a folder, zip or file that holds some; then press Look."),
            Step(False, "Once Look has read them, names stand here: tick every one that is yours, and who agreed."),
            Step(False, "This writes the settings and reads the exports, once step 2 says who you are."),
            Step(False, "It can begin when the exports are read."),
            Step(False, "There is nobody to meet yet."),
            Step(False, "Discord and Telegram come last; nothing here needs them."),
        ]
    settings = load(config)
    return [_exports(settings), _people(settings), _base(settings), *_trained(settings), _tokens(settings)]


def with_findings(steps: Sequence[Step], findings: Iterable[Finding]) -> list[Step]:
    """Return the steps with what the doctor says beside each."""
    completed = list(steps)
    for finding in findings:
        number = _BESIDE.get(finding.check, TOKENS)
        step = completed[number]
        if finding.ok:
            completed[number] = replace(step, notes=(*step.notes, f"{finding.check}: {finding.detail}"))
        elif finding.check != step.too_early:
            fault = f"{finding.check}: {finding.detail}" + (f"; {finding.mend}" if finding.mend else "")
            completed[number] = replace(step, faults=(*step.faults, fault))
    return completed


def _exports(settings: Settings) -> Step:
    count = len(settings.data.sources)
    if not count:
        return Step(False, "The settings name none; drop some below, or name a folder, and press Look.")
    return Step(True, f"The settings name {count} export{'s' * (count != 1)}.")


def _people(settings: Settings) -> Step:
    agreed = [
        person.names[0] if person.names else key.title() for key, person in settings.people.items() if person.consent
    ]
    return Step(True, f"It is {settings.persona.name}; imitated too: {', '.join(agreed) or 'nobody else'}.")


def _base(settings: Settings) -> Step:
    base = "a small one, grown here" if settings.base.model == "scratch" else settings.base.model
    if not any(settings.corpus.glob("*.parquet")):
        return Step(False, f"The base is {base}. The exports aren't read yet.")
    return Step(True, f"The base is {base}, and the exports are read.")


def _trained(settings: Settings) -> tuple[Step, Step]:
    available = versions_of(settings.adapters)
    speaking = next((version for version in available if version.speaks), None)
    name = settings.persona.name
    if speaking:
        return Step(True, f"Version {speaking.number} of {speaking.made} speaks."), Step(
            True, f"{name} can be talked to."
        )
    if available:
        held_back = Step(False, available[0].silence, too_early="bundle")
        return held_back, Step(False, LET_IT_SPEAK, too_early="engine")
    nobody = Step(False, "There is nobody to meet yet.", too_early="engine")
    if reasons := unusable(settings.adapters):
        old = "What was trained can't be used any more; press Start."
        return Step(False, old, faults=tuple(reasons), too_early="bundle"), nobody
    return Step(False, "Nothing is trained yet; press Start.", too_early="bundle"), nobody


def _tokens(settings: Settings) -> Step:
    on = list(settings.enabled_platforms)
    if not on:
        nothing = "Neither Discord nor Telegram is switched on; nothing here needs them."
        return Step(False, nothing, too_early="platforms")
    try:
        missing = [platform.token for platform in on if not secret(platform.token, settings)]
    except UserError as fault:
        return Step(False, "The tokens can't be read.", faults=(str(fault),))
    names = " and ".join(platform.title for platform in on)
    return Step(
        not missing,
        f"{names} {'is' if len(on) == 1 else 'are'} switched on"
        + (
            f"; {' and '.join(missing)} is missing."
            if missing
            else ", with tokens. 'alterego run' lets it speak there."
        ),
    )
