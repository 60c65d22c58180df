"""What a chat server answers: one JSON object, or a stream of events; with or without the thoughts before the words. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from persona.errors import UserError

_THINKING = re.compile(r"<(think|thinking|reasoning|thought)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(
    r"\A.*</(?:think|thinking|reasoning|thought)>", re.DOTALL | re.IGNORECASE
)  # some templates open it


class RubbishError(UserError):
    """An answer that is none."""


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """text: without what the model thought before it. seconds: from asking to the last word, without waiting for a turn.
    prompt_tokens, answer_tokens: as the server counts them, None if it doesn't. finish: why it ended, as the server says."""

    text: str
    seconds: float
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    finish: str = ""


def content_of(text: str) -> Any:
    """Return what a body holds: JSON, or the events of a stream put together as if it had come at once; else its text."""
    events = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    try:
        return _joined([json.loads(event) for event in events if event != "[DONE]"]) if events else json.loads(text)
    except ValueError:
        return text


def _joined(events: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    content, finish = "", ""
    for event in events:
        if not isinstance(event, dict):
            continue
        told |= {name: event[name] for name in ("usage", "error") if event.get(name)}
        for choice in (event.get("choices") or ())[:1]:
            content += ((choice.get("delta") or choice.get("message") or {}).get("content")) or ""
            finish = choice.get("finish_reason") or finish
    return told | {"choices": [{"message": {"content": content}, "finish_reason": finish}]}


def read_answer(told: Any, seconds: float, url: str) -> ChatAnswer:
    """Read a completion. Raises RubbishError."""
    try:
        if told.get("error"):
            raise RubbishError(f"the server at {url} answers with an error: {reason_of(told)}")
        choice = told["choices"][0]
        content = choice["message"]["content"]
        text = "" if content is None else content if isinstance(content, str) else _text_parts(content)
        usage = told.get("usage") or {}
        finish = str(choice.get("finish_reason") or "")
        read, written = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise RubbishError(
            f"what the server at {url} answers is no chat completion; its address ends in /v1 as a rule"
        ) from error
    return ChatAnswer(without_thoughts(text), seconds, read, written, finish)


def without_thoughts(text: str) -> str:
    """Return an answer without the reasoning that some models write before it; a thought that never ends leaves nothing."""
    return _THOUGHT.sub("", _THINKING.sub("", text)).strip()


def _text_parts(parts: Any) -> str:
    return "".join(str(part["text"]) for part in parts if part.get("type") == "text")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def reason_of(told: Any) -> str:
    """Return what the server says of itself, short and on one line."""
    if isinstance(told, dict):
        error = told.get("error", told.get("detail", told.get("message", "")))
        told = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(told or "no reason given").split())[:200]
