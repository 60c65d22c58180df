"""The transcript: turns and conversations, and their SPEAKER: text in both directions. The ids are in `encoding`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from persona.names import normalise

FORMAT = 1  # of the transcript; sealed with every bundle, and the bot refuses another
SCENES = ("timeline", "reply", "group", "dm")
UNKNOWN = "[…]"  # stands for what nobody has: a reply's lost parent, the words of somebody masked

_SCENE = re.compile(r"# (timeline|reply|group|dm)(?: ([1-9][0-9]{0,3}))?")
_LINE_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # controls, line breaks, lone surrogates


class TranscriptError(ValueError):
    """Text that is no transcript, or a record that can't be written as one."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said in a row.

    speaker: a key (see `names.normalise`). lines: one or more; in a chat each is a message of its own, a burst; in the
    timeline together they are one tweet. A line is not empty and holds no line break, control character or surrogate.
    """

    speaker: str
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.speaker or normalise(self.speaker) != self.speaker:
            raise TranscriptError(f"{self.speaker!r} is no speaker key; normalise() makes one")
        if not self.lines:
            raise TranscriptError(f"a turn of {self.speaker} has no lines")
        for line in self.lines:
            if not line or _UNWRITABLE.search(line):
                raise TranscriptError(f"{line!r} can't be a line of a turn: it is empty or holds control characters")

    @property
    def text(self) -> str:
        """The lines as a person would read them."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A scene and its turns, in order. year: when it was said, None if unknown."""

    scene: str
    turns: tuple[Turn, ...] = ()
    year: int | None = None

    def __post_init__(self) -> None:
        if self.scene not in SCENES:
            raise TranscriptError(f"{self.scene!r} is no scene; the scenes are {', '.join(SCENES)}")
        if self.year is not None and not 1 <= self.year <= 9999:
            raise TranscriptError(f"{self.year} is no year")


def scene_line(scene: str, year: int | None = None) -> str:
    """The line a conversation begins with: `# group 2021`."""
    return f"# {scene}" if year is None else f"# {scene} {year}"


def header(speaker: str) -> str:
    """The line a turn begins with: `ALICE:`."""
    return f"{speaker}:"


def written(turn: Turn) -> str:
    """The turn's lines as they stand under its header: joined, and escaped where one could be taken for a header."""
    return "\n".join(map(_escape, turn.lines))


def render(conversation: Conversation) -> str:
    """The text of a conversation; `parse` gives the conversation back."""
    blocks = [scene_line(conversation.scene, conversation.year)]
    blocks += [f"{header(turn.speaker)}\n{written(turn)}" for turn in conversation.turns]
    return "\n\n".join(blocks) + "\n"


def parse(text: str) -> Conversation:
    """The one conversation in `text`. Raises TranscriptError naming the line that is at fault."""
    conversations = list(parse_many(text))
    if len(conversations) != 1:
        raise TranscriptError(f"expected one conversation, found {len(conversations)}")
    return conversations[0]


def parse_many(text: str) -> Iterator[Conversation]:
    """The conversations of a transcript, in order. Raises TranscriptError naming the line that is at fault."""
    scene: re.Match[str] | None = None
    turns: list[Turn] = []
    for number, block in _blocks(text):
        starts = _SCENE.fullmatch(block[0]) if len(block) == 1 else None
        if starts:
            if scene:
                yield _conversation(scene, turns)
            scene, turns = starts, []
        elif scene is None:
            raise TranscriptError(f"line {number}: a transcript begins with a scene line such as '# group'")
        else:
            turns.append(_turn(number, block))
    if scene:
        yield _conversation(scene, turns)


def reads_as_header(line: str) -> bool:
    """Whether a reader would take `line` for the start of a turn or of a conversation."""
    if line.endswith(":"):
        key = line[:-1]
        return bool(key) and normalise(key) == key
    return _SCENE.fullmatch(line) is not None


def plain_lines(text: str) -> tuple[str, ...]:
    """The lines of any outside text as a turn may hold them: control characters and surrogates gone, ends trimmed,
    empty ones left out. May be empty."""
    pieces = (_UNWRITABLE.sub("", piece.replace("\t", " ")).strip() for piece in _LINE_BREAKS.split(text))
    return tuple(filter(None, pieces))


def completion_lines(text: str) -> tuple[str, ...]:
    """The lines of a sampled completion: unescaped, and cut where it begins to speak for somebody else. May be empty.
    Ids that make no character (U+FFFD) are nobody's words."""
    kept: list[str] = []
    for line in plain_lines(text.replace("\ufffd", "")):
        if reads_as_header(line):
            break
        kept += filter(None, [_unescape(line).strip()])
    return tuple(kept)


def merge_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The same lines with neighbouring turns of one speaker joined: a burst is one turn."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].speaker == turn.speaker:
            merged[-1] = Turn(turn.speaker, merged[-1].lines + turn.lines)
        else:
            merged.append(turn)
    return tuple(merged)


def _escape(line: str) -> str:
    return "\\" + line if line.startswith("\\") or reads_as_header(line) else line


def _unescape(line: str) -> str:
    return line.removeprefix("\\")


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of non-empty lines with the number of their first line. Splits at \\n alone: other breaks are text."""
    block: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _turn(number: int, block: list[str]) -> Turn:
    key = block[0].removesuffix(":")
    if key == block[0] or len(block) == 1:
        raise TranscriptError(f"line {number}: expected a speaker's name and a colon, then at least one line")
    try:
        return Turn(key, tuple(map(_unescape, block[1:])))
    except TranscriptError as error:
        raise TranscriptError(f"line {number}: {error}") from error


def _conversation(scene: re.Match[str], turns: list[Turn]) -> Conversation:
    return Conversation(scene[1], tuple(turns), int(scene[2]) if scene[2] else None)
