"""Reddit's data request (GDPR, CCPA): comments.csv, posts.csv, messages.csv and chat_history.csv, zip or folder.

Learned from importers of such exports and their column lists (no real file was seen): comments name their post in `link` and
what they answer in `parent`, an id with or without its `t1_`; the account's name stands in statistics.csv alone. Only what
the account itself wrote is in there, so parents are missing. Dates are UTC.
"""

import html
import re
from collections.abc import Mapping, Sequence

from trainer.sources.files.tree import Tree
from trainer.sources.message import Message, Reject
from trainer.sources.parsing.csv_records import csv_header, csv_rows
from trainer.sources.parsing.timestamps import iso_timestamp
from trainer.sources.source import Reading, Source, companions

_COLUMNS = {
    "comments": {"id", "date", "subreddit", "link", "parent", "body"},
    "posts": {"id", "date", "subreddit", "title", "url", "body"},
    "messages": {"id", "date", "from", "to", "subject", "body"},
    "chats": {"message_id", "created_at", "username", "message", "channel_url"},
    "statistics": {"statistic", "value"},
}
_POST = re.compile(r"/comments/(\w+)")
_GONE = {"[deleted]", "[removed]", "[deleted by user]"}


def _table_of(header: Sequence[str]) -> str:
    return next((table for table, columns in _COLUMNS.items() if columns <= set(header)), "")


def _claim(tree: Tree, names: Sequence[str]) -> list[tuple[str, ...]]:
    """One group for each folder."""
    mine = {name: table for name in names if (table := _table_of(csv_header(tree.head(name))))}
    folders = sorted({name.rpartition("/")[0] for name, table in mine.items() if table != "statistics"})
    return [tuple(name for name in mine if name.rpartition("/")[0] == folder) for folder in folders]


def _read(tree: Tree, members: Sequence[str]) -> Reading:
    owner = _owner(tree, members)
    for name in members:
        table = _table_of(csv_header(tree.head(name)))
        if table == "statistics":
            continue
        with tree.open(name) as stream:
            for item in csv_rows(stream, name):
                if isinstance(item, Reject):
                    yield item
                else:
                    yield _MAKERS[table](item[1], owner)


def _owner(tree: Tree, members: Sequence[str]) -> str:
    for name in members:
        if _table_of(csv_header(tree.head(name))) == "statistics":
            with tree.open(name) as stream:
                for item in csv_rows(stream, name):
                    if not isinstance(item, Reject) and item[1]["statistic"].casefold() in (
                        "account name",
                        "username",
                    ):
                        return item[1]["value"]
    return ""


def _comment(row: Mapping[str, str], owner: str) -> Message:
    post = _POST.search(row["link"])
    parent = row["parent"].removeprefix("t1_")
    answered = parent if parent.startswith("t3_") else f"t1_{parent}" if parent else f"t3_{post[1]}" if post else ""
    return _post_of(owner, row, f"t1_{row['id'].removeprefix('t1_')}", row["body"], answered)


def _post(row: Mapping[str, str], owner: str) -> Message:
    text = "\n".join(filter(None, (row["title"], row["body"])))
    return _post_of(owner, row, f"t3_{row['id'].removeprefix('t3_')}", text, "")


def _post_of(owner: str, row: Mapping[str, str], number: str, text: str, answered: str) -> Message:
    return Message(
        platform="reddit",
        conversation_id=row["subreddit"],
        conversation_type="feed",
        conversation_name=row["subreddit"],
        message_id=number,
        sender_id=owner or "me",
        sender_name=owner or "Me",
        is_self=True,
        timestamp=_timestamp(row["date"]),
        kind="deleted" if text.strip() in _GONE else "message",
        text=html.unescape(text),
        reply_to_id=answered,
    )


def _private(row: Mapping[str, str], owner: str) -> Message:
    sender = row["from"].removeprefix("/u/").removeprefix("u/")
    return Message(
        platform="reddit",
        conversation_id=row.get("thread_id") or row["id"],
        conversation_type="dm",
        message_id=f"t4_{row['id'].removeprefix('t4_')}",
        sender_id=sender,
        sender_name=sender,
        is_self=bool(owner) and sender == owner,
        timestamp=_timestamp(row["date"]),
        text=html.unescape(row["body"]),
    )


def _chat(row: Mapping[str, str], owner: str) -> Message:
    sender = row["username"]
    private = row.get("conversation_type", "direct") in ("direct", "")
    return Message(
        platform="reddit",
        conversation_id=row["channel_url"],
        conversation_type="dm" if private else "group",
        conversation_name=row.get("channel_name", ""),
        message_id=row["message_id"],
        sender_id=sender,
        sender_name=sender,
        is_self=bool(owner) and sender == owner,
        timestamp=_timestamp(row["created_at"]),
        text=html.unescape(row["message"]),
        reply_to_id=row.get("thread_parent_message_id", ""),
    )


_MAKERS = {"comments": _comment, "posts": _post, "messages": _private, "chats": _chat}


def _timestamp(date: str) -> float | None:
    return iso_timestamp(date.strip().removesuffix(" UTC"))


SOURCE = Source(
    "Reddit",
    _claim,
    _read,
    experimental=True,
    is_companion=companions(
        r"(?:^|/)(?:account_gender|announcements|approved_submitter_subreddits|birthdate|checkfile"
        r"|comment_headers|comment_votes|drafts|friends|gilded_content|gold_received|hidden_posts|ip_logs"
        r"|linked_\w+|message_headers|messages_archive_headers|moderated_subreddits|multireddits|payouts"
        r"|persona|poll_votes|post_headers|post_votes|purchases|reddit_gold_information|saved_comments"
        r"|saved_posts|scheduled_posts|sensitive_ads_preferences|statistics|stripe|subreddit_\w+"
        r"|subscribed_subreddits|twitter|user_preferences)\.csv$"
    ),
)
