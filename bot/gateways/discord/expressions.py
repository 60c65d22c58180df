"""What can be said on Discord without words: a server's and the application's emoji, a server's stickers, any emoji as a
reaction."""

from collections.abc import Iterable

import discord

from bot.gateway import Expressions

# Emoji of these blocks look like text unless a variation selector follows (Unicode, emoji-data.txt); Discord wants it.
_ARE_EMOJI_ALONE = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)
_SELECTOR = "\ufe0f"


def expressions_in(guild: discord.Guild | None, application_emoji: Iterable[discord.Emoji]) -> Expressions:
    """Return what can be said in a server, or in a private channel. Of two emoji of one name the server's older one is
    meant."""
    own = sorted(guild.emojis, key=lambda emoji: -emoji.id) if guild else []
    usable = [*application_emoji, *(emoji for emoji in own if emoji.is_usable())]
    stickers = sorted(guild.stickers, key=lambda sticker: -sticker.id) if guild else []
    available = [sticker for sticker in stickers if sticker.available]
    return Expressions(
        emoji={emoji.name: str(emoji) for emoji in usable},
        reactions={f":{emoji.name}:": f"{emoji.name}:{emoji.id}" for emoji in usable},
        any_reaction=True,
        stickers={name: str(sticker.id) for sticker in available for name in (sticker.emoji, sticker.name)},
    )


def qualified(emoji: str) -> str:
    """Return an emoji such that Discord knows it."""
    if ":" in emoji or _SELECTOR in emoji or ord(emoji[0]) >= 0x1F000 or emoji[0] in _ARE_EMOJI_ALONE:
        return emoji
    return f"{emoji[0]}{_SELECTOR}{emoji[1:]}"
