"""Signal, as signal-export writes it: a folder a chat with `chat.md`.

`index.md` before 2022.

Learned from carderne/signal-export (models.py, create.py, merge.py). `[2021-03-04 05:06:07] Name: text`; before 2023 with
a comma after the date, before that without seconds. Times are those of the exporting machine, without a zone (taken as
UTC). The account itself is `Me`; back ticks are lost. A quotation stands before the text in lines that begin with `>`,
reactions after it as `(- Name: 😀 -)`, stickers as `(( 😀 ))` or a link into `exported_stickers`. There are no ids.
"""

import re
from collections.abc import Sequence

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message
from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.signal_chat import ME, NOBODY, SignalChat, chat_name
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each, companions

_HEADER = re.compile(r"\[(\d{4}-\d\d-\d\d),? (\d\d:\d\d(?::\d\d)?)\] ([^\n]{1,100}?): ?(.*)")
_QUOTE = re.compile(r"\A\s*\n(>(?: .*)?(?:\n>(?: .*)?)*)(?:\n|\Z)\n*")
_REACTIONS = re.compile(r"\n\(- (.*) -\)")
_REACTION = re.compile(r"(.{1,60}?): ([^,:]{1,12})(?:, |$)")
_STICKER = re.compile(
    r"\n?\(\( ?([^()\n]{0,80}?) ?\)\)|\[([^\[\]\n]{0,80})\]\(\.\./exported_stickers/[^)\n]{0,400}\) *"
)
_FILE = re.compile(  # whose name may hold brackets of its own
    r"!?\[((?:[^\[\]\n]|\[[^\[\]\n]*\]){0,400})\]\(\./media/((?:[^()\n]|\([^()\n]*\)){0,400})\) *"
)
_NOT_EXPORTED = re.compile(r" *\((?:media|attachment|file|sticker)s? not exported\) *", re.IGNORECASE)

Header = tuple[str, str, str]  # date and time, sender, first line of the text


def _header(line: str) -> Header | None:
    match = _HEADER.match(line)
    return (f"{match[1]}T{match[2]}", match[3], match[4]) if match else None


def _recognises(start: bytes) -> bool:
    """Return whether it is Signal's: WhatsApp's lines with the year first have a comma."""
    lines = head_lines(start)
    first = next((line.lstrip("\ufeff") for line in lines if line.strip()), "")
    if not _HEADER.match(first):
        return False
    headers = [line for line in lines if _HEADER.match(line)]
    signs = sum(line.endswith("  ") or "] Me:" in line or "] No-Sender:" in line for line in headers)
    return signs > 0 or all(re.match(r"\[[\d-]+,? \d\d:\d\d\]", line) for line in headers)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        others = _others(tree, name)
        chat = SignalChat(chat_name(name, others), len(others) > 1)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _header):
                yield _message(block, chat) if isinstance(block, Block) else block


def _others(tree: Tree, name: str) -> frozenset[str]:
    """Return who speaks besides the account, as far as a hundred people."""
    speakers: set[str] = set()
    with tree.open(name) as stream:
        for _, line in text_lines(stream):
            if (header := _header(line)) and len(speakers) < 100:
                speakers.add(header[1])
    return frozenset(speakers - {ME, NOBODY})


def _message(block: Block[Header], chat: SignalChat) -> Message:
    moment, sender, first = block.header
    whole = "\n".join((first, *block.lines))
    quote = _QUOTE.match(whole)
    body = whole[quote.end() :] if quote else whole
    reactions = tuple(
        (match[2].strip(), match[1].strip())
        for line in _REACTIONS.finditer(body)
        for match in _REACTION.finditer(line[1])
    )
    body = _REACTIONS.sub("", body)
    stickers = [f"sticker {match[1] or match[2]}".removesuffix(" sticker").strip() for match in _STICKER.finditer(body)]
    files = [medium_of(match[2]) for match in _FILE.finditer(body)]
    files += ["file" for _ in _NOT_EXPORTED.finditer(body)]
    text = _NOT_EXPORTED.sub("", _FILE.sub("", _STICKER.sub("", body)))
    return chat.message(
        iso_timestamp(moment),
        sender,
        "\n".join(line.rstrip() for line in text.split("\n")).strip(),
        re.sub(r"^> ?", "", quote[1], flags=re.MULTILINE).strip() if quote else "",
        (*stickers, *files),
        reactions,
        has_seconds=moment.count(":") > 1,
    )


SOURCE = Source(
    "Signal",
    claim_each(_recognises),
    _read,
    is_companion=companions(r"(?:^|/)(?:data\.json|index\.html|main\.html)$|(?:^|/)media/"),
)
