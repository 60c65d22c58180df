"""What channels lie in, and which [talk] therefore holds in them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from bot.gateway import IncomingMessage, takes_one_post
from persona.talk_settings import Talk

TalkIn = Callable[[Sequence[str]], Talk]

_ONE_POST = {"bursts": False, "merge": timedelta(0)}  # each call has an answer of its own


class Places:
    """The channels of all accounts. talk_in: the settings for a channel and what it lies in, the nearest first."""

    def __init__(self, talk_in: TalkIn) -> None:
        self._talk_in = talk_in
        self._inside: dict[str, tuple[str, ...]] = {}
        self._former: dict[str, str] = {}  # what a chat was called before it moved, by which the settings may know it
        self._talks: dict[str, Talk] = {}

    def talk(self, channel: str) -> Talk:
        """Return [talk] as it is in a channel."""
        if channel not in self._talks:
            places = (channel, *self._inside.get(channel, ()))
            talk = self._talk_in([name for place in places for name in self._names(place)])
            self._talks[channel] = talk.model_copy(update=_ONE_POST) if takes_one_post(channel) else talk
        return self._talks[channel]

    def moved(self, old: str, new: str) -> None:
        """Note that a channel has a new name."""
        self._former[new] = old
        self._talks.clear()

    def _names(self, place: str) -> list[str]:
        """Return what a place is called and was called, the latest first."""
        names = [place]
        while (former := self._former.get(names[-1])) and former not in names:
            names.append(former)
        return names

    def unknown(self, messages: Iterable[IncomingMessage]) -> dict[str, tuple[str, ...]]:
        """Return what the channels of messages lie in, where that is news."""
        inside = {message.channel: message.inside for message in messages}
        return {channel: places for channel, places in inside.items() if self._inside.get(channel, ()) != places}

    def learn(self, inside: Mapping[str, tuple[str, ...]]) -> None:
        """Note what channels lie in."""
        self._inside |= inside
        for channel in inside:
            self._talks.pop(channel, None)

    def forget(self, channels: Iterable[str]) -> None:
        """Take back what was learned of channels."""
        for channel in channels:
            self._inside.pop(channel, None)
            self._talks.pop(channel, None)
