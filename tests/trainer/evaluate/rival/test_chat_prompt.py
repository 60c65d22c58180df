"""The prompt of a rival, and what is left of its answers."""

import pytest

from persona.transcript import Quote, Turn
from trainer.evaluate.reply_context import ReplyContext
from trainer.evaluate.rival.chat_prompt import answer_lines, chat_prompt
from trainer.evaluate.rival.examples import Examples

ME = "MARA VOSS"


def context(asked: str, said: str, quote: Quote | None = None, scene: str = "group") -> ReplyContext:
    before = (Turn("PRIYA", (asked,)),) if asked else ()
    return ReplyContext("c", scene, 2024, before, Turn(ME, (said,), quote), None)


def test_it_holds_the_person_s_own_messages_and_not_the_answer() -> None:
    """Each example after what it answers, the conversation last, and what is quoted."""
    asked = context("are the eels good", "the real answer", Quote("JONAS", "ghent?"))
    system, user = chat_prompt(ME, asked, [context("did you sleep", "no. the cat disagreed")])
    assert "PRIYA:\ndid you sleep\n\nMARA VOSS:\nno. the cat disagreed" in system["content"]
    assert "a group chat" in system["content"]
    assert "are the eels good" in user["content"]
    assert "> JONAS: ghent?" in user["content"]
    assert "the real answer" not in system["content"] + user["content"]


def test_a_tweet_is_asked_for_without_anything_before_it() -> None:
    """A timeline has nobody to answer."""
    system, user = chat_prompt(ME, context("", "tweet", scene="timeline"), [])
    assert "their timeline" in system["content"]
    assert user["content"].startswith("# timeline 2024")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("no", ("no",)),
        ("no\n\nthe cat disagreed", ("no", "the cat disagreed")),
        ("MARA VOSS: no", ("no",)),
        ("**Mara Voss:** no", ("no",)),
        ("MARA VOSS:\nno", ("no",)),
        ('"no"', ("no",)),
        ("“no\nnever”", ("no", "never")),
        ('"no" or "yes"', ('"no" or "yes"',)),
        ("```\nno\n```", ("no",)),
        ("no\nPRIYA:\nwhy", ("no",)),
        ("> PRIYA: are the eels good\nno", ("no",)),
        ("Mara Voss is asleep", ("Mara Voss is asleep",)),
        ("", ()),
        ('""', ('""',)),
    ],
)
def test_what_models_put_around_their_words_is_taken_off(text: str, lines: tuple[str, ...]) -> None:
    """And nothing else."""
    assert answer_lines(text, ME) == lines


def test_the_nearest_examples_come_last() -> None:
    """By the words before them; the rest are filled up evenly, none twice."""
    contexts = [context(f"about the {word}", f"said {word}") for word in ("tram", "cat", "soup", "eels", "moon")]
    chosen = Examples(contexts).nearest(context("how are the eels", "?"), 3)
    assert chosen[-1].text == "said eels"
    assert len({example.text for example in chosen}) == 3
    assert len(Examples(contexts).nearest(context("", "?"), 99)) == 5
    assert Examples([]).nearest(context("anything", "?")) == []
