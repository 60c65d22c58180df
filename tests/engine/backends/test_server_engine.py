"""The server engine against llama.cpp's own HTTP server, which serves a GGUF that our writer made."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.backends.server_engine import ServerEngine, Trim
from engine.backends.transformers_engine import load_base
from engine.base import EngineError, Request, complete, log_probability
from persona.errors import PermanentError
from persona.sampling import SamplingParams
from tests.engine.stepping import (
    ENCODING,
    FREE,
    GREEDY,
    continuation_log_prob,
    generated,
    likely_continuation,
    prompts,
    steep_base,
)
from tests.llama_server import LlamaServer
from trainer.bundle.gguf_file import write_gguf

END = ENCODING.end_of_turn


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_base(steep_base(tmp_path_factory.mktemp("base"))).eval()


@pytest.fixture(scope="module")
def gguf(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(model, ENCODING, path)
    return path


@pytest.fixture
async def server(gguf: Path) -> AsyncIterator[LlamaServer]:
    server = LlamaServer(gguf)
    yield await server.start()
    server.kill()


@pytest.fixture
async def engine(server: LlamaServer) -> AsyncIterator[ServerEngine]:
    made = engine_of(server.url)
    await made.start()
    yield made
    await made.close()


def engine_of(url: str, key: str = "") -> ServerEngine:
    return ServerEngine(url, "mara", ENCODING, key=key, stops=frozenset({END}), max_length=256, max_concurrent=8)


def words(ids: list[int]) -> str:
    """Their text up to the end of the turn, as far as it is made of whole characters: servers differ in what else."""
    return ENCODING.completion(ids).replace("\ufffd", "")


async def test_greedy_texts_are_those_of_generate(engine: ServerEngine, model: Any) -> None:
    """64 prompts, eight at once, at F16: at least 99% of them to the letter."""
    found = await asyncio.gather(*(complete(engine, Request(ids, GREEDY, seed=0)) for ids in prompts(64)))
    wanted = [words(ids) for ids in generated(model, prompts(64), 16)]
    said = [text.replace("\ufffd", "") for text, _ in found]
    characters = sum(
        sum(a == b for a, b in zip(one, other, strict=False)) for one, other in zip(said, wanted, strict=True)
    )
    assert characters / sum(map(len, wanted)) >= 0.99


async def test_a_seed_repeats_and_others_differ(engine: ServerEngine) -> None:
    """The server draws, but the seed is ours."""
    same = [await complete(engine, Request((5, 6, 7), FREE, seed=1)) for _ in range(2)]
    assert same[0] == same[1]
    assert await complete(engine, Request((5, 6, 7), FREE, seed=2)) != same[0]


async def test_the_server_killed_in_the_middle_of_a_reply_is_an_error_and_then_is_back(
    engine: ServerEngine, server: LlamaServer
) -> None:
    """What was said so far is no reply; the same engine goes on where the server is there again."""
    stream = engine.generate(Request((5, 6), replace(FREE, max_new_tokens=240), seed=1))
    await anext(stream)
    server.kill()
    with pytest.raises(EngineError, match="is away"):
        async for _ in stream:
            pass
    await server.start()
    assert (await complete(engine, Request((5, 6), GREEDY, seed=1)))[1] in ("length", "stop")


async def test_a_server_that_comes_up_late_is_waited_for(gguf: Path) -> None:
    """Retries with growing pauses bridge a restart."""
    server = LlamaServer(gguf)
    engine = engine_of(server.url)
    await engine.start()
    asking = asyncio.create_task(complete(engine, Request((5, 6), GREEDY, seed=1)))
    await asyncio.sleep(0.3)
    await server.start()
    assert (await asking)[1] in ("length", "stop")
    await engine.close()
    server.kill()


async def test_a_deadline_ends_a_reply_and_frees_the_server(engine: ServerEngine) -> None:
    """With what is there; the next reply doesn't wait for its rest."""
    long = Request((5, 6), replace(FREE, max_new_tokens=250), seed=1, deadline=time.monotonic() + 0.05)
    assert (await complete(engine, long))[1] == "deadline"
    assert (await complete(engine, Request((5,), replace(GREEDY, max_new_tokens=1), seed=1)))[1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sampling": SamplingParams(repetition_penalty=1.2)}, "repetition penalty"),
        ({"tuned": False}, "can't be left out"),
        ({"ids": (5,) * 256}, "doesn't fit"),
    ],
)
async def test_what_it_cannot_do_is_refused(change: dict[str, Any], sentence: str) -> None:
    """Before anything is sent."""
    engine = engine_of("http://127.0.0.1:9/v1")
    await engine.start()
    with pytest.raises(EngineError, match=sentence):
        await complete(engine, replace(Request((5,), GREEDY, 0), **change))
    await engine.close()


class Answering:
    """A server that gives one answer to everything, and keeps what it was asked."""

    def __init__(self, status: int, body: str, kind: str = "application/json") -> None:
        self.asked: list[tuple[str, Any]] = []
        self._answer = (status, body, kind)

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/v1/completions", self._completions)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _completions(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers.get("Authorization", ""), await request.json()))
        status, body, kind = self._answer
        return web.Response(status=status, text=body, content_type=kind)


async def answered(server: Answering, key: str = "") -> tuple[str, str]:
    """What an engine makes of its answer."""
    engine = engine_of(await server.start(), key)
    await engine.start()
    try:
        return await complete(engine, Request((5, 6, 7), SamplingParams(0.7, 0.9, 40, 0.05, max_new_tokens=9), seed=3))
    finally:
        await engine.close()
        await server.stop()


def events(*choices: str) -> str:
    frame = '{"id": "1", "object": "text_completion", "created": 1, "model": "m", "choices": [%s]}'
    return "".join(f"data: {frame % choice}\n\n" for choice in choices) + "data: [DONE]\n\n"


def said(text: str, finish: str = "null") -> str:
    return f'{{"index": 0, "text": "{text}", "logprobs": null, "finish_reason": {finish}}}'


async def test_every_sampling_field_is_sent_by_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, not text; no gap that a server could fill from a model's own settings; the key as a bearer token."""
    server = Answering(200, events(said("hi"), said("", '"stop"')), "text/event-stream")
    assert await answered(server, "s3cret") == ("hi", "stop")
    ((authorization, body),) = server.asked
    assert authorization == "Bearer s3cret"
    wanted = {
        "model": "mara",
        "prompt": [5, 6, 7],
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.05,
        "seed": 3,
        "repetition_penalty": 1.0,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop_token_ids": [END],
        "stream": True,
    }
    assert {name: body[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("pieces", "text", "finish"),
    [
        ([said("sure<|endof"), said("text|>\\n\\nALICE:"), said("", '"length"')], "sure", "stop"),
        ([said("a <|"), said("b", '"length"')], "a <|b", "length"),
        ([said("a <|end"), said("", '"stop"')], "a <|end", "stop"),
    ],
)
async def test_the_end_of_a_turn_is_cut_on_our_side_too(pieces: list[str], text: str, finish: str) -> None:
    """Even where it comes as text, in two pieces; what only begins like one is text."""
    assert await answered(Answering(200, events(*pieces), "text/event-stream")) == (text, finish)


@pytest.mark.parametrize("pieces", [[said("half")], [said("half", '"abort"')], []])
async def test_a_reply_that_did_not_finish_is_an_error(pieces: list[str]) -> None:
    """Not a short reply, and not an empty one."""
    with pytest.raises(EngineError, match="the server ended a reply"):
        await answered(Answering(200, events(*pieces), "text/event-stream"))


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_waiting_cannot_mend_is_a_standing_fault(status: int) -> None:
    """A wrong key, an unknown model: asked once, and told with what to check."""
    server = Answering(status, '{"error": {"message": "no such model"}}')
    with pytest.raises(
        PermanentError, match=r"refuses model 'mara' .* check \[engine\] url and model, and ENGINE_API_KEY"
    ):
        await answered(server)
    assert len(server.asked) == 1


async def test_a_server_in_trouble_is_asked_again_and_then_is_away() -> None:
    """Four times in all."""
    server = Answering(503, '{"error": {"message": "loading"}}')
    with pytest.raises(EngineError, match="is away"):
        await answered(server)
    assert len(server.asked) == 4


def test_trim_tells_all_but_the_mark_however_it_is_cut() -> None:
    """Any way of cutting a text into pieces gives the same."""
    text = "one <|end|x <|end|> two"
    for first in range(len(text)):
        for second in range(first, len(text)):
            trim, told = Trim(["<|end|>", ""]), ""
            for piece in (text[:first], text[first:second], text[second:]):
                said, over = trim.push(piece)
                told += said
                if over:
                    break
            assert told == "one <|end|x "
            assert over


async def test_how_likely_a_continuation_is_is_what_the_model_says(engine: ServerEngine, model: Any) -> None:
    """By the definition, as llama-server tells it; whatever the request's sampling."""
    for number, ids in enumerate(prompts(6)):
        continuation = await likely_continuation(engine, ids)
        asked = Request(ids, GREEDY if number % 2 else FREE, seed=0, channel="c")
        found = await log_probability(engine, asked, continuation)
        assert found == pytest.approx(continuation_log_prob(model, ids, continuation), abs=0.1)
