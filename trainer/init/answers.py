"""What a first run has to know, from flags or asked on the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from persona.errors import SettingsError, UserError
from persona.names import normalise
from trainer.init.writers import ME, Writer, distinct

NOBODY = "nobody"
_NAMED = 12  # writers that a fault names

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Flags:
    """The options of the command line, None if not given. yes: take what is suggested."""

    me: str | None = None
    name: str | None = None
    consent: tuple[str, ...] | None = None
    dms: bool | None = None
    base: str | None = None
    yes: bool = False


class Terminal(Protocol):
    """Somebody who can be asked."""

    def ask(self, question: str, default: str) -> str:
        """Return the answer, or the default."""

    def confirm(self, question: str) -> bool:
        """Return the answer to a yes-or-no question; no by default."""

    def say(self, sentence: str) -> None:
        """Print a sentence, such as why a question is asked again."""


@dataclass(frozen=True, slots=True)
class ChosenPerson:
    """A person as the settings will name them. calls: other names and handles of their accounts."""

    name: str
    calls: tuple[str, ...]
    writers: tuple[Writer, ...]

    @property
    def public(self) -> int:
        """Return how many messages are read without [data] dms."""
        return sum(writer.messages - writer.private for writer in self.writers)

    @property
    def private(self) -> int:
        """Return how many messages are read only with [data] dms."""
        return sum(writer.private for writer in self.writers)

    def ids(self, platform: str) -> list[str]:
        """Return their ids on a platform, by which the bot recognises them."""
        return [number for writer in self.writers for where, number in writer.ids if where == platform]


def choose_persona(flags: Flags, writers: Sequence[Writer], terminal: Terminal | None) -> ChosenPerson:
    """Return who the persona is."""

    def select_one(text: str) -> ChosenPerson:
        people = select_people(text, writers)
        if len(people) != 1:
            raise SettingsError(f"{text!r} names {len(people)} people; name one, and join their accounts with +")
        return people[0]

    if flags.me is not None or not terminal:
        person = select_one(flags.me or "")
    else:
        person = asked(terminal, "Who are you? A number or name; 1+4 if two are you", "1", select_one)
    if flags.name is not None:
        return _called(person, _a_name(flags.name))
    return _called(person, _name_of_me(terminal)) if person.name == ME else person


def choose_consenting(
    flags: Flags, me: ChosenPerson, writers: Sequence[Writer], terminal: Terminal | None
) -> list[ChosenPerson]:
    """Return who else may be imitated."""

    def others(text: str) -> list[ChosenPerson]:
        people = select_people(text, writers)
        if double := next((person.name for person in people if set(person.writers) & set(me.writers)), ""):
            raise SettingsError(f"{double} is you already; name the others who agreed")
        return people

    if flags.consent is not None:
        if len(flags.consent) > 1 and any(text.strip().casefold() == NOBODY for text in flags.consent):
            raise SettingsError(f"--consent says {NOBODY} and somebody; leave one of them out")
        return _each_once([person for text in flags.consent for person in others(text)], "--consent")
    if flags.yes or not terminal or len(writers) == len(me.writers):
        return []
    return asked(
        terminal, "Who else agreed to be imitated? Numbers or names, with commas; 2+5 if two are one", NOBODY, others
    )


def choose_dms(flags: Flags, me: ChosenPerson, writers: Sequence[Writer], terminal: Terminal | None) -> bool:
    """Return whether private messages are read. Raises SettingsError if the persona has no others and they are not."""
    count = sum(writer.private for writer in writers)
    if flags.dms is not None:
        dms = flags.dms
    elif terminal and count and not flags.yes:
        dms = terminal.confirm(f"Read private messages too (there are {count:,})")
    else:
        dms = False
    if me.public == 0 and not dms:
        raise SettingsError(
            f"all {me.private:,} messages of {me.name} are private; say so with --dms, if those they were written to agree"
        )
    return dms


def require_flags(flags: Flags, writers: Sequence[Writer]) -> None:
    """Check that the flags answer every question. Raises SettingsError naming those that are missing."""
    names = ", ".join(f"{writer.name!r} {writer.messages:,}" for writer in writers[:_NAMED])
    more = f" and {len(writers) - _NAMED} others" if len(writers) > _NAMED else ""
    missing = ["--me NAME"] if flags.me is None else []
    if not flags.yes:
        missing += ["--consent NAME"] if flags.consent is None and len(writers) > 1 else []
        missing += ["--base MODEL"] if flags.base is None else []
    if missing:
        rest = "" if flags.yes else " (--yes stands for nobody else and the base that suits this machine)"
        raise SettingsError(
            f"there is no terminal to ask on: add {', '.join(missing)}{rest}; messages are by {names}{more}"
        )


def select_people(text: str, writers: Sequence[Writer]) -> list[ChosenPerson]:
    """Return the people that a text such as `1, Priya, 3+5` names; + joins the accounts of one. Raises SettingsError."""
    if text.strip().casefold() in ("", NOBODY):
        return []
    whole = _named(text, writers)
    parts = [[whole]] if whole else [_joined(part, writers) for part in text.split(",")]
    return _each_once([_someone(part) for part in parts], repr(text))


def _each_once(people: list[ChosenPerson], where: str) -> list[ChosenPerson]:
    writers_of = [writer for person in people for writer in person.writers]
    if len(set(writers_of)) < len(writers_of):
        raise SettingsError(f"{where} names somebody twice; join the accounts of one person with +, as in 3+5")
    return people


def _joined(part: str, writers: Sequence[Writer]) -> list[Writer]:
    if whole := _named(part, writers):
        return [whole]
    named = [(name, _named(name, writers)) for name in part.split("+")]
    if missing := [name.strip() for name, writer in named if writer is None]:
        names = ", ".join(writer.name for writer in writers[:_NAMED])
        raise SettingsError(f"nobody is called {missing[0]!r}; there are {names}" + (", …" * (len(writers) > _NAMED)))
    return [writer for _, writer in named if writer]


def _named(text: str, writers: Sequence[Writer]) -> Writer | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(writers):
        return writers[int(text) - 1]
    key = normalise(text.lstrip("@"))
    called = [writer for writer in writers if key in {normalise(call.lstrip("@")) for call in writer.calls}]
    if len(called) > 1:
        several = ", ".join(
            f"{writers.index(writer) + 1} ({writer.messages:,} messages, {writer.calls[-1]})" for writer in called
        )
        raise SettingsError(f"{len(called)} people are called {text!r}; choose by number: {several}")
    return called[0] if called else None


def _someone(writers: Sequence[Writer]) -> ChosenPerson:
    first = next((writer for writer in writers if not writer.account), writers[0])
    calls = distinct([first.name, *(call for writer in writers for call in writer.calls)])[1:]
    return ChosenPerson(first.name, tuple(calls), tuple(writers))


def _called(person: ChosenPerson, name: str) -> ChosenPerson:
    """Return the person under another name, without the nameless account: an import takes it for the persona."""
    calls = [call for call in (person.name, *person.calls) if call != ME]
    return ChosenPerson(name, tuple(distinct([name, *calls])[1:]), person.writers)


def _name_of_me(terminal: Terminal | None) -> str:
    if not terminal:
        raise SettingsError("the exports don't tell the name of the account they are of; add --name NAME")
    return asked(terminal, "The exports call you 'Me'; what is your name?", "", _a_name)


def _a_name(text: str) -> str:
    if not normalise(text):
        raise SettingsError(f"{text!r} holds nothing a name can be written with")
    return text.strip()


def asked(terminal: Terminal, question: str, default: str, read: Callable[[str], Answer]) -> Answer:
    """Ask until the answer can be read."""
    while True:
        try:
            return read(terminal.ask(question, default))
        except UserError as fault:
            terminal.say(str(fault))
