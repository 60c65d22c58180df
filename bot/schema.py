"""The tables of the store. A change here needs a migration in bot/migrations/versions."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in INTEGER PRIMARY KEY

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("is_dm", Boolean, nullable=False),
    Column("at", Float, nullable=False),
    Column("verdict", Text),
    Column("reason", Text),
    Column("settled_at", Float),
    UniqueConstraint("account", "channel", "message_id"),
    Index("inbox_open", "account", "verdict"),
)

memory = Table(
    "memory",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("lines", Text, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("account", "channel", "message_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("reply_to", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message_id", Text),
    Column("at", Float, nullable=False),
    UniqueConstraint("account", "channel", "origin", "part"),
    Index("outbox_open", "account", "state"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("connected_at", Float, nullable=False),
)

speakers = Table(
    "speakers",
    metadata,
    Column("account", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("author_id", Text, primary_key=True),
    Column("speaker", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("account", "channel", "speaker"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", Float, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("account", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)
