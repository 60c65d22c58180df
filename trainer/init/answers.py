"""What a first run has to know, from flags or asked on the terminal."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Protocol, TypeVar

from persona.errors import SettingsError, UserError
from persona.names import normalise
from trainer.init.writers import ME, Writer, distinct

NOBODY = "nobody"
_NOBODY_TOO = frozenset({"no", "none", "noone", "no one", "n", "-"})  # and not the beginning of somebody's name
_NO_NAMES = frozenset({"y", "yes", "all", "both", "everybody", "everyone"})
_NAMED = 12  # writers that a fault names
_COMMA, _PLUS = re.compile("[,，、]"), re.compile("[+＋]")  # also as Chinese and Japanese keyboards type them
_SHORTEST_PREFIX = 2  # characters of a name by which somebody can be meant

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
    """A person as the settings will name them. calls: other names and handles of their accounts; a name that somebody else
    bears too is left out, where an id or a handle tells them apart. shared: such names, normalised."""

    name: str
    calls: tuple[str, ...]
    writers: tuple[Writer, ...]
    shared: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """Return what [people] calls them: what they alone are called."""
        every = [self.name, *self.calls]
        return [call for call in every if normalise(call.lstrip("@")) not in self.shared] or every

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
    person = _with_archives(person, writers, flags, terminal)
    if flags.name is not None:
        return _called(person, _a_name(flags.name, person, writers))
    if terminal and not flags.yes:
        return _called(person, _name_of(person, writers, terminal))
    if person.name == ME:
        raise SettingsError("the exports don't tell the name of the account they are of; add --name NAME")
    return _called(person, _own_name(person))


def _with_archives(
    person: ChosenPerson, writers: Sequence[Writer], flags: Flags, terminal: Terminal | None
) -> ChosenPerson:
    """Ask about each archive that somebody else seems to have made: one makes them of one's own account only."""
    for writer in writers:
        if not writer.archive or writer in person.writers:
            continue
        account = writer.calls[-1] if len(writer.calls) > 1 else writer.name
        if terminal and not flags.yes:
            if terminal.confirm(
                f"The archive of {account} ({writer.messages:,} messages) isn't among your names: is it you"
            ):
                person = _someone([*person.writers, writer])
        elif terminal:
            terminal.say(
                f"the archive of {account} is taken for somebody else's; if it is yours, add +{account} to --me"
            )
    return person


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
        if len(flags.consent) > 1 and any(_is_nobody(text, writers) for text in flags.consent):
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
    if _is_nobody(text, writers):
        return []
    if _is_just(text, _NO_NAMES, writers):
        raise SettingsError(f"{text.strip()!r} names nobody; give numbers or names, with commas, or {NOBODY!r}")
    whole = _named(text, writers)
    parts = [[whole]] if whole else [_joined(part, writers) for part in _COMMA.split(text) if part.strip()]
    return _each_once([_someone(part) for part in parts], repr(text))


def _is_nobody(text: str, writers: Sequence[Writer]) -> bool:
    return text.strip().casefold() in ("", NOBODY) or _is_just(text, _NOBODY_TOO, writers)


def _is_just(text: str, words: Collection[str], writers: Sequence[Writer]) -> bool:
    """Return whether a text is one of these words, and nobody is called that."""
    word = text.strip().casefold()
    return word in words and not _called_just(normalise(word), writers)


def _each_once(people: list[ChosenPerson], where: str) -> list[ChosenPerson]:
    writers_of = [writer for person in people for writer in person.writers]
    if len(set(writers_of)) < len(writers_of):
        raise SettingsError(f"{where} names somebody twice; join the accounts of one person with +, as in 3+5")
    return people


def _joined(part: str, writers: Sequence[Writer]) -> list[Writer]:
    if whole := _named(part, writers):
        return [whole]
    named = [(name, _named(name, writers)) for name in _PLUS.split(part)]
    if missing := [name.strip() for name, writer in named if writer is None]:
        calls = {call.casefold(): call for writer in writers for call in writer.calls}
        near = [calls[call] for call in get_close_matches(missing[0].casefold(), calls, n=3, cutoff=0.6)]
        names = ", ".join(writer.name for writer in writers[:_NAMED]) + ", …" * (len(writers) > _NAMED)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {names}"
        raise SettingsError(f"nobody is called {missing[0]!r}; {hint}")
    return [writer for _, writer in named if writer]


def _named(text: str, writers: Sequence[Writer]) -> Writer | None:
    text = text.strip()
    if text.isdecimal() and 1 <= int(text) <= len(writers):
        return writers[int(text) - 1]
    key = normalise(text.lstrip("@"))
    called = _called_just(key, writers) or _called_like(key, writers)
    if len(called) > 1:
        several = ", ".join(
            f"{writers.index(writer) + 1} ({writer.messages:,} messages, {writer.calls[-1]})" for writer in called
        )
        raise SettingsError(f"{len(called)} people are called {text!r}; choose by number: {several}")
    return called[0] if called else None


def _called_just(key: str, writers: Sequence[Writer]) -> list[Writer]:
    return [writer for writer in writers if key in {normalise(call.lstrip("@")) for call in writer.calls}]


def _called_like(key: str, writers: Sequence[Writer]) -> list[Writer]:
    """Return who has a name of which a word begins like that; of one letter, nobody."""
    return [
        writer
        for writer in writers
        if len(key) >= _SHORTEST_PREFIX
        and any(f" {normalise(call.lstrip('@'))}".find(f" {key}") >= 0 for call in writer.calls)
    ]


def _someone(writers: Sequence[Writer]) -> ChosenPerson:
    first = next((writer for writer in writers if not writer.account), writers[0])
    calls = distinct([first.name, *(call for writer in writers for call in writer.own_calls)])[1:]
    shared = frozenset(key for writer in writers for key in writer.shared)
    return ChosenPerson(first.name, tuple(calls), tuple(writers), shared)


def _called(person: ChosenPerson, name: str) -> ChosenPerson:
    """Return the person under another name, without the nameless account: an import takes it for the persona."""
    calls = [call for call in person.names if call != ME]
    return replace(person, name=name, calls=tuple(distinct([name, *calls])[1:]))


def _name_of(person: ChosenPerson, writers: Sequence[Writer], terminal: Terminal) -> str:
    read = partial(_a_name, person=person, writers=writers)
    if person.name == ME:
        return asked(terminal, "The exports call you 'Me'; what is your name?", "", read)
    return asked(terminal, "What is the persona called?", _own_name(person), read)


def _own_name(person: ChosenPerson) -> str:
    """Return the name that an export shows, or, if somebody else bears it too, what they alone are called."""
    return person.names[0]


def _a_name(text: str, person: ChosenPerson, writers: Sequence[Writer]) -> str:
    if not normalise(text):
        raise SettingsError(f"{text!r} holds nothing a name can be written with")
    others = [writer for writer in _called_just(normalise(text.lstrip("@")), writers) if writer not in person.writers]
    if others and normalise(text) not in map(normalise, person.names):
        raise SettingsError(
            f"somebody else in the exports is called {text.strip()!r} too, and would be imitated with you; give the persona "
            f"another name, such as {person.names[0]!r}"
        )
    return text.strip()


def asked(terminal: Terminal, question: str, default: str, read: Callable[[str], Answer]) -> Answer:
    """Ask until the answer can be read."""
    while True:
        try:
            return read(terminal.ask(question, default))
        except UserError as fault:
            terminal.say(str(fault))
