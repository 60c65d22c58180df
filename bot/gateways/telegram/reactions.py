"""Reactions on Telegram: which a bot may make in a chat, and those of people as ours."""

import time
from collections.abc import Mapping
from typing import Any

from telegram import MessageReactionUpdated, ReactionType, ReactionTypeCustomEmoji, ReactionTypeEmoji
from telegram.constants import ReactionEmoji
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.gateway import IncomingReaction
from bot.gateways.telegram.authors import chat_author, user_author

KEPT_SECONDS = 3600.0  # for which a chat's rules hold before they are asked for again
_SELECTOR = "\ufe0f"
_ALL = {emoji.value.replace(_SELECTOR, ""): emoji.value for emoji in ReactionEmoji}  # Bot API, ReactionTypeEmoji


class Reactions:
    """What one bot account knows of reactions."""

    def __init__(self, bot: ExtBot[Any]) -> None:
        self._bot = bot
        self._allowed: dict[int, tuple[float, Mapping[str, str]]] = {}
        self._custom: dict[str, str] = {}  # the emoji that a custom one stands for, by its id

    async def allowed(self, chat: int) -> Mapping[str, str]:
        """Return the emoji with which a bot may react in a chat: without variation selector -> as Telegram wants it. All
        of Telegram's if the chat can't be asked."""
        since, known = self._allowed.get(chat, (0.0, {}))
        if since and time.monotonic() - since < KEPT_SECONDS:
            return known
        try:
            rules = dict(await self._bot.do_api_request("getChat", {"chat_id": chat})).get("available_reactions")
        except TelegramError:
            return _ALL
        emoji = None if rules is None else {str(rule.get("emoji", "")).replace(_SELECTOR, "") for rule in rules}
        known = {bare: sent for bare, sent in _ALL.items() if emoji is None or bare in emoji}
        self._allowed[chat] = (time.monotonic(), known)
        return known

    async def parse(self, update: MessageReactionUpdated) -> list[IncomingReaction]:
        """Return what somebody added, and what they took back."""
        author = chat_author(update.actor_chat) if update.actor_chat else update.user and user_author(update.user)
        if not author or (update.user and update.user.is_bot):
            return []
        before, after = await self._emoji(update.old_reaction), await self._emoji(update.new_reaction)
        place = (f"telegram:{update.chat.id}", str(update.message_id), author.id, author.name)
        at = update.date.timestamp()
        gone = [IncomingReaction(*place, emoji, at, is_back=True) for emoji in before if emoji not in after]
        return gone + [IncomingReaction(*place, emoji, at) for emoji in after if emoji not in before]

    async def _emoji(self, reactions: "tuple[ReactionType, ...]") -> list[str]:
        """The emoji of reactions; a custom one is the emoji that it stands for."""
        emoji: list[str] = []
        for reaction in reactions:
            if isinstance(reaction, ReactionTypeEmoji):
                emoji.append(reaction.emoji)
            elif isinstance(reaction, ReactionTypeCustomEmoji):
                emoji += filter(None, [await self._base(reaction.custom_emoji_id)])
        return list(dict.fromkeys(emoji))

    async def _base(self, custom: str) -> str:
        if custom not in self._custom:
            try:
                found = await self._bot.get_custom_emoji_stickers([custom])
            except TelegramError:
                return ""
            self._custom[custom] = (found[0].emoji or "") if found else ""
        return self._custom[custom]
