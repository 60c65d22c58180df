"""A client of an OpenAI-compatible /v1/chat/completions: llama-server, vLLM, Ollama, a vendor. Knows no prompt.

What servers disagree on is learned from their refusals: the name of the token limit, whether a temperature may be set, whether
they answer in one piece or as a stream of events.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from persona.errors import PermanentError, SettingsError, UserError
from persona.values import is_loopback
from trainer.evaluate.rival.chat_answer import ChatAnswer, content_of, read_answer, reason_of

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 600.0  # a large model on a CPU reads a few tokens a second
RETRIES = 3  # of what the server could not do just now
MAX_WAIT_SECONDS = 300.0  # that a server may ask to wait at a time
MAX_ANSWER_BYTES = 4_000_000
LISTED_MODELS = 8
_OPTIONAL = ("temperature", "top_p", "stream_options", "max_tokens", "max_completion_tokens")

Note = Callable[[str], None]


class TooLongError(Exception):
    """The prompt does not fit the server's context."""


@dataclass(frozen=True, slots=True)
class ChatServer:
    """Where the rival is. url: up to and including /v1. is_local: on this machine, as far as its address tells."""

    url: str
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Return the name of the machine."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Return whether the address is this machine's."""
        return is_loopback(self.host)


def chat_server(url: str, key: str) -> ChatServer:
    """Return the server at an address as people write it. Raises SettingsError for what is none, and for words or a key that
    would cross the internet in the clear."""
    plain = url.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(
            f"--against takes the address of a server, such as http://127.0.0.1:8080/v1; {url!r} is none"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("--against takes an address without a key in it; put the key into RIVAL_API_KEY")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(f"people's words would go to {host} in the clear; use https, or a tunnel to 127.0.0.1")
    return ChatServer(plain if parts.path else f"{plain}/v1", key)


class ChatClient:
    """Asks one server. note: called with a sentence while it waits. answer_seconds: how long one answer may take."""

    def __init__(
        self, server: ChatServer, note: Note = lambda _: None, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._server = server
        self._note = note
        self._timeout = aiohttp.ClientTimeout(total=answer_seconds, connect=None, sock_connect=CONNECT_SECONDS)
        self._refused: set[str] = set()  # fields that this server does not know
        self._streams = False
        self._has_system_role = True
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "ChatClient":
        headers = {"Authorization": f"Bearer {self._server.key}"} if self._server.key else {}
        proxies = not self._server.is_local  # what goes to this machine goes nowhere else
        self._session = aiohttp.ClientSession(timeout=self._timeout, headers=headers, trust_env=proxies)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def only_model(self) -> str:
        """Return the one model that the server has. Raises UserError if it has several, or does not tell."""
        _, _, body = await self._patiently("GET", "/models", None)
        rows = body.get("data") if isinstance(body, dict) else None
        names = [str(row["id"]) for row in rows or () if isinstance(row, dict) and row.get("id")]
        if len(names) == 1:
            return names[0]
        listed = ", ".join(names[:LISTED_MODELS]) + (", …" if len(names) > LISTED_MODELS else "")
        has = f"has {len(names)} models ({listed})" if names else "does not tell which models it has"
        raise SettingsError(f"the server at {self._server.url} {has}; name one with --model")

    async def ask(self, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int) -> ChatAnswer:
        """Return the answer to a chat. Raises TooLongError if it doesn't fit, RubbishError if what comes is no answer,
        PermanentError for a wrong key or model, UserError if the server is away."""
        wanted = {
            "model": model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 1.0,
            "top_p": 1.0,
            "n": 1,
        }
        for _ in range(len(_OPTIONAL) + 3):
            body = self._body(wanted)
            seconds, status, told = await self._patiently("POST", "/chat/completions", body)
            if status == 200:
                return read_answer(told, seconds, self._server.url)
            if not self._learns(body, reason_of(told)):
                raise _refusal(status, reason_of(told), self._server, model)
        raise UserError(f"the server at {self._server.url} refuses every form of a request; is it OpenAI-compatible?")

    def _body(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        body = {name: value for name, value in wanted.items() if name not in self._refused}
        if "max_tokens" in self._refused and "max_completion_tokens" not in self._refused:
            body["max_completion_tokens"] = wanted["max_tokens"]
        if not self._has_system_role:
            body["messages"] = _without_system(wanted["messages"])
        if self._streams:
            body["stream"] = True
            if "stream_options" not in self._refused:
                body["stream_options"] = {"include_usage": True}
        return body

    def _learns(self, body: Mapping[str, Any], reason: str) -> bool:
        """Note what the server does not take; returns whether the next try is another."""
        said = reason.lower()
        if "stream" in said and not self._streams:
            self._streams = True
            return True
        if self._has_system_role and re.search(r"system.{0,40}role|role.{0,40}system|roles must alternate", said):
            self._has_system_role = False
            return True
        named = [name for name in _OPTIONAL if name in body and re.search(rf"\b{name}\b", said)]
        self._refused.update(named[:1])
        return bool(named)

    async def _patiently(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[float, int, Any]:
        """Return seconds, status and content of what the server says, asked again while it can't answer just now."""
        trouble = ""
        for attempt in range(RETRIES + 1):
            began = time.monotonic()
            try:
                status, headers, text = await self._once(method, path, body)
            except TimeoutError:
                trouble = f"the server at {self._server.url} did not answer in time"
                wait = 0.0
            except aiohttp.InvalidURL as error:
                raise SettingsError(f"{self._server.url!r} is no address of a server") from error
            except aiohttp.ClientError as error:
                trouble = f"the server at {self._server.url} can't be reached ({_kind(error)})"
                wait = 0.5 * 2**attempt
            else:
                told = content_of(text)
                if status == 429 and _is_out_of_money(told):
                    raise UserError(f"{self._server.host} says that the account has no quota left: {reason_of(told)}")
                if status != 429 and status < 500 and status != 408:
                    return time.monotonic() - began, status, told
                trouble = f"the server at {self._server.url} is busy or failing ({status}: {reason_of(told)})"
                wait = _retry_after(headers.get("Retry-After", ""), 0.5 * 2**attempt)
            if wait > MAX_WAIT_SECONDS:
                raise UserError(f"{self._server.host} asks to wait {wait:.0f} seconds; run the command again then")
            if attempt < RETRIES:
                self._note(f"waiting {wait:.0f} s: {trouble}" if wait >= 1 else trouble)
                await asyncio.sleep(wait)
        raise UserError(f"{trouble}; is it running, and is this its address?")

    async def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Mapping[str, str], str]:
        assert self._session
        async with self._session.request(
            method, f"{self._server.url}{path}", json=body, allow_redirects=False
        ) as response:
            if response.status in (301, 302, 303, 307, 308):
                target = urlsplit(response.headers.get("Location", "")).netloc or "elsewhere"
                raise SettingsError(
                    f"{self._server.url} sends requests on to {target}; name that address if you trust it"
                )
            return response.status, response.headers, (await _whole(response)).decode("utf-8", errors="replace")


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return a chat whose first message says what the system's said: some templates know no system."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    first, *rest = [dict(message) for message in messages if message["role"] != "system"]
    return [first | {"content": "\n\n".join([*system, first["content"]])}, *rest]


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, as much of it as an answer can be."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            break
    return b"".join(pieces)


def _refusal(status: int, reason: str, server: ChatServer, model: str) -> Exception:
    """Return what a status means, in a sentence."""
    said = reason.lower()
    if status in (401, 403):
        which = "the key in RIVAL_API_KEY" if server.key else "requests without a key; set RIVAL_API_KEY"
        return PermanentError(f"{server.host} refuses {which} ({status}: {reason})")
    if status in (400, 413, 422) and re.search(
        r"context|too (?:long|large|many tokens)|maximum.{0,40}tokens|exceed", said
    ):
        return TooLongError(reason)
    if status == 404 or ("model" in said and re.search("not found|not exist|unknown|invalid model", said)):
        return PermanentError(
            f"{server.url} has no model {model!r}, or no /chat/completions ({status}: {reason}); "
            "check the address, which ends in /v1 as a rule, and --model"
        )
    return UserError(f"the server at {server.url} refuses the request ({status}: {reason})")


def _is_out_of_money(told: Any) -> bool:
    error = told.get("error") if isinstance(told, dict) else None
    return isinstance(error, dict) and "insufficient_quota" in (error.get("code"), error.get("type"))


def _retry_after(value: str, otherwise: float) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or as a date."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return otherwise
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp())


def _kind(error: Exception) -> str:
    os_error = getattr(error, "os_error", None)
    return str(getattr(os_error, "strerror", "") or type(error).__name__)
