"""What of votes and corrections is learned from, and whose words stand in the prompts."""

import json
from pathlib import Path

import pytest

from persona.config import Settings, load
from persona.errors import UserError
from persona.transcript import Conversation, Quote, Turn, render
from tests.conftest import Home, sample_settings
from trainer.refine.judged_replies import FeedbackLine, ask_bot, judged_replies, masked, read_file

PROMPT = Conversation(
    "group", (Turn("JONAS", ("at mine?",)), Turn("ZOE", ("or here",), Quote("JONAS", "at mine?"))), 2024
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(Home(tmp_path).settings(sample_settings()).config)


def line(account: str = "studio:page", said: str = "no", score: int = 1, right: str = "") -> FeedbackLine:
    """A vote on an answer to PROMPT, or a correction."""
    return FeedbackLine(account=account, prompt=render(PROMPT), completion=said, score=score, right=right)


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("studio:page", {"JONAS": "at mine?", "ZOE": "or here"}),
        ("telegram:1", {"JONAS": "at mine?", "SOMEONE": "[…]"}),
        ("discord:1", {"SOMEONE": "[…]", "SOMEONE 2": "[…]"}),
    ],
)
def test_only_words_that_may_be_trained_on_stand_in_a_prompt(
    settings: Settings, account: str, shown: dict[str, str]
) -> None:
    """The owner's own machine holds the owner's; on Telegram it is by consent; of Discord's API nobody's."""
    (reply,) = judged_replies(settings, [line(account)])
    assert {turn.speaker: turn.text for turn in reply.context.turns} == shown
    quote = reply.context.turns[1].quote
    assert quote
    assert quote == (Quote("SOMEONE", "[…]") if account.startswith("discord") else Quote("JONAS", "at mine?"))


def test_who_did_not_agree_is_not_learned_from(tmp_path: Path) -> None:
    """Also where the settings know them."""
    known = '[people.ZOE]\nnames = ["Zoe"]\nconsent = false\n'
    (reply,) = judged_replies(load(Home(tmp_path).settings(sample_settings(known)).config), [line("telegram:1")])
    assert {turn.speaker: turn.text for turn in reply.context.turns} == {"JONAS": "at mine?", "SOMEONE": "[…]"}


def test_discords_text_is_learned_from_where_the_setting_says_so(tmp_path: Path) -> None:
    """Of people with consent; the persona's own words and an owner's are in any case."""
    allowing = load(Home(tmp_path).settings(sample_settings("[refine]\ndiscord_text = true\n")).config)
    (reply,) = judged_replies(allowing, [line("discord:1")])
    assert [turn.text for turn in reply.context.turns] == ["at mine?", "[…]"]
    own = Conversation("dm", (Turn("MARA VOSS", ("mine",)), Turn("X", ("theirs",))), None)
    assert [turn.text for turn in masked(own, "MARA VOSS", ()).turns] == ["mine", "[…]"]


def test_votes_on_one_answer_are_counted_and_the_last_correction_holds(settings: Settings) -> None:
    """Even votes say nothing; a corrected answer is refused, whoever liked it."""
    lines = [line(said="a"), line(said="a", score=-1), line(said="b"), line(said="b"), line(said="b", score=-1)]
    lines += [line(said="c"), line(said="c", score=-1, right="x"), line(said="c", score=-1, right="y\nz")]
    assert [(reply.lines, reply.liked, reply.right) for reply in judged_replies(settings, lines)] == [
        (("b",), True, ()),
        (("c",), False, ("y", "z")),
    ]


def test_what_is_held_out_is_so_for_good(settings: Settings) -> None:
    """By its prompt: whatever else is voted on, and with all answers to it."""
    (one,) = judged_replies(settings, [line(said="a")])
    several = judged_replies(settings, [line(said="b", score=-1), line(said="a"), line(said="c")])
    assert {reply.is_held_out for reply in several} == {one.is_held_out}
    assert len({reply.key for reply in several} | {one.key}) == 3


def test_prompts_that_are_alike_once_masked_are_not_held_out_together(settings: Settings) -> None:
    """About one of four is, on Discord too, and of tweets, which answer nothing."""
    tweets = [line(said=f"tweet {number}").model_copy(update={"prompt": "# timeline 2024\n"}) for number in range(80)]
    asked = [Conversation("group", (Turn("ZOE", (f"question {number}",)),), 2024) for number in range(80)]
    answers = [line("discord:1").model_copy(update={"prompt": render(each)}) for each in asked]
    for lines in (tweets, answers):
        replies = judged_replies(settings, lines)
        assert len({repr(reply.context) for reply in replies}) == 1
        assert 8 <= sum(reply.is_held_out for reply in replies) <= 32


def test_a_file_of_votes_is_read_and_what_is_none_is_named(settings: Settings, tmp_path: Path) -> None:
    """By its line; a prompt that is no transcript any more is left out."""
    votes = tmp_path / "votes.jsonl"
    votes.write_text(json.dumps({**line().model_dump(), "post": "x"}) + "\n\n", encoding="utf-8")
    assert [reply.lines for reply in judged_replies(settings, read_file(votes))] == [("no",)]
    votes.write_text(votes.read_text() + "{}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"line 3 of .*votes.jsonl is no vote"):
        read_file(votes)
    with pytest.raises(UserError, match="can't be read"):
        read_file(tmp_path / "none.jsonl")
    broken = line().model_copy(update={"prompt": "no transcript"})
    assert judged_replies(settings, [broken]) == []


def test_a_line_of_the_file_ends_where_json_lines_do(settings: Settings, tmp_path: Path) -> None:
    """Not at what else breaks lines, which words may hold."""
    votes = tmp_path / "votes.jsonl"
    corrected = line(score=-1, right="y\x85z\u2028w").model_dump()
    votes.write_text(json.dumps(corrected, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [reply.right for reply in judged_replies(settings, read_file(votes))] == [("y", "z", "w")]


def test_the_bots_own_sentence_says_why_its_votes_cannot_be_read(tmp_path: Path) -> None:
    """As that of a store that can't be opened."""
    broken = load(Home(tmp_path).settings(sample_settings('[store]\nurl = "mysql://x"\n')).config)
    with pytest.raises(UserError, match=r"the bot's votes can't be read: .*is no database"):
        ask_bot(broken)
