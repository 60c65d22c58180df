"""X (Twitter) archives of 2019 and later, zip or folder: tweets with their notes, edits, parts and what was deleted.

Learned from X's own archives as twitter-archive-parser, tweetback and twitter-to-sqlite read them: files are
`window.YTD.<kind>.part<N> = [`, in the root until 2020 and under data/ since; numbers are strings; `data/manifest.js` names
every part since 2020. Tweets of a circle stand among the others and in a file of their own: they are private. What a file
is, its first line tells. Private messages have a reader of their own, and so have archives of 2018 and before.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import MessageKind, Reject
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.x_files import data_type_of, folder, in_order, is_companion, listed, manifest, owner
from trainer.sources.parsing.x_tweet import Tweet, message, seconds
from trainer.sources.source import Reading, Source

_TWEETS = ("tweet", "tweets", "community_tweet")
_DELETED = ("deleted_tweet", "deleted_tweets")
_CIRCLE = ("twitter_circle_tweet",)
_READ = (*_TWEETS, *_DELETED, *_CIRCLE)
_OTHERS = ("note_tweet", "account", "manifest")
_LISTED = ("tweet", "tweets", "communityTweet", "deletedTweet", "deletedTweets")


class _Entry(msgspec.Struct, gc=False):
    """An element of tweets.js: `{"tweet": {…}}`, or the tweet itself in archives of 2019 and 2020."""

    tweet: Tweet


class _CircleEntry(msgspec.Struct, gc=False):
    """An element of twitter-circle-tweet.js."""

    tweet: Tweet | None = None
    twitterCircleTweet: Tweet | None = None  # noqa: N815 (X's own spelling)


class _NoteCore(msgspec.Struct, gc=False):
    text: str = ""


class _Note(msgspec.Struct, gc=False):
    createdAt: str = ""  # noqa: N815 (X's own spelling)
    core: _NoteCore = msgspec.field(default_factory=_NoteCore)


class _NoteEntry(msgspec.Struct, gc=False):
    noteTweet: _Note  # noqa: N815


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """One group for each folder with tweets in it."""
    data_types = {
        name: data_type for name in names if (data_type := data_type_of(tree.head(name))) in (*_READ, *_OTHERS)
    }
    roots = sorted({folder(name) for name, data_type in data_types.items() if data_type in _READ})
    return [tuple(name for name in data_types if folder(name) == root) for root in roots]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    data_types = {name: data_type_of(tree.head(name)) for name in in_order(members)}
    whose = owner(tree, members)
    counts = listed(manifest(tree, members), _LISTED)
    notes: dict[int, list[str]] = {}
    for name in (name for name, data_type in data_types.items() if data_type == "note_tweet"):
        yield from _collect_notes(tree, name, notes)
    circle = {
        tweet.id_str
        for name in (name for name, data_type in data_types.items() if data_type in _CIRCLE)
        for tweet in _circle_tweets(tree, name)
        if isinstance(tweet, Tweet)
    }
    for name in (name for name, data_type in data_types.items() if data_type in _READ):
        read = 0
        kind: MessageKind = "deleted" if data_types[name] in _DELETED else "message"
        for tweet in _circle_tweets(tree, name) if data_types[name] in _CIRCLE else _tweets(tree, name):
            if isinstance(tweet, Tweet):
                read += 1
                yield message(tweet, whose, notes, kind, tweet.id_str in circle)
            else:
                yield tweet
        count = counts.pop(name.rpartition("/")[2], read)
        if read != count:
            yield Reject(file=name, offset=0, reason=f"the manifest counts {count} tweets, {read} could be read")
    for name, count in counts.items():
        if count:
            yield Reject(file=name, offset=0, reason=f"the manifest lists {count} tweets here, but the file is missing")


def _circle_tweets(tree: Tree, name: str) -> Iterator[Tweet | Reject]:
    for entry in JsonRecords(partial(tree.open, name), name, "", _CircleEntry):
        if isinstance(entry, Reject):
            yield entry
        elif isinstance(entry, _CircleEntry) and (tweet := entry.tweet or entry.twitterCircleTweet):
            yield tweet


def _tweets(tree: Tree, name: str) -> Iterator[Tweet | Reject]:
    if b'"tweet"' in tree.head(name)[:400]:
        for entry in JsonRecords(partial(tree.open, name), name, "", _Entry):
            if isinstance(entry, _Entry):
                yield entry.tweet
            elif isinstance(entry, Reject):
                yield entry
        return
    for tweet in JsonRecords(partial(tree.open, name), name, "", Tweet):
        if not isinstance(tweet, Opening):
            yield tweet


def _collect_notes(tree: Tree, name: str, notes: dict[int, list[str]]) -> Iterator[Reject]:
    """Long texts by the second they were written in."""
    for entry in JsonRecords(partial(tree.open, name), name, "", _NoteEntry):
        if isinstance(entry, Reject):
            yield entry
        elif isinstance(entry, _NoteEntry) and (second := seconds(entry.noteTweet.createdAt)) is not None:
            notes.setdefault(int(second), []).append(entry.noteTweet.core.text)


SOURCE = Source("X archive", _claim, _read, is_companion=is_companion)
