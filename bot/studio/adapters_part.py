"""In the Set up tab: the adapters there are, side by side; which of them speaks."""

import asyncio
from typing import Any

import gradio as gr

from bot.studio.bundles import Version, choices, make_current, roll_back
from bot.studio.markup import quiet, table
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from persona.errors import UserError

HEADS = ("version", "made", "the adapter learned from", "bits a character, base → adapter", "likeness", "base")
RESTART = "A bot that runs goes on with the old one until it is started again."


class Adapters:
    """Builds itself inside the layout that is open."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        table_ = gr.HTML(elem_id="adapters")
        with gr.Row(elem_classes="tools", elem_id="adapters-choice"):
            version = gr.Dropdown([], label="version", scale=3, min_width=120, elem_id="adapters-version")
            take = gr.Button("Make current", scale=1, min_width=120, elem_id="adapters-take")
            back = gr.Button("Roll back", scale=1, min_width=120, elem_id="adapters-back")
        self.shown: list[Any] = [table_, version, take, back]
        taken = take.click(self._take, version, self.shown)
        rolled = back.click(self._back, None, self.shown)
        self.changed: list[Any] = [taken.then, rolled.then, table_.change]

    def now(self) -> tuple[Any, ...]:
        """Return the adapters as they are now; where the settings can't be read, why: asked for every second, a note
        would be put upon the next."""
        try:
            available = self._studio.versions
        except UserError as fault:
            return quiet(str(fault)), gr.Dropdown([], value=None, visible=False), *_buttons(False)
        labels, speaking = choices(available)
        if not available:
            return "", gr.Dropdown([], value=None, visible=False), *_buttons(False)
        choosing = len(available) > 1 or not available[0].speaks
        rows = "<h3>The adapters</h3>" + table(HEADS, map(_row, available), label="adapters")
        return rows, gr.Dropdown(labels, value=speaking, visible=choosing), *_buttons(choosing)

    async def _take(self, version: str | None) -> tuple[Any, ...]:
        with sentences():
            if version:
                await asyncio.to_thread(make_current, self._studio.settings.adapters, version)
                gr.Info(f"Version {version} speaks. {RESTART}")
            return self.now()

    async def _back(self) -> tuple[Any, ...]:
        with sentences():
            number = await asyncio.to_thread(roll_back, self._studio.settings.adapters)
            gr.Info(f"Back to version {number}. {RESTART}")
            return self.now()


def _buttons(visible: bool) -> list[gr.Button]:
    return [gr.Button(visible=visible)] * 2


def _row(version: Version) -> tuple[object, ...]:
    metrics = version.seal.metrics
    before, after = (metrics.get(name) for name in ("bits_per_character_base", "bits_per_character"))
    bits = f"{before:.3f} → {after:.3f}" if before is not None and after is not None else "–"
    likeness = dict(metrics.get("likeness") or {}).get("verdict", "–")
    messages = f"{version.seal.data.get('messages', 0):,} messages"
    return version.label, version.made, messages, bits, likeness, version.seal.base.model
