"""The Report tab: what a training found out about its adapter."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import gradio as gr

from bot.studio.bundles import choices
from bot.studio.markup import framed, quiet
from bot.studio.nothing_yet import NothingYet
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from persona.bundle import PRIVATE

PAGE = "report.html"
NOT_CURRENT = "There is no report on this version; make it the current one in Set up, and measure it here."
NOTHING_YET = "Nothing is trained yet; once it is, this shows how alike it is."


class ReportTab:
    """Builds the tab inside the page that is open."""

    def __init__(self, studio: Studio, tabs: gr.Tabs) -> None:
        self._studio = studio
        with gr.Tab("Report", id="report") as tab:
            self._nothing_yet = NothingYet(studio, tabs, NOTHING_YET, current=False)
            with self._nothing_yet.content():
                version = gr.Dropdown([], label="adapter version", elem_id="report-version")
                page = gr.HTML(elem_id="report-page")
                measure = gr.Button("Measure it", variant="primary", visible=False, elem_id="report-measure")
        tab.select(self._fill, version, [*self._nothing_yet.columns, version])
        gr.on([version.change, tab.select], self._show, version, [page, measure])
        measure.click(self._measure, version, [page, measure])

    async def _fill(self, chosen: str | None) -> list[Any]:
        with sentences():
            labels, speaking = choices(self._studio.versions)
            numbers = [number for _, number in labels]
            return [*self._nothing_yet.now(), gr.Dropdown(labels, value=chosen if chosen in numbers else speaking)]

    async def _show(self, version: str | None) -> tuple[str, gr.Button]:
        with sentences():
            if not version or not self._studio.has_settings:
                return "", gr.Button(visible=False)
            report = report_of(self._studio.settings.adapters, version)
            if report:
                return framed(await asyncio.to_thread(report.read_text, "utf-8")), gr.Button(visible=False)
            speaks = any(known.number == version and known.speaks for known in self._studio.versions)
            sentence = "There is no report on this version yet." if speaks else NOT_CURRENT
            return quiet(sentence), gr.Button(visible=speaks)

    async def _measure(self, version: str | None) -> AsyncGenerator[tuple[str, gr.Button]]:
        """Evaluate the current version, which writes a report."""
        with sentences():
            yield quiet("It writes answers, and judges compare them; that takes minutes …"), gr.Button(visible=False)
            run = await self._studio.run("evaluate")
            try:
                await run.result()
            finally:
                yield await self._show(version)


def report_of(home: Path, version: str) -> Path | None:
    """Return the report of a version: that of the latest evaluation, else the training's; None if there is neither."""
    candidates = (home / "reports" / version / PAGE, home / version / PRIVATE / PAGE)
    return next((path for path in candidates if path.is_file()), None)
