"""What a remembered message answers by a link, and whether it addresses the persona."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add columns; of what was remembered before nothing is known."""
    op.add_column("memory", sa.Column("reply_to", sa.Text, nullable=False, server_default=""))
    op.add_column("memory", sa.Column("to_persona", sa.Boolean, nullable=False, server_default=sa.false()))
