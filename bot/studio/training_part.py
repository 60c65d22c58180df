"""In the Set up tab: what a training takes, the training with its loss, the adapters."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import gradio as gr
import pandas

from bot.studio.adapters_part import Adapters
from bot.studio.markup import bar, quiet, table
from bot.studio.running import Run, Status, in_words
from bot.studio.sentences import sentences
from bot.studio.steps import BASE, TRAINING, steps_of
from bot.studio.studio import Studio
from persona.errors import UserError

LOSS = {"loss": "loss, nats", "eval_bits_per_character": "held out, bits"}  # a token, a character
COLOURS = {"loss, nats": "#3566ac", "held out, bits": "#c2660e"}  # 3:1 against the page in light and dark
STOPPING = "stopping … it cleans up, which takes some seconds"
STOPPED = "Stopped. Start goes on from the last checkpoint, if corpus and settings stay as they are."
EMPTY = pandas.DataFrame({"step": [], "value": [], "what": []})


class TrainingPart:
    """Builds itself inside the layout that is open. heading: builds a step's title. shown: what a training changes."""

    def __init__(self, studio: Studio, heading: Any) -> None:
        self._studio = studio
        with gr.Row(elem_id="planning"):
            self.plan = gr.Button("Plan", min_width=90, scale=0, interactive=False, elem_id="train-plan")
            plan_table = gr.HTML(elem_id="train-takes")
        heading(TRAINING)
        with gr.Row():
            self.start = gr.Button("Start", variant="primary", min_width=90, interactive=False, elem_id="train-start")
            stop = gr.Button("Stop", min_width=90, interactive=False, elem_id="train-stop")
        status = gr.HTML(elem_id="train-status")
        loss = gr.LinePlot(
            EMPTY,
            x="step",
            y="value",
            color="what",
            color_map=COLOURS,
            y_title=" ",
            color_title=" ",
            height=260,
            visible=False,
            elem_id="train-loss",
        )
        says = gr.HTML(elem_id="train-says")
        self._adapters = Adapters(studio)
        clock = gr.Timer(1.0, active=False)
        self.shown: list[Any] = [status, loss, says, clock, self.start, stop, *self._adapters.shown]
        self.plan.click(self._plan, None, plan_table)
        in_place: dict[str, Any] = {"show_progress": "hidden"}  # else Gradio writes its own clock over it every second
        self.start.click(self._start, None, self.shown, **in_place)
        stop.click(self._stop, None, self.shown, **in_place)
        clock.tick(self.watch, None, self.shown, **in_place)
        self.changed = self._adapters.changed

    async def _plan(self) -> AsyncGenerator[str]:
        with sentences():
            run = await self._studio.run("train", "--plan")
            async for _ in run.steps():
                yield quiet("trying a step …")
            yield _plan_table(await run.result())

    async def _start(self) -> tuple[Any, ...]:
        with sentences():
            await self._studio.train()
            return await self.watch()

    async def _stop(self) -> AsyncGenerator[tuple[Any, ...]]:
        """Interrupt; the next training goes on from the last checkpoint."""
        if run := self._studio.training:
            run.interrupt()
            yield await self.watch()
            await run.stop()
        yield await self.watch()

    def may_start(self) -> bool:
        """Return whether there is a corpus to train on, and no training at it."""
        with suppress(UserError):  # settings that can't be read are told beside their step
            return not self._studio.is_training and steps_of(self._studio.config)[BASE].done
        return False

    async def watch(self) -> tuple[Any, ...]:
        """How the training is."""
        with sentences():
            run = self._studio.training
            adapters = self._adapters.now() if run is None or run.is_over else (gr.skip(),) * 4
            if run is None:
                return *(gr.skip(),) * 3, gr.Timer(active=False), gr.skip(), gr.Button(interactive=False), *adapters
            task, curve = _curve(run.history)
            says = "".join(quiet(status["said"]) for status in run.history if "said" in status)
            status = await _outcome(run) if run.is_over else _status(run)
            return (
                status,
                gr.LinePlot(curve, x_title=f"step of {task}", visible=not curve.empty),
                says,
                gr.Timer(active=not run.is_over),
                gr.Button(interactive=self.may_start()),
                gr.Button(interactive=not (run.is_over or run.is_stopping)),
                *adapters,
            )


def _plan_table(plan: Mapping[str, Any]) -> str:
    gib = {key: f"{value / 2**30:.2f} GiB" for key, value in plan.items() if key.startswith("memory_")}
    grow = f"{plan['growing_minutes']:.1f} minutes to grow the base, then " if plan["growing_minutes"] else ""
    rows = (
        ("base", f"{plan['base']} on {plan['device']}, {plan['parameters'] / 1e6:,.1f} million parameters"),
        ("adapter", f"{plan['trainable'] / 1e6:,.2f} million parameters"),
        ("corpus", f"{plan['conversations']:,} conversations, {plan['tokens']:,} tokens"),
        ("steps", f"at most {plan['steps']:,}"),
        ("memory", f"{gib['memory_weights']} weights, {gib['memory_activations']} a step; {gib['memory_free']} free"),
        ("time", f"{grow}at most {plan['training_minutes']:.1f} minutes, and its evaluations"),
    )
    return table(("a training", "takes"), rows, label="plan")


def _status(run: Run) -> str:
    last = next((status for status in reversed(run.history) if "done" in status), {})
    return bar(float(last.get("done", 0)), STOPPING if run.is_stopping else in_words(last))


async def _outcome(run: Run) -> str:
    try:
        result = await run.result()
    except UserError as fault:
        return quiet(STOPPED if run.was_stopped else str(fault))
    gate = result["metrics"]["gate"]
    words = "It speaks now." if result["current"] else "It is held back:"
    return "".join(map(quiet, (f"Sealed {result['bundle']}. {words}", *gate["reasons"], *gate["notes"])))


def _curve(history: Sequence[Status]) -> tuple[str, pandas.DataFrame]:
    """Return the task that is running, or ran last, and its losses."""
    measured = [status for status in history if "step" in status]
    task = str(measured[-1]["task"]) if measured else ""
    points = [
        {"step": status["step"], "value": status[name], "what": words}
        for status in measured
        for name, words in LOSS.items()
        if name in status and status["task"] == task
    ]
    drawn = {point["what"] for point in points}
    # Gradio draws no line but those of its first table: one without a value keeps the place of a line that comes later
    later = [
        {"step": points[0]["step"], "value": None, "what": words} for words in COLOURS if points and words not in drawn
    ]
    return task, pandas.DataFrame([*points, *later]) if points else EMPTY
