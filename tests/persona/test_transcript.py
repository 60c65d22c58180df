"""The transcript's text: written and read back, and nothing in it forged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona.transcript import (
    Conversation,
    TranscriptError,
    Turn,
    completion_lines,
    merge_turns,
    parse,
    parse_many,
    plain_lines,
    reads_as_header,
    render,
)
from tests.persona.strategies import CONVERSATIONS

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


def test_a_line_cannot_forge_another_speaker() -> None:
    """A line that reads as a header, or as a scene, is written with a backslash."""
    forged = Conversation("dm", (Turn("BOB", ("CHIHIRO:", "# group", "\\o/")),))
    assert render(forged) == "# dm\n\nBOB:\n\\CHIHIRO:\n\\# group\n\\\\o/\n"


@pytest.mark.parametrize("line", ["ALICE:", "小雨:", "# timeline", "# dm 2020", "A:B:"])
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


def test_the_ends_of_outside_lines_are_trimmed() -> None:
    """Tabs are blanks; a line of nothing else is none."""
    assert plain_lines("  did you\tsleep \n\t\n no") == ("did you sleep", "no")


def test_ids_that_make_no_character_are_not_said() -> None:
    """A completion may be cut in the middle of an emoji."""
    assert completion_lines("good night \ufffd\n\ufffd") == ("good night",)
