"""What a first run has to know, from flags or asked on the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from persona.errors import SettingsError, UserError
from persona.names import normalise
from trainer.init.writers import ME, Writer, distinct

NOBODY = "nobody"
_SHOWN = 12  # writers that a fault names

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; None where it says nothing. yes: take what would be suggested."""

    me: str | None = None
    name: str | None = None
    consent: tuple[str, ...] | None = None
    dms: bool | None = None
    base: str | None = None
    yes: bool = False


class Terminal(Protocol):
    """Somebody who can be asked."""

    def ask(self, question: str, default: str) -> str:
        """The answer, or the default."""

    def confirm(self, question: str) -> bool:
        """Yes or no; no unless said."""

    def say(self, sentence: str) -> None:
        """Why the question comes again."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A person as the settings will name them. calls: the other names and handles of their accounts."""

    name: str
    calls: tuple[str, ...]
    writers: tuple[Writer, ...]

    @property
    def public(self) -> int:
        """Messages that are read without [data] dms."""
        return sum(one.messages - one.private for one in self.writers)

    @property
    def private(self) -> int:
        """Messages that are read only with [data] dms."""
        return sum(one.private for one in self.writers)

    def ids(self, platform: str) -> list[str]:
        """Their ids on a platform, by which the bot knows them live."""
        return [number for one in self.writers for where, number in one.ids if where == platform]


def who(flags: Flags, writers: Sequence[Writer], terminal: Terminal | None) -> Someone:
    """The persona."""

    def one(text: str) -> Someone:
        found = picked(text, writers)
        if len(found) != 1:
            raise SettingsError(f"{text!r} names {len(found)} people; name one, and join their accounts with +")
        return found[0]

    if flags.me is not None or not terminal:
        found = one(flags.me or "")
    else:
        found = asked(terminal, "Who are you? A number or name; 1+4 if two are you", "1", one)
    if flags.name is not None:
        return _called(found, _a_name(flags.name))
    return _called(found, _name_of_me(terminal)) if found.name == ME else found


def agreed(flags: Flags, me: Someone, writers: Sequence[Writer], terminal: Terminal | None) -> list[Someone]:
    """Who else may be imitated."""

    def others(text: str) -> list[Someone]:
        found = picked(text, writers)
        if double := next((one.name for one in found if set(one.writers) & set(me.writers)), ""):
            raise SettingsError(f"{double} is you already; name the others who agreed")
        return found

    if flags.consent is not None:
        if len(flags.consent) > 1 and any(text.strip().casefold() == NOBODY for text in flags.consent):
            raise SettingsError(f"--consent says {NOBODY} and somebody; leave one of them out")
        return _each_once([person for text in flags.consent for person in others(text)], "--consent")
    if flags.yes or not terminal or len(writers) == len(me.writers):
        return []
    return asked(
        terminal, "Who else agreed to be imitated? Numbers or names, with commas; 2+5 if two are one", NOBODY, others
    )


def private(flags: Flags, me: Someone, writers: Sequence[Writer], terminal: Terminal | None) -> bool:
    """Whether private messages are read. Raises SettingsError where the persona has no others and they are not."""
    count = sum(one.private for one in writers)
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


def require(flags: Flags, writers: Sequence[Writer]) -> None:
    """Without a terminal everything is a flag. Raises SettingsError naming those that miss."""
    there = ", ".join(f"{one.name!r} {one.messages:,}" for one in writers[:_SHOWN])
    more = f" and {len(writers) - _SHOWN} others" if len(writers) > _SHOWN else ""
    missing = ["--me NAME"] if flags.me is None else []
    if not flags.yes:
        missing += ["--consent NAME"] if flags.consent is None and len(writers) > 1 else []
        missing += ["--base MODEL"] if flags.base is None else []
    if missing:
        rest = "" if flags.yes else " (--yes stands for nobody else and the base that suits this machine)"
        raise SettingsError(
            f"there is no terminal to ask on: add {', '.join(missing)}{rest}; messages are by {there}{more}"
        )


def picked(text: str, writers: Sequence[Writer]) -> list[Someone]:
    """`1, Priya, 3+5`: the people meant, by number or name; + joins the accounts of one. Raises SettingsError."""
    if text.strip().casefold() in ("", NOBODY):
        return []
    whole = _named(text, writers)
    parts = [[whole]] if whole else [_joined(part, writers) for part in text.split(",")]
    return _each_once([_someone(part) for part in parts], repr(text))


def _each_once(people: list[Someone], where: str) -> list[Someone]:
    taken = [writer for one in people for writer in one.writers]
    if len(set(taken)) < len(taken):
        raise SettingsError(f"{where} names somebody twice; join the accounts of one person with +, as in 3+5")
    return people


def _joined(part: str, writers: Sequence[Writer]) -> list[Writer]:
    if whole := _named(part, writers):
        return [whole]
    found = [(name, _named(name, writers)) for name in part.split("+")]
    if missing := [name.strip() for name, writer in found if writer is None]:
        there = ", ".join(one.name for one in writers[:_SHOWN])
        raise SettingsError(f"nobody is called {missing[0]!r}; there are {there}" + (", …" * (len(writers) > _SHOWN)))
    return [writer for _, writer in found if writer]


def _named(text: str, writers: Sequence[Writer]) -> Writer | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(writers):
        return writers[int(text) - 1]
    wanted = normalise(text.lstrip("@"))
    called = [one for one in writers if wanted in {normalise(call.lstrip("@")) for call in one.calls}]
    if len(called) > 1:
        several = ", ".join(f"{writers.index(one) + 1} ({one.messages:,} messages, {one.calls[-1]})" for one in called)
        raise SettingsError(f"{len(called)} people are called {text!r}; choose by number: {several}")
    return called[0] if called else None


def _someone(writers: Sequence[Writer]) -> Someone:
    first = next((one for one in writers if not one.account), writers[0])
    calls = distinct([first.name, *(call for one in writers for call in one.calls)])[1:]
    return Someone(first.name, tuple(calls), tuple(writers))


def _called(person: Someone, name: str) -> Someone:
    """The same under another name. The account without one goes unsaid: an import takes it for the persona."""
    calls = [call for call in (person.name, *person.calls) if call != ME]
    return Someone(name, tuple(distinct([name, *calls])[1:]), person.writers)


def _name_of_me(terminal: Terminal | None) -> str:
    if not terminal:
        raise SettingsError("the exports don't tell the name of the account they are of; add --name NAME")
    return asked(terminal, "The exports call you 'Me'; what is your name?", "", _a_name)


def _a_name(text: str) -> str:
    if not normalise(text):
        raise SettingsError(f"{text!r} holds nothing a name can be written with")
    return text.strip()


def asked(terminal: Terminal, question: str, default: str, read: Callable[[str], Answer]) -> Answer:
    """Asks until the answer can be read."""
    while True:
        try:
            return read(terminal.ask(question, default))
        except UserError as fault:
            terminal.say(str(fault))
