"""Drafts for an owner: connections to their chats, approvals by contact, corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add three tables."""
    op.create_table("connections", *_key("account", "owner"), *_text("connection"))
    approved = sa.Column("approved", sa.Integer, nullable=False)
    op.create_table("contacts", *_key("account", "channel"), approved)
    op.create_table(
        "corrections",
        sa.Column("id", _KEY, primary_key=True),
        *_text("account", "channel", "prompt", "wrong", "right", "adapter", "authors"),
        sa.Column("at", sa.Float, nullable=False),
    )


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
