"""A message of Slack as its API has it, and the message it makes. Not a source: those of Slack share it.

Learned from hfaran/slack-export-viewer, rusq/slackdump and Slack's page on message subtypes. `ts` is a message's id and its
time; replies bear the `thread_ts` of their parent. `<@U…>`, `<#C…|name>`, `<address|label>` and `<!here>` are undone, and
`&amp;`, `&lt;`, `&gt;`. Until 2018 an upload was a sentence of Slack's own, with the words about it behind `and commented:`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from trainer.sources.message import ConversationType, Message
from trainer.sources.parsing.attachment import medium_of

_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_SPOKEN = {"", "thread_broadcast", "me_message", "bot_message", "file_share", "file_comment", "reply_broadcast"}
_CALLS = {"huddle_thread", "sh_room_created"}
_UPLOAD = re.compile(
    r"<@[^<>]+> (?:uploaded|shared) (?:a|an) [\w /-]{2,40}?(?:: [^\n<]*)?(?: ?<[^<>]+>)?(?::? [^\n<]{0,80})??"
    r"(?: and commented: (?P<words>.*))?",
    re.DOTALL,
)
_FILE_COMMENT = re.compile(
    r"<@[^<>]+> commented on (?:<@[^<>]+>(?:['’]s)?|their|a|an) [\w /-]{2,40}? ?<[^<>]+>: (?P<words>.*)", re.DOTALL
)
_DIRECT = re.compile(r"D[0-9A-Z]{3,}")
_GROUP_DM = "mpdm-"
KNOWN_KEYS = frozenset(
    "ts type subtype user username bot_id bot_profile app_id text thread_ts edited user_profile files blocks attachments"
    " reactions client_msg_id team user_team source_team parent_user_id reply_count reply_users_count latest_reply reply_users"
    " replies is_locked subscribed last_read upload display_as_bot x_files hidden root icons permalink channel event_ts"
    " slackdump_thread_replies".split()
)
_DEEPEST = 8  # elements inside elements of rich text
_MEDIA = {"slack_audio": "voice", "slack_video": "video", "slack_image": "photo"}


class _Edited(msgspec.Struct, gc=False):
    ts: str = ""


class _Reaction(msgspec.Struct, gc=False):
    name: str = ""
    users: list[str] | None = None


class SlackRow(msgspec.Struct):
    """A message. slackdump puts the replies of a thread into their parent."""

    ts: str
    type: str = "message"
    subtype: str | None = None
    user: str | None = None
    username: str | None = None
    bot_id: str | None = None
    text: str | None = None
    thread_ts: str | None = None
    edited: _Edited | None = None
    user_profile: dict[str, Any] | None = None
    files: list[dict[str, Any] | None] | None = None
    blocks: list[Any] | None = None
    attachments: list[Any] | None = None
    reactions: list[_Reaction] | None = None
    slackdump_thread_replies: "list[SlackRow] | None" = None


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Where a message stands. is_group_dm: a group outside the list of channels."""

    id: str
    name: str
    type: ConversationType
    is_group_dm: bool = False

    @classmethod
    def named(cls, number: str, name: str, listed: str = "") -> "SlackChannel":
        """Return a channel by its id and name.

        listed: the file of the export that lists it, if one does.
        """
        group_dm = listed == "mpims.json" or name.startswith(_GROUP_DM)
        private = listed == "dms.json" or (not listed and bool(_DIRECT.fullmatch(number)))
        return cls(number, name, "dm" if private and not group_dm else "group", group_dm)


@dataclass(frozen=True, slots=True)
class SlackPeople:
    """Who is who: display name, handle and whether it is a bot, by id."""

    known: dict[str, tuple[str, str, bool]] = field(default_factory=dict)

    def name(self, number: str) -> str:
        """Return the display name of an id; empty if it is not known."""
        return self.known.get(number, ("", "", False))[0]

    def note(self, person: "SlackPerson") -> None:
        """Remember an entry of users.json."""
        profile = person.profile or {}
        shown = profile.get("display_name") or profile.get("real_name") or person.real_name or person.name
        self.known[person.id] = (str(shown), person.name, bool(person.is_bot))


class SlackPerson(msgspec.Struct):
    """An entry of users.json, or of a list of channels."""

    id: str = ""
    name: str = ""
    real_name: str | None = None
    is_bot: bool | None = None
    profile: dict[str, Any] | None = None


def slack_message(row: SlackRow, channel: SlackChannel, people: SlackPeople) -> Message:
    """Return the message of a row."""
    user = row.user or row.bot_id or ""
    name, handle, bot = people.known.get(user, ("", "", False))
    profile = row.user_profile or {}
    shown = name or profile.get("display_name") or profile.get("real_name") or row.username or ""
    subtype = row.subtype or ""
    rich = _rich(row.blocks or []) if not row.text else _Rich(row.text)
    text = _without_upload(rich.text, subtype)
    shared = _shared(row.attachments or [], people)
    return Message(
        platform="slack",
        conversation_id=channel.id,
        conversation_type=channel.type,
        is_group_dm=channel.is_group_dm,
        conversation_name=channel.name,
        message_id=row.ts,
        sender_id=user,
        sender_name=str(shown),
        sender_handle=handle,
        is_bot=bot or bool(row.bot_id) or subtype == "bot_message",
        timestamp=_timestamp(row.ts),
        edited_at=_timestamp(row.edited.ts) if row.edited else None,
        kind="call" if subtype in _CALLS else "message" if subtype in _SPOKEN and row.type == "message" else "service",
        text=_plain(text, people) or (shared.text if shared else ""),
        quoted_text=_plain(rich.quoted, people) or (shared.text if shared and text else ""),
        forwarded_from=shared.author if shared and not text and not row.files else "",
        reply_to_id=row.thread_ts if row.thread_ts and row.thread_ts != row.ts else "",
        mentions=tuple((match[2], people.name(match[2])) for match in _MARKUP.finditer(text) if match[1] == "@"),
        attachments=tuple(_file_medium(file) for file in row.files or () if file),
        reactions=tuple(
            (f":{reaction.name}:", person, people.name(person))
            for reaction in row.reactions or ()
            for person in reaction.users or ()
        ),
    )


def _file_medium(file: dict[str, Any]) -> str:
    return _MEDIA.get(str(file.get("subtype"))) or medium_of(str(file.get("mimetype") or file.get("name") or ""))


def _without_upload(text: str, subtype: str) -> str:
    """Return the words about a file, without Slack's sentence about its upload."""
    pattern = {"file_share": _UPLOAD, "file_comment": _FILE_COMMENT}.get(subtype)
    match = pattern.fullmatch(text.strip()) if pattern else None
    return (match["words"] or "") if match else text


@dataclass(frozen=True, slots=True)
class _Shared:
    """Another message that this one shows. author: whose it is."""

    text: str
    author: str


def _shared(attachments: Sequence[Any], people: SlackPeople) -> _Shared | None:
    for attachment in attachments:
        if isinstance(attachment, dict) and (attachment.get("is_msg_unfurl") or attachment.get("is_share")):
            author = people.name(str(attachment.get("author_id") or "")) or str(attachment.get("author_name") or "")
            return _Shared(_plain(str(attachment.get("text") or ""), people), author or "somebody")
    return None


@dataclass(slots=True)
class _Rich:
    """Rich text in Slack's own markup. quoted: what of it is a quotation."""

    text: str = ""
    quoted: str = ""


def _rich(blocks: Sequence[Any]) -> _Rich:
    """Return the words of rich text: each part and each item of a list on its own line."""
    lines: list[str] = []
    quoted: list[str] = []
    for part in _parts(blocks, 0):
        target = quoted if part.get("type") == "rich_text_quote" else lines
        target.append(_inline(part, 0))
    return _Rich("\n".join(filter(None, lines)), "\n".join(filter(None, quoted)))


def _parts(blocks: Sequence[Any], depth: int) -> Iterator[dict[str, Any]]:
    """Yield the parts of text that stand below each other."""
    for block in blocks if depth < _DEEPEST else ():
        if isinstance(block, dict) and block.get("type") in ("rich_text", "rich_text_list", "actions", "context"):
            yield from _parts(block.get("elements") or [], depth + 1)
        elif isinstance(block, dict):
            yield block
            yield from _parts(block.get("fields") or [], depth + 1)


def _inline(part: dict[str, Any], depth: int) -> str:
    text, inner = part.get("text"), part.get("elements")
    match part.get("type"):
        case "user":
            return f"<@{part.get('user_id', '')}>"
        case "link":
            return f"<{part.get('url', '')}|{text}>" if text else f"<{part.get('url', '')}>"
        case "channel":
            return f"<#{part.get('channel_id', '')}>"
        case "emoji":
            return f":{part.get('name', '')}:"
        case "broadcast":
            return f"<!{part.get('range', '')}>"
        case "usergroup":
            return "<!subteam^|group>"
        case "date":
            return str(part.get("fallback") or "")
        case "color":
            return str(part.get("value") or "")
    if isinstance(text, str):
        return text
    if isinstance(text, dict):
        return str(text.get("text") or "")
    if isinstance(inner, list) and depth < _DEEPEST:
        return "".join(_inline(element, depth + 1) for element in inner if isinstance(element, dict))
    return ""


def _plain(text: str, people: SlackPeople) -> str:
    """Return a text without Slack's markup."""

    def undone(match: "re.Match[str]") -> str:
        sign, target, label = match.groups()
        if sign == "@":
            return f"@{people.name(target) or label or 'someone'}"
        if sign == "#":
            return f"#{label or target}"
        if sign == "!" and target.startswith("date^"):
            return label or ""
        if sign == "!":
            return f"@{(label or target).lstrip('@').partition('^')[0]}"
        return label if label and target.startswith(("mailto:", "tel:")) else target

    text = _MARKUP.sub(undone, text)
    for entity, char in _ENTITIES.items():
        text = text.replace(entity, char)
    return text


def _timestamp(ts: str) -> float | None:
    try:
        return datetime.fromtimestamp(float(ts), UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
