"""Which formats there are, and which of them an export is. A new format is a file in formats/ and a line here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from persona.errors import UserError
from trainer.sources.files.leftovers import Leftover, is_code, is_document, is_packed, why_unread
from trainer.sources.files.tree import FolderTree, Refuse, Tree, readable, trees
from trainer.sources.files.watched import WatchedTree
from trainer.sources.message import CONVERSATION_TYPES, KINDS, Message, Reject
from trainer.sources.source import Reading, Source

FORMATS = """
x_archive
x_grailbird
x_messages
whatsapp_as_telegram
telegram_json
telegram_html
chatlab
weflow
whatsapp_exporter
whatsapp_exporter_text
discord_exporter
discord_package
discord_text
messenger
instagram_2020
signal_native
signal_json
sigtop
signal
imessage_text
imessage_db
slackdump
slack
kakaotalk
line
wechat
google_chat
matrix
irc
whatsapp
mastodon
bluesky_car
reddit_csv
weibo
sharegpt
alpaca
chat_messages
jade_text
replies
speaker_text
""".split()  # modules of trainer.sources.formats in the order they are asked: the least particular come last

SOURCES: tuple[Source, ...] = tuple(
    value
    for name in FORMATS
    for value in vars(import_module(f"trainer.sources.formats.{name}")).values()
    if isinstance(value, Source)
)


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
        """Yield its messages and what could not be read of it.

        on_bytes: called with the bytes of every stretch read.
        """
        try:
            for item in self.source.read(WatchedTree(self.tree, on_bytes), self.members):
                if isinstance(item, Message) and (
                    item.conversation_type not in CONVERSATION_TYPES or item.kind not in KINDS
                ):
                    yield _refused(item, self.label)
                else:
                    yield item
        except UserError as fault:  # a damaged archive: all up to the damage counts
            yield Reject(file=self.label, offset=0, reason=str(fault))


def _refused(message: Message, label: str) -> Reject:
    """Return the Reject for a message of an unknown conversation type or kind."""
    if message.conversation_type not in CONVERSATION_TYPES:
        reason = f"unknown conversation type {message.conversation_type!r}, so nobody knows whether it is private"
    else:
        reason = f"unknown kind of message {message.kind!r}"
    return Reject(file=label, offset=0, reason=reason, raw=message.text)


def _reopened(name: str, tree: Tree, members: tuple[str, ...]) -> Export:
    return Export(next(source for source in SOURCES if source.name == name), tree, members)


def _raise(sentence: str) -> NoReturn:
    raise UserError(sentence)


def _ignore(leftover: Leftover) -> None:
    pass


def find(path: Path, refuse: Refuse = _raise, leave: Callable[[Leftover], None] = _ignore) -> Iterator[Export]:
    """Yield the exports in `path`: a file, a folder or an archive.

    refuse: told of what is damaged or hostile in it; without, that raises UserError. leave: told of each file that might
    have held messages and that no reader knows. Raises UserError if nothing is there.
    """
    for tree in trees(path, refuse):
        names = readable(tree, refuse)
        left = [name for name in names if not is_code(name, tree.head(name))]
        claimed: list[Source] = []
        for source in SOURCES:
            groups = source.claim(tree, left)
            yield from (Export(source, tree, members) for members in groups)
            taken = {name for members in groups for name in members}
            left = [name for name in left if name not in taken]
            claimed += [source] if groups else []
        code = [name for name in names if is_code(name, tree.head(name))]
        if claimed or isinstance(tree, FolderTree):
            _leave(tree, [*left, *code], claimed, leave)
        else:
            _leave_whole(tree, names, refuse, leave)


def _leave(tree: Tree, names: Sequence[str], claimed: Sequence[Source], leave: Callable[[Leftover], None]) -> None:
    """Report the members that nobody claimed; archives are trees themselves."""
    for name in names:
        start = tree.head(name)
        if tree.is_archive(name):
            continue
        if any(source.is_companion(name, start) for source in claimed):
            continue
        if reason := why_unread(name, start):
            alone = len(tree.names()) == 1 and isinstance(tree, FolderTree)
            leave(Leftover(tree.label if alone else f"{tree.label}/{name}", reason))


def _leave_whole(tree: Tree, names: Sequence[str], refuse: Refuse, leave: Callable[[Leftover], None]) -> None:
    """Tell of an archive in which there is no export."""
    if is_document(tree.label):
        return
    names = [name for name in names if not tree.is_archive(name)]
    packed = next((name for name in names if is_packed(tree.head(name)) and not is_document(name)), "")
    if packed:
        refuse(f"{tree.label} holds archives, such as {packed}; unpack it and name the folder, whose archives are read")
    elif names or not tree.names():
        example = f", such as {names[0]}" if names else ""
        leave(Leftover(tree.label, f"nothing in it is of a kind that a reader knows{example}"))
