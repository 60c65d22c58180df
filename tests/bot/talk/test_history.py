"""What was said, as turns for a prompt."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store import HistoryMessage
from bot.talk.channel_threads import ChannelThreads
from bot.talk.history import AnsweredMessage, ThreadContext, in_one_go, own_quote, read_for, turns_of
from persona.transcript import Quote, Turn
from trainer.corpus.conversation_records import conversation_records
from trainer.corpus.row import Row
from trainer.corpus.segmentation import segment
from trainer.people.identities import KnownPerson


def said(number: int, author: str, *lines: str, at: float = 0.0) -> HistoryMessage:
    return HistoryMessage(str(number), author, author.upper(), lines, at)


def test_what_one_person_said_in_a_row_is_one_turn() -> None:
    """The last turns; what stands for no words is left out."""
    heard = [said(1, "ann", "old"), said(2, "bob", "a"), said(3, "bob", "b"), said(4, "ann"), said(5, "ann", "c")]
    assert turns_of(ThreadContext(heard), 1, 99) == (Turn("ANN", ("c",)),)
    assert turns_of(ThreadContext(heard), 2, 99) == (
        Turn("ANN", ("old",)),
        Turn("BOB", ("a", "b")),
        Turn("ANN", ("c",)),
    )


def test_the_window_on_a_long_talk_moves_on_in_leaps() -> None:
    """So that most prompts begin as the one before; it never holds fewer turns than are wanted, nor half as many more."""
    talk = [said(number, "ann" if number % 2 else "bob", f"line {number}") for number in range(400)]
    windows = [turns_of(ThreadContext(talk[:end]), 20, 99) for end in range(40, 400)]
    assert {len(window) for window in windows} <= set(range(20, 31))
    assert all(window[-1].lines == (f"line {end - 1}",) for end, window in zip(range(40, 400), windows, strict=True))
    stays = sum(after[0] == before[0] for before, after in pairwise(windows))
    assert stays > 0.7 * len(windows)


def test_a_long_talk_ends_as_if_all_of_it_were_read() -> None:
    """Only its end is: what is answered and quoted there is the same, wherever one person's messages begin."""
    rng = Random(5)
    talk = [said(number, rng.choice("ann bob".split()), f"line {number}") for number in range(300)]
    answers = {str(n): AnsweredMessage(talk[n - rng.randint(1, 4)], rng.random() < 0.5) for n in range(5, 300, 2)}
    for end in range(60, 300):
        everything = turns_of(ThreadContext(talk[:end], answers), 10**6, 99)
        wanted = turns_of(ThreadContext(talk[:end], answers), 4, 99)
        assert wanted == everything[-len(wanted) :]


def test_what_is_not_read_for_the_turns_changes_none_of_them() -> None:
    """Whoever looks whether an answer is still up to date need not look at more."""
    rng = Random(6)
    talk = [said(number, rng.choice("ann bob".split()), f"line {number}") for number in range(300)]
    answers = {str(n): AnsweredMessage(talk[n - rng.randint(1, 40)], rng.random() < 0.5) for n in range(41, 300, 2)}
    for end in range(60, 300, 7):
        read = read_for(ThreadContext(talk[:end], answers), 4)
        changed = [each if each.message_id in read else each._replace(lines=("else",)) for each in talk[:end]]
        by_id = {each.message_id: each for each in changed}
        links = {
            name: AnsweredMessage(by_id[each.message.message_id], each.explicit)
            for name, each in answers.items()
            if each.message.message_id in by_id
        }
        assert turns_of(ThreadContext(changed, links), 4, 99) == turns_of(ThreadContext(talk[:end], answers), 4, 99)
        assert len(read) < 60


def test_of_a_turn_that_does_not_fit_the_end_is_kept() -> None:
    """A message longer than the prompt must not leave the prompt empty."""
    (turn,) = turns_of(ThreadContext([said(1, "ann", "x" * 500, "the question?")]), 5, 10)
    assert turn.lines == ("the question?",)
    (turn,) = turns_of(ThreadContext([said(1, "ann", "x" * 50 + " and this?")]), 5, 5)
    assert turn.lines == ("and this?",)


@pytest.mark.parametrize(
    ("others", "ids"),
    [
        ([], []),
        ([("ann", 1.0)], [1]),
        ([("ann", 3.0)], []),
        ([("bob", 0.5), ("ann", 1.0), ("ann", 2.9), ("ann", 5.0)], [1, 2, 3]),
        ([("bob", 0.5)], []),
    ],
)
def test_who_goes_on_at_once_is_heard_out(others: list[tuple[str, float]], ids: list[int]) -> None:
    """Each message within the patience of the one before; what others said in between is heard too."""
    following = [said(number, author, "…", at=at) for number, (author, at) in enumerate(others, start=1)]
    assert [int(one.message_id) for one in in_one_go(said(0, "ann", "hey"), following, 2.0)] == ids


def test_a_turn_quotes_what_it_answers_unless_that_stands_before_it() -> None:
    """Also in the middle of a burst, which then is two turns; who goes on may answer the turn before theirs."""
    talk = [said(1, "ann", "soup?"), said(2, "ann", "or bread?"), said(3, "bob", "my bike is gone")]
    talk += [
        said(4, "cem", "bread"),
        said(5, "cem", "which bike"),
        said(6, "bob", "the blue one"),
        said(7, "bob", "sad"),
    ]
    links = {"4": (2, True), "5": (3, True), "6": (5, True), "7": (4, False)}
    answers = {name: AnsweredMessage(talk[parent - 1], explicit) for name, (parent, explicit) in links.items()}
    assert turns_of(ThreadContext(talk, answers), 20, 99) == (
        Turn("ANN", ("soup?", "or bread?")),
        Turn("BOB", ("my bike is gone",)),
        Turn("CEM", ("bread", "which bike"), Quote("ANN", "or bread?")),
        Turn("BOB", ("the blue one",)),
        Turn("BOB", ("sad",), Quote("CEM", "bread")),
    )


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), max_size=25))
def test_the_bot_reads_the_turns_that_an_import_writes(channel: list[tuple[str, int, bool]]) -> None:
    """Of the same messages: the same threads, bursts and quotes. back: how far a link points, 0 for none."""
    people = {name: KnownPerson(name.upper(), name, consent=True) for name in "abc"}
    rows, heard = [], []
    for number, (who, back, addresses) in enumerate(channel):
        text = f"b: {number}" if addresses else f"line {number}"
        link = str(number - back) if back and back <= number else ""
        at = 1e9 + 60.0 * number
        rows.append(Row("discord", "D", "c", "group", str(number), who, at, (text,), link))
        heard.append(HistoryMessage(str(number), who, who.upper(), (text,), at, link))
    records = conversation_records(rows, people, others="context")
    groups = segment(rows, people)
    for record, group in zip(records, groups, strict=True):
        last = group.rows[-1].message_id
        context = ChannelThreads("MARA", is_grown=True).context("c", heard, last, {})
        ids = {row.message_id for row in group.rows}
        own = [message for message in context.messages if message.message_id in ids]
        assert turns_of(ThreadContext(own, context.answers), 99, 99) == record.conversation.turns


def answer(number: int, author: str, line: str, to: int, quoted: str = "") -> HistoryMessage:
    whose = ("BOB", (quoted,)) if quoted else ("", ())
    return HistoryMessage(str(number), author, author.upper(), (line,), 0.0, str(to), False, *whose)


def test_a_turn_says_what_it_answers_unless_that_ends_the_turn_before() -> None:
    """The last line of it, or for whoever goes on the line before their turn; unknown words are not quoted."""
    talk = [
        said(1, "bob", "a"),
        said(2, "bob", "b"),
        answer(3, "ann", "to b", 2, "b"),
        answer(4, "ann", "so b", 2, "b"),
    ]
    assert turns_of(ThreadContext(talk), 9, 99) == (Turn("BOB", ("a", "b")), Turn("ANN", ("to b", "so b")))
    talk = [said(1, "bob", "a"), said(2, "bob", "b"), answer(3, "ann", "to a", 1, "a"), answer(4, "cleo", "?", 99)]
    assert turns_of(ThreadContext(talk), 9, 99)[1:] == (Turn("ANN", ("to a",), Quote("BOB", "a")), Turn("CLEO", ("?",)))


def test_an_answer_that_goes_on_after_others_begins_a_turn() -> None:
    """Of its own, with what it answers."""
    talk = [said(1, "bob", "a"), said(2, "ann", "b"), answer(3, "ann", "to c", 7, "c")]
    assert turns_of(ThreadContext(talk), 9, 99)[1:] == (Turn("ANN", ("b",)), Turn("ANN", ("to c",), Quote("BOB", "c")))


def test_a_reaction_is_a_turn_behind_what_it_is_to() -> None:
    """Two of others, and the persona's; what was said last stands last."""
    crowd = [answer(10 + number, f"p{number}", "[react 😂]", 1) for number in range(4)]
    own = HistoryMessage("20", "", "MARA", ("[react 👍]",), 0.0, "1")
    talk = [said(1, "bob", "a"), *crowd, own, said(2, "ann", "b"), answer(30, "ann", "[react 😮]", 99)]
    speakers = [turn.speaker for turn in turns_of(ThreadContext(talk), 9, 99)]
    assert speakers == ["BOB", "P0", "P1", "MARA", "ANN"]
    talk = [said(1, "bob", "a"), answer(10, "ann", "[react 😂]", 1), said(2, "bob", "b")]
    assert turns_of(ThreadContext(talk), 9, 99) == (
        Turn("BOB", ("a",)),
        Turn("ANN", ("[react 😂]",)),
        Turn("BOB", ("b",)),
    )
    talk.append(said(3, "cleo", "c"))
    quoted = Turn("ANN", ("[react 😂]",), Quote("BOB", "a"))
    assert turns_of(ThreadContext(talk), 9, 99) == (Turn("BOB", ("a", "b")), quoted, Turn("CLEO", ("c",)))


def test_the_persona_says_what_it_answers_if_others_spoke_since() -> None:
    """Not where that is the end."""
    talk = [said(1, "bob", "a"), said(2, "ann", "b"), answer(9, "ann", "[react 😂]", 1)]
    assert own_quote(talk, ["1"]) == Quote("BOB", "a")
    assert own_quote(talk, ["2"]) is None
    assert own_quote(talk, ["1", "2"]) is None
    assert own_quote(talk, ["7"]) is None
