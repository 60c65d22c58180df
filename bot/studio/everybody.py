"""In the Chat tab: a whole group conversation, played out by everybody."""

import secrets
from collections.abc import AsyncGenerator

import gradio as gr

from bot.studio.markup import quiet, turns
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from engine.simulation import simulate, untrained
from persona.bundle import Seal
from persona.transcript import Turn


class Everybody:
    """Builds itself inside the layout that is open."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        with gr.Accordion("Let everybody talk", open=False, elem_id="everybody"):
            gr.Markdown(
                "A whole conversation, everybody played by the model; who is next is drawn as it was in the group."
            )
            with gr.Row():
                count = gr.Slider(2, 40, value=12, step=1, label="turns", scale=3, buttons=[])
                start = gr.Button("Begin", variant="primary", scale=1, min_width=80, elem_id="everybody-begin")
                stop = gr.Button("Stop", scale=1, min_width=80)
            talk = gr.HTML(elem_id="everybody-talk")
        playing = start.click(self._play, count, talk)
        stop.click(None, cancels=[playing])

    async def _play(self, count: int) -> AsyncGenerator[str]:
        with sentences():
            yield quiet("opening the voices …")
            voice = await self._studio.voice(merge=False)
            said: list[Turn] = []
            async for turn in simulate(voice, "group", secrets.randbits(31), turns=int(count)):
                said.append(turn)
                yield _conversation(voice.seal, said)


def _conversation(seal: Seal, said: list[Turn]) -> str:
    """Return the conversation so far, as HTML."""
    blocks = turns((seal.speakers[turn.speaker].name, turn.lines, turn.speaker == seal.speaker) for turn in said)
    names = ", ".join(untrained(seal))
    return blocks + quiet(f"Not trained, so with the base's voice: {names}." if names else "")
