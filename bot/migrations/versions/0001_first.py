"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    """Inbox, memory, outbox, accounts, watermarks, speakers, schedule, quarantine."""
    op.create_table(
        "inbox",
        sa.Column("id", _KEY, primary_key=True),
        *_text("account", "channel", "message_id", "author_id"),
        sa.Column("is_dm", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("settled_at", sa.Float),
        sa.UniqueConstraint("account", "channel", "message_id"),
    )
    op.create_index("inbox_open", "inbox", ["account", "verdict"])
    op.create_table(
        "memory",
        sa.Column("id", _KEY, primary_key=True),
        *_text("account", "channel", "message_id", "author_id", "speaker", "lines"),
        sa.Column("at", sa.Float, nullable=False),
        sa.UniqueConstraint("account", "channel", "message_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _KEY, primary_key=True),
        *_text("account", "channel", "origin"),
        sa.Column("part", sa.Integer, nullable=False),
        *_text("text", "reply_to", "after", "state"),
        sa.Column("message_id", sa.Text),
        sa.Column("at", sa.Float, nullable=False),
        sa.UniqueConstraint("account", "channel", "origin", "part"),
    )
    op.create_index("outbox_open", "outbox", ["account", "state"])
    op.create_table("accounts", *_keys("account"), sa.Column("connected_at", sa.Float, nullable=False))
    op.create_table("watermarks", *_keys("account", "channel"), *_text("message_id"))
    op.create_table(
        "speakers",
        *_keys("account", "channel", "author_id"),
        *_text("speaker", "name"),
        sa.UniqueConstraint("account", "channel", "speaker"),
    )
    op.create_table("schedule", *_keys("name"), sa.Column("due_at", sa.Float, nullable=False))
    op.create_table(
        "quarantine",
        sa.Column("id", _KEY, primary_key=True),
        *_text("account", "content", "reason"),
        sa.Column("at", sa.Float, nullable=False),
    )


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]
