"""The transcript: turns and conversations, and their SPEAKER: text in both directions. The ids are in `encoding`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from persona.names import normalise
from persona.word_tokens import end_of_words

FORMAT = 2  # of the transcript; sealed with every bundle, and the bot refuses another
SCENES = ("timeline", "reply", "group", "dm")
UNKNOWN = "[…]"  # stands for what nobody has: a reply's lost parent, the words of somebody masked
NOW = "# now"  # after what is remembered: what is said next is said now
QUOTE_WORDS, QUOTE_CHARACTERS = 20, 200  # at most, in a quote; what is longer is cut with an ellipsis

_YEAR = "(?: ([1-9][0-9]{0,3}))?"
_SCENE = re.compile(f"# (timeline|reply|group|dm){_YEAR}")
_MEMORY = re.compile(f"# memory{_YEAR}")
_QUOTE = re.compile(r"> (.+?): (.+)")
_ESCAPED_STARTS = "\\>#"  # with which a line may begin that reads as something else
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # controls, line breaks, lone surrogates


class TranscriptError(ValueError):
    """Text that is no transcript, or a record that can't be written as one."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a turn answers, where that is not the end of the turn before it.

    speaker: the key of whoever said it, "" if unknown; a key that holds ": " can't be written in a quote. words: the
    beginning of what they said, one line; `quote` makes them.
    """

    speaker: str
    words: str

    def __post_init__(self) -> None:
        if normalise(self.speaker) != self.speaker or ": " in self.speaker:
            raise TranscriptError(f"{self.speaker!r} can't stand in a quote")
        if not self.words.strip() or UNWRITABLE.search(self.words):
            raise TranscriptError(f"{self.words!r} can't be quoted: it is empty or holds control characters")


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one speaker said in a row.

    speaker: a key (see `names.normalise`). lines: one or more; in a chat each is a message of its own, a burst; in the
    timeline together they are one tweet. A line is not empty and holds no line break, control character or surrogate.
    quote: what it answers, if not the turn before it.
    """

    speaker: str
    lines: tuple[str, ...]
    quote: Quote | None = None

    def __post_init__(self) -> None:
        if not self.speaker or normalise(self.speaker) != self.speaker:
            raise TranscriptError(f"{self.speaker!r} is no speaker key; normalise() makes one")
        if not self.lines:
            raise TranscriptError(f"a turn of {self.speaker} has no lines")
        for line in self.lines:
            if not line or (not line.isprintable() and UNWRITABLE.search(line)):
                raise TranscriptError(f"{line!r} can't be a line of a turn: it is empty or holds control characters")

    @property
    def text(self) -> str:
        """The lines as a person would read them."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few turns of an earlier conversation, which come to mind. year: when that was, None if unknown."""

    turns: tuple[Turn, ...]
    year: int | None = None

    def __post_init__(self) -> None:
        if not self.turns:
            raise TranscriptError("a memory has no turns")
        _check_year(self.year)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A scene and its turns, in order. year: when it was said, None if unknown. memories: what came to mind before the
    last turn was said; they stand immediately before it."""

    scene: str
    turns: tuple[Turn, ...] = ()
    year: int | None = None
    memories: tuple[Excerpt, ...] = ()

    def __post_init__(self) -> None:
        if self.scene not in SCENES:
            raise TranscriptError(f"{self.scene!r} is no scene; the scenes are {', '.join(SCENES)}")
        if self.memories and not self.turns:
            raise TranscriptError("memories stand before a turn, and there is none")
        _check_year(self.year)


def scene_line(scene: str, year: int | None = None) -> str:
    """Return the line a conversation begins with: `# group 2021`."""
    return f"# {scene}" if year is None else f"# {scene} {year}"


def memory_line(year: int | None = None) -> str:
    """Return the line a memory begins with: `# memory 2019`."""
    return scene_line("memory", year)


def header(speaker: str) -> str:
    """Return the line a turn begins with: `ALICE:`."""
    return f"{speaker}:"


def quote_line(quote: Quote) -> str:
    """Return the line under a header that says what is answered: `> ALICE: did you sleep`."""
    return f"> {quote.speaker or UNKNOWN}: {quote.words}"


def quote(speaker: str, lines: Sequence[str]) -> Quote | None:
    """Return a quote of these lines, cut to QUOTE_WORDS; None if they hold nothing. speaker: a key, "" if unknown."""
    text = " ".join(" ".join(lines).split())
    cut = text[: min(end_of_words(text, QUOTE_WORDS), QUOTE_CHARACTERS)]
    words = cut if cut == text else f"{cut.rstrip()}…"
    return Quote("" if ": " in speaker else speaker, words) if words else None


def written(turn: Turn) -> str:
    """Return the turn's lines as they stand under its header: joined, and escaped where one could be taken for a
    header."""
    return "\n".join(map(_escape, turn.lines))


def render(conversation: Conversation) -> str:
    """Return the text of a conversation; `parse` gives the conversation back."""
    turns = conversation.turns
    blocks = [scene_line(conversation.scene, conversation.year)]
    if conversation.memories:
        *before, last = turns
        blocks += [*map(block, before), *_remembered(conversation.memories), block(last)]
    else:
        blocks += map(block, turns)
    return "\n\n".join(blocks) + "\n"


def parse(text: str) -> Conversation:
    """Return the one conversation in `text`. Raises TranscriptError naming the line that is at fault."""
    conversations = list(parse_many(text))
    if len(conversations) != 1:
        raise TranscriptError(f"expected one conversation, found {len(conversations)}")
    return conversations[0]


def parse_many(text: str) -> Iterator[Conversation]:
    """Yield the conversations of a transcript, in order. Raises TranscriptError naming the line that is at fault."""
    draft: _Draft | None = None
    for number, rows in _blocks(text):
        if len(rows) == 1 and (scene := _SCENE.fullmatch(rows[0])):
            if draft:
                yield draft.conversation(number)
            draft = _Draft(scene[1], _year(scene[2]))
        elif draft is None:
            raise TranscriptError(f"line {number}: a transcript begins with a scene line such as '# group'")
        else:
            draft.add(number, rows)
    if draft:
        yield draft.conversation(text.count("\n") + 1)


def reads_as_header(line: str) -> bool:
    """Return whether a reader would take `line` for the start of a turn or of a conversation."""
    if line.endswith(":"):
        key = line[:-1]
        return bool(key) and normalise(key) == key
    return line.startswith("#") and (line == NOW or bool(_SCENE.fullmatch(line) or _MEMORY.fullmatch(line)))


def reads_as_quote(line: str) -> bool:
    """Return whether a reader would take the first line of a turn for what it answers."""
    return _QUOTE.fullmatch(line) is not None


def read_quote(line: str) -> Quote | None:
    """Return the quote that a line says, None for any other line. Raises TranscriptError if it names no speaker key."""
    match = _QUOTE.fullmatch(line)
    return Quote("" if match[1] == UNKNOWN else match[1], match[2]) if match else None


def merge_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the same lines with neighbouring turns of one speaker joined: a burst is one turn. One that answers
    something else than what stands before it begins a turn of its own."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].speaker == turn.speaker and turn.quote is None:
            merged[-1] = Turn(turn.speaker, merged[-1].lines + turn.lines, merged[-1].quote)
        else:
            merged.append(turn)
    return tuple(merged)


def unescape(line: str) -> str:
    """Return a line of a turn as it was said, from how it is written."""
    return line.removeprefix("\\")


class _Draft:
    """A conversation while its blocks are read."""

    def __init__(self, scene: str, year: int | None) -> None:
        self._scene = scene
        self._year = year
        self._turns: list[Turn] = []
        self._memories: list[tuple[int | None, list[Turn]]] = []
        self._remembers = False  # the turns that come are those of a memory
        self._last: int | None = None  # where the turn stands that is said now, after the memories

    def add(self, number: int, rows: list[str]) -> None:
        """Take the next block, which begins on this line."""
        if self._last is not None and len(self._turns) > self._last:
            raise TranscriptError(f"line {number}: one turn stands after {NOW!r}, and then the next conversation")
        if len(rows) == 1 and (memory := _MEMORY.fullmatch(rows[0])):
            self._remembers = True
            self._memories.append((_year(memory[1]), []))
        elif rows == [NOW]:
            if not self._remembers:
                raise TranscriptError(f"line {number}: {NOW!r} ends a memory, and none was begun")
            self._remembers, self._last = False, len(self._turns)
        else:
            (self._memories[-1][1] if self._remembers else self._turns).append(_turn(number, rows))

    def conversation(self, number: int) -> Conversation:
        """Return the conversation that ends before this line."""
        if self._remembers or self._last == len(self._turns):
            raise TranscriptError(f"line {number}: after a memory come {NOW!r} and a turn")
        try:
            memories = tuple(Excerpt(tuple(turns), year) for year, turns in self._memories)
        except TranscriptError as error:
            raise TranscriptError(f"line {number}: before it, {error}") from error
        return Conversation(self._scene, tuple(self._turns), self._year, memories)


def _check_year(year: int | None) -> None:
    if year is not None and not 1 <= year <= 9999:
        raise TranscriptError(f"{year} is no year")


def _year(digits: str | None) -> int | None:
    return int(digits) if digits else None


def block(turn: Turn) -> str:
    """Return a turn as it stands in a transcript."""
    quoted = f"{quote_line(turn.quote)}\n" if turn.quote else ""
    return f"{header(turn.speaker)}\n{quoted}{written(turn)}"


def _remembered(memories: Iterable[Excerpt]) -> Iterator[str]:
    for memory in memories:
        yield memory_line(memory.year)
        yield from map(block, memory.turns)
    yield NOW


def _escape(line: str) -> str:
    if line[0] not in _ESCAPED_STARTS and line[-1] != ":":  # as most often
        return line
    return "\\" + line if line.startswith(("\\", ">")) or reads_as_header(line) else line


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of non-empty lines with the number of their first line. Splits at \\n alone: other breaks are text."""
    rows: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line:
            rows.append(line)
        elif rows:
            yield number - len(rows), rows
            rows = []


def _turn(number: int, rows: list[str]) -> Turn:
    key, lines = rows[0].removesuffix(":"), rows[1:]
    if key == rows[0] or not lines or (len(lines) == 1 and reads_as_quote(lines[0])):
        raise TranscriptError(f"line {number}: expected a speaker's name and a colon, then at least one line")
    try:
        answered = read_quote(lines[0])
        return Turn(key, tuple(map(unescape, lines[1:] if answered else lines)), answered)
    except TranscriptError as error:
        raise TranscriptError(f"line {number}: {error}") from error
