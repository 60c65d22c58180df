"""Handing a text over to the daemon, as a row of the outbox. Knows nothing of Gradio."""

import secrets

from bot.enabled_gateways import limits_of
from bot.store import HANDED_IN, Answer, BotStore
from bot.studio.streaming import Lines
from bot.talk import delivery
from persona.errors import UserError
from persona.platforms import TARGET_EXAMPLES, is_target


async def hand_in(store: BotStore, target: str, lines: Lines, answer: Answer | None = None) -> None:
    """Put a tweet into the outbox of `target`, and keep it from being said again. answer: how it was made, if people may
    rate it there.

    Raises UserError if it can't go there.
    """
    if not is_target(target):
        raise UserError(f"{target!r} is no place to send to; write {TARGET_EXAMPLES}")
    platform = target.partition(":")[0]
    accounts = await store.channels.accounts(platform)
    if not accounts:
        raise UserError(
            f"the bot was never on {platform.title()}, so nobody would send this; run 'python -m bot run' once"
        )
    parts = delivery.posts(lines, limits_of(platform), bursts=False)
    channel = (await store.channels.moves(accounts[0])).get(target, target)
    await store.outbox.put(accounts[0], channel, f"{HANDED_IN}{secrets.token_hex(8)}", parts, answer)
    await store.timetable.keep("\n".join(lines))
