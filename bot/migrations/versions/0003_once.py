"""When a post may be tried again; how old watermarks, fillings and moves are; the settings a due time was drawn from."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns. What has no date yet is dated now, so that the next purge leaves it alone."""
    op.add_column("outbox", sa.Column("not_before", sa.Float, nullable=False, server_default="0"))
    op.add_column("schedule", sa.Column("drawn_from", sa.Text, nullable=False, server_default=""))
    for table in ("watermarks", "filled", "moves"):
        op.add_column(table, sa.Column("at", sa.Float, nullable=False, server_default="0"))
        op.execute(sa.text(f"update {table} set at = :now").bindparams(now=time.time()))
