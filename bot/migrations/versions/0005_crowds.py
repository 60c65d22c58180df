"""What a speaker key looks like, so that look-alikes are found without reading everybody in a channel."""

import sqlalchemy as sa
from alembic import op

from persona.names import skeleton

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column with its index, and fill it."""
    op.add_column("bearers", sa.Column("skeleton", sa.Text, nullable=False, server_default=""))
    write = op.get_bind()
    keys = write.execute(sa.text("select distinct speaker from bearers")).scalars().all()
    filled = [{"speaker": key, "skeleton": skeleton(key)} for key in keys]
    if filled:
        write.execute(sa.text("update bearers set skeleton = :skeleton where speaker = :speaker"), filled)
    op.create_index("bearers_alike", "bearers", ["account", "channel", "skeleton"])
