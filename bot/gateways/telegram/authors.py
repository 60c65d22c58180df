"""Who said something on Telegram: people, channels and groups that speak as themselves, and by which user names they go."""

from collections import OrderedDict
from collections.abc import Iterable

from telegram import (
    Chat,
    Message,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    User,
)

from bot.gateway import Author

MOST_NAMES = 10_000  # user names that are remembered, those least lately seen forgotten first


def author_of(message: Message) -> Author | None:
    """Return who wrote a message. Whoever writes as a channel is that channel, an anonymous admin is the group."""
    if message.sender_chat:
        return chat_author(message.sender_chat)
    return user_author(message.from_user) if message.from_user else None


def is_bot(message: Message) -> bool:
    """Whether a bot wrote a message. In the place of channels and anonymous admins Telegram names bots of its own."""
    return bool(message.from_user and message.from_user.is_bot and not message.sender_chat)


def is_anonymous_admin(message: Message) -> bool:
    """Whether an admin wrote it in the group's name."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id


def user_author(user: User) -> Author:
    """Return a person; without a name if the account was deleted."""
    return Author(str(user.id), user.full_name or "")


def chat_author(chat: Chat) -> Author:
    """Return a channel or group as an author. Its id can't be taken for that of a private chat."""
    return Author(f"chat{chat.id}", chat.title or chat.username or "")


def origin_author(origin: MessageOrigin) -> Author:
    """Return who said what was forwarded."""
    match origin:
        case MessageOriginUser():
            return user_author(origin.sender_user)
        case MessageOriginHiddenUser():
            return Author("", origin.sender_user_name)
        case MessageOriginChat():
            return chat_author(origin.sender_chat)
        case MessageOriginChannel():
            return chat_author(origin.chat)
    return Author()


class UserNames:
    """What people are called who go by a user name, as far as they were seen since the start."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()

    def name_of(self, username: str) -> str:
        """Return the name of whoever goes by a user name, in any case; "" if unknown."""
        return self._names.get(username.casefold(), "")

    def learn(self, message: Message) -> None:
        """Note everybody whom a message shows."""
        self._note([message.from_user, *message.new_chat_members])
        if answered := message.reply_to_message:
            self._note([answered.from_user])

    def _note(self, users: Iterable[User | None]) -> None:
        for user in users:
            if user and not user.is_bot and user.username and user.full_name:
                self._names.pop(user.username.casefold(), None)
                self._names[user.username.casefold()] = user.full_name
        while len(self._names) > MOST_NAMES:
            self._names.popitem(last=False)
