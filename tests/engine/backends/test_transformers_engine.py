"""The reference engine over a model: its texts, its stops, and what fails alone."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from engine.backends.transformers_engine import load_base, load_finite, open_bundle_model, transformers_engine
from engine.base import EngineError, Request, complete, log_probability
from engine.forward_probe import relative_error
from engine.worker import ThreadedEngine
from persona.bundle import current
from persona.config import load
from persona.encoding import Encoding
from persona.errors import UserError
from persona.sampling import SamplingParams
from tests import tokenizers
from tests.conftest import Home
from tests.engine.stepping import FREE, GREEDY, continuation_log_prob, likely_continuation, prompts
from tests.trainer import bases

ENCODING = Encoding(*tokenizers.byte_level_bpe())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> ThreadedEngine:
    """A small untrained model: it says anything, and hardly ever stops."""
    model = load_base(bases.save(tmp_path_factory.mktemp("base"), bases.qwen3)).eval()
    return transformers_engine(model, ENCODING, stops=frozenset(), max_length=256)


@pytest.fixture
async def started(engine: ThreadedEngine):  # type: ignore[no-untyped-def]
    await engine.start()
    yield engine
    await engine.close()


def model_of(engine: ThreadedEngine) -> Any:
    """The model it runs."""
    return engine._stepper._model  # type: ignore[union-attr]


def request(text: str = "hello", **sampling: float) -> Request:
    settings = {"temperature": 1.0, "top_p": 1.0, "min_p": 0.0, "max_new_tokens": 20} | sampling
    return Request(tuple(ENCODING.encode(text)), SamplingParams(**settings), seed=1)  # type: ignore[arg-type]


async def test_greedy_ids_are_those_of_generate(started: ThreadedEngine) -> None:
    """Text for text."""
    prompt = torch.tensor([ENCODING.encode("hello there")])
    theirs = model_of(started).generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=20, pad_token_id=0
    )
    text, finish = await complete(started, request("hello there", temperature=0.0))
    assert finish == "length"
    expected = ENCODING.decode(theirs[0, prompt.shape[1] :].tolist())
    assert text.replace("\ufffd", "") == expected.replace("\ufffd", "")


async def test_a_seed_repeats_and_others_differ(started: ThreadedEngine) -> None:
    """Each request has its own random stream."""
    same = await asyncio.gather(*(complete(started, request()) for _ in range(3)))
    other = await complete(started, Request(request().ids, request().sampling, seed=2))
    assert len(set(same)) == 1
    assert other not in same


async def test_a_prompt_that_leaves_no_room_fails_alone(started: ThreadedEngine) -> None:
    """The next request is answered."""
    with pytest.raises(EngineError, match="doesn't fit into 256"):
        await complete(started, Request((5,) * 256, SamplingParams(), 1))
    assert (await complete(started, request()))[1] == "length"


async def test_an_impossible_id_fails_alone(started: ThreadedEngine) -> None:
    """Out of the vocabulary."""
    with pytest.raises(EngineError):
        await complete(started, Request((10**6,), SamplingParams(), 1))
    assert (await complete(started, request()))[1] == "length"


async def test_a_deadline_ends_a_completion(started: ThreadedEngine) -> None:
    """With what is there."""
    late = Request(request().ids, request().sampling, 1, deadline=time.monotonic() - 1)
    assert await complete(started, late) == ("", "deadline")


async def test_leaving_the_stream_cancels_the_request(started: ThreadedEngine) -> None:
    """The engine is free at once."""
    long = Request(request().ids, SamplingParams(1.0, 1.0, max_new_tokens=240), 1)
    stream = started.generate(long)
    await anext(stream)
    await stream.aclose()
    began = time.monotonic()
    await complete(started, request(max_new_tokens=1))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("content", [{}, {"config.json": "{}"}, {"config.json": '{"model_type": "bert"}'}])
def test_a_folder_that_is_no_base_is_a_sentence(tmp_path: Path, content: dict[str, str]) -> None:
    """With what a base must be."""
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="must be a folder or Hub id of a causal language model in safetensors"):
        load_base(tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card can")
def test_four_bits_without_a_card_are_a_sentence(trained: Home) -> None:
    """An adapter on weights in 4 bits is ignored by a CPU, and said to be the engine's fault."""
    with pytest.raises(UserError, match=r'precision = "4bit" needs a CUDA card: .*; set it to "auto"'):
        open_bundle_model(current(load(trained.config, {}).adapters), "", merge=True, precision="4bit")


def test_a_base_that_overflows_in_float16_is_held_in_float32(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Gemma 3 on cards before Ampere. What is rounded to float16 there in training, its products, stays near."""
    folder = bases.save(tmp_path, bases.loud)
    model = load_finite(lambda dtype: load_base(folder, None, dtype), torch.float16).eval()
    assert model.dtype == torch.float32
    assert "Gemma2ForCausalLM overflows in float16: it is held in float32" in caplog.text
    ids = torch.tensor(prompts(1))
    with torch.inference_mode():
        logits = model(input_ids=ids).logits
        with torch.autocast("cpu", torch.float16):
            rounded = model(input_ids=ids).logits
    assert torch.equal(logits, load_base(folder, None, torch.float32).eval()(input_ids=ids).logits)
    assert relative_error(rounded, logits) < 0.05


@pytest.mark.parametrize(("dtype", "shape"), [(torch.float16, bases.gemma2), (torch.bfloat16, bases.loud)])
def test_other_bases_are_loaded_once(
    tmp_path: Path, dtype: torch.dtype, shape: bases.Shape, caplog: pytest.LogCaptureFixture
) -> None:
    """In the format that was asked for."""
    caplog.set_level(logging.WARNING)
    folder, loaded = bases.save(tmp_path, shape), list[torch.dtype]()

    def load(dtype: torch.dtype) -> PreTrainedModel:
        loaded.append(dtype)
        return load_base(folder, None, dtype)

    assert load_finite(load, dtype).dtype == dtype
    assert loaded == [dtype]
    assert not caplog.text


def test_what_reads_no_text_alone_is_refused_where_that_is_asked(tmp_path: Path) -> None:
    """Not while it is looked whether it overflows."""
    mute = load_base(bases.save(tmp_path, bases.llama), None, torch.float16)
    mute.model.layers = None
    assert load_finite(lambda _: mute, torch.float16) is mute


async def test_how_likely_a_continuation_is_is_what_the_model_says(started: ThreadedEngine) -> None:
    """By the definition, and the next id costs one short forward; whatever the request's sampling."""
    for number, ids in enumerate(prompts(6)):
        continuation = await likely_continuation(started, ids)
        asked = Request(ids, GREEDY if number % 2 else FREE, seed=0, channel="c")
        found = await log_probability(started, asked, continuation)
        assert found == pytest.approx(continuation_log_prob(model_of(started), ids, continuation), abs=1e-3)


async def test_who_asks_how_likely_something_is_hears_so_beside_those_who_speak(started: ThreadedEngine) -> None:
    """In one batch; what is sampled is the same as alone."""
    alone = [await complete(started, Request(ids, FREE, seed=3)) for ids in prompts(3)]
    asked = [started.next_token_log_probs(Request(ids, FREE, seed=0), 5) for ids in prompts(3)]
    *texts, first, second, third = await asyncio.gather(
        *(complete(started, Request(ids, FREE, seed=3)) for ids in prompts(3)), *asked
    )
    assert texts == alone
    assert [len(by_id) for by_id in (first, second, third)] == [5, 5, 5]


async def test_what_is_too_unlikely_is_not_looked_at_to_its_end(started: ThreadedEngine) -> None:
    """Its bound tells enough."""
    ids = prompts(1)[0]
    continuation = await likely_continuation(started, ids, 6)
    whole = await log_probability(started, Request(ids, FREE, seed=0), continuation)
    bound = await log_probability(started, Request(ids, FREE, seed=0), continuation, least=whole / 2)
    assert whole < bound <= whole / 2
