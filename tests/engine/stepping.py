"""Runs requests through a stepper as an engine's thread would, and gives back their ids instead of their text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.backends.transformers_engine import load_base
from engine.base import InferenceEngine, Request
from engine.stepper import Job, Stepper
from persona.encoding import Encoding, TextStream
from persona.sampling import SamplingParams
from tests import tokenizers
from tests.trainer import bases

ENCODING = Encoding(*tokenizers.byte_level_bpe())
GREEDY = SamplingParams(temperature=0.0, top_p=1.0, min_p=0.0, max_new_tokens=16)
FREE = SamplingParams(temperature=1.0, top_p=1.0, min_p=0.0, max_new_tokens=16)


def steep_base(folder: Path, steepness: float = 4.0) -> Path:
    """A saved Qwen3-shaped base of random weights whose next token is neither certain nor anybody's guess. It hardly
    ever says half a character or an added token, which runtimes show in different ways; its weights are numbers that
    16 bits hold, so that writing it at F16 changes nothing."""
    bases.save(folder, bases.qwen3)
    model = load_base(folder)
    with torch.no_grad():
        model.lm_head.weight.mul_(steepness)
        model.lm_head.weight[[token for token in range(ENCODING.vocabulary) if _is_odd(token)]] = 0
    model.half().float().save_pretrained(folder)
    return folder


def _is_odd(token: int) -> bool:
    text = ENCODING.decode([token])
    return (not text and token != ENCODING.end_of_turn) or not text.isprintable() or "\ufffd" in text


def prompts(count: int, longest: int = 60) -> list[tuple[int, ...]]:
    """Prompts of many lengths, the same each time; no id of them ends a text."""
    rng = torch.Generator().manual_seed(7)
    lengths = torch.randint(1, longest, (count,), generator=rng).tolist()
    return [tuple(torch.randint(1, 300, (length,), generator=rng).tolist()) for length in lengths]


def ids_of(stepper: Stepper, requests: Sequence[Request], stop: int | None = None) -> list[list[int]]:
    """The new ids of each request, all run at once. stop: an id that ends a text."""
    jobs = [Job(one, one.sampling.max_new_tokens, TextStream(ENCODING), lambda _: None) for one in requests]
    made: dict[Job, list[int]] = {job: [] for job in jobs}
    running = set(jobs)
    for job in jobs:
        stepper.admit(job)
    while running:
        for result in stepper.step():
            assert not result.error, result.error
            made[result.job] += result.tokens
            if result.finish or stop in result.tokens:
                stepper.drop(result.job)
                running.discard(result.job)
    return [made[job] for job in jobs]


def generated(model: Any, many: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """The greedy continuations by transformers' own generate(), padded on the left."""
    longest = max(map(len, many))
    found = model.generate(
        torch.tensor([[0] * (longest - len(ids)) + list(ids) for ids in many]),
        attention_mask=torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in many]),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=None,
        pad_token_id=0,
    )
    return [[int(token) for token in row] for row in found[:, longest:]]


def agreement(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> float:
    """The share of tokens that are equal, place for place."""
    pairs = [pair for one, other in zip(ours, theirs, strict=True) for pair in zip(one, other, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs)


def continuation_log_prob(model: Any, ids: Sequence[int], continuation: Sequence[int]) -> float:
    """The log-probability of a continuation by its definition: one forward over all of it, no cache."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*ids, *continuation]])).logits[0].float().log_softmax(-1)
    return sum(float(logits[len(ids) + k - 1, token]) for k, token in enumerate(continuation))


async def likely_continuation(engine: InferenceEngine, ids: tuple[int, ...], count: int = 3) -> list[int]:
    """A continuation whose ids are the second likeliest each, so that greedy choice would not find them."""
    ids_so_far, found = ids, []
    for _ in range(count):
        by_id = await engine.next_token_log_probs(Request(ids_so_far, GREEDY, seed=0), 16)
        found.append(sorted(by_id, key=lambda token: -by_id[token])[1])
        ids_so_far = (*ids_so_far, found[-1])
    return found
