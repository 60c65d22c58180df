"""Whose words a bundle was trained on, by hashes in its private folder: so that `forget` can say which ones to retrain."""

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path

from persona.bundle import PRIVATE, Seal
from trainer.corpus.store import Corpus

_FILE = "heard.json"


def write_provenance(corpus: Corpus, folder: Path) -> None:
    """Note in the bundle that is made in `folder` who is heard in the corpus."""
    keys = {row.sender for row in corpus.rows} | {row.forwarded_from for row in corpus.rows}
    keys |= {row.quoted.author for row in corpus.rows if row.quoted}
    keys |= {key for row in corpus.rows for _, key in row.reactions}
    (folder / PRIVATE / _FILE).write_text(json.dumps(sorted(map(_hash, keys - {"", "?"}))), encoding="utf-8")


def trained_on(folder: Path, seal: Seal, identities: Iterable[str], speakers: Collection[str]) -> bool:
    """Return whether the bundle in `folder` was trained on any of these identity keys; one that took no note is asked for
    the speaker keys."""
    path = folder / PRIVATE / _FILE
    if not path.is_file():
        return not seal.speakers.keys().isdisjoint(speakers)
    return not set(json.loads(path.read_text(encoding="utf-8"))).isdisjoint(map(_hash, identities))


def _hash(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
