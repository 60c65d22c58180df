"""What a tab shows while it has nothing: a sentence, and the button that changes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from bot.studio.steps import LET_IT_SPEAK
from bot.studio.studio import Studio

SETUP = "setup"  # the id of the tab that leads from exports to a persona


class NothingYet:
    """A tab's sentence and its content, of which one is shown. Builds itself inside the tab that is open. current: whether
    the content needs a version that speaks; else any version will do."""

    def __init__(self, studio: Studio, tabs: gr.Tabs, sentence: str, *, current: bool = True) -> None:
        self._studio = studio
        self._current = current
        self._sentence = sentence
        with gr.Column(visible=not self._something, elem_classes="nothing") as self._empty:
            self._words = gr.Markdown(sentence)
            go = gr.Button("Set it up", variant="primary", min_width=120)
        go.click(lambda: gr.Tabs(selected=SETUP), None, tabs)

    @contextmanager
    def content(self) -> Iterator[None]:
        """What is shown once there is something."""
        with gr.Column(visible=self._something) as self._content:
            yield

    @property
    def columns(self) -> list[Any]:
        """What `now` changes."""
        return [self._empty, self._content, self._words]

    def now(self) -> list[Any]:
        """Which of sentence and content is shown now."""
        available = self._studio.versions
        sentence = f"{available[0].silence} {LET_IT_SPEAK}" if available else self._sentence
        return [gr.Column(visible=not self._something), gr.Column(visible=self._something), gr.Markdown(sentence)]

    @property
    def _something(self) -> bool:
        return self._studio.speaks if self._current else bool(self._studio.versions)
