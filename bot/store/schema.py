"""The tables of the store. A change here needs a migration in bot/migrations/versions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal_column,
)

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in INTEGER PRIMARY KEY


def _key(*names: str) -> list[Column[str]]:
    return [Column(name, Text, primary_key=True) for name in names]


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _later(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False, server_default="") for name in names]


def _moment() -> Column[float]:
    return Column("at", Float, nullable=False, server_default="0")


inbox = Table(
    "inbox",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("account", "channel", "message_id", "author_id"),
    Column("is_dm", Boolean, nullable=False),
    Column("called", Text, key="trigger", nullable=False, server_default="mention"),
    Column("at", Float, nullable=False),
    Column("due_at", Float, nullable=False, server_default="0"),
    Column("verdict", Text),
    Column("reason", Text),
    Column("settled_at", Float),
    UniqueConstraint("account", "channel", "message_id"),
    Index("inbox_open", "account", "verdict"),
    Index("inbox_channel", "account", "channel", "verdict", "settled_at", "id"),
    Index("inbox_author", "account", "author_id", "verdict", "settled_at"),
)

IS_UNPROMPTED = inbox.c.trigger == literal_column("'unprompted'")
_ASKED_BY_NOBODY = (inbox.c[name] for name in ("account", "channel", "verdict", "settled_at"))
Index("inbox_unprompted", *_ASKED_BY_NOBODY, sqlite_where=IS_UNPROMPTED, postgresql_where=IS_UNPROMPTED)

memory = Table(
    "memory",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("account", "channel", "message_id", "author_id", "speaker", "lines"),
    Column("at", Float, nullable=False),
    Column("reply_to", Text, nullable=False, server_default=""),
    Column("to_persona", Boolean, nullable=False, server_default=false()),
    *_later("quoted_author", "quoted_speaker", "quoted", "forwarded_author"),
    UniqueConstraint("account", "channel", "message_id"),
    Index("memory_channel", "account", "channel", "id"),
    Index("memory_answers", "account", "channel", "reply_to"),
    Index("memory_author", "author_id"),
)
IS_OWN = memory.c.author_id == literal_column("''")  # the persona's; a bound value would keep its index from being used
IS_QUOTED = memory.c.quoted_author != literal_column("''")
Index("memory_quoted", memory.c.quoted_author, sqlite_where=IS_QUOTED, postgresql_where=IS_QUOTED)
Index(
    "memory_own",
    *(memory.c[name] for name in ("account", "channel", "id")),
    sqlite_where=IS_OWN,
    postgresql_where=IS_OWN,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("account", "channel", "origin"),
    Column("part", Integer, nullable=False),
    *_text("text", "reply_to", "after", "state"),
    Column("said", Text, nullable=False, server_default=""),
    Column("message_id", Text),
    Column("at", Float, nullable=False),
    Column("not_before", Float, nullable=False, server_default="0"),
    Column("introduces", Text, nullable=False, server_default=""),
    *_later("adapter"),
    Column("post_type", Text, nullable=False, server_default="text"),
    UniqueConstraint("account", "channel", "origin", "part"),
    Index("outbox_open", "account", "state"),
)

watermarks = Table("watermarks", metadata, *_key("account", "channel"), *_text("message_id"), _moment())
accounts = Table("accounts", metadata, *_key("account"), Column("connected_at", Float, nullable=False))
schedule = Table(
    "schedule",
    metadata,
    *_key("name"),
    Column("due_at", Float, nullable=False),
    Column("drawn_from", Text, nullable=False, server_default=""),
)
filled = Table("filled", metadata, *_key("account", "channel"), _moment())
moves = Table("moves", metadata, *_key("account", "old"), *_text("new"), _moment())
silences = Table("silences", metadata, *_key("account", "channel"), Column("until", Float))
surroundings = Table(
    "surroundings", metadata, *_key("account", "channel", "place"), Column("rank", Integer, nullable=False), _moment()
)
introductions = Table("introductions", metadata, *_key("account", "channel", "author_id"), _moment())
disabled_targets = Table(
    "dead_targets", metadata, *_key("account", "channel"), *_text("reason"), Column("at", Float, nullable=False)
)
participants = Table(
    "bearers",
    metadata,
    *_key("account", "channel", "author_id"),
    *_text("speaker", "name"),
    Column("skeleton", Text, nullable=False, server_default=""),
    Index("bearers_alike", "account", "channel", "skeleton"),
)
stickers = Table("stickers", metadata, *_key("account", "channel", "name"), *_text("sticker_id"), _moment())
optouts = Table("optouts", metadata, *_key("platform", "author_id"), Column("at", Float, nullable=False))
access_requests = Table("knocks", metadata, *_key("account", "place"), Column("at", Float, nullable=False))

answers = Table(
    "answers",
    metadata,
    *_key("account", "channel", "origin"),
    *_text("prompt", "completion", "adapter", "authors"),
    Column("at", Float, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    *_key("account", "channel", "message_id", "author_id"),
    Column("score", Integer, nullable=False),
    *_text("prompt", "completion", "adapter", "authors"),
    Column("at", Float, nullable=False),
)

connections = Table("connections", metadata, *_key("account", "owner"), *_text("connection"))
contacts = Table("contacts", metadata, *_key("account", "channel"), Column("approved", Integer, nullable=False))
corrections = Table(
    "corrections",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("account", "channel", "prompt", "wrong", "right", "adapter", "authors"),
    *_later("message_id", "author_id"),
    Column("at", Float, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("words", "author"),
    Column("at", Float, nullable=False),
)

tweeted = Table(
    "tweeted",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("text"),
    Column("at", Float, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _Key, primary_key=True),
    *_text("account", "content", "reason"),
    Column("at", Float, nullable=False),
)
