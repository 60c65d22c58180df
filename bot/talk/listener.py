"""From a gateway's message to what the store keeps of it: speaker key, lines, nothing of people who opted out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.gateway import Author, IncomingMessage, IncomingReaction, QuotedMessage
from bot.store import BotStore, HistoryMessage, InboundMessage, Participant, Participants
from bot.store.records import reaction_id
from bot.talk.speakers import live_key
from persona.bundle import Seal
from persona.config import Settings
from persona.markers import attached, forwarded, medium, reaction, reaction_of, typed
from persona.names import normalise
from persona.platforms import NAMES
from persona.transcript import UNKNOWN, quote
from persona.turn_lines import plain_lines

LONGEST_NAME = 80  # characters of a display name that are kept


class Content(Protocol):
    """What a message holds, whoever wrote it."""

    @property
    def text(self) -> str: ...

    @property
    def attachments(self) -> tuple[str, ...]: ...

    @property
    def captioned(self) -> tuple[tuple[str, str], ...]: ...


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
        everybody = {number for message in messages for number in _people_in(message)}
        people = await self._store.people.participants(account, everybody, {message.channel for message in messages})
        hidden = people.opted_out | self._blocked(account)
        kept = [message for message in messages if message.author_id not in hidden]
        return [await self._parsed(message, _Here(account, people, hidden, message.channel)) for message in kept]

    async def parse_reaction(self, account: str, incoming: IncomingReaction) -> InboundMessage | None:
        """Return a reaction as the store keeps it; None if its author opted out, or it is none that can be written."""
        emoji = incoming.emoji
        if reaction_of(reaction(emoji)) != emoji or plain_lines(emoji) != (emoji,):
            return None
        row = reaction_id(incoming.message_id, incoming.author_id, emoji)
        message = IncomingMessage(incoming.channel, row, incoming.author_id, incoming.author_name, "", incoming.at)
        message = replace(message, is_named_here=incoming.is_named_here)
        parsed = await self.parse(account, [message])
        return replace(parsed[0], lines=(reaction(emoji),), reply_to=incoming.message_id) if parsed else None

    async def parse_quote(
        self, account: str, channel: str, answer: HistoryMessage, answered: IncomingMessage
    ) -> InboundMessage | None:
        """Return a remembered message with what it answers, which was looked up. None if its author opted out."""
        author = Author(answered.author_id, answered.author_name)
        contents = (answered.text, answered.attachments, answered.captioned)
        quoted = QuotedMessage(answered.message_id, author, *contents)
        message = IncomingMessage(channel, answer.message_id, answer.author_id, "", "", answer.at, quoted=quoted)
        parsed = await self.parse(account, [message])
        return parsed[0] if parsed else None

    async def lines_now(self, account: str, message: IncomingMessage) -> tuple[str, ...]:
        """Return what is remembered of a message that was edited."""
        people = await self._store.people.participants(account, _people_in(message), {message.channel})
        hidden = people.opted_out | self._blocked(account)
        return await self._lines(message, _Here(account, people, hidden, message.channel))

    def _blocked(self, account: str) -> set[str]:
        """Return the ids of people whom the settings block."""
        platform = account.partition(":")[0]
        return set(getattr(self._settings, platform).block) if platform in NAMES else set()

    async def _parsed(self, message: IncomingMessage, here: "_Here") -> InboundMessage:
        inbound = InboundMessage(
            here.account,
            message.channel,
            message.message_id,
            author_id="" if message.author_id == here.own else message.author_id,
            speaker=self._seal.speaker,
            lines=await self._lines(message, here),
            at=message.at,
            is_dm=message.is_dm,
            reply_to=message.reply_to,
            to_persona=message.mention,
            forwarded_author=_known(message.forwarded_from, here),
        )
        if message.sticker_id:
            inbound = replace(inbound, sticker=_sticker(message), sticker_id=message.sticker_id)
        if message.quoted:
            inbound = await self._with_quote(inbound, message.quoted, here)
        if message.author_id == here.own:
            return inbound
        known = here.people.get(message.author_id)
        participant = await self._participant(message, known, here)
        name = None if participant == known else participant.name
        return replace(inbound, speaker=participant.speaker, name=name)

    async def _lines(self, message: IncomingMessage, here: "_Here") -> tuple[str, ...]:
        """What is remembered of a message. One that only mentions the persona still triggers."""
        lines = lines_of(message)
        if message.forwarded_from:
            said = (UNKNOWN,) if message.forwarded_from.id in here.hidden else lines
            return forwarded(await self._key(message.forwarded_from, here), said)
        calls = message.mention or message.reply or message.is_dm
        return lines or ((f"@{self._settings.persona.name}",) if calls else ())

    async def _with_quote(self, inbound: InboundMessage, quoted: QuotedMessage, here: "_Here") -> InboundMessage:
        """The message with what it answers."""
        is_hidden = bool(here.hidden & {quoted.author.id, quoted.forwarder_id})
        words = quote("", (UNKNOWN,) if is_hidden else lines_of(quoted))
        return replace(
            inbound,
            reply_to=quoted.message_id,
            quoted_author="" if is_hidden else quoted.author.id,
            quoted_speaker=await self._key(quoted.author, here) if words else "",
            quoted=(words.words,) if words else (),
            is_part_quoted=quoted.is_part or is_hidden,
        )

    async def _key(self, author: Author, here: "_Here") -> str:
        """The key of somebody whose words are passed on or answered; "" if unknown, or if they opted out."""
        if author.id and author.id == here.own:
            return self._seal.speaker
        if author.id in here.hidden:
            return ""
        if author.id in here.people:
            return here.people[author.id].speaker
        name = _name(author.name)
        alike = await self._taken(name, here)
        if not author.id and normalise(name) in alike:  # of whom the platform tells no id: somebody here is called so
            return normalise(name)
        return live_key(self._settings, self._seal, here.platform, author.id, name, alike) if name else ""

    async def _taken(self, name: str, here: "_Here") -> set[str]:
        """The keys that others bear, as far as a key for this name could be taken for them."""
        return here.taken() | await self._store.people.alike(here.account, here.channel, name)

    async def _participant(self, message: IncomingMessage, known: Participant | None, here: "_Here") -> Participant:
        """The author in this channel. Whoever is called otherwise now gets the new name at once, and a stranger the new
        key; else both stay the same for as long as they are remembered there."""
        name = _name(message.author_name)
        if known and (known.name == name or not name or not message.is_named_here):
            return known
        if known and normalise(known.name) == normalise(name):
            key = known.speaker
        else:
            taken = await self._taken(name, here) - ({known.speaker} if known else set())
            key = live_key(self._settings, self._seal, here.platform, message.author_id, name, taken)
        here.people[message.author_id] = participant = Participant(key, name)
        return participant


class _Here:
    """The people of a channel, while its messages are parsed. own: the account's id. hidden: ids of people who opted out or
    are blocked."""

    def __init__(self, account: str, participants: Participants, hidden: set[str], channel: str) -> None:
        self.account = account
        self.channel = channel
        self.platform, _, self.own = account.partition(":")
        self.hidden = hidden
        self.people: dict[str, Participant] = participants.by_channel[channel]

    def taken(self) -> set[str]:
        """The keys that people bear."""
        return {person.speaker for person in self.people.values()}


def lines_of(content: Content) -> tuple[str, ...]:
    """Return the lines of what somebody typed and attached; nothing typed is taken for more than words."""
    kinds = [kind for medium_ in content.attachments if (kind := " ".join(plain_lines(medium_)))]
    marks = (medium(kind, " ".join(plain_lines(caption))) for kind, caption in content.captioned)
    return (*attached(kinds, typed(plain_lines(content.text))), *marks)


def _people_in(message: IncomingMessage) -> set[str]:
    """The ids of all whose words a message holds, and of whoever passed them on."""
    authors = (message.quoted.author if message.quoted else None, message.forwarded_from)
    forwarder_id = message.quoted.forwarder_id if message.quoted else ""
    return {message.author_id, *filter(None, [forwarder_id, *(author.id for author in authors if author)])}


def _known(author: Author | None, here: _Here) -> str:
    """The id of whoever said first what is passed on; "" if unknown, or if they opted out."""
    return author.id if author and author.id not in here.hidden else ""


def _sticker(message: IncomingMessage) -> str:
    """The name of the sticker that a message shows."""
    return next((kind.removeprefix("sticker ") for kind in message.attachments if kind.startswith("sticker ")), "")


def _name(name: str) -> str:
    return " ".join(plain_lines(name))[:LONGEST_NAME]
