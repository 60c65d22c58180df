"""Which post a correction is of and who made it, and which adapter said a post."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add columns to corrections and outbox."""
    for table, name in (("corrections", "message_id"), ("corrections", "author_id"), ("outbox", "adapter")):
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
