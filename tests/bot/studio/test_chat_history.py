"""What was said on the page, and how it becomes turns and bubbles."""

from html import unescape

import pytest

from bot.store import Answer
from bot.studio.chat_history import (
    EDITED,
    Burst,
    Chat,
    beside,
    bubbles,
    display_names,
    edited,
    place_of,
    reworded,
    said_last,
    speaker_of,
    turns_of,
    typed,
    typed_text,
    unanswered,
)
from persona.transcript import Turn
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_voice

SEAL = small_voice(FakeEngine()).seal
MADE = Answer("# dm\n", "hm", "MARA VOSS 2024", ("owner",))


def talk() -> Chat:
    """You ask, it answers, Jonas asks."""
    chat = (*typed((), SEAL, "you", "are you there?"), Burst(SPEAKER, "Mara Voss", ("hm", "no"), MADE, "a1"))
    return typed(chat, SEAL, "Jonas", "and now?")


def test_lines_typed_in_a_row_are_one_bubble_and_one_turn() -> None:
    """As a burst is in the transcript."""
    chat = typed(typed((), SEAL, "you", "hey\n\n"), SEAL, "you", "are you open today?")
    assert turns_of(chat) == (Turn("YOU", ("hey", "are you open today?")),)
    assert typed(chat, SEAL, "you", " \n\t") == chat


def test_a_trained_speakers_name_speaks_as_them_and_nobody_is_the_persona() -> None:
    """Whoever sits there may be anybody but the persona itself."""
    assert speaker_of(SEAL, "jonas") == "JONAS"
    assert speaker_of(SEAL, "Mara Voss") == "MARA VOSS 2"
    assert speaker_of(SEAL, "\u202e:") == "SOMEONE"
    assert turns_of(typed((), SEAL, " ", "hi")) == (Turn("YOU", ("hi",)),)


def test_names_stand_in_the_bubbles_where_several_talk() -> None:
    """And what is edited there is edited without them."""
    shown = [message["content"] for message in bubbles(talk())]
    assert shown == ["you: are you there?", "hm\nno", "Jonas: and now?"]
    assert typed_text(talk(), 2, "Jonas: and then?") == "and then?"
    assert display_names(typed((), SEAL, "Mara Voss", "boo")) == {"MARA VOSS 2": "Mara Voss"}


@pytest.mark.parametrize(
    "text", ["<img src=x>", "</p>", "<!-- no -->", "&lt;b&gt;", "&copy 1999", "&amp;amp;", "&#x3c;b>"]
)
def test_what_looks_like_html_is_shown_and_edited_to_the_letter(text: str) -> None:
    """A browser makes the very same text of it again; so does whoever edits nothing."""
    chat = typed((), SEAL, "you", text)
    (bubble,) = bubbles(chat)
    assert "<" not in bubble["content"]
    assert unescape(bubble["content"]) == text
    assert typed_text(chat, 0, bubble["content"]) == text


def test_hearts_and_rhythm_and_blues_need_no_care() -> None:
    """Whoever copies a bubble gets what they see."""
    (bubble,) = bubbles(typed((), SEAL, "you", "<3 R&B & 1 < 2 && so"))
    assert bubble["content"] == "<3 R&B & 1 < 2 && so"


def test_what_is_typed_anew_is_answered_anew() -> None:
    """What followed it is gone; an answer that is rewritten keeps what follows."""
    assert [burst.lines for burst in edited(talk(), 0, "open?")] == [("open?",)]
    rewritten = edited(talk(), 1, "yes")
    assert [burst.lines for burst in rewritten] == [("are you there?",), ("yes",), ("and now?",)]
    assert rewritten[1].made == Answer("# dm\n", "yes", f"MARA VOSS 2024{EDITED}", ("owner",))
    assert edited(talk(), 1, " ") == talk()[:1]


def test_an_answer_is_said_again_from_the_question() -> None:
    """Whatever answers stand at the end."""
    assert unanswered(talk()[:2]) == talk()[:1]
    assert unanswered(talk()) == talk()


def test_a_burst_is_a_bubble_a_message() -> None:
    """As a chat shows it; a tweet is one, whatever its lines."""
    asked = typed((), SEAL, "you", "are you there?")
    burst = (*asked, Burst(SPEAKER, "Mara Voss", ("hm", "no"), MADE, "a1", whole=False))
    assert [message["content"] for message in bubbles(burst)] == ["are you there?", "hm", "no"]
    assert [place_of(burst, bubble) for bubble in range(3)] == [(0, 0), (1, 0), (1, 1)]
    assert edited(burst, 2, "yes")[1].lines == ("hm", "yes")
    assert edited(burst, 2, " ")[1].lines == ("hm",)
    with pytest.raises(IndexError):
        place_of(burst, 3)


def test_beside_the_last_answer_stands_what_it_answers_and_remembers() -> None:
    """Nothing before it has answered."""
    assert beside(talk()[:1]) == []
    assert beside(talk()) == [("answers", "you: are you there?"), ("remembers", "this message only")]
    longer = (*talk(), Burst(SPEAKER, "Mara Voss", ("fine",), MADE, "a2"))
    assert beside(longer) == [("answers", "Jonas: and now?"), ("remembers", "3 turns of this chat")]


def test_what_it_would_have_said_stands_in_place_of_its_answer() -> None:
    """The talk goes on from that, and it is no answer of an adapter."""
    (asked, said) = reworded(unanswered(talk()[:1]) + talk()[1:2], "nope\nnever")
    assert (asked.lines, said.lines, said.id) == (("are you there?",), ("nope", "never"), "a1")
    assert said.made == Answer("# dm\n", "nope\nnever", f"MARA VOSS 2024{EDITED}", ("owner",))


def test_what_is_corrected_twice_was_said_once() -> None:
    """By the persona: the second correction is of that, not of the first one; what somebody wrote over is not its own."""
    talked = talk()[:2]
    twice = reworded(reworded(talked, "nope"), "never")
    assert said_last(twice) == said_last(talked) == MADE
    assert twice[-1].made == Answer("# dm\n", "never", f"MARA VOSS 2024{EDITED}", ("owner",))
    assert said_last(edited(talked, 1, "hm")) is None
    assert said_last(talked[:1]) is said_last(()) is None
