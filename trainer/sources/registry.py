"""Which formats there are, and which of them an export is. A new format is a line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from persona.errors import UserError
from trainer.sources.files.tree import FolderTree, Refuse, Tree, readable, trees
from trainer.sources.files.watched import WatchedTree
from trainer.sources.formats import (
    alpaca,
    bluesky_car,
    chat_messages,
    discord_exporter,
    discord_package,
    discord_text,
    google_chat,
    imessage_db,
    imessage_text,
    irc,
    jade_text,
    line,
    mastodon,
    matrix,
    messenger,
    reddit_csv,
    replies,
    sharegpt,
    signal,
    signal_json,
    signal_native,
    slack,
    slackdump,
    speaker_text,
    telegram_html,
    telegram_json,
    wechat,
    weibo,
    whatsapp,
    x_archive,
    x_grailbird,
    x_messages,
)
from trainer.sources.message import CONVERSATION_TYPES, KINDS, Message, Reject
from trainer.sources.source import Reading, Source

SOURCES: tuple[Source, ...] = (
    x_archive.SOURCE,
    x_grailbird.SOURCE,
    x_messages.SOURCE,
    telegram_json.SOURCE,
    telegram_html.SOURCE,
    discord_exporter.SOURCE,
    discord_package.SOURCE,
    discord_text.SOURCE,
    discord_text.TEXT,
    messenger.SOURCE,
    messenger.ENCRYPTED,
    signal_native.SOURCE,
    signal_json.SOURCE,
    signal.SOURCE,
    imessage_text.SOURCE,
    imessage_db.SOURCE,
    slackdump.SOURCE,
    slack.SOURCE,
    line.SOURCE,
    wechat.SOURCE,
    google_chat.SOURCE,
    matrix.SOURCE,
    irc.SOURCE,
    whatsapp.SOURCE,
    mastodon.SOURCE,
    bluesky_car.SOURCE,
    reddit_csv.SOURCE,
    weibo.SOURCE,
    sharegpt.SOURCE,
    alpaca.SOURCE,
    chat_messages.SOURCE,
    jade_text.SOURCE,
    replies.SOURCE,
    speaker_text.SOURCE,  # the least particular come last
)

PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")


@dataclass(frozen=True, slots=True)
class Export:
    """Members of one tree that are one export."""

    source: Source
    tree: Tree
    members: tuple[str, ...]

    def __reduce__(self) -> tuple[object, ...]:
        return _reopened, (self.source.name, self.tree, self.members)  # readers are functions: they go by their name

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
        try:
            for item in self.source.read(WatchedTree(self.tree, on_bytes), self.members):
                yield _checked(item, self.label) if isinstance(item, Message) else item
        except UserError as fault:  # a damaged archive: all up to the damage counts
            yield Reject(file=self.label, offset=0, reason=str(fault))


def _checked(message: Message, label: str) -> Message | Reject:
    """The message, or a Reject if its conversation type or kind is none that the importer knows."""
    if message.conversation_type not in CONVERSATION_TYPES:
        reason = f"unknown conversation type {message.conversation_type!r}, so nobody knows whether it is private"
    elif message.kind not in KINDS:
        reason = f"unknown kind of message {message.kind!r}"
    else:
        return message
    return Reject(file=label, offset=0, reason=reason, raw=message.text)


def _reopened(name: str, tree: Tree, members: tuple[str, ...]) -> Export:
    return Export(next(source for source in SOURCES if source.name == name), tree, members)


def _raise(sentence: str) -> NoReturn:
    raise UserError(sentence)


def find(path: Path, refuse: Refuse = _raise) -> Iterator[Export]:
    """The exports that `path` (a file, a folder, an archive) holds; none where nothing in it is recognised.

    refuse: told of what is damaged or hostile in it; without, that raises UserError. Raises UserError where nothing is there.
    """
    for tree in trees(path, refuse):
        there = left = readable(tree, refuse)
        for source in SOURCES:
            groups = source.claim(tree, left)
            yield from (Export(source, tree, members) for members in groups)
            taken = {name for members in groups for name in members}
            left = [name for name in left if name not in taken]
        packed = next((name for name in there if name.lower().endswith(PACKED)), "")
        if packed and left == there and not isinstance(tree, FolderTree):
            refuse(
                f"{tree.label} holds archives, such as {packed}; unpack it and name the folder, whose archives are read"
            )
