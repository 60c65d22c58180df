"""X (Twitter) archives, zip or folder: tweets of 2020 and later, with notes, edits and several parts.

Learned from X's own archives as twitter-archive-parser and tweetback read them: files are `window.YTD.<type>.part<N> = [`,
numbers are strings, `data/manifest.js` names every part. Not read here: direct messages, Grailbird archives of 2018 and
before.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from trainer.sources.json_records import JsonRecords, Opening
from trainer.sources.message import Message, Reject
from trainer.sources.repair import decode_text
from trainer.sources.source import Reading, Source
from trainer.sources.tree import Tree, head

_TWEETS = re.compile(r"(.*/)?(tweet|tweets)(-part\d+)?\.js")
_NOTES = re.compile(r"(.*/)?note-tweet(-part\d+)?\.js")
_ACCOUNT = re.compile(r"(.*/)?account\.js")
_MANIFEST = re.compile(r"(.*/)?manifest\.js")
_CREATED = "%a %b %d %H:%M:%S %z %Y"
_RETWEET = re.compile(r"RT @(\w{1,20}):? ")
_LEADING = re.compile(r"(?:@\w{1,20}\s+)+")


class _Url(msgspec.Struct, gc=False):
    url: str = ""
    expanded_url: str = ""
    media_url: str = ""
    type: str = ""
    indices: list[int] = []


class _Mention(msgspec.Struct, gc=False):
    screen_name: str = ""
    id_str: str = ""


class _Entities(msgspec.Struct, gc=False):
    urls: list[_Url] = []
    media: list[_Url] = []
    user_mentions: list[_Mention] = []


class _Edit(msgspec.Struct, gc=False):
    editTweetIds: list[str] = []  # noqa: N815 (X's own spelling)


class _Initial(msgspec.Struct, gc=False):
    editControlInitial: _Edit | None = None  # noqa: N815


class _EditInfo(msgspec.Struct, gc=False):
    initial: _Edit | None = None
    edit: _Initial | None = None


class _Tweet(msgspec.Struct, gc=False):
    id_str: str
    created_at: str
    full_text: str = ""
    text: str = ""
    in_reply_to_status_id_str: str | None = None
    in_reply_to_screen_name: str | None = None
    in_reply_to_user_id_str: str | None = None
    entities: _Entities = msgspec.field(default_factory=_Entities)
    extended_entities: _Entities = msgspec.field(default_factory=_Entities)
    edit_info: _EditInfo | None = None


class _Entry(msgspec.Struct, gc=False):
    """An element of tweets.js: `{"tweet": {…}}`, or the tweet itself in archives of 2019 and 2020."""

    tweet: _Tweet


class _NoteCore(msgspec.Struct, gc=False):
    text: str = ""


class _Note(msgspec.Struct, gc=False):
    createdAt: str = ""  # noqa: N815
    core: _NoteCore = msgspec.field(default_factory=_NoteCore)


class _NoteEntry(msgspec.Struct, gc=False):
    noteTweet: _Note  # noqa: N815


class _Owner(msgspec.Struct, gc=False):
    username: str = ""
    accountId: str = ""  # noqa: N815
    accountDisplayName: str = ""  # noqa: N815


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """One group for each folder with tweets in it."""
    roots = sorted(
        {_folder(name) for name in names if _TWEETS.fullmatch(name) and b"YTD.tweet" in head(tree, name)[:200]}
    )
    return [tuple(name for name in names if _folder(name) == root and name.endswith(".js")) for root in roots]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    owner = _owner(tree, members)
    notes: dict[int, list[str]] = {}
    for name in members:
        if _NOTES.fullmatch(name):
            yield from _collect_notes(tree, name, notes)
    for name, count in _tweet_files(tree, members).items():
        read = 0
        for found in _tweets(tree, name):
            read += isinstance(found, _Tweet)
            yield _message(found, owner, notes) if isinstance(found, _Tweet) else found
        if count is not None and read != count:
            yield Reject(file=name, offset=0, reason=f"the manifest counts {count} tweets, {read} could be read")


def _owner(tree: Tree, members: Sequence[str]) -> _Owner:
    for name in members:
        if _ACCOUNT.fullmatch(name):
            for entry in _js(tree, name, []):
                return msgspec.convert(entry.get("account", {}), _Owner, strict=False)
    manifest = _manifest(tree, members).get("userInfo", {})
    return _Owner(
        str(manifest.get("userName", "")), str(manifest.get("accountId", "")), str(manifest.get("displayName", ""))
    )


def _manifest(tree: Tree, members: Sequence[str]) -> Mapping[str, Any]:
    return next((_js(tree, name, {}) for name in members if _MANIFEST.fullmatch(name)), {})


def _js(tree: Tree, name: str, otherwise: Any) -> Any:
    with tree.open(name) as stream:
        text = decode_text(stream.read(4 << 20))
    try:
        return json.loads(text[text.index("=") + 1 :], strict=False)
    except ValueError:
        return otherwise


def _tweet_files(tree: Tree, members: Sequence[str]) -> dict[str, int | None]:
    """The members that hold tweets, in order, with the count the manifest gives for each."""
    counts: dict[str, int] = {}
    types = _manifest(tree, members).get("dataTypes", {})
    for kind in ("tweet", "tweets"):
        for file in types.get(kind, {}).get("files", []):
            counts[str(file.get("fileName", "")).rpartition("/")[2]] = int(file.get("count") or 0)
    found = sorted((name for name in members if _TWEETS.fullmatch(name)), key=lambda name: (len(name), name))
    return {name: counts.get(name.rpartition("/")[2]) for name in found}


def _tweets(tree: Tree, name: str) -> Iterator[_Tweet | Reject]:
    wrapped = b'"tweet"' in head(tree, name)[:400]
    if wrapped:
        for entry in JsonRecords(partial(tree.open, name), name, "", _Entry):
            if not isinstance(entry, Opening):
                yield entry.tweet if isinstance(entry, _Entry) else entry
        return
    for tweet in JsonRecords(partial(tree.open, name), name, "", _Tweet):
        if not isinstance(tweet, Opening):
            yield tweet


def _collect_notes(tree: Tree, name: str, notes: dict[int, list[str]]) -> Iterator[Reject]:
    """Long texts by the second they were written in."""
    for entry in JsonRecords(partial(tree.open, name), name, "", _NoteEntry):
        if isinstance(entry, Reject):
            yield entry
        elif isinstance(entry, _NoteEntry) and (second := _iso_second(entry.noteTweet.createdAt)) is not None:
            notes.setdefault(second, []).append(entry.noteTweet.core.text)


def _iso_second(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None


def _message(tweet: _Tweet, owner: _Owner, notes: Mapping[int, list[str]]) -> Message:
    at = _timestamp(tweet.created_at)
    raw = tweet.full_text or tweet.text
    text, media = _expanded(raw, tweet)
    if text.endswith("…") and at is not None:
        text = _whole(text, notes.get(int(at), []))
    retweet = _RETWEET.match(text)
    answers = bool(tweet.in_reply_to_status_id_str or tweet.in_reply_to_screen_name)
    return Message(
        platform="x",
        conversation_id="timeline",
        conversation_type="feed",
        message_id=_last_edit(tweet),
        sender_id=owner.accountId,
        sender_name=owner.accountDisplayName or owner.username,
        sender_handle=owner.username,
        timestamp=at,
        text=_LEADING.sub("", text, count=1) if answers and _LEADING.match(text) else text,
        reply_to_id=tweet.in_reply_to_status_id_str or "",
        reply_to_name=tweet.in_reply_to_screen_name or "",
        forwarded_from=f"@{retweet[1]}" if retweet else "",
        mentions=tuple((one.id_str, one.screen_name) for one in tweet.entities.user_mentions),
        attachments=media,
    )


def _timestamp(created: str) -> float | None:
    """UTC seconds, or None for a date that can't be: impossible years occur in real archives."""
    try:
        at = datetime.strptime(created, _CREATED).astimezone(UTC)
    except ValueError:
        return None
    return at.timestamp() if 2006 <= at.year <= 2100 else None


def _expanded(raw: str, tweet: _Tweet) -> tuple[str, tuple[str, ...]]:
    """The text with links whole and entities undone; and the kinds of its media. Indices count code points of the text
    as it stands in the file."""
    links = [(one, one.expanded_url) for one in tweet.entities.urls]
    links += [(one, "") for one in tweet.entities.media]
    text = raw
    for one, whole in sorted(links, key=lambda pair: pair[0].indices[:1], reverse=True):
        start, stop = one.indices if len(one.indices) == 2 else (0, 0)
        if one.url and text[start:stop] == one.url:
            text = text[:start] + whole + text[stop:]
        elif one.url:
            text = text.replace(one.url, whole)
    media = tweet.extended_entities.media or tweet.entities.media
    return html.unescape(text).strip(), tuple(one.type or "photo" for one in media)


def _whole(text: str, notes: Sequence[str]) -> str:
    start = text[:-1].rstrip()
    return next((note for note in notes if note.startswith(start[:200])), text)


def _last_edit(tweet: _Tweet) -> str:
    """All versions of an edited tweet share the id of the last one, so that the last one is kept."""
    info = tweet.edit_info
    edit = (info.initial or (info.edit.editControlInitial if info.edit else None)) if info else None
    return edit.editTweetIds[-1] if edit and edit.editTweetIds else tweet.id_str


SOURCE = Source("X archive", _claim, _read)
