"""The Timeline tab: a page of random tweets, when they would come, and sending one now."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import gradio as gr

from bot.metrics import BotMetrics
from bot.studio.markup import quiet, table
from bot.studio.nothing_yet import NothingYet
from bot.studio.sending import hand_in
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from bot.talk.places import Places
from bot.talk.proactive_posts import ProactivePost, ProactivePosts
from bot.talk.recollection import Recollection
from bot.tasks import end
from bot.timeline import JOB, preview
from persona.bundle import current
from persona.config import Tweets
from persona.errors import UserError
from persona.reply_timing import FILE, load

NOTHING_YET = "Nothing is trained yet; once it is, this is a page of its tweets."
ROUNDS = 3  # in which a page is filled: some of what comes is nothing new, or comes twice

Page = tuple[ProactivePost, ...]


class TimelineTab:
    """Builds the Timeline tab inside the page that is being built."""

    def __init__(self, studio: Studio, tabs: gr.Tabs) -> None:
        self._studio = studio
        with gr.Tab("Timeline", id="timeline") as tab:
            self._nothing_yet = NothingYet(studio, tabs, NOTHING_YET)
            with self._nothing_yet.content():
                with gr.Row(elem_classes="tools"):
                    count = gr.Slider(1, 30, value=8, step=1, label="tweets", scale=4, min_width=200, buttons=[])
                    reroll = gr.Button(
                        "Another page", variant="primary", scale=1, min_width=120, elem_id="tweets-reroll"
                    )
                    replace = gr.Button("Replace", interactive=False, scale=1, min_width=120, elem_id="tweets-replace")
                shown = gr.Radio(
                    [], label="tweets", show_label=False, container=False, elem_id="tweets", elem_classes="cards"
                )
                with gr.Row(elem_classes="tools"):
                    target = gr.Dropdown(
                        [],
                        label="send the chosen one to",
                        allow_custom_value=True,
                        scale=4,
                        min_width=200,
                        elem_id="target",
                    )
                    send = gr.Button("Send now", interactive=False, scale=1, min_width=120, elem_id="tweets-send")
                gr.Markdown("## The next seven days")
                days = gr.HTML(elem_id="schedule")
                tweets = gr.State(())
        filled = tab.select(self._fill, None, [*self._nothing_yet.columns, target, days])
        filled.then(self._first, [count, tweets], [tweets, shown])
        shown.change(_choosable, shown, [replace, send], show_progress="hidden")
        reroll.click(self._write, count, [tweets, shown])
        replace.click(self._replace, [tweets, shown], [tweets, shown])
        send.click(self._send, [tweets, shown, target], None)

    async def _first(self, count: int, tweets: Page) -> AsyncGenerator[tuple[Page, Any]]:
        """Yield a first page of tweets unless one is already shown."""
        if tweets or not self._studio.speaks:
            yield tweets, gr.skip()
            return
        async with aclosing(self._write(count)) as pages:
            async for page in pages:
                yield page

    async def _write(self, count: int) -> AsyncGenerator[tuple[Page, gr.Radio]]:
        """Yield a page of tweets, each shown as it is made."""
        with sentences():
            page: Page = ()
            yield page, gr.Radio([], value=None, info="writing …")
            proactive = await self._proactive()
            for _ in range(ROUNDS):
                async with aclosing(_each([proactive.tweet() for _ in range(int(count) - len(page))])) as written:
                    async for tweet in written:
                        is_new = tweet.lines and tweet.lines not in [other.lines for other in page]
                        page = (*page, tweet) if is_new else page
                        yield page, _cards(page)

    async def _replace(self, tweets: Page, chosen: str | None) -> tuple[Page, gr.Radio]:
        """Replace the chosen tweet by a new one."""
        with sentences():
            at = _chosen(tweets, chosen)
            tweet = await (await self._proactive()).tweet()
            page = (*tweets[:at], tweet if tweet.lines else tweets[at], *tweets[at + 1 :])
            return page, _cards(page, chosen)

    async def _send(self, tweets: Page, chosen: str | None, target: str | None) -> None:
        with sentences():
            tweet, place = tweets[_chosen(tweets, chosen)], target or ""
            answer = tweet.answer if self._studio.settings.talk_in([place]).feedback else None
            await hand_in(await self._studio.store(), place, tweet.lines, answer)
        gr.Info("It lies in the outbox: the daemon sends it in a moment, or when it next runs.")

    async def _proactive(self) -> ProactivePosts:
        """Return the daemon's writer of tweets, which repeats nothing that was tweeted lately."""
        voice, store = await self._studio.voice(), await self._studio.store()
        settings = self._studio.settings
        places = Places(settings.talk_in)
        return ProactivePosts(store, voice, places, BotMetrics(), Recollection(store, voice, settings, places))

    async def _fill(self) -> tuple[Any, ...]:
        with sentences():
            if not self._studio.speaks:
                return *self._nothing_yet.now(), gr.skip(), gr.skip()
            settings = self._studio.settings.tweets
            store = await self._studio.store()
            due = await store.timetable.due_at(JOB) if settings.enabled else None
            first = datetime.fromtimestamp(due, UTC) if due else None
            is_own = self._studio.settings.talk.rhythm == "mine"
            timing = load(current(self._studio.settings.adapters).private / FILE) if is_own else None
            moments = preview(datetime.now(UTC), settings, random.random, first=first, timing=timing)
            target = gr.Dropdown(list(settings.to), value=next(iter(settings.to), None))
            return *self._nothing_yet.now(), target, _schedule(settings, moments)


async def _each(writing: Sequence[Awaitable[ProactivePost]]) -> AsyncGenerator[ProactivePost]:
    """Yield the results as they are ready; leaving the iterator cancels the rest."""
    tasks = [asyncio.ensure_future(tweet) for tweet in writing]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        await end(tasks)


def _cards(page: Page, chosen: str | None = None) -> gr.Radio:
    return gr.Radio([("\n".join(tweet.lines), str(at)) for at, tweet in enumerate(page)], value=chosen, info=None)


def _chosen(tweets: Page, chosen: str | None) -> int:
    """Return which tweet is chosen. Raises UserError if the page changed meanwhile."""
    if chosen is None or int(chosen) >= len(tweets):
        raise UserError("that tweet is gone; choose another")
    return int(chosen)


def _choosable(chosen: str | None) -> list[gr.Button]:
    return [gr.Button(interactive=chosen is not None)] * 2


def _schedule(settings: Tweets, moments: Sequence[datetime]) -> str:
    """Return the times as HTML, a line a day."""
    local = [moment.astimezone(ZoneInfo(settings.timezone)) for moment in moments]
    days = [
        (f"{day:%a %-d %b}", " · ".join(f"{time:%H:%M}" for time in times))
        for day, times in groupby(local, key=datetime.date)
    ]
    when = (
        "The first is settled; the jitter of the others is drawn when they come."
        if settings.enabled
        else "Random tweets are switched off, [tweets] enabled; were they on, they would come about so."
    )
    intro = f"In the time of {settings.timezone}. {when}"
    return quiet(intro) + table(("day", "times"), days, label="the next seven days")
