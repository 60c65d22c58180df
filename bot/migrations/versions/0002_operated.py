"""What called, what was said, who opted out, who is quiet, feedback, targets that died, groups that moved."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """New columns and tables; `speakers` becomes `bearers`, where two accounts of one person may share a key."""
    op.add_column("inbox", sa.Column("called", sa.Text, nullable=False, server_default="mention"))
    op.create_index("inbox_settled", "inbox", ["account", "settled_at"])
    op.create_index("memory_channel", "memory", ["account", "channel", "id"])
    op.create_index("memory_author", "memory", ["author_id"])
    op.add_column("outbox", sa.Column("said", sa.Text, nullable=False, server_default=""))
    same = "'inbox:' || inbox.id = outbox.origin"
    op.execute(
        f"update outbox set origin = (select 'inbox:' || inbox.message_id from inbox where {same}) "
        f"where exists (select 1 from inbox where {same})"
    )
    op.create_table("bearers", *_key("account", "channel", "author_id"), *_text("speaker", "name"))
    op.execute(
        "insert into bearers (account, channel, author_id, speaker, name) "
        "select account, channel, author_id, speaker, name from speakers"
    )
    op.drop_table("speakers")
    op.create_table("filled", *_key("account", "channel"))
    op.create_table("moves", *_key("account", "old"), *_text("new"))
    op.create_table("silences", *_key("account", "channel"), sa.Column("until", sa.Float))
    op.create_table("dead_targets", *_key("account", "channel"), *_text("reason"), _moment())
    op.create_table("optouts", *_key("platform", "author_id"), _moment())
    op.create_table("knocks", *_key("account", "place"), _moment())
    kept = ("prompt", "completion", "adapter", "authors")
    op.create_table("answers", *_key("account", "channel", "origin"), *_text(*kept), _moment())
    op.create_table(
        "feedback",
        *_key("account", "channel", "message_id", "author_id"),
        sa.Column("score", sa.Integer, nullable=False),
        *_text(*kept),
        _moment(),
    )
    op.create_table("tweeted", sa.Column("id", _KEY, primary_key=True), *_text("text"), _moment())


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _moment() -> sa.Column[float]:
    return sa.Column("at", sa.Float, nullable=False)
