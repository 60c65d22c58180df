"""A channel as `slackdump dump` writes it: `C051D4052.json`, or a thread of one.

Learned from rusq/slackdump's types/conversation.go: `channel_id`, `name` and `messages` as Slack's API has them, with the
replies of a thread in `slackdump_thread_replies` of their parent. Names of people come from a users.json in the same
folder, as `slackdump list users` writes it. What `slackdump export` makes is a Slack export, and read as one; its archive of
chunks or SQLite is not read: `slackdump convert -f export` makes an export of it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from trainer.sources.files.tree import Tree
from trainer.sources.message import Reject
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.slack_message import SlackChannel, SlackPeople, SlackPerson, SlackRow, slack_message
from trainer.sources.source import Reading, Source, companions

_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"channel_id"\s*:\s*"')
_USERS = "users.json"


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each folder's channels, with the list of people beside them."""
    dumps = [name for name in names if _START.match(tree.head(name)) and b'"messages"' in tree.head(name)]
    folders = sorted({name.rpartition("/")[0] for name in dumps})
    return [tuple(name for name in names if _belongs(name, folder, dumps)) for folder in folders]


def _belongs(name: str, folder: str, dumps: Sequence[str]) -> bool:
    place, _, file = name.rpartition("/")
    return place == folder and (name in dumps or file == _USERS)


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    people = SlackPeople()
    for name in (name for name in members if name.rpartition("/")[2] == _USERS):
        for person in JsonRecords(partial(tree.open, name), name, "", SlackPerson):
            if isinstance(person, SlackPerson):
                people.note(person)
    for name in (name for name in members if name.rpartition("/")[2] != _USERS):
        channel = SlackChannel("", "", "group")
        for item in JsonRecords(partial(tree.open, name), name, "messages", SlackRow, needs="channel_id"):
            if isinstance(item, Opening):
                number = str(item.fields.get("channel_id") or "")
                channel = SlackChannel.named(number, str(item.fields.get("name") or number))
            elif isinstance(item, Reject):
                yield item
            else:
                yield from (slack_message(row, channel, people) for row in _with_replies(item))


def _with_replies(row: SlackRow) -> Iterator[SlackRow]:
    yield row
    yield from row.slackdump_thread_replies or ()


SOURCE = Source(
    "slackdump",
    _claim,
    _read,
    is_companion=companions(r"(?:^|/)channels\.(?:json|txt)$|(?:^|/)users\.txt$|(?:^|/)__uploads/"),
)
