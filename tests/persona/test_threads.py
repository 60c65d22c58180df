"""Threads of a channel: links, addresses, own threads, rhythm; the same whatever comes later, in bounded memory."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona import threads
from persona.threads import Assigned, Rhythm, ThreadFinder, named_in, rhythm_of

CALM, CROWD = Rhythm(600.0), Rhythm(600.0, is_crowded=True)
PEOPLE = ("ANNA", "BOB", "JACOB_", "MARA VOSS", "小雨")
TEXTS = ("hi", "bob: yes", "Anna, no", "@小雨 ok", "thanks jacob", "mara: hm", "so: what", "", "mara voss, ok")


@dataclass(frozen=True)
class Said:
    """A message of a drawn channel. after: seconds since the one before. back: how many messages back its link points."""

    speaker: str
    after: float
    text: str
    back: int
    mentions: tuple[str, ...]


channels = st.lists(
    st.builds(
        Said,
        st.sampled_from(PEOPLE),
        st.sampled_from((0.0, 5.0, 100.0, 500.0, 700.0, 5000.0, 1e6)),
        st.sampled_from(TEXTS),
        st.sampled_from((0, 0, 0, 1, 2, 5, 99)),
        st.lists(st.sampled_from((*PEOPLE, "NOBODY")), max_size=2, unique=True).map(tuple),
    ),
    max_size=40,
)
rhythms = st.sampled_from((CALM, CROWD))


def assign(said: list[Said], rhythm: Rhythm, name: str = "") -> list[Assigned]:
    """What a finder makes of a channel. name: goes before every id."""
    finder, at, assigned = ThreadFinder(rhythm), 1e9, []
    for number, one in enumerate(said):
        at += one.after
        link = f"{name}{number - one.back}" if one.back else ""
        assigned.append(finder.assign(f"{name}{number}", one.speaker, at, one.text, link, one.mentions))
    return assigned


def threads_of(*messages: tuple[Any, ...], rhythm: Rhythm = CROWD) -> list[int]:
    """Threads of (speaker, text, link's target or None) said ten seconds apart."""
    finder = ThreadFinder(rhythm)
    return [
        finder.assign(str(k), speaker, 10.0 * k, text, *(str(link) for link in rest)).thread
        for k, (speaker, text, *rest) in enumerate(messages)
    ]


@given(channels, rhythms, st.integers(0, 40))
def test_what_comes_later_changes_nothing(said: list[Said], rhythm: Rhythm, cut: int) -> None:
    """Any beginning of a channel is assigned as in the whole of it, each time the same."""
    assert assign(said[:cut], rhythm) == assign(said, rhythm)[:cut]


@given(channels, rhythms)
def test_threads_count_up_and_parents_came_before(said: list[Said], rhythm: Rhythm) -> None:
    """A new thread has the next number; a parent that is found was said before, one that is lost is a link's."""
    ids: set[str] = set()
    most = -1
    for number, assigned in enumerate(assign(said, rhythm)):
        assert 0 <= assigned.thread <= most + 1
        assert assigned.parent in ids or not assigned.parent or (assigned.explicit and said[number].back)
        most = max(most, assigned.thread)
        ids.add(str(number))


@given(channels, rhythms)
def test_ids_and_the_order_of_mentions_decide_nothing(said: list[Said], rhythm: Rhythm) -> None:
    """What messages are called, and in which order the platform lists the mentioned, makes no difference."""
    turned = [Said(one.speaker, one.after, one.text, one.back, one.mentions[::-1]) for one in said]
    assert [one.thread for one in assign(turned, rhythm, "x")] == [one.thread for one in assign(said, rhythm)]


@given(channels, channels, rhythms)
def test_channels_know_nothing_of_each_other(some: list[Said], others: list[Said], rhythm: Rhythm) -> None:
    """Two finders fed by turns find what each finds alone."""
    finders = ThreadFinder(rhythm), ThreadFinder(rhythm)
    found: tuple[list[Assigned], list[Assigned]] = [], []
    at = [1e9, 1e9]
    for number in range(max(len(some), len(others))):
        for place, said in enumerate((some, others)):
            if number < len(said):
                one = said[number]
                at[place] += one.after
                link = str(number - one.back) if one.back else ""
                found[place].append(
                    finders[place].assign(str(number), one.speaker, at[place], one.text, link, one.mentions)
                )
    assert found == (assign(some, rhythm), assign(others, rhythm))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many people and messages a channel has seen, and whoever addressed whom."""
    monkeypatch.setattr(threads, "WINDOW", 20)
    monkeypatch.setattr(threads, "PEOPLE", 10)
    finder = ThreadFinder(CROWD)
    for number in range(2000):
        finder.assign(
            str(number), f"NICK{number % 700}_", 60.0 * number, f"nick{number * 3 % 700}_: hm", str(number - 9)
        )
    sizes = {name: len(kept) for name, kept in vars(finder).items() if hasattr(kept, "__len__")}
    sizes |= {name: len(kept) for name, kept in vars(finder._names).items() if hasattr(kept, "__len__")}
    assert max(sizes.values()) <= 40, sizes


def test_reply_links_come_before_all_else() -> None:
    """Also over another address in the text, and in the middle of one's own talk."""
    assert threads_of(
        ("ANNA", "who has my bike"),
        ("BOB", "dinner?"),
        ("JACOB", "bob: yes", 0),
        ("JACOB", "and bob: yes to dinner", 1),
        rhythm=CROWD,
    ) == [0, 1, 0, 1]


def test_a_link_reaches_a_week_back_and_an_address_four_gaps() -> None:
    """A thread that ended longer ago is over."""

    def joins(after: float, *, text: str = "", link: str = "") -> bool:
        finder = ThreadFinder(CALM)
        finder.assign("1", "ANNA", 0.0, "first!")
        return finder.assign("2", "BOB", after, text, link).thread == 0

    assert [joins(days * 86400.0, link="1") for days in (6, 8)] == [True, False]
    assert [joins(600.0 * gaps, text="anna: hello") for gaps in (3.9, 4.1)] == [True, False]


def test_whoever_was_addressed_answers_there() -> None:
    """Then their own thread goes on, and in a crowd whoever says something out of the blue begins a new one."""
    assert threads_of(
        ("ANNA", "how do I mount a disk"),
        ("JACOB", "what is a good editor"),
        ("BOB", "anna: sudo mount"),
        ("ANNA", "it says only root can"),
        ("BOB", "Jacob, vim"),
        ("JACOB", "thanks"),
        ("MARA", "my screen is black"),
        ("ANNA", "ah, works. thanks bob"),
    ) == [0, 1, 0, 0, 1, 1, 2, 0]


def test_who_talks_with_two_people_talks_with_each_apart() -> None:
    """An address leads to what was said between the two, not to what the other said last to somebody else."""
    assert threads_of(
        ("ANNA", "disk?"), ("JACOB", "editor?"), ("BOB", "anna: which"), ("BOB", "jacob: vim"), ("ANNA", "bob: sda")
    ) == [0, 1, 0, 1, 0]


def test_in_a_calm_channel_talk_goes_on_where_it_was() -> None:
    """Nobody says whom they mean there; only a silence begins something new."""
    finder = ThreadFinder(CALM)
    times = (0.0, 60.0, 500.0, 1200.0, 1260.0)
    assert [finder.assign(str(at), who, at).thread for at, who in zip(times, "ABCAB", strict=True)] == [0, 0, 0, 1, 1]


def test_parents_are_told_with_how_they_are_known() -> None:
    """By a link, even to what nobody has; by an address; by having been addressed; else not at all."""
    finder = ThreadFinder(CROWD)
    said = [("a", "ANNA", "disk?", ""), ("b", "BOB", "anna: which", ""), ("c", "ANNA", "sda", "")]
    said += [("d", "ANNA", "or sdb", ""), ("e", "MARA", "why", "gone"), ("f", "BOB", "sdb then", "c")]
    found = [finder.assign(name, who, 10.0 * k, text, link) for k, (name, who, text, link) in enumerate(said)]
    assert [(one.parent, one.explicit) for one in found] == [
        ("", False),
        ("a", False),
        ("b", False),
        ("", False),
        ("gone", True),
        ("c", True),
    ]


@pytest.mark.parametrize(
    ("text", "names", "anywhere"),
    [
        ("bob: yes", ["BOB"], []),
        ("BOB, yes", ["BOB"], []),
        ("bob-> what is it", ["BOB"], []),
        ("bob : yes", ["BOB"], []),
        ("@bob yes", ["BOB"], []),
        ("well @bob, @anna!", ["BOB", "ANNA"], []),
        ("mara voss: hi", ["MARA VOSS"], []),
        ("小雨，早安 @小雨", ["小雨"], []),
        ("jacob_: hi", ["JACOB_"], []),
        ("thanks, bob", [], ["BOB"]),
        ("!sudo | bob", [], ["BOB"]),
        ("bob and (anna)", [], ["BOB", "ANNA"]),
        ("bob@example.org is no name", [], []),
        ("https://bob: x", [], []),
        ("yes: no, maybe", [], []),
        ("", [], []),
    ],
)
def test_names_address_people(text: str, names: list[str], anywhere: list[str]) -> None:
    """At the beginning before a colon or comma, behind an @; in a crowd wherever they stand."""

    def key_of(name: str) -> str | None:
        return name if name in {*PEOPLE, "JACOB_"} else None

    assert named_in(text, key_of) == names
    assert set(named_in(text, key_of, anywhere=True)) == {*names, *anywhere}


def test_a_name_may_be_short_for_one_person_alone() -> None:
    """A first name, or a nick without its tail; shared by two it is nobody's."""
    assert threads_of(("MARA VOSS", "a"), ("BOB", "b"), ("ANNA", "mara: c")) == [0, 1, 0]
    assert threads_of(("YASHI-", "a"), ("BOB", "b"), ("ANNA", "yashi: c")) == [0, 1, 0]
    assert threads_of(("MARA VOSS", "a"), ("MARA LUND", "b"), ("ANNA", "mara: c")) == [0, 1, 2]


def test_a_channel_is_crowded_where_people_say_whom_they_mean() -> None:
    """Of a few messages little is known."""
    times = [60.0 * k for k in range(100)]
    assert [rhythm_of(times, count).is_crowded for count in (20, 40)] == [False, True]
    assert [rhythm_of(times[:5], count).is_crowded for count in (2, 3)] == [False, True]
    assert rhythm_of(times, gap=99.0).gap == 99.0


def test_the_gap_is_learned_between_ten_minutes_and_half_a_day() -> None:
    """Sessions of an hour's distance are told from messages of a minute's."""
    times = [hour * 5 * 3600.0 + 60.0 * k for hour in range(20) for k in range(10)]
    gap = rhythm_of(times).gap
    silences = {later - earlier for earlier, later in pairwise(times)}
    assert min(silences) < gap < max(silences)
    assert rhythm_of([1.0 * k for k in range(50)]).gap == 600.0
    assert rhythm_of([1e6 * k for k in range(50)]).gap == 12 * 3600.0
    assert rhythm_of([0.0, 9e9]).gap == rhythm_of([]).gap == 3600.0
