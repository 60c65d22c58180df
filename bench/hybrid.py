"""A base that keeps a state along the sequence, served: together, one by one, and by transformers' generate().

    python -m bench.hybrid [--requests 8] [--prompt 200] [--tokens 64]

The shape is LFM2-350M's with random weights: 16 layers, ten of them convolutions. Tokens a second of a burst, and how long a
follow-up in a channel waits for its first token where the conversation is known, and where it isn't.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import torch
from transformers import Lfm2Config, Lfm2ForCausalLM, PreTrainedModel

from engine.base import Request
from engine.batching import Batch
from engine.cached_forward import CachedForward
from engine.forward import Forward
from engine.prefix_cache import PrefixCache
from engine.stepper import Job
from persona.encoding import TextStream
from persona.sampling import SamplingParams
from tests.engine.stepping import ENCODING

VOCABULARY = 65_536
ATTENTION = {2, 5, 8, 10, 12, 14}  # which layers attend; the others are convolutions


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=200, help="tokens of each prompt")
    parser.add_argument("--tokens", type=int, default=64, help="tokens of each answer")
    wishes = parser.parse_args()
    model = _model()
    sampling = SamplingParams(temperature=0.0, top_p=1.0, min_p=0.0, max_new_tokens=wishes.tokens)
    prompts = torch.randint(10, VOCABULARY, (wishes.requests, wishes.prompt)).tolist()
    asked = [Request(tuple(ids), sampling, seed=0, channel=str(n)) for n, ids in enumerate(prompts)]
    contestants: dict[str, Callable[[], object]] = {
        "generate(), one by one": lambda: [_generate(model, [ids], wishes.tokens) for ids in prompts],
        "generate(), one padded batch": lambda: _generate(model, prompts, wishes.tokens),
        "ours, one by one": lambda: _answers(_batch(CachedForward(model, batches=False)), asked),
        "ours": lambda: _answers(_batch(CachedForward(model)), asked),
    }
    seconds = {name: _seconds(run) for name, run in contestants.items()}
    for name, spent in seconds.items():
        rate = wishes.requests * wishes.tokens / spent
        print(f"{name:30} {rate:7.1f} tokens/s  x{seconds['generate(), one by one'] / spent:.2f}")
    known, unknown = _first_token(model, asked[0])
    print(f"first token of a follow-up: {known * 1e3:.0f} ms, {unknown * 1e3:.0f} ms where nothing is known")


def _model() -> PreTrainedModel:
    layers = ["full_attention" if layer in ATTENTION else "conv" for layer in range(16)]
    config = Lfm2Config(
        vocab_size=VOCABULARY,
        hidden_size=1024,
        intermediate_size=6656,
        num_hidden_layers=16,
        num_attention_heads=16,
        num_key_value_heads=8,
        layer_types=layers,
    )
    return Lfm2ForCausalLM(config).eval()


def _batch(forward: Forward) -> Batch:
    return Batch(forward, PrefixCache(), 32, 0)


@torch.inference_mode()
def _answers(batch: Batch, asked: Sequence[Request]) -> list[list[int]]:
    """Run requests to their end; return their ids."""
    jobs = [Job(request, request.sampling.max_new_tokens, TextStream(ENCODING), lambda _: None) for request in asked]
    ids: dict[Job, list[int]] = {job: [] for job in jobs}
    for job in jobs:
        batch.add(job)
    running = set(jobs)
    while running:
        for result in batch.step():
            ids[result.job] += result.tokens
            if result.finish:
                batch.drop(result.job)
                running.discard(result.job)
    return [ids[job] for job in jobs]


def _generate(model: PreTrainedModel, prompts: Sequence[Sequence[int]], count: int) -> torch.Tensor:
    ids = torch.tensor(prompts)
    made: torch.Tensor = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=None,
        pad_token_id=0,
    )
    return made


def _first_token(model: PreTrainedModel, first: Request) -> tuple[float, float]:
    """Return the seconds to a follow-up's first token, where its beginning is known and where it isn't."""
    batch = _batch(CachedForward(model))
    (answer,) = _answers(batch, [first])
    greedy = SamplingParams(temperature=0.0, top_p=1.0, min_p=0.0, max_new_tokens=1)
    ids = (*first.ids, *answer, *range(20, 40))
    known, unknown = (Request(ids, greedy, seed=0, channel=channel) for channel in (first.channel, "another"))
    return _seconds(lambda: _answers(batch, [known])), _seconds(lambda: _answers(batch, [unknown]))


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
