"""What a tab shows while it has nothing: a sentence, and the button that changes it."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from bot.studio.studio import Studio

SETUP = "setup"  # the id of the tab that leads from exports to a persona


class NothingYet:
    """A tab's sentence and its content, of which one is shown. Builds itself inside the tab that is open."""

    def __init__(self, studio: Studio, tabs: gr.Tabs, sentence: str) -> None:
        self._studio = studio
        self._something = bool(studio.versions)
        with gr.Column(visible=not self._something, elem_classes="nothing") as self._empty:
            gr.Markdown(sentence)
            go = gr.Button("Set it up", variant="primary", min_width=120)
        go.click(lambda: gr.Tabs(selected=SETUP), None, tabs)

    @contextmanager
    def content(self) -> Iterator[None]:
        """What is shown once there is something."""
        with gr.Column(visible=self._something) as self._content:
            yield

    @property
    def columns(self) -> list[gr.Column]:
        """Both of them."""
        return [self._empty, self._content]

    def now(self) -> list[gr.Column]:
        """Which of them is shown now."""
        something = bool(self._studio.versions)
        return [gr.Column(visible=not something), gr.Column(visible=something)]
