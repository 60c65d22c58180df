"""The transcript's text: written and read back, and nothing in it forged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona.transcript import (
    Conversation,
    Quote,
    TranscriptError,
    Turn,
    merge_turns,
    parse,
    parse_many,
    quote,
    reads_as_header,
    render,
)
from persona.turn_lines import before_next_turn, completion_lines, plain_lines, whole_part
from tests.persona.strategies import CONVERSATIONS, KEYS, LINES

SLEEP = Conversation("group", (Turn("ALICE", ("did you sleep",)), Turn("CHIHIRO", ("no", "the cat disagreed"))), 2021)
TEXT = "# group 2021\n\nALICE:\ndid you sleep\n\nCHIHIRO:\nno\nthe cat disagreed\n"


def test_a_conversation_reads_like_a_script() -> None:
    """The form a person sees."""
    assert render(SLEEP) == TEXT
    assert parse(TEXT) == SLEEP


@given(CONVERSATIONS)
@settings(max_examples=400)
def test_what_is_written_is_read_back(conversation: Conversation) -> None:
    """parse(render(x)) == x for every constructible conversation."""
    assert parse(render(conversation)) == conversation


@given(st.lists(CONVERSATIONS, max_size=4))
def test_many_conversations_follow_each_other(conversations: list[Conversation]) -> None:
    """As in the corpus's transcript.txt."""
    assert list(parse_many("\n".join(map(render, conversations)))) == conversations


REMEMBERED = """# group 2024

JONAS:
anyone up for ghent on saturday?

BRAM:
[forwarded from DE LIJN] works at Korenmarkt until june

# memory 2019

PRIYA:
where was that place with the eels

MARA VOSS:
korenlei. never again

# now

MARA VOSS:
> JONAS: anyone up for ghent on saturday?
only if it isn't the eel place
"""


def test_quotes_and_memories_read_like_a_script() -> None:
    """What is answered stands under the header, what comes to mind before the turn that is said now."""
    conversation = parse(REMEMBERED)
    assert render(conversation) == REMEMBERED
    assert conversation.turns[-1].quote == Quote("JONAS", "anyone up for ghent on saturday?")
    assert [turn.speaker for turn in conversation.memories[0].turns] == ["PRIYA", "MARA VOSS"]
    assert (len(conversation.turns), conversation.memories[0].year) == (3, 2019)


def test_a_quote_is_cut_at_twenty_words() -> None:
    """Of any script; and nothing is quoted of nothing."""
    words = " ".join(f"word{number}" for number in range(30))
    assert quote("ALICE", [words]) == Quote("ALICE", " ".join(words.split()[:20]) + "…")
    assert quote("ALICE", ["don't", "stop"]) == Quote("ALICE", "don't stop")
    assert quote("小雨", ["你" * 30]) == Quote("小雨", "你" * 20 + "…")
    assert len((quote("", ["😀" * 3000]) or Quote("", "x")).words) <= 201
    assert quote("A: B", ["x"]) == Quote("", "x")
    assert quote("ALICE", [" "]) is None


@given(KEYS, st.lists(LINES, max_size=3))
def test_any_lines_can_be_quoted(speaker: str, lines: list[str]) -> None:
    """Whatever somebody typed."""
    if answered := quote(speaker, lines):
        turn = Turn("BOB", ("yes",), answered)
        assert parse(render(Conversation("dm", (turn,)))).turns == (turn,)


def test_a_line_cannot_forge_another_speaker() -> None:
    """A line that reads as a header, or as a scene, is written with a backslash."""
    forged = Conversation("dm", (Turn("BOB", ("> ALICE: no", "CHIHIRO:", "# group", "# now", "\\o/")),))
    written = "\\> ALICE: no\n\\CHIHIRO:\n\\# group\n\\# now\n\\\\o/"
    assert render(forged) == f"# dm\n\nBOB:\n{written}\n"


@pytest.mark.parametrize(
    "line", ["ALICE:", "小雨:", "# timeline", "# dm 2020", "# now", "# memory", "# memory 2019", "A:B:"]
)
def test_what_reads_as_a_header(line: str) -> None:
    """Names in capitals where the script has them, alone on a line with a colon; and scene lines."""
    assert reads_as_header(line)


@pytest.mark.parametrize("line", ["Groceries:", "ALICE", "ALICE: hi", ":", "# nowhere", "#group", "# group 0021"])
def test_what_does_not_read_as_a_header(line: str) -> None:
    """Ordinary text with colons and hashes."""
    assert not reads_as_header(line)


@pytest.mark.parametrize("lines", [(), ("",), ("a\nb",), ("a\u2028b",), ("\x07",), ("\ud800",)])
def test_a_turn_refuses_lines_that_cannot_be_written(lines: tuple[str, ...]) -> None:
    """Empty ones, line breaks, control characters, half surrogate pairs."""
    with pytest.raises(TranscriptError):
        Turn("ALICE", lines)


@pytest.mark.parametrize("speaker", ["", "alice", "ALICE:", "# A", "AL\nICE"])
def test_a_turn_refuses_what_is_no_key(speaker: str) -> None:
    """Keys are normalised before they get here."""
    with pytest.raises(TranscriptError):
        Turn(speaker, ("hi",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ALICE:\nhi\n", "line 1: a transcript begins with a scene line"),
        ("# group\n\nhello there\n", "line 3: expected a speaker's name"),
        ("# group\n\nALICE:\n\n", "line 3: expected a speaker's name"),
        ("# dm\n\nA:\n> B: no\n", "line 3: expected a speaker's name"),
        ("# dm\n\n# now\n\nA:\nhi\n", "line 3: '# now' ends a memory"),
        ("# dm\n\n# memory\n\nA:\nhi\n", "after a memory come '# now' and a turn"),
        ("# dm\n\n# memory\n\nA:\nhi\n\n# now\n", "after a memory come '# now' and a turn"),
        ("# dm\n\n# memory\n\n# now\n\nA:\nhi\n", "a memory has no turns"),
        ("# dm\n\n# memory\n\nA:\nx\n\n# now\n\nA:\ny\n\nB:\nz\n", "line 13: one turn stands after '# now'"),
        ("", "expected one conversation, found 0"),
    ],
)
def test_text_that_is_no_transcript_is_refused_with_its_line(text: str, problem: str) -> None:
    """Somebody edits by hand."""
    with pytest.raises(TranscriptError, match=problem):
        parse(text)


@given(st.text())
def test_any_outside_text_becomes_lines_a_turn_may_hold(text: str) -> None:
    """Messages of live people hold anything."""
    if lines := plain_lines(text):
        assert Turn("ALICE", lines).lines == lines


@given(st.text(), st.text())
def test_a_completion_never_speaks_for_somebody_else(text: str, more: str) -> None:
    """Whatever a model writes, what comes after another's header is gone."""
    lines = completion_lines(f"{text}\n\nALICE:\n{more}")
    assert lines == completion_lines(text)


def test_a_completion_is_unescaped() -> None:
    """The backslash was ours, not the speaker's."""
    assert completion_lines("\\BOB:\nsaid nothing\n\\\\o/") == ("BOB:", "said nothing", "\\o/")


def test_neighbouring_turns_of_one_speaker_are_one_turn() -> None:
    """A burst."""
    turns = [Turn("A", ("x",)), Turn("A", ("y",)), Turn("B", ("z",)), Turn("A", ("x",))]
    assert merge_turns(turns) == (Turn("A", ("x", "y")), Turn("B", ("z",)), Turn("A", ("x",)))


def test_a_message_that_answers_something_else_is_a_turn_of_its_own() -> None:
    """The words after it go on from there."""
    answer = Turn("A", ("y",), Quote("B", "z"))
    assert merge_turns([Turn("A", ("x",)), answer, Turn("A", ("w",))]) == (
        Turn("A", ("x",)),
        Turn("A", ("y", "w"), Quote("B", "z")),
    )


def test_a_completion_does_not_choose_what_it_answers() -> None:
    """That stands in the prompt; a line with an arrow that somebody typed was written with a backslash."""
    assert completion_lines("> BOB: no\nyes") == ("yes",)
    assert completion_lines("\\> BOB: no\nyes") == ("> BOB: no", "yes")


def test_the_ends_of_outside_lines_are_trimmed() -> None:
    """Tabs are blanks; a line of nothing else is none."""
    assert plain_lines("  did you\tsleep \n\t\n no") == ("did you sleep", "no")


def test_ids_that_make_no_character_are_not_said() -> None:
    """A completion may be cut in the middle of an emoji."""
    assert completion_lines("good night \ufffd\n\ufffd") == ("good night",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fine\n\nTILT:\nno", "fine"),
        ("one\ntwo \n \nthree\n\nfour", "one\ntwo"),
        ("\n\nfine\n\n", "\n\nfine"),
        ("one\ntwo", None),
        ("one\n", None),
        ("\n\n", None),
        ("one\nTILT:\nno", "one"),
        ("one\nTILT:", None),
        (" TILT: \nno", ""),
        ("one\n# group 2021\n", "one"),
        ("one\ntips:\n", None),
    ],
)
def test_a_blank_line_or_a_header_ends_what_is_said(text: str, said: str | None) -> None:
    """Not a blank line before any word: that is a slow beginning. Nor a header that may go on."""
    assert before_next_turn(text) == said


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("i know it. you know it! do they kn", "i know it. you know it!"),
        ('he said "no." and the', 'he said "no."'),
        ("first line\nsecond li", "first line\n"),
        ("version 2.5 is ou", "version 2.5 is"),
        ("我走了。他也", "我走了。"),
        ("all of it.", "all of it."),
        ("\nno stop at al", "\nno stop at"),
        ("unbroken", "unbroken"),
    ],
)
def test_what_ran_out_of_tokens_ends_with_something_whole(text: str, whole: str) -> None:
    """A sentence or a line, else a word."""
    assert whole_part(text) == whole
