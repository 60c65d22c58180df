"""How what the persona said was made, as it is kept for those who rate it. Pure."""

from collections.abc import Iterable, Sequence

from bot.store import Answer, HistoryMessage
from persona.bundle import Seal
from persona.transcript import Conversation, Turn, render


def answer_of(
    seal: Seal, scene: str, turns: Sequence[Turn], heard: Iterable[HistoryMessage], lines: Sequence[str]
) -> Answer:
    """Return how `lines` were made: as the model said them, after these turns. heard: the messages that are in there."""
    authors = tuple(sorted({message.author_id for message in heard} - {""}))
    prompt = render(Conversation(scene, tuple(turns), seal.year))
    return Answer(prompt, "\n".join(lines), f"{seal.speaker} {seal.created}", authors)
