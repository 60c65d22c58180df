"""Custom emoji on Telegram, each of which stands for an emoji: one that a chat used last as a custom one goes out as that one.

A bot may send them where its owner has Telegram Premium (Bot API 9.4) or it has a name from Fragment; elsewhere Telegram shows
the emoji that they stand for.
"""

from collections import OrderedDict
from typing import Any

from telegram import Message, MessageEntity

from persona.emoji import emoji_in, emoji_of

MAX_CHATS, MAX_EMOJI = 500, 100  # that are known at a time, the newest; of a message
KIND = MessageEntity.CUSTOM_EMOJI


class CustomEmoji:
    """What was seen in the chats of one bot account since it started."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, dict[str, str]] = OrderedDict()  # of a chat, the id by the emoji it stands for

    def learn(self, message: Message) -> None:
        """Remember the custom emoji of a message; an emoji that it uses as it is stands for itself again."""
        custom = {**message.parse_entities([KIND]), **message.parse_caption_entities([KIND])}
        known = self._seen.get(message.chat.id, {})
        for emoji in emoji_of(message.text or message.caption or "") if known else ():
            known.pop(emoji, None)
        if custom:
            newer = {bare: entity.custom_emoji_id or "" for entity, text in custom.items() for bare in emoji_of(text)}
            self._seen[message.chat.id] = dict(list({**known, **newer}.items())[-MAX_EMOJI:])
            self._seen.move_to_end(message.chat.id)
            while len(self._seen) > MAX_CHATS:
                self._seen.popitem(last=False)

    def forget(self, chat: int | str) -> None:
        """Take the emoji of a chat as they are, until somebody uses custom ones there again."""
        self._seen.pop(int(chat), None)

    def entities(self, chat: int | str, text: str) -> list[dict[str, Any]]:
        """Return the entities that make custom ones of the emoji in `text`. Places are in UTF-16 code units."""
        known = self._seen.get(int(chat), {})
        return [
            {
                "type": KIND,
                "offset": _units(text[:start]),
                "length": _units(text[start:end]),
                "custom_emoji_id": known[emoji],
            }
            for emoji, start, end in (emoji_in(text) if known else ())
            if emoji in known
        ][:MAX_EMOJI]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
