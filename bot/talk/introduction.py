"""What the persona says of itself: that it is a machine. Regulation (EU) 2024/1689, Article 50, asks for no less."""

from collections.abc import Sequence
from dataclasses import replace

from bot.gateway import Limits
from bot.store import BotStore, OutgoingPart
from bot.talk import delivery


def about(name: str, days: float, version: str = "") -> str:
    """Return what /about says. version: of the adapter that speaks."""
    speaks = f" Version {version} speaks." if version else ""
    return (
        f"I am a program that imitates {name}, trained on what {name} wrote. I am not {name}, and what I say was "
        f"never said by anybody. I remember what is said here for {days:g} days, so that I can answer, and nothing "
        f"else is done with it. /optout: I neither store nor answer your messages. /forget: I forget them now.{speaks}"
    )


def privacy(days: float, feedback: bool) -> str:
    """Return what /privacy says; Telegram's terms for bots ask for that command."""
    rated = (
        " Answers that somebody rates are kept with what they answer, until somebody in it writes /forget; I may learn from "
        "them what to say and what not."
        if feedback
        else ""
    )
    return (
        f"I store what is said where I am, with the sender's id and name, for {days:g} days, on one machine, only to "
        f"answer. The person who runs me can read it; nothing is passed on, and nobody is trained on it.{rated} "
        "/forget deletes what I have of you now; /optout does so, and I neither store nor answer you from then on."
    )


def with_introduction(
    parts: Sequence[OutgoingPart], opening: Sequence[OutgoingPart], limits: Limits
) -> Sequence[OutgoingPart]:
    """Return the posts of a tweet with what it says of itself at their end: in a forum each post opens a thread. Before
    them where it finds no room."""
    if not (parts and opening):
        return parts
    text = "\n\n".join([parts[-1].text, *(part.text for part in opening)])
    if len(text.encode("utf-16-le")) // 2 > limits.units:
        return [*opening, *parts]
    return [*parts[:-1], replace(parts[-1], text=text, introduces=True)]


def in_one_post(
    parts: Sequence[OutgoingPart], opening: Sequence[OutgoingPart], limits: Limits
) -> Sequence[OutgoingPart]:
    """Return an answer as a single post with what it says of itself at its end. Words that find no room are left out."""
    if not parts:
        return parts
    ending = "".join(f"\n\n{part.text}" for part in opening)
    fitting = delivery.split(parts[0].text, limits.units - delivery.length(ending))[0]
    return [replace(parts[0], text=fitting + ending, introduces=bool(opening))]


async def introduction(
    store: BotStore, name: str, limits: Limits, account: str, channel: str, author_id: str = ""
) -> list[OutgoingPart]:
    """Return the post in which it says what it is; empty if the channel and the person were told before."""
    if await store.outbox.is_introduced(account, channel, author_id):
        return []
    text = f"I am a machine that imitates {name}; {name} did not write this. /about says more."
    return [OutgoingPart(delivery.escaped(text, limits.markup), (), introduces=True)]
