"""The Train tab: what the exports hold, whose voice it is, the training with its loss, the adapters."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import gradio as gr
import pandas

from bot.studio.adapters_tab import Adapters
from bot.studio.chosen_settings import choose
from bot.studio.markup import bar, quiet, table
from bot.studio.running import Run, Status, in_words
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from persona.config import expand_home
from persona.errors import UserError
from persona.names import normalise

LOSS = {"loss": "loss, nats", "eval_bits_per_character": "held out, bits"}  # a token, a character
EMPTY = pandas.DataFrame({"step": [], "value": [], "what": []})
HEADS = ("from", "who", "read", "kept", "left out")


class TrainingTab:
    """Builds the tab inside the page that is open. read: the event in which the persona may become another."""

    def __init__(self, studio: Studio, page: gr.Blocks) -> None:
        self._studio = studio
        with gr.Tab("Train", id="train") as tab:
            gr.Markdown("### 1 · What is there")
            with gr.Row(elem_classes="tools"):
                folders = gr.Textbox(
                    label="exports: folders, zips or files, one a line", scale=5, max_lines=6, elem_id="train-folders"
                )
                look = gr.Button("Look", variant="primary", scale=1, min_width=90, elem_id="train-look")
            overview = gr.HTML(elem_id="train-found")
            who = gr.State(())
            gr.Markdown("### 2 · Whose voice")
            mine = gr.CheckboxGroup([], label="the persona: every name this one person has", elem_id="train-persona")
            agreed = gr.CheckboxGroup(
                [],
                label="others who agreed to be imitated; everybody else gets a stand-in name",
                elem_id="train-agreed",
            )
            with gr.Row(elem_classes="tools"):
                fresh = gr.Checkbox(False, label="forget what was read before", scale=3, min_width=200)
                read = gr.Button("Read into the corpus", scale=1, min_width=160, elem_id="train-read")
            corpus = gr.HTML(elem_id="train-corpus")
            gr.Markdown("### 3 · The training")
            with gr.Row():
                plan = gr.Button("Plan", min_width=90, elem_id="train-plan")
                start = gr.Button("Start", variant="primary", min_width=90, elem_id="train-start")
                stop = gr.Button("Stop", min_width=90, elem_id="train-stop")
            status = gr.HTML(elem_id="train-status")
            loss = gr.LinePlot(
                EMPTY,
                x="step",
                y="value",
                color="what",
                y_title=" ",
                color_title=" ",
                height=260,
                visible=False,
                elem_id="train-loss",
            )
            says = gr.HTML(elem_id="train-says")
            adapters = Adapters(studio)
            clock = gr.Timer(1.0, active=False)
        shown = [status, loss, says, clock, *adapters.shown]
        self._adapters = adapters
        gr.on([page.load, tab.select], self._watch, None, shown)
        page.load(self._sources, folders, folders)
        look.click(self._look, folders, [overview, who, mine, agreed])
        self.read = read.click(self._read, [folders, who, mine, agreed, fresh], corpus)
        plan.click(self._plan, None, status)
        start.click(self._start, None, shown)
        stop.click(self._stop, None, shown)
        clock.tick(self._watch, None, shown)

    async def _sources(self, written: str) -> Any:
        """Return the exports of the settings, where nothing else is named yet."""
        with sentences():
            known = self._studio.settings.data.sources
            return gr.skip() if written or not known else "\n".join(known)

    async def _look(self, folders: str) -> AsyncGenerator[tuple[Any, ...]]:
        with sentences():
            run = await self._studio.run("import", "--look", *self._paths(folders), "--progress")
            async for status in run.steps():
                yield quiet(in_words(status)), gr.skip(), gr.skip(), gr.skip()
            summary = await run.result()
            who = _speakers(summary["table"])
            labels = [(f"{name} ({count:,})", name) for name, count in who.items()]
            me, friends = self._known(who)
            boxes = (gr.CheckboxGroup(labels, value=ticked) for ticked in (me, friends))
            yield _import_table(summary), tuple(who), *boxes

    def _known(self, who: Mapping[str, int]) -> tuple[list[str], list[str]]:
        """Return who of these people is the persona, and who agreed, as far as the settings say."""
        settings = self._studio.settings
        me = set(map(normalise, (settings.persona.name, *settings.persona.aliases)))
        friends = {
            normalise(name)
            for key, person in settings.people.items()
            if person.consent
            for name in (key, *person.names)
        } - me
        return [name for name in who if normalise(name) in me], [name for name in who if normalise(name) in friends]

    async def _read(
        self, folders: str, who: tuple[str, ...], mine: list[str], agreed: list[str], fresh: bool
    ) -> AsyncGenerator[str]:
        """Write down what was chosen, and import."""
        with sentences():
            consent = {name: name in agreed for name in who}
            choose(self._studio.config, persona=mine, consent=consent, sources=_lines(folders))
            run = await self._studio.run("import", "--progress", *(["--fresh"] if fresh else []))
            async for status in run.steps():
                yield quiet(in_words(status))
            summary = await run.result()
            held = summary["corpus"]
            name = self._studio.settings.persona.name
            yield _import_table(summary) + quiet(
                f"The corpus: {held['messages']:,} messages in {held['conversations']:,} conversations; {name}: "
                f"{held['train']:,} to train on, {held['held_out']:,} held out."
            )

    async def _plan(self) -> AsyncGenerator[str]:
        with sentences():
            run = await self._studio.run("train", "--plan")
            async for _ in run.steps():
                yield quiet("trying a step …")
            yield _plan_table(await run.result())

    async def _start(self) -> tuple[Any, ...]:
        with sentences():
            await self._studio.train()
            return await self._watch()

    async def _stop(self) -> tuple[Any, ...]:
        """Interrupt; the next training goes on from the last checkpoint."""
        if run := self._studio.training:
            await run.stop()
        return await self._watch()

    async def _watch(self) -> tuple[Any, ...]:
        """How the training is."""
        with sentences():
            run = self._studio.training
            adapters = self._adapters.now() if run is None or run.is_over else (gr.skip(), gr.skip())
            if run is None:
                return gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=False), *adapters
            task, curve = _curve(run.history)
            says = "".join(quiet(status["said"]) for status in run.history if "said" in status)
            status = await _outcome(run) if run.is_over else _status(run.history)
            return (
                status,
                gr.LinePlot(curve, x_title=f"step of {task}", visible=not curve.empty),
                says,
                gr.Timer(active=not run.is_over),
                *adapters,
            )

    def _paths(self, folders: str) -> list[str]:
        """Return what was typed, as the settings would understand it."""
        return [str(self._studio.settings.root / expand_home(line)) for line in _lines(folders)]


def _lines(folders: str) -> list[str]:
    """Return what was typed, one path a line."""
    return [line.strip() for line in folders.splitlines() if line.strip()]


def _speakers(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Everybody of whom messages are kept, with how many, the most talkative first."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["speaker"]] = counts.get(row["speaker"], 0) + row["kept"]
    return dict(sorted(((name, count) for name, count in counts.items() if count), key=lambda item: -item[1]))


def _import_table(summary: Mapping[str, Any]) -> str:
    rows = [
        (row["source"], row["speaker"], f"{row['read']:,}", f"{row['kept']:,}", _reasons(row["dropped"]))
        for row in summary["table"]
    ]
    total = summary["total"]
    rows.append(("all", "", f"{total['read']:,}", f"{total['kept']:,}", f"{total['dropped']:,}"))
    return table(HEADS, rows, "sums") + "".join(map(quiet, summary["refused"]))


def _reasons(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in dropped.items())


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
    return table(("a training", "takes"), rows)


def _status(history: Sequence[Status]) -> str:
    last = next((status for status in reversed(history) if "done" in status), {})
    return bar(float(last.get("done", 0)), in_words(last))


async def _outcome(run: Run) -> str:
    try:
        result = await run.result()
    except UserError as fault:
        return quiet(str(fault))
    gate = result["metrics"]["gate"]
    words = "It speaks now." if result["current"] else "It does not speak:"
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
    return task, pandas.DataFrame(points) if points else EMPTY
