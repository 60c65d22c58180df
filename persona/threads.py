"""Which messages of a channel belong to one conversation, and what each of them answers. Pure; import and bot both ask.

Reply links first, then whom a message addresses ("@nick", "nick:", "nick,"), then who addressed its author, then where its
author was speaking, then the rhythm of the channel, else something new (Kummerfeld et al., arXiv 1810.11118, is the measure).
"""

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import mul, sub
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from persona.names import normalise

MIN_GAP_SECONDS, MAX_GAP_SECONDS = 10 * 60.0, 12 * 3600.0  # bounds of the gap learned from a channel's rhythm
REPLY_REACH_SECONDS = 7 * 86400.0  # how far back a reply link joins a message to a conversation that had ended
ADDRESS_REACH_GAPS = 4  # so does an address to somebody who spoke in it
OWN_REACH_GAPS = 3  # in a crowd, whoever addresses nobody goes on where they spoke, or were spoken to, so lately
BURST_SECONDS = 120.0  # elsewhere, so lately (WeClone joins within 2 minutes too)
CROWD_SHARE = 0.3  # of messages that say whom they answer: where so many do, the others are no answer to the last one
USUAL_SHARE, USUAL_MESSAGES = (
    0.15,
    10,
)  # of whom nothing is known yet: what so many messages of an ordinary channel hold
DEFAULT_GAP_SECONDS, MIN_GAPS = 3600.0, 8  # with fewer gaps than that none can be learned

WINDOW = 4096  # messages that a reply link may point to
PEOPLE = 1024  # who are remembered, the longest silent forgotten first
MIN_NAME = 3  # characters of a name that addresses somebody from the middle of a text
MAX_WORDS = 40  # of a text in which names are looked for

Key = TypeVar("Key")
Value = TypeVar("Value")

_VOCATIVE = re.compile(r"@?(\S(?:[^:,：，]{0,62}?\S)?)\s?(?:(?:[:,]|->)(?:\s|$)|[：，])")
_AT_NAME = re.compile(r"(?<![\w@])@([^\s@:,;!?]{2,64})")
_NICK_MARKS = "_`^|-"  # IRC: whose nick is taken appends one
_MARKS = "@:,：，;.!?<>()[]{}\"'*~-"


class Assigned(msgspec.Struct, frozen=True, gc=False):
    """Where a message belongs. thread: counts up from 0 in the order in which they begin. parent: id of the message it
    answers, "" if unknown. explicit: by its own reply link; otherwise by whom it addresses, or who addressed its author.
    """

    thread: int
    parent: str = ""
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How people talk in a channel. gap: seconds of silence that end a conversation. is_crowded: several conversations go on
    at once, and people say whom they mean."""

    gap: float = DEFAULT_GAP_SECONDS
    is_crowded: bool = False


@dataclass(slots=True)
class _Spoken:
    """A message that may be answered. number: its place in the channel."""

    number: int
    message_id: str
    at: float
    thread: int


class ThreadFinder:
    """Assigns the messages of one channel, in their order, to threads. Whatever comes later changes nothing about earlier ones;
    work and memory for a message don't grow with the channel.

    rhythm: of the channel, see `rhythm_of`; set anew, it holds for what comes. names: keys by what else people are called
    there, normalised.
    """

    def __init__(self, rhythm: Rhythm = Rhythm(), names: Mapping[str, str] = MappingProxyType({})) -> None:
        self.rhythm = rhythm
        self._number = 0
        self._threads = 0
        self._last_thread, self._last_at = -1, -math.inf  # of the last message
        self._messages = _Latest[tuple[str, int]](WINDOW)  # id -> who said it, and the thread
        self._thread_at = OrderedDict[int, float]()  # when the last message of a thread was said
        self._spoke = OrderedDict[str, _Spoken]()  # the last message of each speaker, the latest speaker last
        self._called = OrderedDict[str, _Spoken]()  # the last message that addressed somebody
        self._pairs = OrderedDict[tuple[str, str], _Spoken]()  # the last one by somebody to somebody
        self._names = _Names(names)

    def assign(
        self,
        message_id: str,
        speaker: str,
        at: float,
        text: str = "",
        reply_to: str = "",
        mentions: Collection[str] = (),
    ) -> Assigned:
        """Return the thread of the next message, and what it answers.

        speaker: a key. at: UTC seconds, not falling. reply_to: the id it answers by a link. mentions: keys of speakers whom
        the platform says it addresses; others are found in `text`.
        """
        addressed: Sequence[str] = ()
        if mentions or self.rhythm.is_crowded or _may_call(text):
            addressed = self._addressed(speaker, text, mentions)
        thread, parent = self._linked(at, reply_to) if reply_to else -1, reply_to
        if thread < 0:
            answered = self._answered(speaker, at, addressed) if addressed or speaker in self._called else None
            thread = answered.thread if answered else self._where(speaker, at)
            parent = reply_to or (answered.message_id if answered else "")
        if thread == self._threads:
            self._threads += 1
        if reply_to and (linked := self._messages.get(reply_to)) and linked[0] != speaker:
            addressed = [linked[0], *addressed]
        self._remember(message_id, speaker, at, thread, addressed)
        return Assigned(thread, parent, bool(reply_to))

    def _linked(self, at: float, reply_to: str) -> int:
        """Return the thread of the message it answers, -1 if that is unknown or ended long ago."""
        said = self._messages.get(reply_to)
        thread = said[1] if said else -1
        return -1 if at - self._thread_at.get(thread, -math.inf) > REPLY_REACH_SECONDS else thread

    def _answered(self, speaker: str, at: float, addressed: Sequence[str]) -> _Spoken | None:
        """Return what those whom it addresses said last, to its author if they did; else what was said to its author since
        they last spoke."""
        if addressed:
            reach = self.rhythm.gap * ADDRESS_REACH_GAPS
            to_author = [self._pairs.get((other, speaker)) for other in addressed]
            for answers in (to_author, map(self._spoke.get, addressed)):
                if near := [answer for answer in answers if answer and at - answer.at <= reach]:
                    return max(near, key=lambda answer: answer.number)
            return None
        if (call := self._called.get(speaker)) is None:
            return None
        own = self._spoke.get(speaker)
        reach = self.rhythm.gap * (OWN_REACH_GAPS if self.rhythm.is_crowded else 1)
        return None if at - call.at > reach or (own and own.number > call.number) else call

    def _where(self, speaker: str, at: float) -> int:
        """Return the thread of a message that says nothing of what it answers."""
        gap, own = self.rhythm.gap, self._spoke.get(speaker)
        if own and at - own.at <= (OWN_REACH_GAPS * gap if self.rhythm.is_crowded else min(BURST_SECONDS, gap)):
            return own.thread
        if at - self._last_at <= gap and not self.rhythm.is_crowded:
            return self._last_thread
        return self._threads

    def _addressed(self, speaker: str, text: str, mentions: Collection[str]) -> list[str]:
        """Return whom it addresses, of those who spoke here."""
        spoke = self._spoke
        others = [key for key in mentions if key in spoke and key != speaker]
        named = named_in(text, self._names.get, anywhere=self.rhythm.is_crowded)
        return others + [key for key in named if key != speaker]

    def _remember(self, message_id: str, speaker: str, at: float, thread: int, addressed: Iterable[str]) -> None:
        number = self._number
        self._number += 1
        self._messages.put(message_id, (speaker, thread))
        if self._last_thread == thread:  # as most often: it is the latest already
            self._thread_at[thread] = at
        else:
            _put(self._thread_at, thread, at, WINDOW)
        self._last_thread, self._last_at = thread, at
        if own := self._spoke.get(speaker):
            own.number, own.message_id, own.at, own.thread = number, message_id, at, thread
            self._spoke.move_to_end(speaker)
        else:
            self._names.add(speaker)
            if gone := _put(self._spoke, speaker, _Spoken(number, message_id, at, thread), PEOPLE):
                self._names.remove(gone)
        if addressed:
            spoken = _Spoken(number, message_id, at, thread)
            for other in addressed:
                _put(self._called, other, spoken, PEOPLE)
                _put(self._pairs, (speaker, other), spoken, 4 * PEOPLE)


class _Latest(Generic[Value]):
    """The latest values that were put, at least `count` and fewer than twice as many, by key."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._new: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def put(self, key: str, value: Value) -> None:
        """Set a value as the latest."""
        if len(self._new) >= self._count:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def get(self, key: str) -> Value | None:
        """Return the value of a key; None if there is none, or no more."""
        value = self._new.get(key)
        return self._old.get(key) if value is None else value


class _Names:
    """What the people of a channel are called: by their keys, or by what is short for one of them alone."""

    def __init__(self, others: Mapping[str, str]) -> None:
        self._others = others
        self._keys: set[str] = set()
        self._shorts: dict[str, set[str]] = {}

    def get(self, name: str) -> str | None:
        """Return the key of whoever is called so; None if it is nobody, or may be several."""
        if name in self._keys:
            return name
        if bearers := self._shorts.get(name):
            return next(iter(bearers)) if len(bearers) == 1 else None
        key = self._others.get(name)
        return key if key in self._keys else None

    def add(self, key: str) -> None:
        """Know somebody."""
        self._keys.add(key)
        if short := _short_of(key):
            self._shorts.setdefault(short, set()).add(key)

    def remove(self, key: str) -> None:
        """Know them no more."""
        self._keys.discard(key)
        if bearers := self._shorts.get(short := _short_of(key)):
            bearers.discard(key)
            if not bearers:
                del self._shorts[short]


def _short_of(key: str) -> str:
    """Return the first word of a name, a nick without the marks that make it another; "" if there is nothing shorter."""
    short = key.partition(" ")[0].rstrip(_NICK_MARKS)
    return short if short != key and len(short) >= MIN_NAME else ""


def named_in(text: str, key_of: Callable[[str], str | None], *, anywhere: bool = False) -> list[str]:
    """Return the keys of those whom a text addresses: "nick:" or "nick," at its beginning, "@nick" wherever it stands.

    key_of: the key behind a normalised name, None for nobody's. anywhere: a bare name counts wherever it stands, as in
    "thanks, nick" or "!sudo | nick".
    """
    if not anywhere and not _may_call(text):
        return []
    return list(dict.fromkeys(filter(None, map(key_of, _names_in(text, anywhere)))))


def _may_call(text: str) -> bool:
    """Return whether a text holds a sign with which names are called; asked for every message."""
    return "," in text or ":" in text or "@" in text or "->" in text or "：" in text or "，" in text


def _names_in(text: str, anywhere: bool) -> Iterator[str]:
    """Yield what could be a name in a text, normalised."""
    if vocative := _VOCATIVE.match(text):
        yield _folded(vocative[1])
    if anywhere:
        for word in text.split(maxsplit=MAX_WORDS)[:MAX_WORDS]:
            if len(word) >= MIN_NAME:
                yield _folded(word)
            bare = word.strip(_MARKS)
            if bare != word and (len(bare) >= MIN_NAME or word.startswith("@")):
                yield _folded(bare)
    elif "@" in text:
        for name in _AT_NAME.findall(text)[:MAX_WORDS]:
            yield _folded(name.rstrip(_MARKS))


def _folded(word: str) -> str:
    """Return a word as a key has it: ASCII ones need no more than capitals."""
    return word.upper() if word.isascii() else normalise(word)


def in_context(threads: Sequence[int], answered: int, least: int) -> list[int]:
    """Return the places of the messages to show to whoever answers the message at place `answered`: those of its thread, and
    if they are fewer than `least` as many of the newest before the first of them.

    threads: of the messages of a channel, in their order. Messages after `answered` count if they are of its thread.
    """
    thread = [place for place, number in enumerate(threads) if number == threads[answered]]
    missing = max(0, least - len(thread))
    return [*range(max(0, thread[0] - missing), thread[0]), *thread]


def rhythm_of(times: Sequence[float], addressed: int = 0, gap: float = 0.0) -> Rhythm:
    """Return the rhythm of a channel. times: of its messages, rising. addressed: how many of them answer by a link, or say
    whom they address. gap: seconds, if it need not be learned."""
    share = (addressed + USUAL_SHARE * USUAL_MESSAGES) / (len(times) + USUAL_MESSAGES)
    gaps = Counter(map(sub, islice(times, 1, None), times))
    learned = _learned_gap(gaps) if len(times) > MIN_GAPS else DEFAULT_GAP_SECONDS
    return Rhythm(gap or learned, share >= CROWD_SHARE)


def _learned_gap(gaps: Mapping[float, int]) -> float:
    """Return the silence that parts one conversation from the next, from the channel's own rhythm: Otsu's threshold
    (1979) on the logarithm of the gaps, which fall into two heaps, inside and between conversations. It never parts equal
    ones. gaps: how often each occurs."""
    rising = sorted(gaps)
    logs = [math.log(gap + 1) for gap in rising]
    counts = list(map(gaps.__getitem__, rising))
    heap, rest, seen, left = 0, sum(counts), 0.0, sum(map(mul, logs, counts))
    best, threshold = -1.0, logs[0]
    for count, (value, following) in zip(counts, pairwise(logs), strict=False):
        heap, rest = heap + count, rest - count
        seen, left = seen + value * count, left - value * count
        between = heap * rest * (seen / heap - left / rest) ** 2
        if between > best:
            best, threshold = between, (value + following) / 2
    return min(max(math.exp(threshold) - 1, MIN_GAP_SECONDS), MAX_GAP_SECONDS)


def _put(kept: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> Key | None:
    """Set a value as the latest of at most so many. Returns the key that had to go, if one had to."""
    if key in kept:
        kept.move_to_end(key)
    kept[key] = value
    return kept.popitem(last=False)[0] if len(kept) > most else None
