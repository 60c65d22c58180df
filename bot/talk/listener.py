"""From what a gateway hands over to what the store keeps: under which key, in which lines, and of whom nothing."""

from collections.abc import Iterable, Sequence

from bot.gateways.base import IncomingMessage
from bot.store import Bearer, Heard, Store
from bot.talk.speakers import live_key
from persona.bundle import Seal
from persona.config import Settings
from persona.transcript import plain_lines

LONGEST_NAME = 80  # characters of a display name that are kept


class Listener:
    """Every outside string passes through here: nothing anybody calls themselves, types or attaches can forge a turn,
    or fail to be stored."""

    def __init__(self, store: Store, settings: Settings, seal: Seal) -> None:
        self._store = store
        self._settings = settings
        self._seal = seal

    async def heard(self, account: str, messages: Sequence[IncomingMessage]) -> list[Heard]:
        """The messages as the store keeps them, without those of people who opted out. The account's own become the
        persona's."""
        platform, _, own = account.partition(":")
        out = await self._store.people.opted_out(platform, {one.author_id for one in messages})
        kept = [one for one in messages if one.author_id not in out]
        bearers = {channel: await self._store.people.bearers(account, channel) for channel in _channels(kept)}
        found: list[Heard] = []
        for one in kept:
            mine = one.author_id == own
            key = self._seal.speaker if mine else await self._key(account, one, bearers[one.channel])
            place = (account, one.channel, one.message_id, "" if mine else one.author_id)
            found.append(Heard(*place, key, self.lines_of(one), one.at, one.is_dm))
        return found

    def lines_of(self, message: IncomingMessage) -> tuple[str, ...]:
        """What is remembered of a message. One that only mentions the persona still calls."""
        attached = (" ".join(plain_lines(kind)) for kind in message.attachments)
        lines = plain_lines(message.text) + tuple(f"[{kind}]" for kind in attached)
        return lines or (f"@{self._settings.persona.name}",)

    async def _key(self, account: str, message: IncomingMessage, here: dict[str, Bearer]) -> str:
        """The key of the author in this channel; the same for as long as the channel is known."""
        if known := here.get(message.author_id):
            return known.speaker
        name = " ".join(plain_lines(message.author_name))[:LONGEST_NAME]
        taken = {bearer.speaker for bearer in here.values()}
        platform = message.channel.partition(":")[0]
        bearer = Bearer(live_key(self._settings, self._seal, platform, message.author_id, name, taken), name)
        await self._store.people.keep_bearer(account, message.channel, message.author_id, bearer)
        here[message.author_id] = bearer
        return bearer.speaker


def _channels(messages: Iterable[IncomingMessage]) -> set[str]:
    return {one.channel for one in messages}
