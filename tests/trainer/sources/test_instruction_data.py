"""Alpaca, ShareGPT, messages and JadeV8: roles instead of people."""

import json
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.message import Message


def said(path: Path) -> list[tuple[str, str, str]]:
    """Who says what in which kind of message, conversations apart."""
    messages, rejects = read(path)
    assert rejects == []
    return [(one.sender_name or one.sender_id, one.kind, one.text) for one in messages]


def test_alpaca_is_question_and_answer() -> None:
    """With the input below the instruction, and LLaMA-Factory's system and history before it."""
    assert said(FIXTURES / "alpaca" / "plain.json") == [
        ("user", "message", "Name three gulls."),
        ("assistant", "message", "herring, laughing, ours"),
        ("system", "service", "You are kind."),
        ("user", "message", "hi"),
        ("assistant", "message", "hello"),
        ("user", "message", "Translate.\nMöwe"),
        ("assistant", "message", "gull"),
    ]


def test_alpaca_may_be_a_record_a_line() -> None:
    """JSON lines hold the same."""
    assert [text for _, _, text in said(FIXTURES / "alpaca" / "lines.jsonl")] == ["one?", "one", "two?", "two"]


def test_sharegpt_calls_the_roles_human_and_gpt() -> None:
    """They are the same roles."""
    assert said(FIXTURES / "sharegpt")[:2] == [
        ("user", "message", "who stole the chips"),
        ("assistant", "message", "a gull\nit is always a gull"),
    ]


def test_messages_may_have_names_and_parts() -> None:
    """What a tool says is nobody's words."""
    assert said(FIXTURES / "chat_messages") == [
        ("system", "service", "You are Ines."),
        ("user", "message", "ferry?"),
        ("assistant", "message", "late"),
        ("Tobias", "message", "早安"),
        ("assistant", "message", "早"),
        ("tool", "service", "{}"),
    ]


def test_jade_joins_a_burst_in_a_row() -> None:
    """`|br|` parts the messages of one speaker."""
    assert said(FIXTURES / "jade_text") == [
        ("user", "message", "Good morning!"),
        ("assistant", "message", "Good morning!"),
        ("user", "message", "is it late"),
        ("user", "message", "the ferry"),
        ("assistant", "message", "it is"),
        ("assistant", "message", "as ever"),
    ]


def test_the_same_conversation_has_the_same_ids_in_any_file(tmp_path: Path) -> None:
    """So it is added once; four hundred equal ones in a file stay four hundred."""
    line = (
        json.dumps({"messages": [{"role": "user", "content": "早安"}, {"role": "assistant", "content": "早"}]}) + "\n"
    )
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text(line * 3, encoding="utf-8")
    second.write_text("\n" + line * 2, encoding="utf-8")
    ids = [[one.message_id for one in read(path)[0]] for path in (first, second)]
    assert len(set(ids[0])) == 6
    assert ids[1] == ids[0][:4]


@pytest.mark.parametrize(
    "bad", ['{"messages": [{"role": "user", "content": "cut', '{"messages": 7}', "[1, 2]", "not json"]
)
def test_a_bad_line_costs_only_itself(tmp_path: Path, bad: str) -> None:
    """It is kept verbatim, with its place."""
    good = json.dumps({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]})
    path = tmp_path / "a.jsonl"
    path.write_text(f"{good}\n{bad}\n{good}\n", encoding="utf-8")
    messages, rejects = read(path)
    assert [one.text for one in messages] == ["hi", "yo", "hi", "yo"]
    assert [(one.offset, one.raw) for one in rejects] == [(len(good) + 1, bad + "\n")]
    assert isinstance(messages[0], Message)
