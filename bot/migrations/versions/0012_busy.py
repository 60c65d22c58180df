"""Indexes for busy channels: what policy asks of each message costs the same, however many wait or were answered."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add five indexes, one of which takes an older one's place."""
    op.create_index("inbox_channel", "inbox", ["account", "channel", "verdict", "settled_at", "id"])
    op.create_index("inbox_author", "inbox", ["account", "author_id", "verdict", "settled_at"])
    op.drop_index("inbox_settled", "inbox")
    its_own = sa.text("author_id = ''")
    place = ["account", "channel", "id"]
    op.create_index("memory_own", "memory", place, sqlite_where=its_own, postgresql_where=its_own)
    of_somebody = sa.text("quoted_author <> ''")
    op.create_index(
        "memory_quoted", "memory", ["quoted_author"], sqlite_where=of_somebody, postgresql_where=of_somebody
    )
    by_nobody = sa.text("called = 'unprompted'")
    place = ["account", "channel", "verdict", "settled_at"]
    op.create_index("inbox_unprompted", "inbox", place, sqlite_where=by_nobody, postgresql_where=by_nobody)
