"""In the Set up tab: steps 1 to 3, from exports to a corpus. The trainer's first run does the work, with flags."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from bot.studio.markup import quiet, table
from bot.studio.running import in_words
from bot.studio.sentences import sentences
from bot.studio.steps import BASE, EXPORTS, PEOPLE
from bot.studio.studio import Studio
from bot.studio.uploads import take_in
from persona.config import expand_home
from persona.errors import SettingsError
from persona.names import normalise

READ = ("from", "who", "read", "kept", "left out")
BASES = ("auto", "scratch", "smollm2")
AUTO = "auto"

People = tuple[Mapping[str, Any], ...]


class ExportsPart:
    """Builds itself inside the layout that is open. heading: builds a step's title. read: when the settings changed."""

    def __init__(self, studio: Studio, page: gr.Blocks, heading: Any) -> None:
        self._studio = studio
        heading(EXPORTS)
        drop = gr.File(label="drop files here", file_count="multiple", height=120, elem_id="train-drop")
        with gr.Row(elem_classes="tools"):
            folders = gr.Textbox(
                label="or name folders, zips and files, one a line", scale=5, max_lines=6, elem_id="train-folders"
            )
            look = gr.Button("Look", variant="primary", scale=1, min_width=90, elem_id="train-look")
        overview = gr.HTML(elem_id="train-found")
        people = gr.State(())
        heading(PEOPLE)
        mine = gr.CheckboxGroup([], label="you: every name that is yours", visible=False, elem_id="train-persona")
        agreed = gr.CheckboxGroup(
            [],
            label="others who agreed to be imitated; everybody else gets a stand-in name",
            visible=False,
            elem_id="train-agreed",
        )
        with gr.Row(elem_classes="tools"):
            name = gr.Textbox(
                label="what the persona is called",
                placeholder="the first name above",
                min_width=160,
                visible=False,
                elem_id="train-name",
            )
            private = gr.Checkbox(False, label="read private messages too", visible=False, elem_id="train-dms")
        heading(BASE)
        with gr.Row(elem_classes="tools"):
            base = gr.Dropdown(
                list(BASES),
                value=AUTO,
                label="base: auto, scratch, a folder, a .gguf file, or a model of the Hugging Face Hub",
                allow_custom_value=True,
                scale=4,
                min_width=200,
                elem_id="train-base",
            )
            write = gr.Button("Write and read", scale=1, min_width=150, interactive=False, elem_id="train-read")
        fresh = gr.Checkbox(False, label="forget what was read before", container=False, elem_id="train-fresh")
        corpus = gr.HTML(elem_id="train-corpus")
        answers = [mine, agreed, name, private, write]
        page.load(self._settings, [folders, base], [folders, base])
        self.looked = look.click(self._look, folders, [overview, people, *answers])
        dropped = drop.upload(self._take, [drop, folders], [drop, folders])
        dropped.then(self._look, folders, [overview, people, *answers])
        self.read = write.click(self._read, [folders, people, mine, agreed, name, private, base, fresh], corpus)

    async def _settings(self, folders: str, base: str) -> tuple[Any, Any]:
        """The exports and the base of the settings, unless something else is named already."""
        with sentences():
            if not self._studio.has_settings:
                return gr.skip(), gr.skip()
            settings = self._studio.settings
            known = gr.skip() if folders else "\n".join(settings.data.sources)
            chosen = settings.base.model
            choices = list(dict.fromkeys((chosen, *BASES)))
            return known, gr.Dropdown(choices, value=chosen) if base == AUTO else gr.skip()

    async def _take(self, files: Sequence[str] | None, folders: str) -> tuple[None, str]:
        """Put files that were dropped among the exports."""
        with sentences():
            taken = take_in([Path(file) for file in files or ()], self._studio.config)
            return None, "\n".join([*_lines(folders), *taken])

    async def _look(self, folders: str) -> AsyncGenerator[tuple[Any, ...]]:
        with sentences():
            if not _lines(folders):
                raise SettingsError("name a folder, a zip or a file of exports first, or drop some above")
            run = await self._studio.run("init", "--look", *self._paths(folders), "--progress")
            async for status in run.steps():
                yield quiet(in_words(status)), *[gr.skip()] * 6
            overview = await run.result()
            yield _overview(overview), tuple(overview["writers"]), *self._questions(overview["writers"])

    def _questions(self, people: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        """Who is who, with what the settings know already ticked."""
        labels = [(f"{person['name']} ({person['messages']:,})", person["call"]) for person in people]
        me, friends, name, dms = self._known(people)
        private = sum(person["private"] for person in people)
        return (
            gr.CheckboxGroup(labels, value=me, visible=True),
            gr.CheckboxGroup(labels, value=friends, visible=True),
            gr.Textbox(name, visible=True),
            gr.Checkbox(dms, label=f"read private messages too: {private:,}", visible=private > 0),
            gr.Button(interactive=True),
        )

    def _known(self, people: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str], str, bool]:
        """Who of these is the persona and who agreed, the persona's name, whether private messages are read."""
        if not self._studio.has_settings:
            return [], [], "", False
        settings = self._studio.settings
        me = set(map(normalise, (settings.persona.name, *settings.persona.aliases)))
        friends = {
            normalise(name)
            for key, person in settings.people.items()
            if person.consent
            for name in (key, *person.names)
        } - me

        def calls(known: set[str]) -> list[str]:
            return [
                person["call"] for person in people if known & set(map(normalise, (person["name"], *person["also"])))
            ]

        return calls(me), calls(friends), settings.persona.name, settings.data.dms

    async def _read(
        self,
        folders: str,
        people: People,
        mine: list[str],
        agreed: list[str],
        name: str,
        private: bool,
        base: str,
        fresh: bool,
    ) -> AsyncGenerator[str]:
        """Write down what was chosen, and import."""
        with sentences():
            if not people or not mine:
                raise SettingsError("tick who you are first, in step 2")
            said = [name for name in agreed if name not in mine]
            consent = [flag for friend in said or ["nobody"] for flag in ("--consent", friend)]
            run = await self._studio.run(
                "init",
                *self._paths(folders),
                *("--me", "+".join(mine)),
                *consent,
                *(("--name", name.strip()) if name.strip() else ()),
                "--dms" if private else "--no-dms",
                *self._base_flag(base),
                *("--keep", "--yes", "--progress"),
            )
            async for status in run.steps():
                yield quiet(in_words(status))
            written = await run.result()
            reason = quiet(f"Written. The base: {written['base']['model']} ({written['base']['why']}).")
            yield reason
            run = await self._studio.run("import", "--progress", *(["--fresh"] if fresh else []))
            async for status in run.steps():
                yield reason + quiet(in_words(status))
            yield reason + _summary(await run.result(), written["persona"])

    def _base_flag(self, base: str) -> tuple[str, ...]:
        """The base, unless it is what the settings say: its revision stays then."""
        known = self._studio.settings.base.model if self._studio.has_settings else ""
        return () if base.strip() == known else ("--base", base.strip() or AUTO)

    def _paths(self, folders: str) -> list[str]:
        """What was typed, as the settings would understand it."""
        return [str(self._studio.config.parent / expand_home(line)) for line in _lines(folders)]


def _lines(folders: str) -> list[str]:
    """What was typed, one path a line."""
    return [line.strip() for line in folders.splitlines() if line.strip()]


def _overview(overview: Mapping[str, Any]) -> str:
    exports = [(Path(export["path"]).name, ", ".join(export["formats"])) for export in overview["exports"]]
    count = sum(person["messages"] for person in overview["writers"])
    who = f"{len(overview['writers']):,} people write in them, {count:,} messages that would be kept."
    return table(("export", "format"), exports, label="exports") + quiet(who)


def _summary(summary: Mapping[str, Any], name: str) -> str:
    """What an import read and left out, and what the corpus holds."""
    rows = [
        (row["source"], row["speaker"], f"{row['read']:,}", f"{row['kept']:,}", _reasons(row["dropped"]))
        for row in summary["table"]
    ]
    total, held = summary["total"], summary["corpus"]
    rows.append(("all", "", f"{total['read']:,}", f"{total['kept']:,}", f"{total['dropped']:,}"))
    outcome = quiet(
        f"The corpus: {held['messages']:,} messages in {held['conversations']:,} conversations; {name}: "
        f"{held['train']:,} to train on, {held['held_out']:,} held out."
    )
    return table(READ, rows, "sums", label="what was read") + "".join(map(quiet, summary["refused"])) + outcome


def _reasons(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in dropped.items())
