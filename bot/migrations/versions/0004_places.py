"""What channels lie in; to whom the persona has introduced itself, and which posts do that."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two tables and a column."""
    rank = sa.Column("rank", sa.Integer, nullable=False)
    op.create_table("surroundings", *_key("account", "channel", "place"), rank, _moment())
    op.create_table("introductions", *_key("account", "channel", "author_id"), _moment())
    op.add_column("outbox", sa.Column("introduces", sa.Text, nullable=False, server_default=""))


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _moment() -> sa.Column[float]:
    return sa.Column("at", sa.Float, nullable=False, server_default="0")
