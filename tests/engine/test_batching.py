"""The transformers engine's batch: what one request gets doesn't depend on the others, and memory has an end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from engine.backends.transformers_engine import TransformersStepper, load_base
from engine.base import Request
from engine.batching import NO_NUMBER, Batch
from engine.choose_forward import forward_of
from engine.packed_forward import PackedForward
from engine.prefix_cache import PrefixCache
from engine.stepper import Job
from persona.encoding import TextStream
from persona.sampling import SamplingParams
from tests.engine.stepping import ENCODING, FREE, GREEDY, agreement, generated, ids_of, prompts, steep_base
from tests.trainer import bases


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_base(steep_base(tmp_path_factory.mktemp("base"))).eval()


@pytest.fixture
def stepper(model: Any) -> TransformersStepper:
    return TransformersStepper(model, ENCODING.end_of_turn, 32)


def fed(model: Any) -> list[int]:
    """Grows by the number of tokens of each forward from now on."""
    counts: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(lambda _, args: counts.append(args[0].numel()))
    return counts


def test_greedy_ids_of_a_batch_are_those_of_generate(model: Any, stepper: TransformersStepper) -> None:
    """64 prompts at once, twice as many as run together: at least 99% of tokens."""
    found = ids_of(stepper, [Request(ids, GREEDY, seed=0) for ids in prompts(64)])
    assert agreement(found, generated(model, prompts(64), 16)) >= 0.99


@pytest.mark.parametrize("shape", [bases.llama, bases.gpt2])
def test_other_shapes_are_packed_too(tmp_path: Path, shape: Any) -> None:
    """Learned positions, and query heads that share keys."""
    other = load_base(bases.save(tmp_path, shape)).eval()
    assert isinstance(forward_of(other), PackedForward)
    found = ids_of(TransformersStepper(other, 0, 8), [Request(ids, GREEDY, seed=0) for ids in prompts(16, 40)])
    assert agreement(found, generated(other, prompts(16, 40), 16)) >= 0.99


def test_a_sliding_window_is_kept(tmp_path: Path) -> None:
    """Prompts several times as long as the window."""
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(vocab_size=ENCODING.vocabulary, num_key_value_heads=2, sliding_window=8, **bases.SMALL)
    torch.manual_seed(0)
    narrow = MistralForCausalLM(config).eval()
    assert isinstance(forward_of(narrow), PackedForward)
    found = ids_of(TransformersStepper(narrow, 0, 8), [Request(ids, GREEDY, seed=0) for ids in prompts(8)])
    assert agreement(found, generated(narrow, prompts(8), 16)) >= 0.99


def test_a_seed_gives_the_same_ids_whatever_else_is_in_the_batch(model: Any, stepper: TransformersStepper) -> None:
    """Alone and beside 63 others, each with rules of its own: at least 99% of tokens."""
    rules = [
        FREE,
        SamplingParams(max_new_tokens=16),
        replace(FREE, top_k=20),
        replace(FREE, repetition_penalty=1.3),
        GREEDY,
    ]
    requests = [Request(ids, rules[n % len(rules)], seed=n) for n, ids in enumerate(prompts(64))]
    alone = [ids_of(stepper, [request])[0] for request in requests]
    together = ids_of(stepper, requests)
    assert agreement(alone, together) >= 0.99
    assert agreement(together, ids_of(stepper, [replace(one, seed=one.seed + 1000) for one in requests])) < 0.5


def test_a_follow_up_pays_for_its_new_tokens_alone(model: Any, stepper: TransformersStepper) -> None:
    """Its ids are those of a request that knew nothing; another channel's pays in full."""
    first = Request(prompts(1)[0] * 4, FREE, seed=1, channel="a")
    answer = ids_of(stepper, [first])[0]
    longer = replace(first, ids=(*first.ids, *answer, 5, 6, 7), seed=2)
    counts = fed(model)
    known = ids_of(stepper, [longer])[0]
    assert counts[0] == 4  # the last id of the answer, and what came after it
    del counts[:]
    fresh = ids_of(stepper, [replace(longer, channel="b")])[0]
    assert counts[0] == len(longer.ids)
    assert known == fresh


def test_a_prompt_that_parts_from_what_is_known_is_right_all_the_same(stepper: TransformersStepper) -> None:
    """In its middle, at its first id, or because it is shorter."""
    ids = prompts(1)[0] * 4
    for other in [(*ids[:9], 3, *ids[10:]), (3, *ids[1:]), ids[:5]]:
        ids_of(stepper, [Request(ids, GREEDY, seed=0, channel="a")])
        known = ids_of(stepper, [Request(other, GREEDY, seed=0, channel="a")])
        assert known == ids_of(stepper, [Request(other, GREEDY, seed=0)])


def test_the_least_recently_used_channel_is_forgotten_first(model: Any) -> None:
    """Room for three channels of these: the third one's coming is the second one's end, the first was used again."""
    prefixes = PrefixCache()
    batch = Batch(PackedForward(model), prefixes, 8, 0)
    asked = {name: Request(prompts(1)[0], GREEDY, seed=0, channel=name) for name in "abcd"}
    ids_of(Batched(batch), [asked["a"]])
    bounded = PrefixCache(max_bytes=3 * prefixes.bytes + 1)
    stepper = Batched(Batch(PackedForward(model), bounded, 8, 0))
    for name in "abcad":
        ids_of(stepper, [asked[name]])
    assert [name in bounded for name in "abcd"] == [True, False, True, True]
    assert bounded.bytes <= 3 * prefixes.bytes


def test_a_prompt_goes_in_by_stretches_beside_those_who_speak(tmp_path: Path) -> None:
    """Somebody else's long prompt holds nobody up for more than a stretch of it."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(vocab_size=ENCODING.vocabulary, num_key_value_heads=2, head_dim=8, **bases.SMALL)
    torch.manual_seed(0)
    roomy = Qwen3ForCausalLM(config).eval()
    stepper = TransformersStepper(roomy, 0, 8)
    counts = fed(roomy)
    long = prompts(1)[0] * 50
    requests = [Request(prompts(2)[1], GREEDY, seed=0), Request(long, GREEDY, seed=0)]
    found = ids_of(stepper, requests)
    assert max(counts) <= 512 + 8
    assert agreement(found, [generated(roomy, [one.ids], 16)[0] for one in requests]) >= 0.99


def test_out_of_memory_shrinks_the_batch_and_goes_on(
    model: Any, stepper: TransformersStepper, caplog: pytest.LogCaptureFixture
) -> None:
    """A device on which five sequences don't fit: every request is answered, with the ids it would have had."""
    requests = [Request(ids, FREE, seed=n) for n, ids in enumerate(prompts(12, 20))]
    expected = ids_of(stepper, requests)

    def full(_: Any, args: Any, named: Any) -> None:
        step = named["step_batch"]
        if len(step.past) + len(step.prefills) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with model.register_forward_pre_hook(full, with_kwargs=True):
        found = ids_of(stepper, requests)
    assert agreement(found, expected) >= 0.99
    assert "out of memory rows=12 next=6" in caplog.text


def test_what_does_not_even_fit_alone_fails_alone(model: Any, stepper: TransformersStepper) -> None:
    """And the next one is answered."""

    def full(_: Any, args: Any, named: Any) -> None:
        if named["input_ids"].shape[1] > 50:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    job = Job(Request((5,) * 60, GREEDY, seed=0), 16, TextStream(ENCODING), lambda _: None)
    with model.register_forward_pre_hook(full, with_kwargs=True):
        stepper.admit(job)
        results = list(stepper.step())
        assert [(one.job, one.error[:14]) for one in results] == [(job, "out of memory:")]
        stepper.drop(job)
        assert len(ids_of(stepper, [Request((5,) * 40, GREEDY, seed=0)])[0]) == 16


def test_kept_prefixes_go_before_anybody_has_to_leave(model: Any, stepper: TransformersStepper) -> None:
    """Memory runs out once: what was kept of earlier requests is let go, and the batch stays as it is."""
    ids_of(stepper, [Request(ids, GREEDY, seed=0, channel=str(n)) for n, ids in enumerate(prompts(4))])
    failures = [torch.OutOfMemoryError("CUDA out of memory")]
    counts: list[int] = []

    def full(_: Any, args: Any, named: Any) -> None:
        counts.append(len(named["step_batch"].past) + len(named["step_batch"].prefills))
        if failures:
            raise failures.pop()

    with model.register_forward_pre_hook(full, with_kwargs=True):
        ids_of(stepper, [Request(ids, GREEDY, seed=0) for ids in prompts(4)])
    assert counts[:2] == [4, 4]


def test_the_base_speaks_beside_the_adapter(tmp_path: Path) -> None:
    """Requests that want the base without its adapter, in one batch with those that want it; merged gives the same."""
    tuned = get_peft_model(load_base(steep_base(tmp_path)), LoraConfig(r=4, target_modules="all-linear"))
    torch.manual_seed(3)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    tuned.eval()
    stepper = TransformersStepper(tuned, 0, 8)
    asked = [Request(ids, GREEDY, seed=0, tuned=bool(n % 2)) for n, ids in enumerate(prompts(8))]
    mixed = ids_of(stepper, asked)
    with tuned.disable_adapter():
        plain = generated(tuned, prompts(8)[::2], 16)
    assert agreement(mixed[::2], plain) >= 0.99
    merged = TransformersStepper(tuned.merge_and_unload(), 0, 8)
    assert agreement(mixed[1::2], ids_of(merged, asked[1::2])) >= 0.97


def test_the_adapter_is_switched_off_for_those_alone_who_want_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEFT walks through all layers for it, off and on, which takes as long as a small model's forward."""
    tuned = get_peft_model(load_base(steep_base(tmp_path)), LoraConfig(r=4, target_modules="all-linear")).eval()
    switched: list[bool] = []
    switch = tuned.disable_adapter

    def noted() -> Any:
        switched.append(True)
        return switch()

    monkeypatch.setattr(tuned, "disable_adapter", noted)
    stepper = TransformersStepper(tuned, 0, 8)
    ids_of(stepper, [Request(ids, GREEDY, seed=0) for ids in prompts(2)])
    assert not switched
    ids_of(stepper, [Request(ids, GREEDY, seed=0, tuned=False) for ids in prompts(2)])
    assert switched


class Batched:
    """A batch as a stepper."""

    def __init__(self, batch: Batch) -> None:
        self.admit, self.step, self.drop = batch.add, batch.step, batch.drop


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_a_text_that_overflows_fails_alone(model: Any, number: float) -> None:
    """Others in the batch say what they say, and what was computed of it is kept for nobody."""
    plain = [Request(ids, GREEDY, seed=0) for ids in prompts(4)]
    expected = ids_of(TransformersStepper(model, ENCODING.end_of_turn, 8), plain)
    heard = {token for request in plain for token in request.ids}.union(*expected)
    word = next(token for token in range(ENCODING.vocabulary) if token not in heard)

    def overflow(_: Any, args: tuple[torch.Tensor], states: torch.Tensor) -> torch.Tensor:
        """As hidden states do that are too large for the format."""
        return states.masked_fill((args[0] == word)[..., None], number)

    stepper = TransformersStepper(model, ENCODING.end_of_turn, 8)
    faulty = Job(Request((*plain[0].ids, word), GREEDY, 0, "a channel"), 16, TextStream(ENCODING), lambda _: None)
    handle = model.get_input_embeddings().register_forward_hook(overflow)
    try:
        stepper.admit(faulty)
        jobs = [Job(one, 16, TextStream(ENCODING), lambda _: None) for one in plain]
        for job in jobs:
            stepper.admit(job)
        first = {result.job: result for result in stepper.step()}
        assert first[faulty].error == NO_NUMBER
        assert [first[job].tokens for job in jobs] == [ids[:1] for ids in expected]
        stepper.drop(faulty)
        assert stepper._tuned._prefixes.bytes == 0
    finally:
        handle.remove()
