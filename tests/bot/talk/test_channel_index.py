"""What is kept of a channel from one look-up to the next is what a fresh look through it would give."""

from dataclasses import dataclass, field
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from bot.store import HistoryMessage
from bot.talk.channel_index import MAX_PASSAGES, PAUSE_SECONDS, ChannelIndex, sections
from persona.archive.index import Archive
from persona.archive.passages import MAX_WORDS
from persona.archive.ranking import Cue
from persona.transcript import Turn

WORDS = "eel tram zither kayak spoon 鳗鱼 [react] safe".split()
NEWEST = 40  # messages that are looked through here


def heard(number: int, speaker: str, at: float, text: str = "") -> HistoryMessage:
    return HistoryMessage(str(number), speaker, speaker, (text or f"line {number}",), at)


@dataclass
class Channel:
    """What the store would say of a channel."""

    messages: list[HistoryMessage] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)
    now: float = 0.0

    def apply(self, what: str, where: int, text: str) -> None:
        """Somebody says, edits or deletes something, pauses, or is forgotten."""
        place = where % len(self.messages) if self.messages else 0
        self.now += 2 * PAUSE_SECONDS if what == "pause" else 20
        if what in ("say", "pause") or not self.messages:
            self.messages.append(heard(next(self.numbers), "ABC"[where % 3], self.now, text))
        elif what == "edit":
            self.messages[place] = self.messages[place]._replace(lines=(text,))
        elif what == "delete":
            del self.messages[place]
        else:
            self.messages = [each for each in self.messages if each.speaker != self.messages[place].speaker]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["say"] * 6 + ["pause", "edit", "delete", "forget"]),
        st.integers(0, 60),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join),
    ),
    max_size=70,
)


@given(CHANGES, st.sampled_from(WORDS), st.integers(0, 4))
def test_it_is_what_a_look_through_the_channel_gives(
    changes: list[tuple[str, int, str]], asked: str, shown: int
) -> None:
    """After each change: the same passages, in the same order, of the same scores."""
    channel, kept, archive = Channel(), ChannelIndex(), Archive.empty()
    cue = Cue((Turn("A", (asked,)),))
    for change in changes:
        channel.apply(*change)
        said = channel.messages[-NEWEST:]
        ids = {message.message_id for message in said[len(said) - shown :]}
        passages = kept.passages("here", said, ids, "group")
        fresh = ChannelIndex().passages("here", said, ids, "group")
        assert passages == fresh
        assert len(kept) == len(passages)  # what is gone is not kept either
        assert archive.rank(cue, passages) == archive.rank(cue, fresh)


def test_only_what_changed_is_indexed_again() -> None:
    """The rest stays as it is, also when the oldest message is looked through no more."""
    said = [heard(number, "ABC"[number % 3], 20.0 * number) for number in range(1000)]
    index = ChannelIndex()
    before = {id(passage) for passage in index.passages("here", said, (), "group")}
    after = index.passages("here", [*said[1:], heard(1000, "C", 20_000.0)], (), "group")
    assert sum(id(passage) not in before for passage in after) < len(after) / 4


def test_a_channel_is_cut_where_somebody_paused() -> None:
    """And around what is shown; a burst is one turn."""
    times = ((1, "A", 0), (2, "A", 1), (3, "B", 2), (4, "A", 3), (5, "B", 4 + 2 * PAUSE_SECONDS))
    said = [heard(*message) for message in times]
    cut = [each.passage for each in ChannelIndex().passages("here", said, {"3"}, "group")]
    assert [[turn.lines for turn in each.turns] for each in cut] == [
        [("line 1", "line 2")],
        [("line 4",)],
        [("line 5",)],
    ]
    assert (cut[0].began, cut[0].year, cut[0].dm) == (0, 1970, "")


def test_a_burst_is_never_cut() -> None:
    """Whatever the ids of its messages say."""
    (section,) = sections([heard(number, "A", float(number)) for number in range(500)], ())
    assert len(section) == 500


def test_memory_is_bounded() -> None:
    """Channels that were asked long ago make room; the one that is asked is kept whole."""
    long = " ".join(f"word{number}" for number in range(MAX_WORDS))
    said = [heard(number, "AB"[number % 2], float(number), long) for number in range(MAX_PASSAGES // 3)]
    index = ChannelIndex()
    for channel in range(5):
        index.passages(f"{channel}", said, (), "group")
    assert MAX_PASSAGES / 2 < len(index) <= MAX_PASSAGES
