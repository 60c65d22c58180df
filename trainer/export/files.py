"""Exports as files: written beside their place and renamed, so that there is never half of one."""

import os
from collections.abc import Iterable
from pathlib import Path

from persona.config import Settings
from persona.fault import Fault, SettingsFault
from trainer.corpus import Corpus
from trainer.export.conversations import WRITERS


def export_conversations(settings: Settings, corpus: Corpus, kind: str, path: Path) -> int:
    """Write all conversations of the corpus to `path` as `kind` (see WRITERS); returns how many there are.

    Raises Fault where there is nothing to write, or `path` can't be written.
    """
    conversations = [stretch.conversation for stretch in corpus.found]
    if not any(turn.speaker == settings.persona.key for one in conversations for turn in one.turns):
        raise Fault(f"{settings.persona.name} says nothing in the corpus; import exports first")
    write_whole(path, WRITERS[kind](conversations, settings.persona.key))
    return len(conversations)


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write `pieces` to `path`, whole or not at all, readable by nobody else: these are people's words."""
    if path.is_dir():
        raise SettingsFault(f"{path} is a folder; name the file to write")
    if not path.parent.is_dir():
        raise SettingsFault(f"there is no folder {path.parent}; make it, or name another file")
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
