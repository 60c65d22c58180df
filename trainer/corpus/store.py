"""The corpus on disk: messages, conversations and people as Parquet and JSON, written whole or not at all."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from persona.atomic import sync, sync_tree
from persona.config import Settings
from persona.errors import UserError
from persona.markers import is_reaction
from persona.transcript import render
from trainer.corpus.conversation_records import ConversationRecord, conversation_records
from trainer.corpus.missing_parents import missing_parents
from trainer.corpus.rejects import NAME as REJECTS
from trainer.corpus.row import Row
from trainer.corpus.splits import TRAIN, assign_splits
from trainer.corpus.tables import read_rows, read_splits, write_conversations, write_rows
from trainer.heap import give_back
from trainer.people.identities import Identity, KnownPerson
from trainer.people.resolution import resolve

FORMAT = 1
MISSING_PARENTS = "wanted.jsonl"  # in the corpus: posts to fetch, as replies.jsonl will have them
PAGE = "stats.html"
_OURS = {
    "messages.parquet",
    "conversations.parquet",
    "people.json",
    "transcript.txt",
    MISSING_PARENTS,
    PAGE,
    REJECTS,
    ".DS_Store",
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was imported. rows: the messages. identities, pseudonyms: who is who (stays on this machine).
    conversations: with the split (train, a, b) of each in `splits`. regions: where its phone numbers are from."""

    rows: Sequence[Row] = ()
    identities: Mapping[str, Identity] = field(default_factory=dict)
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    conversations: Sequence[ConversationRecord] = ()
    splits: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, KnownPerson] = field(default_factory=dict)
    regions: Sequence[str] = ()

    def in_split(self, *splits: str) -> list[ConversationRecord]:
        """Return the conversations of these splits."""
        return [record for record in self.conversations if self.splits[record.id] in splits]

    def messages(self, speaker: str, splits: Collection[str] = (TRAIN,)) -> int:
        """Return how many messages `speaker` has in these splits."""
        return count_messages(self.in_split(*splits), speaker)

    @property
    def fingerprint(self) -> str:
        """A hash over conversations and their splits: two trainings with the same one saw the same."""
        digest = hashlib.sha256()
        for record in sorted(self.conversations, key=lambda record: record.id):
            digest.update(f"{record.id} {self.splits[record.id]}\n{render(record.conversation)}\n".encode())
        return digest.hexdigest()[:32]


def count_messages(records: Iterable[ConversationRecord], speaker: str) -> int:
    """Return how many messages `speaker` has in these: a line in a chat, a turn in the timeline; no reactions."""
    return sum(
        1 if record.conversation.scene in ("timeline", "reply") else len(turn.lines)
        for record in records
        for turn in record.conversation.turns
        if turn.speaker == speaker and not is_reaction(turn.lines)
    )


def build(
    settings: Settings,
    rows: Sequence[Row],
    identities: Mapping[str, Identity],
    pseudonyms: Mapping[str, str],
    before: Mapping[str, str],
    regions: Sequence[str] = (),
) -> Corpus:
    """Return the corpus of these rows. before: the split of each conversation in earlier imports."""
    names = dict(pseudonyms)
    people = resolve(settings, identities, names)
    gap = settings.data.max_gap_minutes * 60
    conversations = [
        record
        for record in conversation_records(rows, people, others=settings.data.others, gap=gap)
        if record.conversation.turns
    ]
    consenting = {person.key for person in people.values() if person.consent}
    splits = assign_splits(conversations, consenting, before)
    give_back()
    return Corpus(rows, identities, names, conversations, splits, people, regions)


def require_ours(folder: Path) -> None:
    """Raises UserError if something else than a corpus lies at `folder`: saving replaces all that is there."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder, and a corpus would replace it; name another in [data] corpus")
    others = sorted({path.name for path in folder.iterdir()} - _OURS) if folder.is_dir() else []
    if others:
        raise UserError(
            f"{folder} holds {others[0]!r}, which is no part of a corpus and would be lost, since an import replaces the "
            "folder; take it out, or name another folder in [data] corpus"
        )


@contextmanager
def scratch_folder(corpus: Path) -> Iterator[Path]:
    """Yield a private folder for temporary files beside the corpus, and remove those of imports that were killed. Raises
    UserError if the corpus can't lie there."""
    require_ours(corpus)
    for left in corpus.parent.glob(f".{corpus.name}-reading-*"):
        pid = left.name.rpartition("-")[2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    folder = corpus.with_name(f".{corpus.name}-reading-{os.getpid()}")
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def save(corpus: Corpus, folder: Path, rejects: Path | None = None) -> None:
    """Write the corpus beside the old one, then put it in its place. rejects: a file that goes with it. Raises UserError
    if anything but a corpus lies there."""
    require_ours(folder)
    fresh = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True, mode=0o700)
        write_rows(fresh / "messages.parquet", corpus.rows)
        write_conversations(fresh / "conversations.parquet", corpus.conversations, corpus.splits)
        _write(
            fresh / "people.json",
            {
                "format": FORMAT,
                "identities": [_packed_identity(identity) for identity in corpus.identities.values()],
                "pseudonyms": dict(corpus.pseudonyms),
                "regions": list(corpus.regions),
            },
        )
        lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in missing_parents(corpus.rows, corpus.people))
        (fresh / MISSING_PARENTS).write_text("".join(lines), encoding="utf-8")
        with (fresh / "transcript.txt").open("w", encoding="utf-8") as transcript:
            for number, record in enumerate(corpus.conversations):
                transcript.write(("\n" if number else "") + render(record.conversation))
        if rejects:
            rejects.rename(fresh / rejects.name)
        _swap(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def load(settings: Settings) -> Corpus:
    """Return the corpus of these settings. Raises UserError if nothing was imported yet."""
    held = load_messages(settings)
    return build(settings, held.rows, held.identities, held.pseudonyms, held.splits, held.regions)


def load_messages(settings: Settings) -> Corpus:
    """Return the same without its conversations. splits: as the last import left them."""
    folder = settings.corpus
    _recover(folder)
    if not (folder / "messages.parquet").is_file():
        raise UserError(f"there is no corpus in {folder}; run 'python -m trainer import PATH' with your exports")
    try:
        people = json.loads((folder / "people.json").read_text(encoding="utf-8"))
        splits = read_splits(folder / "conversations.parquet")
        identities = {
            entry["key"]: Identity(entry["key"], Counter(entry["names"]), entry["handle"], entry["is_self"])
            for entry in people["identities"]
        }
        rows = list(read_rows(folder / "messages.parquet", identities))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise UserError(
            f"the corpus in {folder} is damaged ({error}); remove it and import the exports again"
        ) from error
    return Corpus(rows, identities, people["pseudonyms"], splits=splits, regions=people["regions"])


def _packed_identity(identity: Identity) -> dict[str, Any]:
    return {"key": identity.key, "names": dict(identity.names), "handle": identity.handle, "is_self": identity.is_self}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    path.chmod(0o600)


def _swap(fresh: Path, folder: Path) -> None:
    old = _old(folder)
    shutil.rmtree(old, ignore_errors=True)
    sync_tree(fresh)  # before the old one is moved away
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _recover(folder: Path) -> None:
    """Undo a swap that was killed between its two renames."""
    if not folder.exists() and _old(folder).exists():
        _old(folder).rename(folder)


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-before")
