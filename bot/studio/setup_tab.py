"""The Set up tab: six steps from exports to a persona that speaks, with what the doctor says beside each."""

from collections.abc import AsyncGenerator, Sequence
from itertools import repeat
from typing import Any

import gradio as gr

from bot.doctor import examine
from bot.gateway import Finding
from bot.studio.exports_part import ExportsPart
from bot.studio.markup import quiet
from bot.studio.markup import step as step_markup
from bot.studio.nothing_yet import SETUP
from bot.studio.sentences import sentences
from bot.studio.steps import BASE, MEETING, PEOPLE, TITLES, TOKENS, TRAINING, steps_of, with_findings
from bot.studio.studio import Studio
from bot.studio.tokens import keep_token
from bot.studio.training_part import TrainingPart
from persona.errors import SettingsError, UserError
from persona.platforms import PLATFORMS

ELSEWHERE = "A token is written into .env on the machine itself: this page came over the network in the clear."


class SetupTab:
    """Builds the tab inside the page that is open. read: the event in which the persona may become another."""

    def __init__(self, studio: Studio, page: gr.Blocks, tabs: gr.Tabs) -> None:
        self._studio = studio
        self._headings: list[gr.HTML] = []
        with gr.Tab("Set up", id=SETUP) as tab:
            with gr.Row(elem_classes="tools"):
                gr.HTML(quiet("Six steps, from what you wrote to a persona that speaks."), min_width=200)
                doctor = gr.Button("Ask the doctor", scale=0, min_width=180, elem_id="setup-doctor")
            exports = ExportsPart(studio, page, self._heading)
            self._training = training = TrainingPart(studio, self._heading)
            self._heading(MEETING)
            with gr.Row():
                chat = gr.Button(
                    "Open the chat", variant="primary", min_width=140, interactive=False, elem_id="setup-chat"
                )
            self._heading(TOKENS)
            kept = self._tokens()
        self.read = exports.read
        shown = [*self._headings, training.plan, training.start, chat]
        chat.click(lambda: gr.Tabs(selected="chat"), None, tabs)
        gr.on([page.load, tab.select], training.watch, None, training.shown)
        refresh: dict[str, Any] = {"show_progress": "hidden"}
        for event in (page.load, tab.select, exports.read.then, *kept, *training.changed):
            event(self._now, None, shown, **refresh)
        doctor.click(self._examine, None, shown, **refresh)

    def _heading(self, number: int) -> None:
        """Build the title of a step."""
        first = step_markup(number + 1, TITLES[number], "todo", ())
        self._headings.append(gr.HTML(first, elem_id=f"step-{number + 1}", elem_classes="step"))

    def _tokens(self) -> list[Any]:
        """Build a field for each platform's token; returns the events in which one is kept."""
        if not self._studio.local:
            gr.HTML(quiet(ELSEWHERE))
            return []
        events: list[Any] = []
        for platform in PLATFORMS:
            with gr.Row(elem_classes="tools"):
                token = gr.Textbox(
                    type="password",
                    label=f"{platform.title} token",
                    scale=4,
                    min_width=200,
                    elem_id=f"token-{platform.name}",
                )
                keep = gr.Button("Keep", scale=0, min_width=90, elem_id=f"keep-{platform.name}")
            event = keep.click(self._keeper(platform.name), token, token)
            events.append(event.then)
        return events

    def _keeper(self, platform: str) -> Any:
        async def keep(token: str) -> str:
            with sentences():
                if not self._studio.has_settings:
                    raise SettingsError("the settings are not written yet; take steps 1 to 3 first")
                keep_token(self._studio.config, platform, token)
                gr.Info("Kept in .env, which only you can read, and switched on.")
                return ""

        return keep

    async def _now(self) -> list[Any]:
        return self._shown(())

    async def _examine(self) -> AsyncGenerator[list[Any]]:
        """Show what the doctor finds, as it finds it."""
        with sentences():
            findings: list[Finding] = []
            yield self._shown(findings)
            if not self._studio.has_settings:
                gr.Info("There is nothing to examine yet: take steps 1 to 3 first.")
                return
            async for finding in examine(self._studio.settings):
                findings.append(finding)
                yield self._shown(findings)

    def _shown(self, findings: Sequence[Finding]) -> list[Any]:
        """The titles with what can be said of each step, and which buttons can be pressed; for settings that can't be read, why,
        beside the second."""
        try:
            steps = with_findings(steps_of(self._studio.config), findings)
        except UserError as fault:
            faults = [[("fault", str(fault))] if number == PEOPLE else [] for number in range(len(TITLES))]
            titles = [
                step_markup(number, *step)
                for number, step in enumerate(zip(TITLES, repeat("todo"), faults, strict=False), 1)
            ]
            return [*titles, *[gr.Button(interactive=False)] * 3]
        titles = [
            step_markup(
                number,
                title,
                "done" if step.done else "todo",
                [
                    ("quiet", step.sentence),
                    *(("quiet", note) for note in step.notes),
                    *(("fault", fault) for fault in step.faults),
                ],
            )
            for number, (title, step) in enumerate(zip(TITLES, steps, strict=True), 1)
        ]
        gates = (steps[BASE].done, self._training.may_start(), steps[TRAINING].done)
        return [*titles, *(gr.Button(interactive=is_open) for is_open in gates)]
