"""The Report tab: what a training found out about its adapter."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr

from bot.studio.bundles import choices, versions_of
from bot.studio.markup import framed, quiet
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from persona.bundle import PRIVATE

PAGE = "report.html"
NONE = "There is no report on this one; 'python -m trainer evaluate' writes one on the current adapter."


class ReportTab:
    """Builds the tab inside the page that is open."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        with gr.Tab("Report", id="report") as tab:
            version = gr.Dropdown([], label="adapter version", elem_id="report-version")
            page = gr.HTML(elem_id="report-page")
        tab.select(self._fill, version, version)
        gr.on([version.change, tab.select], self._show, version, page)

    async def _fill(self, chosen: str | None) -> Any:
        with sentences():
            labels, speaking = choices(versions_of(self._studio.settings.adapters))
            return gr.Dropdown(labels, value=chosen or speaking)

    async def _show(self, version: str | None) -> str:
        with sentences():
            report = report_of(self._studio.settings.adapters, version) if version else None
            return framed(await asyncio.to_thread(report.read_text, "utf-8")) if report else quiet(NONE)


def report_of(home: Path, version: str) -> Path | None:
    """Return the report of a version: that of the latest evaluation, else the training's; None if there is neither."""
    candidates = (home / "reports" / version / PAGE, home / version / PRIVATE / PAGE)
    return next((path for path in candidates if path.is_file()), None)
