"""One tweet as X's archives of every era have it, and the message it makes. Not a source: those of X share it."""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import msgspec

from trainer.sources.message import Message, MessageKind
from trainer.sources.parsing.timestamps import iso_timestamp

_MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_CREATED = re.compile(r"\w{3} \w{3} \d\d (\d\d):(\d\d):(\d\d) \+0000 \d{4}")  # Mon May 05 10:00:00 +0000 2014
_RETWEET = re.compile(r"RT @(\w{1,20}):? ")
_LEADING = re.compile(r"(?:@\w{1,20}\s+)+")
_LINK = re.compile(r"https?://\S+")
_CUT_SHORT = re.compile(
    r"…(?:\s*https?://\S+)*\s*\Z"
)  # a link to a picture, a quoted post or the post itself may follow
_SECONDS_APART = (0, 1, -1, 2)  # of a note's time from its tweet's
MIN_CUT_LENGTH = 100  # characters; what is cut has some 270, and a shorter text may end with an ellipsis of its own
_FIRST_YEAR, _LAST_YEAR = 2006, 2100  # impossible years occur in real archives
_FIRST_SECOND, _END = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (_FIRST_YEAR, _LAST_YEAR + 1))


class Owner(msgspec.Struct, gc=False):
    """Whose archive it is, under the names of account.js."""

    username: str = ""
    accountId: str = ""  # noqa: N815 (X's own spelling, here and below)
    accountDisplayName: str = ""  # noqa: N815


class _Url(msgspec.Struct, gc=False):
    url: str = ""
    expanded_url: str | None = None
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
    editTweetIds: list[str] = []  # noqa: N815


class _Initial(msgspec.Struct, gc=False):
    editControlInitial: _Edit | None = None  # noqa: N815


class _EditInfo(msgspec.Struct, gc=False):
    initial: _Edit | None = None
    edit: _Initial | None = None


class TweetAuthor(msgspec.Struct, gc=False):
    """Who wrote a tweet, told in each of them until 2018."""

    id_str: str = ""
    name: str = ""
    screen_name: str = ""


class _Retweeted(msgspec.Struct, gc=False):
    """Somebody else's tweet, whole; all that counts is that it is one."""


class Tweet(msgspec.Struct, gc=False):
    """A tweet. Its numbers are strings in newer archives, also in `indices`."""

    id_str: str
    created_at: str
    full_text: str = ""
    text: str = ""
    in_reply_to_status_id_str: str | None = None
    in_reply_to_screen_name: str | None = None
    in_reply_to_user_id_str: str | None = None
    entities: _Entities | None = None
    extended_entities: _Entities | None = None
    edit_info: _EditInfo | None = None
    user: TweetAuthor | None = None
    retweeted_status: _Retweeted | None = None


_NOTHING = _Entities()
_NO_NOTES: Mapping[int, Sequence[str]] = {}


def message(
    tweet: Tweet,
    owner: Owner,
    notes: Mapping[int, Sequence[str]] = _NO_NOTES,
    kind: MessageKind = "message",
    in_circle: bool = False,
) -> Message:
    """Return the message that `tweet` is. notes: long texts by the second they were written in: a tweet holds their
    beginning. in_circle: only a circle of friends could read it."""
    at = seconds(tweet.created_at)
    entities = tweet.entities or _NOTHING
    media = (tweet.extended_entities or _NOTHING).media or entities.media
    text = _expanded(tweet.full_text or tweet.text, entities)
    if notes and at is not None and "…" in text:
        text = _whole(text, [note for apart in _SECONDS_APART for note in notes.get(int(at) + apart, ())])
    retweet = _RETWEET.match(text) if text.startswith("RT") else None
    parent = tweet.in_reply_to_status_id_str or ""
    if text.startswith("@") and (parent or tweet.in_reply_to_screen_name or tweet.in_reply_to_user_id_str):
        text = _LEADING.sub("", text, count=1)
    return Message(
        platform="x",
        conversation_id="circle" if in_circle else "timeline",
        conversation_type="dm" if in_circle else "feed",
        message_id=_last_edit(tweet) if tweet.edit_info else tweet.id_str,
        sender_id=owner.accountId,
        sender_name=owner.accountDisplayName or owner.username,
        sender_handle=owner.username,
        is_self=True,
        timestamp=at,
        kind=kind,
        text=text,
        reply_to_id=parent,
        reply_to_name=tweet.in_reply_to_screen_name or "",
        forwarded_from=f"@{retweet[1]}" if retweet else "somebody" if tweet.retweeted_status else "",
        mentions=tuple([(person.id_str, person.screen_name) for person in entities.user_mentions])
        if entities.user_mentions
        else (),
        attachments=tuple([medium.type or "photo" for medium in media]) if media else (),
    )


def seconds(created: str) -> float | None:
    """UTC seconds of any of X's dates, or None for one that can't be."""
    clock = _CREATED.fullmatch(created)
    if clock:
        midnight = _midnight(created[4:10], created[26:])
        return None if midnight is None else midnight + int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    # 2013-05-05 10:00:00 +0000 in archives of 2018 and before, 2023-05-05T10:00:00.000Z in notes and messages
    at = iso_timestamp(created.replace(" +", "+"))
    return at if at is not None and _FIRST_SECOND <= at < _END else None


@lru_cache(maxsize=20_000)
def _midnight(day: str, year: str) -> float | None:
    """UTC seconds at which a day such as `May 05` begins."""
    try:
        first = date(int(year), _MONTHS[day[:3]], int(day[4:]))
    except (ValueError, KeyError):
        return None
    known = _FIRST_YEAR <= first.year <= _LAST_YEAR
    return datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() if known else None


def _expanded(raw: str, entities: _Entities) -> str:
    """Return the text with links whole and entities undone.

    Indices count code points of the text as it stands in the file.
    """
    text = raw
    if entities.urls or entities.media:
        links = [(link, link.expanded_url or link.url) for link in entities.urls] + [
            (link, "") for link in entities.media
        ]
        for link, whole in sorted(links, key=lambda pair: pair[0].indices[:1], reverse=True):
            start, stop = link.indices if len(link.indices) == 2 else (0, 0)
            if link.url and text[start:stop] == link.url:
                text = text[:start] + whole + text[stop:]
            elif link.url:
                text = text.replace(link.url, whole)
    return (html.unescape(text) if "&" in text else text).strip()


def _whole(text: str, notes: Sequence[str]) -> str:
    """Return the note that `text` is the beginning of; `text` itself if there is none.

    They differ in links (t.co or whole), in the handles that a reply begins with, and in entities.
    """
    cut = _CUT_SHORT.search(text)
    if not cut or cut.start() < MIN_CUT_LENGTH:
        return text
    start = _comparable(text[: cut.start()])
    return next((html.unescape(note) for note in notes if _comparable(html.unescape(note)).startswith(start)), text)


def _comparable(text: str) -> str:
    return "".join(_LINK.sub("", _LEADING.sub("", text.lstrip(), count=1)).split())


def _last_edit(tweet: Tweet) -> str:
    """Return the id of the last version, which all versions of a tweet share."""
    info = tweet.edit_info
    edit = (info.initial or (info.edit.editControlInitial if info.edit else None)) if info else None
    return edit.editTweetIds[-1] if edit and edit.editTweetIds else tweet.id_str
