"""Weibo as weibo-crawler saves it: USER_ID.json and USER_ID.csv.

Learned from weibo-crawler's weibo.py of 2020 to 2025 (no real file was seen): JSON is `{"user": …, "weibo": […]}`, the CSV
has Chinese column names and tells its author by folder and file name alone. Dates are Beijing's, with or without a time. A
repost's own comment ends at the first `//@`; without one it is only a repost.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import msgspec

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.html_text import html_text
from trainer.sources.parsing.json_records import JsonRecords, Opening
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source

_BEIJING = timezone(timedelta(hours=8))
_COLUMNS = {"id", "bid", "正文", "日期"}
_NO_COMMENT = {"", "转发微博", "轉發微博", "repost", "快转了微博"}
_MENTION = re.compile(r"@([\w\-·]{2,30})")


class _Original(msgspec.Struct, gc=False):
    id: str | int = ""
    screen_name: str | None = None
    text: str | None = None


class _Post(msgspec.Struct, gc=False):
    id: str | int
    text: str = ""
    created_at: str = ""
    user_id: str | int = ""
    screen_name: str = ""
    pics: str | None = None
    video_url: str | None = None
    retweet: _Original | None = None


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    return [(name,) for name in names if _is_json(tree.head(name)) or set(csv_header(tree.head(name))) >= _COLUMNS]


def _is_json(start: bytes) -> bool:
    return b'"weibo"' in start and b'"screen_name"' in start and start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    for name in members:
        if _is_json(tree.head(name)):
            yield from _of_json(tree, name)
        else:
            yield from _of_csv(tree, name)


def _of_json(tree: Tree, name: str) -> Reading:
    user: Mapping[str, Any] = {}
    for item in JsonRecords(partial(tree.open, name), name, "weibo", _Post):
        if isinstance(item, Opening):
            about = item.fields.get("user")
            user = about if isinstance(about, dict) else {}
        elif isinstance(item, Reject):
            yield item
        else:
            yield _message(item, str(user.get("id") or item.user_id), str(user.get("screen_name") or item.screen_name))


def _of_csv(tree: Tree, name: str) -> Reading:
    number, author = name.rpartition("/")[2].rpartition(".")[0], name.rpartition("/")[0].rpartition("/")[2]
    with tree.open(name) as stream:
        for item in csv_rows(stream, name):
            if isinstance(item, Reject):
                yield item
            else:
                yield _message(_post(item[1]), number if number.isdecimal() else "me", author or "Me")


def _post(row: Mapping[str, str]) -> _Post:
    original = _Original(row["源微博id"], row.get("源用户昵称"), row.get("源微博正文")) if row.get("源微博id") else None
    date = row.get("完整日期") or row["日期"]
    return _Post(
        row["id"], row["正文"], date, pics=row.get("原始图片url"), video_url=row.get("视频url"), retweet=original
    )


def _message(post: _Post, number: str, author: str) -> Message:
    text = html_text(post.text)
    original = post.retweet
    comment = text.partition("//@")[0].strip() if original else text
    bare = original is not None and comment.casefold() in _NO_COMMENT
    media = ("photo" if post.pics else "", "video" if post.video_url else "")
    return Message(
        platform="weibo",
        conversation_id="timeline",
        conversation_type="feed",
        message_id=str(post.id),
        sender_id=number,
        sender_name=author,
        is_self=True,
        timestamp=_timestamp(post.created_at),
        text=comment,
        reply_to_id=str(original.id) if original and not bare else "",
        reply_to_name=(original.screen_name or "") if original and not bare else "",
        quoted_text=html_text(original.text or "") if original else "",
        forwarded_from=(original.screen_name or "somebody") if original and bare else "",
        mentions=tuple(("", name) for name in _MENTION.findall(comment)),
        attachments=tuple(filter(None, media)) if not original else (),
    )


def _timestamp(created: str) -> float | None:
    try:
        return datetime.strptime(created.strip(), "%a %b %d %H:%M:%S %z %Y").timestamp()
    except ValueError:
        return iso_timestamp(created, _BEIJING)


SOURCE = Source("Weibo", _claim, _read, experimental=True)
