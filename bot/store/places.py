"""Accounts and channels: what was heard of them, where it is quiet, where posts can't go any more."""

from typing import Any

import sqlalchemy as sa

from bot.store.database import Database, written
from bot.store.schema import (
    accounts,
    answers,
    bearers,
    dead_targets,
    feedback,
    filled,
    inbox,
    memory,
    moves,
    outbox,
    quarantine,
    silences,
    watermarks,
)

EVERYWHERE = ""  # the channel of a silence that holds in all of them


class Places:
    """What is kept by account and channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def watermarks(self, account: str) -> dict[str, str]:
        """The last committed message id of each channel."""
        query = sa.select(watermarks.c.channel, watermarks.c.message_id).where(watermarks.c.account == account)
        return {str(row[0]): str(row[1]) for row in await self._database.rows(query)}

    async def keep_connected(self, account: str, at: float) -> None:
        """Note until when an account heard everything, UTC seconds."""
        await self._keep(accounts, {"account": account}, {"connected_at": at})

    async def connected_at(self, account: str) -> float | None:
        """Until when an account heard everything; None for a new one."""
        rows = await self._database.rows(sa.select(accounts.c.connected_at).where(accounts.c.account == account))
        return float(rows[0][0]) or None if rows else None

    async def keep_account(self, account: str) -> None:
        """Note that an account speaks from this store."""
        async with self._database.write() as write:
            await write.execute(self._database.insert_new(accounts, {"account": account, "connected_at": 0.0}))

    async def accounts(self, platform: str) -> list[str]:
        """The accounts of a platform that spoke from this store, the one that was connected last first."""
        here = accounts.c.account.startswith(f"{platform}:", autoescape=True)
        query = sa.select(accounts.c.account).where(here).order_by(accounts.c.connected_at.desc())
        return [str(row[0]) for row in await self._database.rows(query)]

    async def silence(self, account: str, channel: str, until: float | None) -> None:
        """Be quiet in a channel (EVERYWHERE: in all) until then; None is until told otherwise."""
        await self._keep(silences, {"account": account, "channel": channel}, {"until": until})

    async def unsilence(self, account: str, channel: str) -> bool:
        """Speak again. False where it wasn't quiet."""
        async with self._database.write() as write:
            which = (silences.c.account == account) & (silences.c.channel == channel)
            return bool((await write.execute(silences.delete().where(which))).rowcount)

    async def is_silent(self, account: str, channel: str) -> bool:
        """Whether the persona was told to be quiet there."""
        query = sa.select(silences.c.until).where(silent_in(account, channel, self._database.clock()))
        return bool(await self._database.rows(query))

    async def dead_targets(self, account: str) -> set[str]:
        """Where tweets can't go any more."""
        query = sa.select(dead_targets.c.channel).where(dead_targets.c.account == account)
        return {str(row[0]) for row in await self._database.rows(query)}

    async def bury(self, account: str, channel: str, reason: str) -> None:
        """Note that tweets can't go there."""
        now = self._database.clock()
        await self._keep(dead_targets, {"account": account, "channel": channel}, {"reason": reason, "at": now})

    async def revive(self, account: str) -> None:
        """Try every target again: what was wrong may be mended by whoever started the process anew."""
        async with self._database.write() as write:
            await write.execute(dead_targets.delete().where(dead_targets.c.account == account))

    async def moves(self, account: str) -> dict[str, str]:
        """Chats that have a new id: old -> new."""
        query = sa.select(moves.c.old, moves.c.new).where(moves.c.account == account)
        return {str(row[0]): str(row[1]) for row in await self._database.rows(query)}

    async def move(self, account: str, old: str, new: str) -> None:
        """A channel has a new name: everything known of it goes along. Message ids begin anew there, so the old ones get
        the old name before them."""
        marked = (inbox, memory)
        async with self._database.write() as write:
            await write.execute(self._database.upsert(moves, {"account": account, "old": old}, {"new": new}))
            for table in (bearers, filled, silences, watermarks):  # what is known of the old place goes before
                if (await write.execute(_here(table.select(), table, account, old))).first():
                    await write.execute(_here(table.delete(), table, account, new))
            for table in (*marked, outbox, answers, feedback, bearers, filled, silences, watermarks):
                changed: dict[str, Any] = {"channel": new}
                if table in marked:
                    changed["message_id"] = f"{old}/" + table.c.message_id
                elif table in (outbox, answers):
                    changed["origin"] = sa.func.replace(table.c.origin, "inbox:", f"inbox:{old}/")
                await write.execute(_here(table.update(), table, account, old).values(changed))

    async def quarantine(self, account: str, content: str, reason: str) -> None:
        """Put an unreadable update away, as ASCII."""
        values = {"account": account, "content": written([content]), "reason": reason, "at": self._database.clock()}
        async with self._database.write() as write:
            await write.execute(quarantine.insert().values(values))

    async def _keep(self, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        async with self._database.write() as write:
            await write.execute(self._database.upsert(table, key, values))


def _here(statement: Any, table: sa.Table, account: str, channel: str) -> Any:
    return statement.where(table.c.account == account, table.c.channel == channel)


def silent_in(account: str, channel: str, now: float) -> sa.ColumnElement[bool]:
    """The silences that hold in a channel."""
    there = (silences.c.account == account) & silences.c.channel.in_((EVERYWHERE, channel))
    return there & (silences.c.until.is_(None) | (silences.c.until > now))
