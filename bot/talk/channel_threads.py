"""Which of what was said in a channel belongs to the message that is answered, by the code that cut the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.store import HistoryMessage
from bot.talk.history import AnsweredMessage, ThreadContext
from persona.markers import is_reaction
from persona.threads import Assigned, Rhythm, ThreadFinder, in_context, named_in, rhythm_of

CHANNELS = 256  # whose threads are kept; those of others are found anew from what is remembered
LEARNED_FOR = 256  # messages after which a channel's rhythm is learned anew; sooner if it was learned from fewer
MIN_MESSAGES, GROWN_MIN_MESSAGES = 20, 4  # shown at least; to a base grown here more are unlike what it learned


@dataclass(slots=True)
class _Channel:
    """What is known of a channel. names: keys by display names. lasts: messages that may still come before its rhythm is
    learned anew. threads: by message id, of those that were seen last."""

    names: dict[str, str]
    lasts: int = 0
    threads: dict[str, Assigned] = field(default_factory=dict)
    finder: ThreadFinder = field(init=False)

    def __post_init__(self) -> None:
        self.finder = ThreadFinder(names=self.names)


class ChannelThreads:
    """The threads of the channels that were answered lately: each message is assigned once, when it is first asked for.

    persona: its speaker key. is_grown: whether it speaks with a base grown here. Before a short thread stand the newest
    messages of the channel: a real base makes something of them (bench/skew.py)."""

    def __init__(self, persona: str, *, is_grown: bool) -> None:
        self._persona = persona
        self._least = GROWN_MIN_MESSAGES if is_grown else MIN_MESSAGES
        self._channels: dict[str, _Channel] = {}

    def context(
        self, channel: str, messages: Sequence[HistoryMessage], answered: str, names: Mapping[str, str]
    ) -> ThreadContext:
        """Return what to show to whoever answers the message with the id `answered`: see persona.threads.in_context.

        channel: of one account. messages: the last ones remembered there. names: keys by normalised display names.
        """
        everything, messages = messages, [message for message in messages if not is_reaction(message.lines)]
        ids = [message.message_id for message in messages]
        if answered not in ids:
            return ThreadContext(messages)
        assigned = self._assigned(channel, messages, names)
        places = in_context([assigned[name].thread for name in ids], ids.index(answered), self._least)
        by_id = dict(zip(ids, messages, strict=True))
        answers = {
            ids[place]: AnsweredMessage(by_id[found.parent], found.explicit)
            for place in places
            if (found := assigned[ids[place]]).parent in by_id
        }
        shown = {ids[place] for place in places}
        reactions = {message.message_id for message in everything if message.reply_to in shown} - set(ids)
        return ThreadContext([each for each in everything if each.message_id in shown | reactions], answers)

    def _assigned(
        self, channel: str, messages: Sequence[HistoryMessage], names: Mapping[str, str]
    ) -> Mapping[str, Assigned]:
        known = self._channels.pop(channel, None)
        new = [message for message in messages if known is None or message.message_id not in known.threads]
        if known is None or list(messages[len(messages) - len(new) :]) != new:  # the past has changed
            known, new = _Channel(dict(names)), list(messages)
        known.names.update(names)
        known.lasts -= len(new)
        if known.lasts < 0:
            known.finder.rhythm = self._rhythm(messages, known.names)
            known.lasts = min(len(messages), LEARNED_FOR)
        threads = dict(known.threads)
        for message in new:
            threads[message.message_id] = self._assign(known.finder, message)
        known.threads = {message.message_id: threads[message.message_id] for message in messages}
        self._channels[channel] = known
        if len(self._channels) > CHANNELS:
            del self._channels[next(iter(self._channels))]
        return known.threads

    def _rhythm(self, messages: Sequence[HistoryMessage], names: Mapping[str, str]) -> Rhythm:
        """Return the rhythm of a channel, as far as it is remembered."""
        keys = {message.speaker for message in messages}

        def key_of(name: str) -> str | None:
            return name if name in keys else names.get(name)

        addressed = sum(
            bool(message.reply_to or message.to_persona or named_in("\n".join(message.lines), key_of))
            for message in messages
        )
        return rhythm_of(sorted(message.at for message in messages), addressed)

    def _assign(self, finder: ThreadFinder, message: HistoryMessage) -> Assigned:
        meant = (self._persona,) if message.to_persona else ()
        text = "\n".join(message.lines)
        return finder.assign(message.message_id, message.speaker, message.at, text, message.reply_to, meant)
