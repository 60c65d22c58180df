"""What the persona was told to remember, in its own words."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a table."""
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    texts = [sa.Column(name, sa.Text, nullable=False) for name in ("words", "author")]
    op.create_table("notes", sa.Column("id", key, primary_key=True), *texts, sa.Column("at", sa.Float, nullable=False))
