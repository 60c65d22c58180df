"""X (Twitter) archives of 2018 and before, called Grailbird: a file a month, data/js/tweets/2013_05.js.

Learned from programs that read such archives (no real file was seen): a file begins `Grailbird.data.tweets_2013_05 =`, dates
are `2013-05-05 10:00:00 +0000`, the text is `text`, each tweet names its author, and retweets carry the original.
"""

from collections.abc import Sequence
from functools import partial

from trainer.sources.files.tree import Tree
from trainer.sources.message import Reject
from trainer.sources.parsing.json_records import JsonRecords
from trainer.sources.parsing.x_files import data_type_of, folder, in_order, is_companion
from trainer.sources.parsing.x_tweet import Owner, Tweet, TweetAuthor, message
from trainer.sources.source import Reading, Source

_NAMELESS = TweetAuthor("me", "Me", "")


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """One group for each folder."""
    mine = [name for name in in_order(names) if data_type_of(tree.head(name)) == "grailbird"]
    return [tuple(name for name in mine if folder(name) == root) for root in sorted({folder(name) for name in mine})]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        for item in JsonRecords(partial(tree.open, name), name, "", Tweet):
            if isinstance(item, Tweet):
                author = item.user or _NAMELESS
                yield message(item, Owner(author.screen_name, author.id_str, author.name))
            elif isinstance(item, Reject):
                yield item


SOURCE = Source("X archive of 2018", _claim, _read, experimental=True, is_companion=is_companion)
