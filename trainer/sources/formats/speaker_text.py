"""SPEAKER: text: our own transcripts, and other people's files, read leniently.

Ours begin with a scene line and are read strictly. In other files a paragraph that begins with a name and a colon alone on
its line is a message; a paragraph without one goes on with the last speaker's. No dates, no ids, no reply links.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from persona.transcript import SCENES, TranscriptError, parse_many
from trainer.sources.files.tree import Tree, head
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.lines import blocks, text_lines
from trainer.sources.parsing.repair import decode_text
from trainer.sources.parsing.spoken import ChannelIds, of, spoken
from trainer.sources.source import Reading, Source, claim_each

_HEADER = re.compile(r"[^\s#\\{\[<][^\n:{}<>]{0,63}:")
_LONGEST_CONVERSATION = 4 << 20  # characters
_SCENE = re.compile(rf"# ({'|'.join(SCENES)})( \d{{1,4}})?")


def _recognises(start: bytes) -> bool:
    """Return whether the text begins with a scene, or most paragraphs with `Name:`."""
    if b"\0" in start[:4096] and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    text = decode_text(start).replace("\r\n", "\n").strip("\n")
    paragraphs = [paragraph for paragraph in re.split(r"\n[ \t\r]*\n", text) if paragraph.strip()]
    if not paragraphs:
        return False
    if _SCENE.fullmatch(paragraphs[0].strip()):
        return True
    return sum(map(_is_headed, paragraphs)) >= max(1, 0.5 * len(paragraphs))


def _is_headed(paragraph: str) -> bool:
    """Return whether a paragraph begins with `Name:` alone on its line.

    Code and YAML do so too, but indent what follows.
    """
    first, _, rest = paragraph.lstrip("\n").partition("\n")
    return bool(_HEADER.fullmatch(first.rstrip())) and bool(rest.strip()) and not rest[0].isspace()


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        start = head(tree, name)
        first = decode_text(start).lstrip().split("\n")[0].strip()
        with tree.open(name) as stream:
            yield from _strict(stream, name) if _SCENE.fullmatch(first) else _lenient(stream, name, start[:1024])


def _strict(stream: BinaryIO, name: str) -> Reading:
    channels = ChannelIds()
    for offset, text in _conversations(stream):
        try:
            (conversation,) = parse_many(text)
        except (TranscriptError, ValueError) as error:
            yield Reject(file=name, offset=offset, reason=str(error), raw=text)
            continue
        yield from spoken(conversation.scene, conversation.year, of(conversation), channels)


def _conversations(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each conversation of a transcript."""
    block: list[str] = []
    start = size = 0
    for offset, line in text_lines(stream):
        begins = _SCENE.fullmatch(line) and (not block or not block[-1])
        if begins or size > _LONGEST_CONVERSATION:
            if any(block):
                yield start, "\n".join(block)
            block, start, size = [], offset, 0
        block.append(line)
        size += len(line)
    if any(block):
        yield start, "\n".join(block)


class _Speakers:
    """Parse `Name:` alone on the first line of a paragraph as a header."""

    def __init__(self) -> None:
        self._first = True

    def __call__(self, line: str) -> str | None:
        first, self._first = self._first, not line.strip()
        return line.strip().removesuffix(":").strip() if first and _HEADER.fullmatch(line.rstrip()) else None


def _lenient(stream: BinaryIO, name: str, start: bytes) -> Reading:
    """Read paragraphs as messages.

    start: the first bytes, which tell two files of one name apart while a file
    that has grown keeps its id.
    """
    channel = f"{name}-{hashlib.blake2b(start, digest_size=6).hexdigest()}"
    for number, block in enumerate(blocks(text_lines(stream), name, _Speakers())):
        if isinstance(block, Reject):
            yield block
            continue
        yield Message(
            platform="text",
            conversation_id=channel,
            conversation_type="group",
            conversation_name=name.rpartition(".")[0],
            message_id=f"{channel}:{number}",
            sender_id=block.header,
            sender_name=block.header,
            text="\n".join(block.lines).strip(),
        )


SOURCE = Source("SPEAKER: text", claim_each(_recognises), _read)
