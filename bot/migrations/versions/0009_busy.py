"""Indexes for busy channels: what policy asks of each message costs the same, however many wait or were answered."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add three indexes, one of which takes an older one's place."""
    op.create_index("inbox_channel", "inbox", ["account", "channel", "verdict", "settled_at", "id"])
    op.create_index("inbox_author", "inbox", ["account", "author_id", "verdict", "settled_at"])
    op.drop_index("inbox_settled", "inbox")
    its_own = sa.text("author_id = ''")
    op.create_index(
        "memory_own", "memory", ["account", "channel", "id"], sqlite_where=its_own, postgresql_where=its_own
    )
