"""What a reader of one export format is."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trainer.sources.files.tree import Tree, head
from trainer.sources.message import Message, Reject

Reading = Iterator[Message | Reject]
Claim = Callable[[Tree, Sequence[str]], list[tuple[str, ...]]]


def _has_none(name: str, start: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Source:
    """One format.

    name: as the import's table shows it. claim: the groups of members of a tree that are such an export, judged by
    content. read: the messages of one such group, streaming. experimental: no real file was ever seen.
    is_companion: whether a member (its name and first 64 KiB) is a part of such exports that holds no messages.
    """

    name: str
    claim: Claim
    read: Callable[[Tree, Sequence[str]], Reading]
    experimental: bool = False
    is_companion: Callable[[str, bytes], bool] = _has_none


def claim_each(recognises: Callable[[bytes], bool]) -> Claim:
    """Return a claim on every member whose first 64 KiB `recognises` accepts."""
    return lambda tree, names: [(name,) for name in names if recognises(head(tree, name))]


def companions(pattern: str) -> Callable[[str, bytes], bool]:
    """Companions by their path inside the export, in any letter case."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda name, start: bool(compiled.search(name))
