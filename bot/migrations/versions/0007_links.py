"""The words that messages answer and pass on; which stickers were seen; what kind of post waits."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add columns and a table."""
    for name in ("quoted_author", "quoted_speaker", "quoted", "forwarded_author"):
        op.add_column("memory", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_index("memory_answers", "memory", ["account", "channel", "reply_to"])
    op.add_column("outbox", sa.Column("post_type", sa.Text, nullable=False, server_default="text"))
    op.create_table(
        "stickers",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("account", "channel", "name")),
        sa.Column("sticker_id", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False, server_default="0"),
    )
