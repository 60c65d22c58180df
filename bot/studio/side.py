"""A column of the Chat tab: one voice with its sliders, and what was said with it."""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from bot.store import Answer
from bot.studio.chat_history import (
    Burst,
    Chat,
    GradioMessage,
    beside,
    bubbles,
    display_names,
    edited,
    place_of,
    reworded,
    said_last,
    turns_of,
    typed,
    typed_text,
    unanswered,
)
from bot.studio.markup import facts
from bot.studio.memories import came_to_mind, memories_before
from bot.studio.sentences import sentences
from bot.studio.streaming import Lines, streamed
from bot.studio.studio import Studio
from bot.talk.corrections import instead
from bot.talk.speakers import named_back, without_stand_ins
from engine.choose import sampling_of
from engine.voice import OnText, Voice
from persona.archive.passages import Passage
from persona.bundle import CURRENT, read_seal
from persona.sampling import SamplingParams
from persona.transcript import Conversation, render

ACCOUNT, OWNER = "studio:page", "owner"  # of the ratings; `bot forget studio:owner` forgets them
HEIGHT = 420  # pixels
MOST_TOKENS = 512
TWEETS = ("reply", "timeline")  # scenes in which all lines are one message

Shown = tuple[Chat, list[GradioMessage], str]


@dataclass(frozen=True, slots=True)
class Span:
    """What a slider spans. name: the field of Sampling."""

    name: str
    label: str
    least: float
    most: float
    step: float


SPANS = (
    Span("temperature", "temperature: how surprising", 0, 2, 0.01),
    Span("top_p", "top_p: the likeliest tokens that make this much together", 0.01, 1, 0.01),
    Span("top_k", "top_k: so many of the likeliest, 0 is all", 0, 200, 1),
    Span("min_p", "min_p: none less likely than this share of the likeliest", 0, 0.5, 0.005),
    Span("max_new_tokens", "tokens at most", 1, MOST_TOKENS, 1),
)


class Side:
    """Builds the column inside the layout that is open, and answers there."""

    def __init__(self, studio: Studio, number: int) -> None:
        self._studio = studio
        self._number = number
        self.chat = gr.State(())
        self._always = gr.State(True)
        with self._column() as self._upper:
            self.log = gr.Chatbot(
                height=HEIGHT,
                show_label=False,
                editable="all",
                render_markdown=False,
                latex_delimiters=[],
                buttons=["copy"],
                group_consecutive_messages=False,
                placeholder="Nothing said yet",
                elem_id=f"log-{number}",
            )
            self.beside = gr.HTML(elem_id=f"beside-{number}")

    def add_voice(self, speaking: gr.State) -> None:
        """Build the lower part: version and sliders. speaking: the number of the current version."""
        with self._column() as self._lower, gr.Accordion("Voice", open=False, elem_id=f"voice-{self._number}"):
            self.version = gr.Dropdown([], label="adapter version", elem_id=f"version-{self._number}")
            self.sliders = [
                gr.Slider(
                    span.least,
                    span.most,
                    step=span.step,
                    label=span.label,
                    buttons=[],
                    elem_id=f"{span.name}-{self._number}",
                )
                for span in SPANS
            ]
            back = gr.Button("Back to the calibrated values", size="sm", elem_id=f"calibrated-{self._number}")
        gr.on([self.version.change, speaking.change, back.click], self._calibrated, self.version, self.sliders)

    def wire(self, scene: gr.Radio) -> None:
        """Let the bubbles be rated, edited and said again."""
        self._scene = scene
        self.log.like(self._rate, [self.chat, scene], None)
        self.log.undo(self._undo, self.chat, self.shown)
        self.log.clear(lambda: _shown(()), None, self.shown)
        again = self.log.retry(self._again, self.chat, self.shown)
        retyped = self.log.edit(self._edit, self.chat, self.shown)
        self.answering = [self.answers(again), self.answers(retyped)]

    def _column(self) -> gr.Column:
        return gr.Column(visible=self._number == 1, min_width=300)

    @property
    def columns(self) -> list[gr.Column]:
        """What is shown and hidden as one."""
        return [self._upper, self._lower]

    @property
    def shown(self) -> list[Any]:
        """What changes when something is said."""
        return [self.chat, self.log, self.beside]

    def answers(self, event: Any, enabled: Any = None) -> Any:
        """Answer after `event`. enabled: a checkbox without which this side stays silent."""
        inputs = [enabled or self._always, self._scene, self.chat, self.version, *self.sliders]
        return event.then(self._answer, inputs, self.shown)

    async def type(self, chat: Chat, version: str, name: str, text: str) -> Shown:
        """Somebody says something."""
        with sentences():
            seal = read_seal(self._studio.settings.adapters / (version or CURRENT))
            return _shown(typed(chat, seal, name, text))

    async def _answer(
        self, enabled: bool, scene: str, chat: Chat, version: str, *figures: float
    ) -> AsyncGenerator[Shown]:
        if not (enabled and chat and chat[-1].made is None):
            yield _shown(chat)
            return
        with sentences():
            voice = await self._studio.voice(version)
            bursts = self._studio.settings.talk.bursts
            voice = replace(voice, sampling=_sampling(voice.sampling, figures))
            said: tuple[Burst, ...] = ()
            mind = await memories_before(self._studio, voice, scene, chat)
            async with aclosing(streamed(lambda on_text: _speak(voice, scene, chat, mind, on_text))) as drafts:
                async for lines in drafts:
                    said = (replace(_said(voice, scene, chat, lines, bursts), mind=mind),) if lines else ()
                    yield _shown((*chat, *said))
            if not said:
                gr.Info("It says nothing: all it could think of was empty, or held back by the guard. Try again.")

    async def _again(self, chat: Chat) -> Shown:
        return _shown(unanswered(chat))

    async def not_me(self, chat: Chat, scene: str, words: str) -> Shown:
        """Keep that the last answer is none of the persona's, and what would have been; that is what the chat goes on from."""
        made = said_last(chat)
        if made is None:
            return _shown(chat)
        right = instead(words)
        with sentences():
            store = await self._studio.store()
            await store.feedback.correct_answer(ACCOUNT, f"studio:{scene}", chat[-1].id, OWNER, made, right)
        gr.Info("Kept: that is what you would say." if right else "Kept: you would not say that.", duration=3)
        return _shown(reworded(chat, right)) if right else _shown(chat)

    async def _undo(self, chat: Chat) -> Shown:
        return _shown(unanswered(chat)[:-1])

    async def _edit(self, chat: Chat, event: gr.EditData) -> Shown:
        index = int(event.index)
        return _shown(edited(chat, index, typed_text(chat, index, str(event.value))))

    async def _rate(self, chat: Chat, scene: str, event: gr.LikeData) -> None:
        rated = chat[place_of(chat, int(event.index))[0]]
        if rated.made is None:
            return
        score = {True: 1, "Like": 1, False: -1, "Dislike": -1}.get(event.liked, 0)
        with sentences():
            store = await self._studio.store()
            await store.people.rate_answer(ACCOUNT, f"studio:{scene}", rated.id, OWNER, rated.made, score)
        gr.Info("Kept as feedback." if score else "Taken back.", duration=3)

    async def _calibrated(self, version: str) -> list[gr.Slider]:
        """Return the sliders of a version, each with its calibrated value marked."""
        with sentences():
            if not self._studio.versions:
                return [gr.Slider() for _ in SPANS]
            settings = self._studio.settings
            folder = settings.adapters / (version or CURRENT)
            if not folder.exists():
                return [gr.Slider() for _ in SPANS]
            seal = read_seal(folder)
            mark, value = asdict(SamplingParams().overridden(seal.sampling)), asdict(sampling_of(settings, seal))
            return [gr.Slider(value=value[span.name], info=f"calibrated: {mark[span.name]:g}") for span in SPANS]


def _shown(chat: Chat) -> Shown:
    persona = next((burst.speaker for burst in reversed(chat) if burst.made), "")
    return chat, bubbles(chat), facts(beside(chat)) + came_to_mind(chat, persona)


def _sampling(calibrated: SamplingParams, figures: tuple[float, ...]) -> SamplingParams:
    chosen = {span.name: figure for span, figure in zip(SPANS, figures, strict=True)}
    whole = {name: int(chosen[name]) for name in ("top_k", "max_new_tokens")}
    return calibrated.overridden({**chosen, **whole})


async def _speak(voice: Voice, scene: str, chat: Chat, mind: Sequence[Passage], on_text: OnText) -> Lines:
    seed = secrets.randbits(31)
    if scene == "timeline":
        return await voice.tweet(seed, on_text=on_text)
    memories = [passage.excerpt for passage in mind]
    return await voice.reply(scene, turns_of(chat), seed, memories=memories, on_text=on_text)


def _said(voice: Voice, scene: str, chat: Chat, lines: Lines, bursts: bool) -> Burst:
    """Return an answer, with what it was made of for those who rate it."""
    seal = voice.seal
    prompt = render(Conversation(scene, () if scene == "timeline" else turns_of(chat), seal.year))
    made = Answer(prompt, "\n".join(lines), f"{seal.speaker} {seal.created}", (OWNER,))
    names = display_names(chat)
    named = tuple(named_back(line, names) for line in without_stand_ins(lines, seal))
    whole = scene in TWEETS or not bursts
    return Burst(seal.speaker, seal.speakers[seal.speaker].name, named, made, secrets.token_hex(8), whole)
