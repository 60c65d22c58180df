"""The engine that lives elsewhere: any OpenAI-compatible server's /v1/completions, with prompts as token ids.

vLLM (`--enable-lora`), Ray Serve LLM, llama-server. Each reads the fields it knows and passes over the others, so all
are sent: no server fills a gap from a model's own settings.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

import openai
from openai.types import Completion

from engine.base import EngineError, Finish, Piece, Request, token_budget
from persona.encoding import Encoding
from persona.errors import PermanentError

log = logging.getLogger("alterego.engine")

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0  # between two pieces; a full queue on the server is no reason to give up earlier
RETRIES = 3  # of what never began: half a second, one, two, each with jitter, or what the server's Retry-After says

_TOKEN_ID = "token_id:"
_REFUSALS = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)


class ServerEngine:
    """Completions of `model` at `url`. key: sent as a bearer token. stops: ids that end a text."""

    name = "server"

    def __init__(
        self,
        url: str,
        model: str,
        encoding: Encoding,
        *,
        key: str = "",
        stops: frozenset[int],
        max_length: int,
        max_concurrent: int,
    ) -> None:
        self._url = url
        self._model = model
        self._encoding = encoding
        self._key = key
        self._stops = sorted(stops | {encoding.end_of_turn})
        self._max_length = max_length
        self._turns = asyncio.Semaphore(max_concurrent)
        self._client: openai.AsyncOpenAI | None = None

    async def start(self) -> None:
        """Do nothing: the server may start later. May be called again after a failure."""
        self._client = self._client or openai.AsyncOpenAI(
            base_url=self._url,
            api_key=self._key or "none",
            timeout=openai.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            max_retries=RETRIES,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        """Yield the completion of `request`, piece by piece. Raises EngineError if the server is away, breaks off or
        refuses this request; PermanentError if it refuses all: a wrong key, an unknown model."""
        if not self._client:
            raise EngineError("the engine is not running")
        if not request.tuned:
            raise EngineError("a server's adapter can't be left out; use the transformers engine")
        max_new_tokens = token_budget(request, self._max_length, self._encoding.vocabulary)
        try:
            async with aclosing(self._pieces(self._client, request, max_new_tokens)) as pieces:
                async for piece in _until(request.deadline, pieces):
                    yield piece
        except TimeoutError:
            yield Piece("", "deadline")
        except _REFUSALS as error:
            raise PermanentError(
                f"the server at {self._url} refuses model {self._model!r} ({_reason(error)}); "
                "check [engine] url and model, and ENGINE_API_KEY"
            ) from error
        except openai.BadRequestError as error:
            raise EngineError(f"the server refuses the request: {_reason(error)}") from error
        except openai.APIError as error:
            raise EngineError(
                f"the server at {self._url} is away ({type(error).__name__}: {_reason(error)})"
            ) from error

    async def next_token_log_probs(self, request: Request, count: int) -> Mapping[int, float]:
        """Return the log-probabilities of the `count` likeliest next ids. Raises EngineError for a server that doesn't tell
        them by id."""
        if not self._client:
            raise EngineError("the engine is not running")
        token_budget(request, self._max_length, self._encoding.vocabulary)
        body = self._body(request, 1) | {"logprobs": count, "temperature": 1.0, "top_p": 1.0}
        more = body["extra_body"] | {"top_k": 0, "min_p": 0.0, "return_tokens_as_token_ids": True}
        try:
            async with self._turns, asyncio.timeout(_seconds_to(request.deadline)):
                completion = await self._client.completions.create(**body | {"extra_body": more})
        except TimeoutError as error:
            raise EngineError("the server told no probabilities before the deadline") from error
        except openai.APIError as error:
            raise EngineError(f"the server tells no probabilities: {_reason(error)}") from error
        return _log_probs_by_id(completion)

    async def _pieces(self, client: openai.AsyncOpenAI, request: Request, max_new_tokens: int) -> AsyncGenerator[Piece]:
        trim = Trim([self._encoding.tokenizer.id_to_token(token) or "" for token in self._stops])
        body = self._body(request, max_new_tokens)
        async with self._turns, await client.completions.create(**body, stream=True) as stream:
            async for event in stream:
                text, finish = _text_and_finish(event)
                said, over = trim.push(text)
                if said:
                    yield Piece(said)
                if over or finish:
                    yield Piece("" if over else trim.rest(), "stop" if over else finish)
                    return
        raise EngineError("the server ended a reply without saying why")

    def _body(self, request: Request, max_new_tokens: int) -> dict[str, Any]:
        """Return the request with every field under each server's name for it."""
        rule = request.sampling
        if rule.repetition_penalty != 1.0:
            raise EngineError("a server can't spare the end of a turn from a repetition penalty")
        more: Mapping[str, Any] = {
            "top_k": rule.top_k,
            "min_p": rule.min_p,
            "repetition_penalty": 1.0,
            "stop_token_ids": self._stops,  # vLLM
            "skip_special_tokens": True,
            "repeat_penalty": 1.0,  # llama-server
            "samplers": ["temperature", "top_k", "top_p", "min_p"],  # it would put the temperature last
            "typical_p": 1.0,
            "dry_multiplier": 0.0,
            "xtc_probability": 0.0,
            "cache_prompt": True,
        }
        return {
            "model": self._model,
            "prompt": list(request.ids),
            "max_tokens": max_new_tokens,
            "temperature": rule.temperature,
            "top_p": rule.top_p,
            "seed": request.seed,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "n": 1,
            "extra_body": more,
        }


class Trim:
    """Cuts a streamed text at the first of some marks, and holds back what may be the beginning of one."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = [mark for mark in marks if mark]
        self._held = ""

    def push(self, text: str) -> tuple[str, bool]:
        """Return what can be told now, and whether a mark ended it."""
        text = self._held + text
        if ends := [place for mark in self._marks if (place := text.find(mark)) >= 0]:
            return text[: min(ends)], True
        longest = max((len(mark) for mark in self._marks), default=1) - 1
        held = next((n for n in range(min(longest, len(text)), 0, -1) if self._may_begin(text[-n:])), 0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held], False

    def rest(self) -> str:
        """Return what was held back and turned out to be text."""
        return self._held

    def _may_begin(self, end: str) -> bool:
        return any(mark.startswith(end) for mark in self._marks)


async def _until(deadline: float | None, pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
    """Yield the pieces that come before the deadline. Raises TimeoutError at it; only while it waits for a piece, never
    while its caller does something else."""
    while True:
        async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
            piece = await anext(pieces)
        yield piece
        if piece.finish:
            return


def _seconds_to(deadline: float | None) -> float | None:
    return None if deadline is None else deadline - time.monotonic()


def _log_probs_by_id(completion: Completion) -> Mapping[int, float]:
    """Return the first token's likeliest ids: vLLM calls them "token_id:7", llama-server has a list with ids."""
    told: dict[str, Any] = completion.model_dump()["choices"][0].get("logprobs") or {}
    if content := told.get("content"):
        return {int(token["id"]): float(token["logprob"]) for token in content[0].get("top_logprobs") or ()}
    likeliest = (told.get("top_logprobs") or [{}])[0] or {}
    by_id = {int(name.partition(":")[2]): float(nats) for name, nats in likeliest.items() if name.startswith(_TOKEN_ID)}
    if not by_id:
        raise EngineError("the server tells no probabilities of ids; [talk] unprompted needs vLLM or llama-server")
    return by_id


def _text_and_finish(event: Completion) -> tuple[str, Finish | None]:
    """Text and finish reason of one event."""
    if not event.choices:
        return "", None
    choice = event.choices[0]
    return choice.text or "", _finish(choice.finish_reason)


def _finish(reason: str | None) -> Finish | None:
    """Raise EngineError for an unknown finish reason, such as vLLM's "abort"."""
    if reason in ("stop", "length"):
        return cast(Finish, reason)
    if reason:
        raise EngineError(f"the server ended a reply with {reason!r}")
    return None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
