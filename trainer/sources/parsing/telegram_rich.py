"""Telegram's rich messages: blocks of headings, lists, tables and quotes, as plain text. Not a source.

Learned from tdesktop's SerializeRichText and SerializeRichBlock (7.2): text is a string, a list, or an object whose
`type` says how it is formatted and whose `text` holds what is; blocks hold text, other blocks, items or rows. Items of
lists and quotes hold text or blocks, which `content` tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_DEEPEST = 32  # blocks inside blocks; more is no message
_MEDIA = {
    "photo": "photo",
    "video": "video",
    "audio": "audio",
    "animation": "gif",
    "document": "file",
    "map": "location",
    "input_map": "location",
    "embed": "link",
}
_MARKS = {"checked": "[x] ", "unchecked": "[ ] "}


@dataclass(slots=True)
class RichText:
    """What a rich message says. quoted: the words it quotes. unread: types of blocks that could not be read."""

    lines: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def rich_text(message: dict[str, Any]) -> RichText:
    """Return the text of `rich_message`."""
    text = RichText()
    _add_blocks(message.get("blocks"), text, text.lines, 0)
    return text


def _add_blocks(blocks: Any, text: RichText, lines: list[str], depth: int) -> None:
    for block in blocks if isinstance(blocks, list) and depth < _DEEPEST else ():
        if isinstance(block, dict):
            _add_block(block, text, lines, depth + 1)


def _add_block(block: dict[str, Any], text: RichText, lines: list[str], depth: int) -> None:
    block_type = str(block.get("type", ""))
    before = len(lines)
    if block_type in _MEDIA:
        text.attachments.append(_MEDIA[block_type])
    if block_type == "quote":
        block, lines = _said_once(block), text.quoted
    for key in ("title", "text", "author", "formula"):
        lines += filter(None, [plain(block.get(key)).strip()])
    for item in _dicts(block.get("items")):
        _add_item(item, text, lines, depth)
    for row in _dicts(block.get("rows")):
        lines += filter(None, [" ".join(filter(None, (plain(cell.get("text")) for cell in _dicts(row.get("cells")))))])
    _add_blocks(block.get("blocks"), text, lines, depth)
    _add_blocks([block.get("block")], text, lines, depth)
    if block_type != "quote":  # a quotation's caption says whose it is
        lines += filter(None, [_caption(block.get("caption"))])
    if block.get("unsupported") and len(lines) == before:
        text.unread.append(str(block.get("source_type") or block_type))


def _add_item(item: dict[str, Any], text: RichText, lines: list[str], depth: int) -> None:
    """An item of a list, or a picture of a collage."""
    if item.get("type") in _MEDIA:
        _add_block(item, text, lines, depth)
        return
    item = _said_once(item)
    state = str(item.get("task_state", ""))
    if isinstance(item.get("checked"), bool):
        state = "checked" if item["checked"] else "unchecked"
    own: list[str] = list(filter(None, [plain(item.get("text")).strip()]))
    _add_blocks(item.get("blocks"), text, own, depth)
    lines += [f"{_MARKS.get(state, '')}{line}" if number == 0 else line for number, line in enumerate(own)]


def _said_once(holder: dict[str, Any]) -> dict[str, Any]:
    """Return an item or a quote with its blocks alone, unless `content` says that it is a text."""
    has_text = not holder.get("blocks") or holder.get("content") == "text"
    other = "blocks" if has_text else "text"
    return {key: value for key, value in holder.items() if key != other}


def _caption(caption: Any) -> str:
    """Return the text of a caption, which may have a credit beside it."""
    if isinstance(caption, dict) and "credit" in caption:
        return plain(caption.get("text")).strip()
    return plain(caption).strip()


def _dicts(values: Any) -> Iterator[dict[str, Any]]:
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else iter(())


def plain(node: Any, depth: int = 0) -> str:
    """Return the characters of formatted text."""
    if isinstance(node, str):
        return node
    if depth > _DEEPEST:
        return ""
    if isinstance(node, list):
        return "".join(plain(part, depth + 1) for part in node)
    if isinstance(node, dict):
        return plain(node.get("source") if node.get("type") == "math" else node.get("text"), depth + 1)
    return ""
