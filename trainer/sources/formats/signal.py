"""Signal, as signal-export writes it: a folder a chat with `chat.md` (`index.md` before 2022).

Learned from carderne/signal-export (models.py, create.py, merge.py). `[2021-03-04 05:06:07] Name: text`; before 2023 with
a comma after the date, before that without seconds. Times are those of the exporting machine, without a zone (taken as
UTC). The account itself is `Me`; back ticks are lost. A quotation stands before the text in lines that begin with `>`,
reactions after it as `(- Name: 😀 -)`, stickers as `(( 😀 ))` or a link into `exported_stickers`. There are no ids.
"""

import re
from collections.abc import Sequence

from trainer.sources.files.tree import Tree
from trainer.sources.message import ConversationType, Kind, Message
from trainer.sources.parsing.attachment import kind_of
from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.lines import Block, blocks, head_lines, text_lines
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, claim_each

ME = "Me"
_HEADER = re.compile(r"\[(\d{4}-\d\d-\d\d),? (\d\d:\d\d(?::\d\d)?)\] ([^\n]{1,100}?): ?(.*)")
_QUOTE = re.compile(r"\A\s*\n> (.*(?:\n> .*)*)\n*")
_REACTIONS = re.compile(r"\n\(- .* -\)")
_STICKER = re.compile(
    r"\n?\(\( ?([^()\n]{0,80}?) ?\)\)|\[([^\[\]\n]{0,80})\]\(\.\./exported_stickers/[^)\n]{0,400}\) *"
)
_FILE = re.compile(r"!?\[([^\[\]\n]{0,400})\]\(\./media/([^)\n]{0,400})\) *")
_CALL = re.compile(r"(?:Incoming|Outgoing|Missed) (?:\w+ )?call(?: \(.*\))?")
_DELETED = "(This message was deleted)"

Header = tuple[str, str, str]  # date and time, sender, first line of the text


def _header(line: str) -> Header | None:
    found = _HEADER.match(line)
    return (f"{found[1]}T{found[2]}", found[3], found[4]) if found else None


def _recognises(start: bytes) -> bool:
    """WhatsApp's lines look alike where dates are written year first; they have seconds after a comma."""
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
        folder = name.rpartition("/")[0].rpartition("/")[2]
        chat = folder or " + ".join(sorted(others)[:32])
        ids = DerivedIds(chat)
        with tree.open(name) as stream:
            for block in blocks(text_lines(stream), name, _header):
                if isinstance(block, Block):
                    yield _message(block, chat, "group" if len(others) > 1 else "dm", ids)
                else:
                    yield block


def _others(tree: Tree, name: str) -> frozenset[str]:
    """Who speaks besides the account, as far as a hundred people."""
    found: set[str] = set()
    with tree.open(name) as stream:
        for _, line in text_lines(stream):
            if (header := _header(line)) and len(found) < 100:
                found.add(header[1])
    return frozenset(found - {ME, "No-Sender"})


def _message(block: Block[Header], chat: str, kind: ConversationType, ids: DerivedIds) -> Message:
    moment, sender, first = block.header
    whole = "\n".join((first, *block.lines))
    at = iso_timestamp(moment)
    quote = _QUOTE.match(whole)
    body = _REACTIONS.sub("", whole[quote.end() :] if quote else whole)
    stickers = [f"sticker {found[1] or found[2]}".removesuffix(" sticker").strip() for found in _STICKER.finditer(body)]
    files = [kind_of(found[2]) for found in _FILE.finditer(body)]
    text = "\n".join(line.rstrip() for line in _FILE.sub("", _STICKER.sub("", body)).split("\n")).strip()
    return Message(
        platform="signal",
        conversation_id=chat,
        conversation_type=kind,
        conversation_name=chat,
        message_id=ids.next(at, sender, _REACTIONS.sub("", whole)),
        sender_id="",
        sender_name="" if sender == "No-Sender" else sender,
        is_self=sender == ME,
        timestamp=at,
        kind=_kind(text),
        text=text,
        quoted_text=re.sub(r"^> ?", "", quote[1], flags=re.MULTILINE) if quote else "",
        attachments=(*stickers, *files),
    )


def _kind(text: str) -> Kind:
    return "call" if _CALL.fullmatch(text) else "unsupported" if text == _DELETED else "message"


SOURCE = Source("Signal", claim_each(_recognises), _read)
