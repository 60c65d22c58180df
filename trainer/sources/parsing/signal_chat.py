"""A chat of signal-export: its Markdown and its JSON get the same ids."""

import re
from collections import OrderedDict

from trainer.sources.message import Message, MessageKind
from trainer.sources.parsing.derived_id import DerivedIds

ME = "Me"
NOBODY = "No-Sender"
_MAX_REMEMBERED = 4096  # texts that a quotation may repeat
_CALL = re.compile(r"(?:Incoming|Outgoing|Missed|Unanswered|Declined) (?:\w+ )?call(?: \(.*\))?")
_DELETED = "(This message was deleted)"
_MEDIA = frozenset("photo|image|video|gif|audio|voice message|sticker|file|attachment".split("|"))


def chat_name(member: str, others: frozenset[str]) -> str:
    """Return a chat's name: its folder's, else that of the people in it."""
    return member.rpartition("/")[0].rpartition("/")[2] or " + ".join(sorted(others)[:32])


class SignalChat:
    """A chat while it is read: its ids, and the latest texts, for quotations."""

    def __init__(self, name: str, is_group: bool) -> None:
        self._name = name
        self._is_group = is_group
        self._ids = DerivedIds(name)
        self._by_text: OrderedDict[str, str] = OrderedDict()

    def message(
        self,
        at: float | None,
        sender: str,
        text: str,
        quote: str,
        attachments: tuple[str, ...],
        reactions: tuple[tuple[str, str], ...],
        kind: MessageKind | None = None,
        has_seconds: bool = True,
    ) -> Message:
        """Make a message. at: with whole seconds, as the Markdown has them.

        Nobody says the same twice within a second, but merged exports have it twice: those get one id. has_seconds: the
        export tells them.
        """
        at = float(int(at)) if at is not None else None
        message_id = self._ids.next(at, sender, "\x1f".join((text, *attachments)))
        if text and at is not None and has_seconds:
            message_id = message_id.partition("-")[0]
        parent = self._by_text.get(_bare(quote), "") if quote else ""
        self._remember(text, message_id)
        return Message(
            platform="signal",
            conversation_id=self._name,
            conversation_type="group" if self._is_group else "dm",
            conversation_name=self._name,
            message_id=message_id,
            sender_id="",
            sender_name="" if sender == NOBODY else sender,
            is_self=sender == ME,
            timestamp=at,
            kind=kind or _kind(text),
            text=text,
            reply_to_id=parent,
            quoted_text="" if parent else _quoted(quote),
            attachments=attachments,
            reactions=reactions,
        )

    def _remember(self, text: str, message_id: str) -> None:
        if text:
            self._by_text[_bare(text)] = message_id
            self._by_text.move_to_end(_bare(text))
        if len(self._by_text) > _MAX_REMEMBERED:
            self._by_text.popitem(last=False)


def _bare(text: str) -> str:
    """Return a text as quotations repeat it: no back ticks, lines stripped."""
    return "\n".join(line.strip() for line in text.replace("`", "").strip().split("\n"))


def _quoted(quote: str) -> str:
    """Quoted words; none if all that is quoted is a medium."""
    return "" if quote.strip().casefold() in _MEDIA else quote


def _kind(text: str) -> MessageKind:
    return "call" if _CALL.fullmatch(text) else "unsupported" if text == _DELETED else "message"
