"""When the persona speaks. Pure: time and luck come in as arguments."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.gateways.base import IncomingMessage
from persona.config import Talk

EXPIRES = 24 * 3600.0  # seconds; an answer that comes a day late is stranger than none


@dataclass(frozen=True, slots=True)
class Verdict:
    """answer: whether to speak. reason: why, in a word that is counted."""

    answer: bool
    reason: str


def calls(message: IncomingMessage, settings: Talk, *, names: Collection[str], luck: float) -> str | None:
    """What in a message wants an answer: dm, mention, reply, name, or unprompted where luck (in [0, 1)) has it so. None
    where nothing does. names: what the persona is called."""
    kinds = {
        "dm": message.is_dm,
        "mention": message.mention,
        "reply": message.reply,
        "name": any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message.text, re.IGNORECASE) for name in names),
    }
    heard = next((kind for kind in settings.reply_to if kinds[kind]), None)
    return heard or ("unprompted" if luck < settings.unprompted else None)


def judge(settings: Talk, *, age: float, since_reply: float, is_dm: bool) -> Verdict:
    """Whether to answer a message that called. age: seconds since it was written. since_reply: seconds since the persona
    last spoke in that channel."""
    if age > EXPIRES:
        return Verdict(False, "expired")
    if not is_dm and since_reply < settings.cooldown.total_seconds():
        return Verdict(False, "cooldown")
    return Verdict(True, "called")
