"""Accounts and channels: watermarks, silences, new ids, targets that can't be reached."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from bot.store.database import written
from bot.store.inserts import insert_new, upsert
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import (
    accounts,
    answers,
    disabled_targets,
    feedback,
    filled,
    inbox,
    introductions,
    memory,
    moves,
    outbox,
    participants,
    quarantine,
    silences,
    stickers,
    surroundings,
    watermarks,
)

EVERYWHERE = ""  # the channel of a silence that holds in all of them
DISABLED_SECONDS = 86400.0  # after which a target is tried again: a platform may have been at fault for hours


class Channels(Repository):
    """What is kept by account and channel."""

    @reading
    def watermarks(self, read: sa.Connection, account: str) -> dict[str, str]:
        """Return the last committed message id of each channel."""
        query = sa.select(watermarks.c.channel, watermarks.c.message_id).where(watermarks.c.account == account)
        return dict(read.execute(query).tuples().all())

    @transaction
    def keep_connected(self, write: sa.Connection, account: str, at: float) -> None:
        """Note until when an account received everything, UTC seconds."""
        upsert(write, accounts, {"account": account, "connected_at": at})

    @reading
    def connected_at(self, read: sa.Connection, account: str) -> float | None:
        """Return until when an account received everything; None for a new one."""
        return read.execute(sa.select(accounts.c.connected_at).where(accounts.c.account == account)).scalar() or None

    @transaction
    def keep_account(self, write: sa.Connection, account: str) -> None:
        """Note that an account uses this store."""
        insert_new(write, accounts, {"account": account, "connected_at": 0.0})

    @reading
    def accounts(self, read: sa.Connection, platform: str) -> list[str]:
        """Return the accounts of a platform that used this store, the last connected first."""
        here = accounts.c.account.startswith(f"{platform}:", autoescape=True)
        query = sa.select(accounts.c.account).where(here).order_by(accounts.c.connected_at.desc())
        return list(read.execute(query).scalars())

    @transaction
    def silence(self, write: sa.Connection, account: str, channel: str, until: float | None) -> None:
        """Be quiet in a channel (EVERYWHERE: in all) until then; None: until `unsilence`."""
        upsert(write, silences, {"account": account, "channel": channel, "until": until})

    @transaction
    def unsilence(self, write: sa.Connection, account: str, channel: str) -> bool:
        """Speak again. Returns False if it wasn't quiet."""
        return bool(write.execute(_here(silences.delete(), silences, account, channel)).rowcount)

    @reading
    def is_silent(self, read: sa.Connection, account: str, channel: str) -> bool:
        """Return whether the persona was told to be quiet there."""
        place = {"account": account, "channel": channel, "now": self.database.clock()}
        return read.execute(sa.select(silences.c.until).where(SILENT), place).first() is not None

    @reading
    def surroundings(self, read: sa.Connection, account: str) -> dict[str, tuple[str, ...]]:
        """Return what each channel lies in, the nearest first."""
        query = sa.select(surroundings.c.channel, surroundings.c.place).where(surroundings.c.account == account)
        inside: dict[str, tuple[str, ...]] = {}
        for channel, place in read.execute(query.order_by(surroundings.c.rank)):
            inside[channel] = (*inside.get(channel, ()), place)
        return inside

    @reading
    def disabled_targets(self, read: sa.Connection, account: str) -> set[str]:
        """Return the channels that tweets could not reach within the last day."""
        lately = disabled_targets.c.at > self.database.clock() - DISABLED_SECONDS
        query = sa.select(disabled_targets.c.channel).where(disabled_targets.c.account == account, lately)
        return set(read.execute(query).scalars())

    @transaction
    def disable_target(self, write: sa.Connection, account: str, channel: str, reason: str) -> None:
        """Note that tweets can't reach a channel."""
        grave = {"account": account, "channel": channel, "reason": reason, "at": self.database.clock()}
        upsert(write, disabled_targets, grave)

    @transaction
    def enable_targets(self, write: sa.Connection, account: str) -> None:
        """Try every target again after a restart: its cause may have been fixed."""
        write.execute(disabled_targets.delete().where(disabled_targets.c.account == account))

    @reading
    def moves(self, read: sa.Connection, account: str) -> dict[str, str]:
        """Return the chats that got a new id: old -> new."""
        query = sa.select(moves.c.old, moves.c.new).where(moves.c.account == account)
        return dict(read.execute(query).tuples().all())

    @transaction
    def move(self, write: sa.Connection, account: str, old: str, new: str) -> None:
        """A channel has a new name: everything known of it goes along. Message ids begin anew there, so the old ones get
        the old name before them."""
        marked = (inbox, memory)
        upsert(write, moves, {"account": account, "old": old, "new": new, "at": self.database.clock()})
        for table in (
            introductions,
            participants,
            filled,
            silences,
            stickers,
            watermarks,
        ):  # what is known of the old place goes before
            if write.execute(_here(table.select(), table, account, old)).first():
                write.execute(_here(table.delete(), table, account, new))
        others = (introductions, participants, filled, silences, stickers, watermarks)
        for table in (*marked, outbox, answers, feedback, *others):
            changed: dict[str, Any] = {"channel": new}
            if table in marked:
                changed["message_id"] = f"{old}/" + table.c.message_id
                if table is memory:
                    changed["reply_to"] = sa.case((table.c.reply_to != "", f"{old}/" + table.c.reply_to), else_="")
            elif table in (outbox, answers):
                changed["origin"] = sa.func.replace(table.c.origin, "inbox:", f"inbox:{old}/")
            write.execute(_here(table.update(), table, account, old).values(changed))

    @transaction
    def quarantine(self, write: sa.Connection, account: str, content: str, reason: str) -> None:
        """Keep an update that can't be parsed, as ASCII."""
        kept = {"account": account, "content": written([content]), "reason": reason, "at": self.database.clock()}
        write.execute(quarantine.insert().values(kept))


def keep_surroundings(write: sa.Connection, account: str, channel: str, inside: Sequence[str], now: float) -> None:
    """Note what a channel lies in, the nearest first."""
    write.execute(_here(surroundings.delete(), surroundings, account, channel))
    for rank, place in enumerate(inside):
        row = {"account": account, "channel": channel, "place": place, "rank": rank, "at": now}
        write.execute(surroundings.insert().values(row))


def _here(statement: Any, table: sa.Table, account: str, channel: str) -> Any:
    return statement.where(table.c.account == account, table.c.channel == channel)


# The silences that hold in a channel or in what it lies in; on the way of every message.
_AROUND = sa.select(surroundings.c.place).where(
    surroundings.c.account == bindparam("account"), surroundings.c.channel == bindparam("channel")
)
SILENT = (
    (silences.c.account == bindparam("account"))
    & (silences.c.channel.in_((EVERYWHERE, bindparam("channel"))) | silences.c.channel.in_(_AROUND))
    & (silences.c.until.is_(None) | (silences.c.until > bindparam("now")))
)
