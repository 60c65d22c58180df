"""The archive of a corpus: what of the train split may come to mind, and what reminds of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from persona.archive.index import build
from persona.archive.passages import Passage, passages_of
from persona.archive.ranking import Cue
from persona.config import Settings
from persona.transcript import Quote, Turn
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.splits import TRAIN
from trainer.corpus.store import Corpus


def write_archive(settings: Settings, corpus: Corpus, path: Path) -> int:
    """Write the archive of the train split to `path`; return how many passages it holds."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return build(path, archived_passages(settings, corpus))


def archived_passages(settings: Settings, corpus: Corpus) -> Iterator[Passage]:
    """Yield the passages of the train split, as `build` takes them.

    DMs only with people of [people]: nobody else can be known again in one.
    """
    ordered: list[tuple[str, float, ConversationRecord]] = []
    start = 0.0
    for record in corpus.in_split(TRAIN):
        start = next((at for at in record.timestamps if at is not None), start)  # an undated one stays where it is
        other = dm_of(record.conversation.scene, record.conversation.turns, settings.persona.key)
        if record.conversation.scene != "dm" or other in settings.people:
            ordered.append((other, start, record))
    for other, _, record in sorted(ordered, key=lambda each: each[:2]):
        yield from passages_of(record.conversation, record.timestamps, id=record.id, dm=other)


def dm_of(scene: str, turns: Iterable[Turn], persona: str) -> str:
    """Return the key of the other person in a DM; "" elsewhere, or if there is not exactly one."""
    others = {turn.speaker for turn in turns} - {persona} if scene == "dm" else set()
    return others.pop() if len(others) == 1 else ""


def cue_before(
    scene: str,
    turns: tuple[Turn, ...],
    *,
    persona: str,
    quote: Quote | None,
    at: float | None,
    conversation: str,
) -> Cue:
    """Return what reminds of something before a reply of the corpus. turns: before it. at: when it was said."""
    return Cue(turns, quote, at, conversation, dm_of(scene, turns, persona))
