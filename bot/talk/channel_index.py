"""What was said in a channel, cut into passages with their terms, and kept from one look-up to the next.

A section of the talk is indexed once. What the store no longer says word for word (edited, deleted, forgotten, expired) is
indexed anew or dropped by the next look-up there: nothing has to be told of a change, and a restart costs one slow look-up.
"""

import zlib
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from threading import Lock

from bot.store import HistoryMessage
from persona.archive.indexed_passage import IndexedPassage
from persona.archive.passages import Passage, passages_of
from persona.markers import is_reaction
from persona.transcript import Conversation, Turn

PAUSE_SECONDS = 3600.0  # after which something else is talked about
SECTION_MESSAGES = 32  # on average: so many are indexed anew when a message is said, edited or deleted
LONG_MESSAGE = 400  # characters: it fills a passage by itself
MAX_PASSAGES = 4000  # of all channels that are kept: some 2 KiB each; a busy channel has 200 to 1,000

Section = tuple[HistoryMessage, ...]


class ChannelIndex:
    """The passages of the channels that were asked last. May be asked from several threads."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, dict[Section, list[IndexedPassage]]] = OrderedDict()
        self._lock = Lock()

    def passages(
        self, channel: str, heard: Sequence[HistoryMessage], shown: Collection[str], scene: str
    ) -> list[IndexedPassage]:
        """Return the passages of what was said in a channel, without what is shown. heard: oldest first. shown: ids of
        messages. scene: of the channel, always the same."""
        known = self._channels.get(channel, {})
        kept = {
            section: known[section] if section in known else [*map(IndexedPassage.of, _passages(section, scene))]
            for section in sections(heard, shown)
        }
        self._keep(channel, kept)
        return [passage for passages in kept.values() for passage in passages]

    def __len__(self) -> int:
        return sum(len(passages) for kept in self._channels.values() for passages in kept.values())

    def _keep(self, channel: str, kept: dict[Section, list[IndexedPassage]]) -> None:
        """Keep a channel's, and drop those of the channels that were asked longest ago if there are too many."""
        with self._lock:
            self._channels[channel] = kept
            self._channels.move_to_end(channel)
            while len(self._channels) > 1 and len(self) > MAX_PASSAGES:
                self._channels.popitem(last=False)


def sections(heard: Sequence[HistoryMessage], shown: Collection[str]) -> Iterator[Section]:
    """Cut what was said where somebody paused, around what is shown, and before a turn whose id says so: a section's ends
    stay where they are whatever is said, edited or deleted elsewhere."""
    section: list[HistoryMessage] = []
    for message in heard:
        is_shown = message.message_id in shown
        if section and (is_shown or _is_apart(section[-1], message)):
            yield tuple(section)
            section = []
        if not is_shown and message.lines and not is_reaction(message.lines):
            section.append(message)
    if section:
        yield tuple(section)


def _is_apart(before: HistoryMessage, message: HistoryMessage) -> bool:
    """Return whether a message begins a section."""
    if message.at - before.at > PAUSE_SECONDS:
        return True
    is_long = sum(map(len, message.lines)) >= LONG_MESSAGE
    is_drawn = zlib.crc32(message.message_id.encode()) % SECTION_MESSAGES == 0
    return message.speaker != before.speaker and (is_long or is_drawn)


def _passages(section: Section, scene: str) -> Iterator[Passage]:
    turns: list[Turn] = []
    times: list[float] = []
    for message in section:
        if turns and turns[-1].speaker == message.speaker:
            turns[-1] = Turn(message.speaker, turns[-1].lines + message.lines)
        else:
            turns.append(Turn(message.speaker, message.lines))
            times.append(message.at)
    return passages_of(Conversation(scene, tuple(turns)), times)
