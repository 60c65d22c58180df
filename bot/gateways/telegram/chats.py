"""Chats: which are let in, and the ids that groups got when they became supergroups."""

from collections.abc import Mapping

from telegram import Chat
from telegram.constants import ChatType

from bot.gateway import takes_one_post
from persona.platforms import Telegram

MOST_KNOCKS = 10_000  # places that are remembered as having asked
GENERAL = "1"  # the topic of a forum that is always there


class Chats:
    """The chats of one bot account."""

    def __init__(self, settings: Telegram) -> None:
        self._settings = settings
        self._moved: dict[str, str] = {}
        self._knocked: set[str] = set()
        self.connections: dict[str, str] = {}  # owners, and over which connection their own chats are reached

    def is_welcome(self, chat: Chat) -> bool:
        """Return whether the settings let a chat in."""
        if chat.type == ChatType.PRIVATE:
            return str(chat.id) in (*self._settings.users, *self._settings.owners)
        return str(chat.id) in {self._moved.get(number, number) for number in self._settings.chats}

    def knocks_first(self, place: str) -> bool:
        """Whether a place that isn't let in asks for the first time; three hundred messages of a stranger are one."""
        if place in self._knocked:
            return False
        if len(self._knocked) >= MOST_KNOCKS:
            self._knocked.clear()
        self._knocked.add(place)
        return True

    def number_of(self, channel: str) -> int:
        """Return the id under which a channel's chat is known today."""
        number = number_of(channel)
        return int(self._moved.get(number, number))

    def move(self, old: str, new: str) -> bool:
        """Note that a chat has another id now. Returns whether the settings name the old one."""
        self._moved[old] = new
        return old in self._settings.chats

    def moved_before(self, channels: Mapping[str, str]) -> None:
        """Chats that moved in an earlier process: old -> new channel."""
        self._moved |= {number_of(old): number_of(new) for old, new in channels.items()}


def number_of(channel: str) -> str:
    """Return the id of the chat in `telegram:CHAT` or `telegram:CHAT:TOPIC`."""
    return channel.split(":")[1].partition("@")[0]


def owner_of(channel: str) -> str:
    """Return who decides what is said in a chat: in whose own account it is, or where the bot is a guest; "" if nobody."""
    return channel.partition("@")[2]


def topic_of(channel: str) -> int | None:
    """Return the topic of a channel as it is posted to, if it is one. General is 1 in links, but takes posts without a
    number only."""
    topic = [] if takes_one_post(channel) else channel.split(":")[2:]
    return int(topic[0]) if topic and topic[0] != GENERAL else None
