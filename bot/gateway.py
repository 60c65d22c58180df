"""What a gateway is, and what passes through it. Library types end inside the gateways."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

Right = Literal["anyone", "moderator", "owner"]

GUEST = ":guest@"  # in the name of a chat that the bot is not in, before whoever decides there


@dataclass(frozen=True, slots=True)
class Author:
    """Whose words somebody answers or passes on. id, name: "" if unknown."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class QuotedMessage:
    """What a message answers. message_id: in the same channel, "" if it stands elsewhere. text, attachments, captioned: as of
    a message, empty if the platform doesn't tell. is_part: only this part of it is answered. forwarder_id: of whoever passed it
    on, "" if the author says it."""

    message_id: str = ""
    author: Author = Author()
    text: str = ""
    attachments: tuple[str, ...] = ()
    captioned: tuple[tuple[str, str], ...] = ()
    is_part: bool = False
    forwarder_id: str = ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message in a channel that the bot reads.

    channel: `discord:123`, `telegram:-100123:7` (chat and topic), `terminal:chat`. text: as people see it, mentions by
    name, without the mention of the bot itself at its start. at: UTC seconds. mention, reply: it calls the bot, or
    answers something the bot said. reply_to: the id of the message it answers by a link, in this channel; "" for none.
    attachments: kinds, as in the corpus. inside: what the channel lies in, the nearest first: a thread's channel, then
    the server. is_bot: a bot wrote it. captioned: kinds with what is written on them, such as
    ("poll", "when? | now | later"). quoted: what it answers, as far as the platform tells. forwarded_from: who said it
    first, None if the author did. sticker_id: under which the platform sends its sticker again. is_named_here: whether
    author_name is what they are called in this very channel; what is read from history may tell their account's name.
    """

    channel: str
    message_id: str
    author_id: str
    author_name: str
    text: str
    at: float
    is_dm: bool = False
    mention: bool = False
    reply: bool = False
    reply_to: str = ""
    attachments: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    is_bot: bool = False
    captioned: tuple[tuple[str, str], ...] = ()
    quoted: QuotedMessage | None = None
    forwarded_from: Author | None = None
    sticker_id: str = ""
    is_named_here: bool = True


@dataclass(frozen=True, slots=True)
class IncomingReaction:
    """Somebody reacted to a message, or took that back (is_back). emoji: one, or `:name:`; with is_back, "" is all of them,
    and so is the author_id "". channel: without a topic where the platform doesn't tell it."""

    channel: str
    message_id: str
    author_id: str
    author_name: str
    emoji: str
    at: float
    is_back: bool = False
    is_named_here: bool = True


@dataclass(frozen=True, slots=True)
class Expressions:
    """What can be said in a channel without words. emoji: custom ones by name, as they are written into a text. reactions:
    with what it may react, by emoji or `:name:`, as the platform wants it. any_reaction: any other emoji will do too.
    stickers: their ids by name and by emoji."""

    emoji: Mapping[str, str] = field(default_factory=dict)
    reactions: Mapping[str, str] = field(default_factory=dict)
    any_reaction: bool = False
    stickers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One post. text: of a reaction its emoji, of a sticker its id. reply_to: the id of the message it answers or reacts
    to, "" if none. nonce: at most 25 characters, the same for every try of this post. after: the id of the message that
    triggered it, where a search for an earlier try begins. votes: add buttons to rate it, if the platform has them.
    post_type: text, reaction or sticker. decides: add buttons to send or drop the draft that it shows."""

    channel: str
    text: str
    nonce: str
    reply_to: str = ""
    after: str = ""
    votes: bool = False
    post_type: str = "text"
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command somebody gave. right: the highest that the platform gives them there. id: the same whenever the same
    command is delivered again. inside: as of a message. target: the id of the message that it is about, "" for none."""

    channel: str
    author_id: str
    name: str
    argument: str = ""
    right: Right = "anyone"
    is_dm: bool = False
    id: str = ""
    inside: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an owner says of a draft. message_id: of the post that shows the draft. text: what they would say instead, None
    for the draft itself. send: False drops it. nonce: of the post, "" if the platform doesn't tell."""

    channel: str
    message_id: str
    send: bool
    text: str | None = None
    nonce: str = ""


def drafts_channel(channel: str) -> str:
    """Return where drafts of answers in a channel are shown, "" where it answers by itself. A chat of somebody else's own
    account is called `telegram:CHAT@OWNER`, a chat that the bot is called into as a guest `telegram:CHAT:guest@OWNER`, and
    its owner decides."""
    platform, _, number = channel.partition(":")
    owner = number.partition("@")[2]
    return f"{platform}:{owner}" if owner else ""


def takes_one_post(channel: str) -> bool:
    """Return whether an answer in a channel is a single text, as a guest's is."""
    return GUEST in channel


@dataclass(frozen=True, slots=True)
class Vote:
    """Somebody's rating of a post of ours: 1, -1, or 0 to withdraw it."""

    channel: str
    message_id: str
    author_id: str
    score: int


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """A command as it is offered. argument: what it takes, "" for nothing."""

    name: str
    summary: str
    right: Right = "anyone"
    argument: str = ""


COMMANDS = (
    CommandHelp("about", "What this is, and how to opt out"),
    CommandHelp("privacy", "What I store, why, and for how long"),
    CommandHelp("optout", "Neither store nor answer my messages"),
    CommandHelp("optin", "Take /optout back"),
    CommandHelp("forget", "Forget my messages now"),
    CommandHelp("takeback", "Delete what I said last, and forget it"),
    CommandHelp("quiet", "Be quiet here for a while", "moderator", "such as 2h; 0 ends it; 'server': in all of it"),
    CommandHelp("tweet", "Say something at random here", "moderator"),
    CommandHelp("reset", "Forget what was said here", "moderator"),
    CommandHelp("pause", "Be quiet everywhere", "owner"),
    CommandHelp("resume", "Speak again", "owner"),
    CommandHelp("status", "How it is", "owner"),
    CommandHelp(
        "remember", "Remember this about myself", "owner", "what; nothing lists the notes, 'forget 3' takes one back"
    ),
    CommandHelp("say", "Speak up here", "owner", "the scene: timeline, reply, group or dm"),
    CommandHelp("notme", "Tell me that I'd not say that", "owner", "what I'd say instead: I'd say …"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows. units: UTF-16 code units a message. idempotent_sends: whether the platform knows a post again, so
    that one whose result is unknown may be sent again. markup: what it reads in a text: `markdown`, only `plain` names,
    or `none`. owner_alone: nobody but its owner talks there."""

    units: int
    idempotent_sends: bool
    markup: Literal["markdown", "plain", "none"] = "none"
    owner_alone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of `doctor`. mend: what to do if `ok` is False."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


class NotSent(Exception):
    """The post was certainly not made; it may be tried again after `wait` seconds."""

    def __init__(self, reason: str, wait: float = 1.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Undeliverable(Exception):
    """The post can never be made: the channel is gone, or the bot was thrown out."""


class ResultUnknown(Exception):
    """The post may have been made or not."""


class Intake(Protocol):
    """Takes the events of a gateway. Every call returns once they are committed."""

    async def opened(self, account: str, name: str) -> None:
        """The gateway is connected as `account` (`discord:` and the bot's own id), called `name`."""

    async def received(self, *messages: IncomingMessage) -> None:
        """Somebody said something. Told in the order in which it was said."""

    async def edited(self, message: IncomingMessage) -> None:
        """A message reads otherwise now."""

    async def deleted(self, channel: str, message_ids: Sequence[str]) -> None:
        """Messages are gone."""

    async def reacted(self, reaction: IncomingReaction) -> None:
        """Somebody reacted to something, or took it back."""

    async def rated(self, vote: Vote) -> None:
        """Somebody rated a post of ours."""

    async def decided(self, decision: Decision) -> str:
        """Somebody decided on a draft. Returns what to tell them."""

    async def connected_to(self, owner: str, connection: str) -> None:
        """The gateway may speak in an owner's own chats, as this connection."""

    async def connections(self) -> Mapping[str, str]:
        """Owners, and the connections over which the gateway speaks in their chats."""

    async def commanded(self, command: Command) -> str:
        """Somebody gave a command. Returns what to tell them."""

    async def moved(self, old: str, new: str) -> None:
        """A channel has a new name."""

    async def moves(self) -> Mapping[str, str]:
        """Channels that have a new name, in this process or an earlier one."""

    async def access_requested(self, place: str) -> None:
        """Somebody wrote who isn't let in: `chat:ID` or `user:ID`."""

    async def connected(self, at: float) -> None:
        """Note that the gateway missed nothing from its opening up to `at` (UTC seconds)."""

    async def connected_at(self) -> float | None:
        """Return until when the gateway missed nothing, in this process or an earlier one."""

    async def settled(self, channel: str) -> None:
        """Wait until nothing of this channel is waiting for an answer."""

    async def watermarks(self) -> Mapping[str, str]:
        """Return the last committed message id of each channel, for catching up."""

    def heard(self) -> None:
        """Note that the platform sent something."""

    def dropped(self) -> None:
        """Note that an event found no room; what it was about is read later."""

    def reconnected(self) -> None:
        """Note that the connection was lost and is back."""

    def catching_up(self, channels: int) -> None:
        """Note how many channels are still being read up to now."""

    async def quarantine(self, update: str, reason: str) -> None:
        """Put away an update that can't be read, so that it is not met again."""


class Gateway(Protocol):
    """One platform. run() returns when the platform is left for good and raises when the connection ends; it may be
    called again. It raises PermanentError for what a restart can't mend."""

    @property
    def platform(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    async def run(self, intake: Intake) -> None: ...

    async def pace(self, channel: str, post_type: str = "text") -> None:
        """Wait until the platform takes another post of that type there. Called before each `send`, which waits for
        nothing."""

    async def send(self, message: OutgoingMessage) -> str:
        """Post and return the new message's id. Raises NotSent, Undeliverable or ResultUnknown."""

    async def delete(self, channel: str, message_id: str) -> None:
        """Delete a post of ours; one that is gone already is deleted. Raises as `send` does."""

    async def find(self, message: OutgoingMessage) -> str | None:
        """Return the id of an earlier post of the same message; None if there is none or the platform can't tell. Raises
        as `send` does."""

    async def history(self, channel: str, before: str, most: int) -> Sequence[IncomingMessage]:
        """Return the messages of a channel before that one, oldest first, our own posts under our own id; an empty
        sequence if the platform can't tell. Raises as `send` does."""

    async def fetch(self, channel: str, message_id: str) -> IncomingMessage | None:
        """One message of a channel; None if it is gone or the platform can't tell. Raises as `send` does."""

    async def expressions(self, channel: str) -> Expressions:
        """What can be said there without words. Raises as `send` does."""

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show that the bot types there, until left."""

    async def examine(self, targets: Sequence[str]) -> Sequence[Finding]:
        """Check, without connecting for good, whether the bot can speak on this platform. targets: where tweets are to
        go."""
