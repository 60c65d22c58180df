"""When a message is to be answered, if the persona takes its time."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a column; what waits already is due."""
    op.add_column("inbox", sa.Column("due_at", sa.Float, nullable=False, server_default="0"))
