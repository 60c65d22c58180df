"""A rival's answers on disk: what was asked once is not asked, or paid for, again. Held for the owner's eyes only."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from persona.atomic import PRIVATE_FILE
from trainer.evaluate.rival.chat_prompt import Message

FOLDER = "rivals"  # in adapters/<name>


@dataclass(frozen=True, slots=True)
class RivalAnswer:
    """lines: of the answer, none if it said nothing. seconds: that it took. prompt_tokens, answer_tokens: None if unknown.
    finish: why it ended, as the server says. context: which held-out message it answers (see `context_key`)."""

    lines: tuple[str, ...]
    seconds: float
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    finish: str = ""
    context: str = ""


class KeptAnswers:
    """The answers of one model at one address, a line each. What a crash cut off is asked again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, RivalAnswer] = {}
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            try:
                row = json.loads(line)
                asked, lines = row.pop("asked"), tuple(row.pop("lines"))
                self._answers[asked] = RivalAnswer(lines, **row)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    @property
    def all(self) -> list[RivalAnswer]:
        """Return all answers, in the order in which they were given."""
        return list(self._answers.values())

    def get(self, messages: Sequence[Message]) -> RivalAnswer | None:
        """Return the answer to a prompt, None if it was not asked yet."""
        return self._answers.get(_key(messages))

    def keep(self, messages: Sequence[Message], answer: RivalAnswer) -> None:
        """Add an answer."""
        self._answers[_key(messages)] = answer
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        row = json.dumps({"asked": _key(messages), **asdict(answer)}, ensure_ascii=False)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE), "wb") as file:
            file.write(f"\n{row}\n".encode())  # a line of its own, whatever a crash left before it


def rival_answers(adapters: Path) -> dict[str, str]:
    """Return what the rival that was asked last answered, by `context_key`; silences are left out."""
    paths = sorted((adapters / FOLDER).glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    answers = KeptAnswers(paths[-1]).all if paths else []
    return {answer.context: "\n".join(answer.lines) for answer in answers if answer.context and answer.lines}


def kept_answers(adapters: Path, url: str, model: str) -> KeptAnswers:
    """Return what a model at an address has answered. adapters: the persona's folder of bundles."""
    return KeptAnswers(
        adapters / FOLDER / f"{_slug(model)}-{hashlib.sha256(f'{url} {model}'.encode()).hexdigest()[:8]}.jsonl"
    )


def _slug(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")[:60] or "model"


def _key(messages: Sequence[Message]) -> str:
    return hashlib.sha256(json.dumps(list(messages), ensure_ascii=False).encode()).hexdigest()[:32]
