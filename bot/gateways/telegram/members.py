"""Who somebody is in a chat, as Telegram tells it: the library refuses a member without each of the newest rights."""

from typing import Any

from telegram.ext import ExtBot


async def raw_member(bot: ExtBot[Any], chat: int, user: int) -> dict[str, Any]:
    """Return the member as the server sends it (Bot API, getChatMember). Raises TelegramError."""
    return dict(await bot.do_api_request("getChatMember", {"chat_id": chat, "user_id": user}))
