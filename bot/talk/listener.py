"""From a gateway's message to what the store keeps of it: speaker key, lines, nothing of people who opted out."""

from collections.abc import Sequence

from bot.gateway import IncomingMessage
from bot.store import BotStore, InboundMessage, Participant
from bot.talk.speakers import live_key
from persona.bundle import Seal
from persona.config import Settings
from persona.turn_lines import plain_lines

LONGEST_NAME = 80  # characters of a display name that are kept


class Listener:
    """Every outside string passes through here: nothing anybody calls themselves, types or attaches can forge a turn,
    or fail to be stored."""

    def __init__(self, store: BotStore, settings: Settings, seal: Seal) -> None:
        self._store = store
        self._settings = settings
        self._seal = seal

    async def parse(self, account: str, messages: Sequence[IncomingMessage]) -> list[InboundMessage]:
        """Return the messages as the store keeps them, without those of people who opted out. The account's own become the
        persona's."""
        own = account.partition(":")[2]
        authors, channels = {message.author_id for message in messages}, {message.channel for message in messages}
        participants = await self._store.people.participants(account, authors, channels)
        kept = [message for message in messages if message.author_id not in participants.opted_out]
        return [await self._parsed(account, message, own, participants.by_channel[message.channel]) for message in kept]

    async def _parsed(
        self, account: str, message: IncomingMessage, own: str, here: dict[str, Participant]
    ) -> InboundMessage:
        place = (account, message.channel, message.message_id)
        lines, at, is_dm = self.lines_of(message), message.at, message.is_dm
        if message.author_id == own:
            return InboundMessage(*place, "", self._seal.speaker, lines, at, is_dm, reply_to=message.reply_to)
        known = here.get(message.author_id)
        participant = known or await self._new_participant(account, message, here)
        name = None if known else participant.name
        return InboundMessage(
            *place,
            message.author_id,
            participant.speaker,
            lines,
            at,
            is_dm,
            name=name,
            reply_to=message.reply_to,
            to_persona=message.mention,
        )

    def lines_of(self, message: IncomingMessage) -> tuple[str, ...]:
        """Return what is remembered of a message. One that only mentions the persona still triggers."""
        attached = (" ".join(plain_lines(medium)) for medium in message.attachments)
        lines = plain_lines(message.text) + tuple(f"[{medium}]" for medium in attached)
        return lines or (f"@{self._settings.persona.name}",)

    async def _new_participant(
        self, account: str, message: IncomingMessage, here: dict[str, Participant]
    ) -> Participant:
        """Give a new author a speaker key in the channel, the same for as long as they are remembered there."""
        name = " ".join(plain_lines(message.author_name))[:LONGEST_NAME]
        taken = {participant.speaker for participant in here.values()}
        taken |= await self._store.people.alike(account, message.channel, name)
        platform = message.channel.partition(":")[0]
        key = live_key(self._settings, self._seal, platform, message.author_id, name, taken)
        here[message.author_id] = participant = Participant(key, name)
        return participant
