"""What a gateway is, and what passes through it. Library types end inside the gateways."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """Something somebody said where the bot can hear it.

    channel: `discord:123`, `telegram:-100123:7` (chat and topic), `terminal:chat`. text: as people see it, mentions by
    name, without the mention of the bot itself at its start. at: UTC seconds. mention, reply: it calls the bot, or
    answers something the bot said. attachments: kinds, as in the corpus.
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
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One post. reply_to: the message it answers, "" for none. nonce: at most 25 characters, the same whenever the same
    post is tried again. after: the message that called for it, where a search for an earlier try begins."""

    channel: str
    text: str
    nonce: str
    reply_to: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows. units: UTF-16 code units a message. resends: whether the platform knows a post again, so
    that one whose result is unknown may be sent again."""

    units: int
    resends: bool


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
    """What a gateway hands its messages to; every call returns only when what it was told is committed."""

    async def opened(self, account: str, name: str) -> None:
        """The gateway is connected as `account` (`discord:` and the bot's own id), called `name`."""

    async def received(self, message: IncomingMessage) -> None:
        """Somebody said something. Told in the order in which it was said."""

    async def connected(self, at: float) -> None:
        """The gateway hears everything since it was opened, up to `at` (UTC seconds)."""

    async def connected_at(self) -> float | None:
        """When the gateway last heard everything, in this process or an earlier one."""

    async def settled(self, channel: str) -> None:
        """Wait until nothing of this channel is waiting for an answer."""

    async def watermarks(self) -> Mapping[str, str]:
        """The last committed message id of each channel, for catching up."""

    async def quarantine(self, update: str, reason: str) -> None:
        """Put away an update that can't be read, so that it is not met again."""


class Gateway(Protocol):
    """One platform. run() returns when the platform is left for good, and raises whatever ends the connection; it may be
    called again. Raises StandingFault for what a restart can't mend."""

    @property
    def platform(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    async def run(self, intake: Intake) -> None: ...

    async def send(self, message: OutgoingMessage) -> str:
        """Post and return the new message's id. Raises NotSent, Undeliverable or ResultUnknown."""

    async def find(self, message: OutgoingMessage) -> str | None:
        """The id of an earlier post of the same message, where the platform can tell."""

    def typing(self, channel: str) -> AbstractAsyncContextManager[None]:
        """Show that the bot types there, until left."""
