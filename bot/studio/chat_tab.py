"""The Chat tab: talk to the persona as anybody, in any scene, with two settings or two versions side by side."""

from typing import Any

import gradio as gr

from bot.studio.bundles import choices
from bot.studio.chat_history import ANYBODY, Chat, said_last
from bot.studio.everybody import Everybody
from bot.studio.nothing_yet import NothingYet
from bot.studio.sentences import sentences
from bot.studio.side import Side
from bot.studio.studio import Studio

SCENES = [("private", "dm"), ("group", "group"), ("under a tweet", "reply"), ("timeline", "timeline")]
NOT_ME = "/notme"  # typed here, it is about the last answer, as on the platforms
NOTHING_TO_CORRECT = "/notme is about its last answer, and the last words here are not its own."
NOTHING_YET = "Nothing is trained yet; once it is, this is where you talk with it."


class ChatTab:
    """Builds the tab inside the page that is open."""

    def __init__(self, studio: Studio, page: gr.Blocks, tabs: gr.Tabs) -> None:
        self._studio = studio
        with gr.Tab("Chat", id="chat") as tab:
            self._nothing_yet = NothingYet(studio, tabs, NOTHING_YET)
            with self._nothing_yet.content():
                with gr.Row():
                    self._sides = [Side(studio, number) for number in (1, 2)]
                with gr.Row(equal_height=True):
                    self._text = gr.Textbox(
                        show_label=False,
                        container=False,
                        placeholder="Say something",
                        scale=8,
                        max_lines=6,
                        min_width=200,
                        elem_id="chat-text",
                    )
                    send = gr.Button("Send", variant="primary", scale=1, min_width=70, elem_id="chat-send")
                    stop = gr.Button("Stop", scale=1, min_width=70, elem_id="chat-stop")
                    anew = gr.Button("New", scale=1, min_width=70, elem_id="chat-new")
                with gr.Row(equal_height=True):
                    self._name = gr.Textbox(ANYBODY, label="you are", min_width=120, scale=2, elem_id="chat-name")
                    self._scene = scene = gr.Radio(
                        SCENES, value="dm", label="where", min_width=280, scale=5, elem_id="chat-scene"
                    )
                    double = gr.Checkbox(False, label="side by side", min_width=140, scale=2, elem_id="chat-double")
                speaking = gr.State("")
                with gr.Row():
                    for side in self._sides:
                        side.add_voice(speaking)
                Everybody(studio)
        for side in self._sides:
            side.wire(scene)
        versions = [side.version for side in self._sides]
        gr.on([page.load, tab.select], self._fill, versions, [*self._nothing_yet.columns, speaking, *versions])
        double.change(self._show_second, double, self._sides[1].columns)
        answering = self._wire_talk([self._text.submit, send.click], stop, double)
        stopped = anew.click(None, cancels=answering)  # first: what is under way must not be shown in the new chat
        stopped.then(self._forget, None, self._both)

    def _wire_talk(self, speak: list[Any], stop: gr.Button, double: gr.Checkbox) -> list[Any]:
        """Both sides take the text and answer. Going on meanwhile interrupts them; what was said so far stays. Returns the
        events that answer."""
        first, second = self._sides
        typed = gr.on(speak, self._type, self._typed, [self._text, *self._both])
        answering = [first.answers(typed), second.answers(typed, double), *first.answering, *second.answering]
        gr.on([*speak, stop.click], None, cancels=answering)
        return answering

    @property
    def _both(self) -> list[Any]:
        return [part for side in self._sides for part in side.shown]

    @property
    def _typed(self) -> list[Any]:
        return [
            self._text,
            self._name,
            self._scene,
            *(part for side in self._sides for part in (side.chat, side.version)),
        ]

    async def _type(
        self, text: str, name: str, scene: str, chat: Chat, version: str, other: Chat, its: str
    ) -> tuple[Any, ...]:
        first, second = self._sides
        command, _, words = text.strip().partition(" ")
        if command.lower() == NOT_ME:
            if not (said_last(chat) or said_last(other)):
                gr.Info(NOTHING_TO_CORRECT, duration=5)
            return "", *await first.not_me(chat, scene, words), *await second.not_me(other, scene, words)
        return "", *await first.type(chat, version, name, text), *await second.type(other, its, name, text)

    async def _fill(self, *chosen: str | None) -> list[Any]:
        """Return the versions on offer and the choice of each list; without a choice the current version speaks."""
        with sentences():
            labels, speaking = choices(self._studio.versions)
            numbers = {number for _, number in labels}
            listed = [("the current one", ""), *labels] if self._studio.speaks else labels
            default = "" if self._studio.speaks else None
            versions = [gr.Dropdown(listed, value=number if number in numbers else default) for number in chosen]
            return [*self._nothing_yet.now(), speaking or "", *versions]

    async def _show_second(self, is_visible: bool) -> list[gr.Column]:
        return [gr.Column(visible=is_visible)] * 2

    async def _forget(self) -> tuple[Any, ...]:
        return (), [], "", (), [], ""
