"""What training and serving do on a CUDA card that is at hand for minutes only; run by `bench/cuda.sh`, offline.

    bash bench/cuda.sh                       # on a card: eight minutes at most, JSON in $OUT or cuda-figures/
    python -m bench.cuda --parts equal train # some parts; --tiny cuts the shapes down, which runs on a CPU too

Every part runs in a process of its own with a limit on its time, and leaves one JSON file: a part that fails or runs out of
time says so there, and the others are not lost. Models have random weights, so nothing is downloaded; of 4 and 8 bits each
layer is made on the card and rounded at once, so that 7B never lie there whole.
"""

import argparse
import asyncio
import importlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from transformers import Qwen3Config, Qwen3ForCausalLM

from engine.numerics import autocast, numerics_of
from persona.config import Train
from trainer.loop.batches import Batch, PackedSampler, Window, collate, pack
from trainer.loop.lora import add_adapter
from trainer.loop.loss import summed_loss
from trainer.loop.packing import side_by_side

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"equal": 60, "train": 170, "seven": 150, "serve": 60, "torchrun": 40}  # seconds of each part: eight minutes
STEP_TOKENS, LABELLED = 2048, 0.3
SHAPES: dict[str, dict[str, int]] = {
    "0.5B": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "vocab_size": 151_936},
    "7B": {"hidden_size": 4096, "intermediate_size": 12_288, "num_hidden_layers": 36, "vocab_size": 151_936},
    "tiny": {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 2, "vocab_size": 512},
}
PEAKS = {
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "4090": 165e12,
    "3090": 71e12,
    "T4": 65e12,
}  # dense, half precision

Figures = dict[str, Any]


def main() -> None:
    """Run the parts one after the other, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "cuda-figures")))
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--tiny", action="store_true", help="shapes cut down, for a try on a CPU")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.part:
        print(json.dumps(PARTS[wishes.part](wishes.tiny)))
        return
    wishes.out.mkdir(parents=True, exist_ok=True)
    keep(wishes.out, "machine", machine())
    for part in wishes.parts:
        keep(wishes.out, part, in_process(part, tiny=wishes.tiny))


def keep(folder: Path, part: str, figures: Figures) -> None:
    """Write one part's figures, and print them."""
    (folder / f"{part}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(part, json.dumps(figures), flush=True)


def in_process(part: str, *, tiny: bool) -> Figures:
    """Run a part in a process of its own, until its limit; return its figures, or why there are none."""
    began = time.monotonic()
    command = [sys.executable, "-m", "bench.cuda", "--part", part, *(["--tiny"] if tiny else [])]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMITS[part])
    except subprocess.TimeoutExpired as late:
        partial = (late.stderr or b"").decode(errors="replace").splitlines()
        return {
            "error": f"not done after {LIMITS[part]} s",
            "rows": [json.loads(row) for row in partial if row[:1] == "{"],
        }
    if done.returncode:
        return {"error": " ".join(done.stderr.split())[-600:]}
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures | {"seconds": round(time.monotonic() - began, 1)}


def machine() -> Figures:
    """Return what was measured on."""
    cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "capability": torch.cuda.get_device_capability() if cuda else None,
        "gib": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1) if cuda else None,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def device() -> torch.device:
    """Return the card, or the CPU for a try."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def config_of(shape: str) -> Qwen3Config:
    """Return a Qwen3 config of this shape."""
    sizes = SHAPES[shape]
    heads = max(2, sizes["hidden_size"] // 128)
    return Qwen3Config(
        **sizes,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 4),
        head_dim=min(128, sizes["hidden_size"] // heads),
        max_position_embeddings=4096,
        tie_word_embeddings=shape != "7B",
    )


def random_base(shape: str, bits: int, place: torch.device) -> Qwen3ForCausalLM:
    """Return a model of random weights on the device: bits 32 or 16 as they are, 8 or 4 rounded by bitsandbytes layer by
    layer."""
    torch.manual_seed(0)
    dtype = torch.float32 if bits == 32 else numerics_of(place).weights
    if bits >= 16:
        with place:
            return Qwen3ForCausalLM(config_of(shape)).to(dtype)
    with torch.device("meta"):
        model = Qwen3ForCausalLM(config_of(shape))
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], _rounded(module, bits, place, dtype))
    for name, weight in list(model.named_parameters()):
        if weight.is_meta:
            made = torch.randn(weight.shape, device=place, dtype=dtype) * 0.02
            owner, leaf = model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
            setattr(owner, leaf, torch.nn.Parameter(made + (1.0 if weight.ndim == 1 else 0.0), requires_grad=False))
    if model.config.tie_word_embeddings:
        model.tie_weights()
    rotary = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config=model.config, device=place)
    setattr(model, f"is_loaded_in_{bits}bit", True)
    return model


def _rounded(module: torch.nn.Linear, bits: int, place: torch.device, dtype: torch.dtype) -> torch.nn.Module:
    bnb = cast(Any, importlib.import_module("bitsandbytes"))

    weight = torch.randn((module.out_features, module.in_features), dtype=dtype, device=place) * 0.02
    if bits == 4:
        made = bnb.nn.Linear4bit(
            module.in_features, module.out_features, bias=False, compute_dtype=dtype, quant_type="nf4"
        )
        made.weight = bnb.nn.Params4bit(weight.cpu(), requires_grad=False, quant_type="nf4", compress_statistics=True)
    else:
        made = bnb.nn.Linear8bitLt(module.in_features, module.out_features, bias=False, has_fp16_weights=False)
        made.weight = bnb.nn.Int8Params(weight.cpu(), requires_grad=False, has_fp16_weights=False)
    return cast(torch.nn.Module, made.to(place))


def rows_of(vocabulary: int, count: int, mean: int = 120, longest: int = 250) -> list[Window]:
    """Return conversations of invented lengths, a share of whose ids carry loss."""
    rng = random.Random(0)
    lengths = [min(longest, max(8, round(rng.expovariate(1 / mean)))) for _ in range(count)]
    return [
        Window([rng.randrange(vocabulary) for _ in range(n)], [k > 0 and rng.random() < LABELLED for k in range(n)], n)
        for n in lengths
    ]


def part_equal(tiny: bool) -> Figures:
    """Return how far logits, loss and LoRA gradients on the device are from the CPU's, in float32 and in its own format."""
    place, shape = device(), "tiny" if tiny else "0.5B"
    torch.backends.cuda.matmul.allow_tf32 = False
    rows = rows_of(SHAPES[shape]["vocab_size"], 6)
    batch, figures = pack(rows), {}
    outcomes = []
    for where, computing in ((torch.device("cpu"), False), (place, False), (place, True)):
        model = add_adapter(random_base(shape, 32, torch.device("cpu")), Train(dropout=0.0)).to(cast(Any, where))
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.copy_(torch.sin(torch.arange(weight.numel()).view(weight.shape)).to(weight) * 0.01)
        placed = {name: tensor.to(where) for name, tensor in batch.items()}
        with side_by_side(model), autocast(where) if computing else nullcontext():
            loss = summed_loss(model, placed)
        torch.autograd.backward(loss)
        gradient = torch.cat([w.grad.flatten().float().cpu() for w in model.parameters() if w.grad is not None])
        outcomes.append((float(loss.detach()), gradient))
    (expected, gradient), *others = outcomes
    for name, (nats, other) in zip(("float32", "autocast"), others, strict=True):
        cosine = float(torch.nn.functional.cosine_similarity(gradient, other, dim=0))
        figures[name] = {"loss": abs(nats - expected) / expected, "gradient_cosine": cosine}
    return figures


def part_train(tiny: bool) -> Figures:
    """Return tokens a second, share of the card's speed and peak memory of each way on the small shape, by format."""
    shape = "tiny" if tiny else "0.5B"
    formats = (16,) if device().type == "cpu" else (16, 8, 4)
    return {"rows": [row for bits in formats for row in _ways(shape, bits)]}


def part_seven(tiny: bool) -> Figures:
    """Return the same of 7B: in 4 bits at 256 tokens a step, where the aim is a peak of 9 GB, then at more and in others."""
    shape, plans = "tiny" if tiny else "7B", ((4, 256), (4, 2048), (8, 2048), (16, 2048))
    rows = []
    for bits, tokens in plans if device().type == "cuda" else ((16, 256),):
        rows.append(_noted(_train_row("alterego", shape, bits, tokens)))
    return {"rows": rows}


def _ways(shape: str, bits: int) -> Iterator[Figures]:
    for way in ("alterego", "pad to 256", "TRL packing"):
        yield _noted(_train_row(way, shape, bits, STEP_TOKENS if shape != "tiny" else 512))


def _noted(row: Figures) -> Figures:
    print(json.dumps(row), file=sys.stderr, flush=True)  # so that a part cut short keeps what it measured
    return row


def _train_row(way: str, shape: str, bits: int, tokens: int) -> Figures:
    row: Figures = {"way": way, "shape": shape, "bits": bits, "tokens_a_step": tokens}
    try:
        return row | WAYS[way](shape, bits, tokens)
    except (ImportError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        return row | {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    finally:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _ours(shape: str, bits: int, tokens: int) -> Figures:
    """Rows side by side, the head on label positions alone."""
    rows = rows_of(SHAPES[shape]["vocab_size"], max(24, 12 * tokens // 120))
    order = PackedSampler([len(row.ids) for row in rows], tokens)
    batches = [pack([rows[k] for k in picks]) for picks in order][:10]
    model = _adapted(shape, bits)

    def loss_of(batch: Batch) -> torch.Tensor:
        with side_by_side(model), autocast(device()):
            return summed_loss(model, batch) / max(1, int((batch["labels"] >= 0).sum()))

    return _timed(model, batches, loss_of, [int(batch["input_ids"].numel()) for batch in batches])


def _padded(shape: str, bits: int, tokens: int) -> Figures:
    """Every row padded to 256, logits at every position: what most scripts do."""
    rows = rows_of(SHAPES[shape]["vocab_size"], 10 * max(1, tokens // 256))
    size, useful, batches = max(1, tokens // 256), [], []
    for begin in range(0, len(rows), size):
        some = rows[begin : begin + size]
        batch = collate([*some, Window([0] * 256, [False] * 256, 0)])
        batches.append({name: tensor[:-1] for name, tensor in batch.items()})
        useful.append(sum(len(row.ids) for row in some))
    model = _adapted(shape, bits)
    plain = cast(Any, model.get_base_model()).forward.args[1]  # the model's own forward, which makes every logit

    def loss_of(batch: Batch) -> torch.Tensor:
        with autocast(device()):
            return cast(torch.Tensor, plain(input_ids=batch["input_ids"], labels=batch["labels"], use_cache=False).loss)

    return _timed(model, batches, loss_of, useful)


def _trl(shape: str, bits: int, tokens: int) -> Figures:
    """TRL's SFTTrainer with packing, where TRL is installed."""
    import tempfile

    datasets, trl = cast(Any, importlib.import_module("datasets")), cast(Any, importlib.import_module("trl"))
    rows = rows_of(SHAPES[shape]["vocab_size"], max(24, 12 * tokens // 120))
    model = _adapted(shape, bits).train()
    del cast(Any, model.get_base_model()).forward  # ours goes, the class's is left
    dataset = datasets.Dataset.from_list(
        [{"input_ids": row.ids, "completion_mask": [int(x) for x in row.loss_mask]} for row in rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = trl.SFTConfig(
            folder, packing=True, max_length=256, per_device_train_batch_size=max(1, tokens // 256), max_steps=10,
            report_to=[], save_strategy="no", disable_tqdm=True, bf16=numerics_of(device()).autocast == torch.bfloat16,
            use_cpu=device().type == "cpu", include_num_input_tokens_seen="all", gradient_checkpointing=False,
        )  # fmt: skip
        trainer = trl.SFTTrainer(model, arguments, train_dataset=dataset, processing_class=_tokenizer(shape))
        _reset_peak()
        began = time.monotonic()
        trainer.train()
    return _figures(model, trainer.state.num_input_tokens_seen, time.monotonic() - began)


def _tokenizer(shape: str) -> Any:
    from bench.shapes import END, encoding_for

    backend = encoding_for(min(SHAPES[shape]["vocab_size"], 2048)).tokenizer
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=END, pad_token=END)


WAYS: dict[str, Callable[[str, int, int], Figures]] = {"alterego": _ours, "pad to 256": _padded, "TRL packing": _trl}


def _adapted(shape: str, bits: int) -> Any:
    return add_adapter(random_base(shape, bits, device()), Train()).to(cast(Any, device()) if bits >= 16 else None)


def _timed(
    model: Any, batches: Sequence[Batch], loss_of: Callable[[Batch], torch.Tensor], useful: Sequence[int]
) -> Figures:
    """Run the steps, the first two to warm up."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-4, fused=device().type == "cuda")
    model.train()
    _reset_peak()
    began, tokens = time.monotonic(), 0
    for number, (batch, count) in enumerate(zip(batches, useful, strict=True)):
        if number == 2:
            _wait()
            began, tokens = time.monotonic(), 0
        torch.autograd.backward(loss_of({name: tensor.to(device()) for name, tensor in batch.items()}))
        optimizer.step()
        optimizer.zero_grad()
        tokens += count
    _wait()
    return _figures(model, tokens, time.monotonic() - began)


def _figures(model: Any, tokens: float, seconds: float) -> Figures:
    rate = tokens / seconds
    cuda = torch.cuda.is_available()
    peak = next((value for name, value in PEAKS.items() if cuda and name in torch.cuda.get_device_name()), None)
    parameters = model.num_parameters()  # which knows what a tensor of 4 bits stands for
    return {
        "tokens_per_second": round(rate, 1),
        "mfu": round(4 * parameters * rate / peak, 4) if peak else None,  # no gradients of the base's weights: 4, not 6
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if cuda else None,
    }


def _reset_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def part_serve(tiny: bool) -> Figures:
    """Return tokens a second of 32 replies at once from our engine, and from generate() one by one and in a batch."""
    from bench.shapes import encoding_for
    from engine.backends.transformers_engine import transformers_engine
    from engine.base import Request, complete
    from persona.sampling import SamplingParams

    shape, new = ("tiny", 16) if tiny else ("0.5B", 64)
    model = random_base(shape, 16, device()).eval()
    model.generation_config.eos_token_id = None
    vocabulary = SHAPES[shape]["vocab_size"]
    rng = random.Random(0)
    prompts = [tuple(rng.randrange(1, vocabulary) for _ in range(rng.randint(20, 200))) for _ in range(32)]
    figures: Figures = {"replies": len(prompts), "new_tokens": new}
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts], device=device())
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=device())
    options = {"do_sample": True, "min_new_tokens": new, "max_new_tokens": new, "pad_token_id": 0}
    model.generate(ids[:1], attention_mask=mask[:1], **options)  # warms up
    _wait()
    began = time.monotonic()
    for row in range(4):
        model.generate(ids[row : row + 1], attention_mask=mask[row : row + 1], **options)
    figures["generate_one_by_one"] = round(4 * new / (time.monotonic() - began), 1)
    began = time.monotonic()
    model.generate(ids, attention_mask=mask, **options)
    figures["generate_in_a_batch"] = round(len(prompts) * new / (time.monotonic() - began), 1)
    encoding = encoding_for(vocabulary)
    engine = transformers_engine(model, encoding, stops=frozenset(), max_length=2048)

    async def answered() -> float:
        await engine.start()
        rule = SamplingParams(temperature=1.0, max_new_tokens=new)
        start = time.monotonic()
        await asyncio.gather(*(complete(engine, Request(prompt, rule, seed)) for seed, prompt in enumerate(prompts)))
        seconds = time.monotonic() - start
        await engine.close()
        return seconds

    figures["alterego"] = round(len(prompts) * new / asyncio.run(answered()), 1)  # as many unless one ended early
    return figures


def part_torchrun(tiny: bool) -> Figures:
    """Return the loss that two processes reach together, beside that of one: over gloo, since one card is one rank."""
    script = "tests/trainer/loop/test_lora.py::test_two_processes_learn_what_one_does"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", script],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    return {"passed": done.returncode == 0, "said": " ".join(done.stdout.split())[-200:]}


PARTS: dict[str, Callable[[bool], Figures]] = {
    "equal": part_equal,
    "train": part_train,
    "seven": part_seven,
    "serve": part_serve,
    "torchrun": part_torchrun,
}


if __name__ == "__main__":
    main()
