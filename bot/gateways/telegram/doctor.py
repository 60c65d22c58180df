"""Checks what keeps the bot from speaking on Telegram: token, privacy mode, membership of each chat."""

from collections.abc import Sequence
from typing import Any

from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.gateway import Finding
from bot.gateways.telegram.members import raw_member
from persona.platforms import Telegram

_HERE = ("administrator", "creator", "member", "restricted")


async def examine(settings: Telegram, bot: ExtBot[Any], targets: Sequence[str]) -> Sequence[Finding]:
    """Return the findings, one a check."""
    try:
        async with bot:
            me = await bot.get_me()
            findings = [Finding("telegram token", True, f"speaks as @{me.username}")]
            if me.can_read_all_group_messages:
                findings.append(Finding("telegram privacy mode", True, "off: it reads the group's talk"))
            else:
                mend = "write /setprivacy to @BotFather, choose Disable, and add the bot to the group again"
                findings.append(Finding("telegram privacy mode", False, "on: it reads only what calls it", mend))
            if settings.guest or me.supports_guest_queries:
                findings.append(_guest(settings, bool(me.supports_guest_queries)))
            decide = settings.owners if settings.business else settings.owners[: int(settings.guest)]
            chats = dict.fromkeys([*settings.chats, *decide, *(target.split(":")[1] for target in targets)])
            return [*findings, *[await _chat(bot, chat) for chat in chats], *_nobody(settings)]
    except InvalidToken:
        return [Finding("telegram token", False, "Telegram refused it", "put @BotFather's token into TELEGRAM_TOKEN")]
    except TelegramError as error:
        mend = "look at the network, and at [telegram] api_base"
        return [Finding("telegram", False, f"can't be reached ({type(error).__name__})", mend)]


def _guest(settings: Telegram, is_on: bool) -> Finding:
    """Return whether those who call it as a guest are heard."""
    if is_on and settings.guest:
        return Finding("telegram guest mode", True, "on: people in users may call it into other chats")
    if settings.guest:
        mend = "switch Guest Mode on at @BotFather, or take guest = true out of [telegram]"
        return Finding("telegram guest mode", False, "off at @BotFather: no call reaches it", mend)
    mend = "[telegram] guest = true, or switch Guest Mode off at @BotFather"
    return Finding("telegram guest mode", False, "on at @BotFather, but calls are not answered", mend)


async def _chat(bot: ExtBot[Any], chat: str) -> Finding:
    """Return whether it is in a chat and may write there. In a private one it is, once it was written to."""
    try:
        if int(chat) > 0:
            await bot.get_chat(int(chat))
            return Finding("telegram chat", True, f"{chat} is open to it")
        member = await raw_member(bot, int(chat), bot.id)
    except TelegramError as error:
        mend = "add the bot to the group (a person must write to it first), or mend [telegram] chats and [tweets] to"
        return Finding("telegram chat", False, f"{chat} can't be seen ({type(error).__name__})", mend)
    if member.get("status") not in _HERE:
        return Finding("telegram chat", False, f"the bot is not in {chat}", "add it to the group")
    if not member.get("can_send_messages", True):
        return Finding(
            "telegram chat", False, f"the bot may not write in {chat}", "let it write in the group's settings"
        )
    return Finding("telegram chat", True, f"{chat} is open to it")


def _nobody(settings: Telegram) -> list[Finding]:
    if settings.chats or settings.users:
        return []
    mend = "put ids into [telegram] chats and users; write to the bot, and the log names yours"
    return [Finding("telegram allowlist", False, "it listens to nobody", mend)]
