"""What a reader of one export format is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject

Reading = Iterator[Message | Reject]


@dataclass(frozen=True, slots=True)
class Source:
    """One format. name: as the import's table shows it. claim: the groups of members of a tree that are such an export,
    judged by content. read: the messages of one such group, streaming. experimental: no real file was ever seen."""

    name: str
    claim: Callable[[Tree, Sequence[str]], list[tuple[str, ...]]]
    read: Callable[[Tree, Sequence[str]], Reading]
    experimental: bool = False


def claim_each(recognises: Callable[[bytes], bool]) -> Callable[[Tree, Sequence[str]], list[tuple[str, ...]]]:
    """A claim on every member whose first 64 KiB `recognises` accepts."""
    from trainer.sources.files.tree import head

    return lambda tree, names: [(name,) for name in names if recognises(head(tree, name))]
