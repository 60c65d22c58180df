"""The OpenVINO engine over GGUF files that the trainer's own writer made."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.backends.openvino_engine import MAX_CACHE_BYTES, OpenVinoStepper, cache_blocks
from engine.backends.transformers_engine import load_base
from engine.base import EngineError, Request, complete, log_probability
from engine.gguf_header import kv_bytes_per_token
from engine.worker import ThreadedEngine
from persona.sampling import SamplingParams
from tests.engine.stepping import (
    ENCODING,
    FREE,
    GREEDY,
    agreement,
    continuation_log_prob,
    generated,
    ids_of,
    likely_continuation,
    prompts,
    steep_base,
)
from tests.trainer import bases
from trainer.bundle.gguf_file import PRECISIONS, write_gguf

END = ENCODING.end_of_turn


@pytest.fixture(scope="module", autouse=True)
def in_float32() -> Iterator[None]:
    """Compare with torch in float32, whatever ALTEREGO_BFLOAT16 says: near equals are told apart otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALTEREGO_BFLOAT16", "0")
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_base(steep_base(tmp_path_factory.mktemp("base"))).eval()


@pytest.fixture(scope="module")
def gguf(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(model, ENCODING, path)
    return path


@pytest.fixture(scope="module")
def stepper(gguf: Path) -> OpenVinoStepper:
    return OpenVinoStepper(gguf, END, frozenset({END}), 32, 256)


@pytest.fixture
async def engine(stepper: OpenVinoStepper) -> AsyncIterator[ThreadedEngine]:
    made = ThreadedEngine(
        "openvino", lambda: stepper, ENCODING, stops=frozenset({END}), max_length=256, max_concurrent=4
    )
    await made.start()
    yield made
    await made.close()


def before_end(rows: list[list[int]]) -> list[list[int]]:
    return [row[: row.index(END)] if END in row else row for row in rows]


def test_greedy_ids_are_those_of_generate(model: Any, stepper: OpenVinoStepper) -> None:
    """64 prompts at once, at F16: at least 99% of tokens; nothing comes after the end of the turn."""
    found = ids_of(stepper, [Request(ids, GREEDY, seed=0) for ids in prompts(64)], stop=END)
    theirs = before_end(generated(model, prompts(64), 16))
    equal = [a == b for ours, wanted in zip(found, theirs, strict=True) for a, b in zip(ours, wanted, strict=False)]
    assert sum(equal) / sum(map(len, theirs)) >= 0.99


@pytest.mark.parametrize("shape", [bases.llama, bases.qwen3])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_of_every_shape_is_run(tmp_path: Path, shape: Any, precision: str) -> None:
    """And says nearly what the model itself says first."""
    other = load_base(bases.save(tmp_path, shape)).eval()
    write_gguf(other, ENCODING, tmp_path / "model.gguf", precision)
    once = replace(GREEDY, max_new_tokens=1)
    found = ids_of(
        OpenVinoStepper(tmp_path / "model.gguf", END, frozenset({END}), 8, 256),
        [Request(ids, once, seed=0) for ids in prompts(32)],
        stop=END,
    )
    enough = {"f16": 0.96, "q8_0": 0.9, "q4_0": 0.3}[precision]  # four bits of random weights keep little
    assert agreement(found, generated(other, prompts(32), 1)) >= enough


def test_a_seed_gives_the_same_ids_whatever_else_is_in_the_batch(stepper: OpenVinoStepper) -> None:
    """Alone and beside 31 others: at least 99% of tokens; another seed says something else."""
    requests = [Request(ids, FREE, seed=n) for n, ids in enumerate(prompts(32))]
    alone = [ids_of(stepper, [request], stop=END)[0] for request in requests]
    together = ids_of(stepper, requests, stop=END)
    same = [ours == theirs for ours, theirs in zip(alone, together, strict=True)]
    assert sum(same) / len(same) >= 0.97
    others = ids_of(stepper, [replace(one, seed=one.seed + 1000) for one in requests], stop=END)
    assert sum(a == b for a, b in zip(together, others, strict=True)) < 8


async def test_the_end_of_a_turn_is_never_text(engine: ThreadedEngine) -> None:
    """Of a hundred completions some end by themselves; none shows how."""
    rule = SamplingParams(1.5, 1.0, 0, 0.0, max_new_tokens=120)
    found = await asyncio.gather(*(complete(engine, Request((5, 6), rule, seed)) for seed in range(100)))
    assert "stop" in {finish for _, finish in found}
    assert not any("<|endoftext|>" in text for text, _ in found)


async def test_the_cap_is_kept(engine: ThreadedEngine) -> None:
    """Also where the prompt leaves less room than was asked for."""
    _, finish = await complete(engine, Request((5,) * 250, replace(GREEDY, max_new_tokens=100), 0))
    assert finish in ("length", "stop")


async def test_leaving_frees_the_slot(engine: ThreadedEngine) -> None:
    """All four places are taken and left; the next request gets one at once."""
    long = Request((5, 6), replace(FREE, max_new_tokens=250), seed=3)
    streams = [engine.generate(replace(long, seed=seed)) for seed in range(4)]
    for stream in streams:
        await anext(stream)
        await stream.aclose()
    began = time.monotonic()
    await complete(engine, Request((7,), replace(GREEDY, max_new_tokens=1), 0))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sampling": SamplingParams(repetition_penalty=1.2)}, "repetition penalty"),
        ({"tuned": False}, "without its adapter"),
    ],
)
async def test_what_it_cannot_do_is_refused(engine: ThreadedEngine, change: dict[str, Any], sentence: str) -> None:
    """Each request alone, with what to do."""
    with pytest.raises(EngineError, match=sentence):
        await complete(engine, replace(Request((5,), GREEDY, 0), **change))
    assert (await complete(engine, Request((5,), GREEDY, 0)))[1]


async def test_how_likely_a_continuation_is_is_what_the_model_says(engine: ThreadedEngine, model: Any) -> None:
    """By the definition, by a search of one token's depth; whatever the request's sampling."""
    for number, ids in enumerate(prompts(6)):
        continuation = await likely_continuation(engine, ids)
        asked = Request(ids, GREEDY if number % 2 else FREE, seed=0, channel="c")
        found = await log_probability(engine, asked, continuation)
        assert found == pytest.approx(continuation_log_prob(model, ids, continuation), abs=0.1)


def test_the_cache_takes_what_the_weights_take(gguf: Path, tmp_path: Path) -> None:
    """At least what the requests need, at most a GiB; a file that doesn't tell its shape gets what is most."""
    token = kv_bytes_per_token(gguf)
    assert cache_blocks(gguf, 0) == gguf.stat().st_size // (32 * token)
    assert cache_blocks(gguf, 1 << 16) == (1 << 16) // 32
    assert cache_blocks(gguf, 1 << 40) == MAX_CACHE_BYTES // (32 * token)
    (tmp_path / "model.gguf").write_bytes(gguf.read_bytes()[:100])
    assert cache_blocks(tmp_path / "model.gguf", 1 << 16) == 0


def test_prompts_of_ever_new_lengths_take_no_more_memory(stepper: OpenVinoStepper) -> None:
    """Each length has kernels of its own compiled: without a bound 120 more of them take 1.8 MiB even of so small a model."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    once = replace(GREEDY, max_new_tokens=1)
    lengths = [range(20, 80), range(80, 200)]
    for each in lengths:
        before = resident()
        for length in each:
            ids_of(stepper, [Request((5,) * length, once, seed=0)], stop=END)
    assert resident() - before < 768 << 10
