"""Which formats there are, and which of them an export is. A new format is a line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.sources import (
    discord_exporter,
    discord_package,
    discord_text,
    google_chat,
    imessage_db,
    imessage_text,
    irc,
    line,
    matrix,
    messenger,
    signal,
    slack,
    speaker_text,
    telegram_html,
    telegram_json,
    wechat,
    whatsapp,
    x_archive,
)
from trainer.sources.source import Reading, Source
from trainer.sources.tree import Tree, WatchedTree, trees

SOURCES: tuple[Source, ...] = (
    x_archive.SOURCE,
    telegram_json.SOURCE,
    telegram_html.SOURCE,
    discord_exporter.SOURCE,
    discord_package.SOURCE,
    discord_text.SOURCE,
    discord_text.TEXT,
    messenger.SOURCE,
    messenger.ENCRYPTED,
    signal.SOURCE,
    imessage_text.SOURCE,
    imessage_db.SOURCE,
    slack.SOURCE,
    line.SOURCE,
    wechat.SOURCE,
    google_chat.SOURCE,
    matrix.SOURCE,
    irc.SOURCE,
    whatsapp.SOURCE,
    speaker_text.SOURCE,
)


@dataclass(frozen=True, slots=True)
class Export:
    """Members of one tree that are one export."""

    source: Source
    tree: Tree
    members: tuple[str, ...]

    @property
    def label(self) -> str:
        """How the user knows it."""
        alone = len(self.members) > 1 or len(self.tree.names()) == 1
        return self.tree.label if alone else f"{self.tree.label}/{self.members[0]}"

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(self.tree.size(name) for name in self.members)

    def read(self, on_bytes: Callable[[int], None]) -> Reading:
        """Its messages and what could not be read of it. on_bytes: told of every stretch read."""
        return self.source.read(WatchedTree(self.tree, on_bytes), self.members)


def find(path: Path) -> Iterator[Export]:
    """The exports that `path` (a file, a folder, a zip) holds; none where nothing in it is recognised."""
    for tree in trees(path):
        left = tree.names()
        for source in SOURCES:
            for members in source.claim(tree, left):
                yield Export(source, tree, members)
                left = [name for name in left if name not in members]
