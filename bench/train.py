"""Training as others do it, beside ours: same data, same model, same dtype, same messages a step, in one run.

    python bench/train.py            tweets and chats, three seeds (about 25 minutes on 2 quiet cores)
    python bench/train.py --quick    one seed of a tenth of the data
    python bench/train.py --long     peak memory of max_length 2,048 to 32,768
    python bench/train.py --share    share of the measured GEMM rate, by the size of the base

The rivals are the ways of the projects that alterego grew up beside, written plainly: rows padded to 256, rows padded to
the longest of 8, blocks of 1024 without borders, TRL's best-fit packing, and for chats a row for every reply with its
context. Useful tokens are those of the messages, without padding; for chats, those with loss. `chats` are cut where people
fall silent, as alterego does by default; `long chats` are the same uncut, as the other projects take them, so that a row for
a reply has its 512 tokens of context. Ratios are taken within a seed, the variants run one after the other, and the median
is shown with its range: the machine may be shared.
"""

import argparse
import json
import math
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict

from engine.numerics import autocast, cpu_has_bf16
from examples.make_sample import make
from persona.config import Train, load
from persona.encoding import Encoding
from trainer.base.pretraining import Size, init_base, shape
from trainer.corpus.store import load as load_corpus
from trainer.ingest.pipeline import import_exports
from trainer.loop.batches import Window, pack, windows_of
from trainer.loop.fused_lora import fused_lora
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import add_adapter
from trainer.loop.loss import IGNORE_INDEX, summed_loss
from trainer.loop.packing import side_by_side
from trainer.progress import Bars

A_STEP = {"tweets": 64, "chats": 8, "long chats": 2}  # messages, conversations, windows between two updates
UNCUT = 10**6  # minutes of silence that end a conversation: never
MICRO = 8  # rows a forward, where rows are padded
CONTEXT = 512  # tokens before a reply that has a row of its own
RATE = 1e-3
SHAPE = Size(256, 6, 4096)
ME = "MARA VOSS"

Step = list[dict[str, torch.Tensor]]  # the micro-batches between two updates


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train. steps: an epoch of these rows; plain: through model(labels=), as everybody does."""

    name: str
    steps: Callable[[Sequence[Window], int, int], Iterator[Step]]
    plain: bool = True


def padded(length: int | None) -> Callable[[Sequence[Window], int, int], Iterator[Step]]:
    """Rows in random order, padded to `length`, or to the longest of their forward."""

    def steps(rows: Sequence[Window], a_step: int, seed: int) -> Iterator[Step]:
        order = random.Random(seed).sample(range(len(rows)), len(rows))
        for start in range(0, len(order), a_step):
            picked = [rows[k] for k in order[start : start + a_step]]
            groups = [picked[k : k + MICRO] for k in range(0, len(picked), MICRO)]
            yield [_padded(group, length or max(len(row.ids) for row in group)) for group in groups]

    return steps


def _padded(rows: Sequence[Window], length: int) -> dict[str, torch.Tensor]:
    cut = [Window(row.ids[-length:], row.loss_mask[-length:], 0) for row in rows]
    ids = torch.tensor([row.ids + [0] * (length - len(row.ids)) for row in cut])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (length - len(row.ids)) for row in cut])
    targets = torch.tensor([row.loss_mask + [False] * (length - len(row.ids)) for row in cut])
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.where(targets, ids, IGNORE_INDEX)}


def blocks(rows: Sequence[Window], a_step: int, seed: int) -> Iterator[Step]:
    """All rows one after the other, cut every 1024 tokens; whoever stands before is seen, related or not."""
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    ids = [i for k in order for i in rows[k].ids]
    targets = [t for k in order for t in rows[k].loss_mask]
    pieces = [Window(ids[k : k + 1024], targets[k : k + 1024], 0) for k in range(0, len(ids), 1024)]
    per_step = max(1, round(a_step * len(ids) / len(rows) / 1024))
    for start in range(0, len(pieces), per_step):
        yield [_padded([piece], len(piece.ids)) for piece in pieces[start : start + per_step]]


def packed(rows: Sequence[Window], a_step: int, seed: int) -> Iterator[Step]:
    """TRL's best-fit decreasing packing into rows of 256, kept apart by their positions, one such row a forward."""
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    for start in range(0, len(order), a_step):
        bins: list[list[Window]] = []
        for row in sorted((rows[k] for k in order[start : start + a_step]), key=lambda row: -len(row.ids)):
            room = [one for one in bins if sum(len(r.ids) for r in one) + len(row.ids) <= 256]
            best = max(room, key=lambda one: sum(len(r.ids) for r in one), default=None)
            if best is None:
                bins.append([row])
            else:
                best.append(row)
        yield [_packed(one) for one in bins]


def _packed(rows: Sequence[Window]) -> dict[str, torch.Tensor]:
    ids = torch.tensor([[i for row in rows for i in row.ids]])
    targets = torch.tensor([[t for row in rows for t in row.loss_mask]])
    places = torch.tensor([[k for row in rows for k in range(len(row.ids))]])
    return {"input_ids": ids, "position_ids": places, "labels": torch.where(targets, ids, IGNORE_INDEX)}


def row_a_reply(rows: Sequence[Window], a_step: int, seed: int) -> Iterator[Step]:
    """Every turn of the persona as a row of its own with the context before it, padded to the longest of a forward."""
    replies = [reply for row in rows for reply in _replies(row)]
    return padded(None)(replies, max(1, round(a_step * len(replies) / len(rows))), seed)


def _replies(row: Window) -> Iterator[Window]:
    starts = [k for k, target in enumerate(row.loss_mask) if target and not row.loss_mask[k - 1]]
    for start in starts:
        end = next((k for k in range(start, len(row.ids)) if not row.loss_mask[k]), len(row.ids))
        first = max(0, end - CONTEXT)
        yield Window(row.ids[first:end], [start <= k < end for k in range(first, end)], 0)


def ours(rows: Sequence[Window], a_step: int, seed: int) -> Iterator[Step]:
    """All rows of a step side by side, without padding; the head on label positions alone."""
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    return ([pack([rows[k] for k in order[start : start + a_step]])] for start in range(0, len(order), a_step))


OURS = Way("ours", ours, plain=False)
TWEETS = (
    Way("pad to 256", padded(256)),
    Way("pad to longest of 8", padded(None)),
    Way("blocks of 1024", blocks),
    Way("TRL packing, 256", packed),
    OURS,
)
CHATS = (Way("a row for every reply", row_a_reply), OURS)


@dataclass(frozen=True, slots=True)
class Run:
    """What an epoch took and brought. fed: tokens that went through the model."""

    seconds: float
    fed: int
    bits: float


def epoch(
    way: Way, model: PeftModel, rows: Sequence[Window], held_out: Sequence[Window], a_step: int, seed: int
) -> Run:
    """One epoch from an untrained adapter, and the held-out bits per character after it."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0, fused=True)
    model.train()
    torch.manual_seed(seed)
    fed = 0
    start = time.perf_counter()
    for step in way.steps(rows, a_step, seed):
        total = sum(int((batch["labels"][:, 1:] != IGNORE_INDEX).sum()) for batch in step)
        for batch in step:
            fed += batch["input_ids"].numel()
            ours = nullcontext() if way.plain else fast_layers(model)
            with autocast(model.device), ours:
                loss = _plain(model, batch) if way.plain else summed_loss(model, batch)
                torch.autograd.backward(loss / max(1, total))
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - start
    return Run(seconds, fed, measure_loss(model, held_out, 8192, 0).bits_per_character)


@contextmanager
def fast_layers(model: PeftModel) -> Iterator[None]:
    """Training as our loop runs it."""
    with side_by_side(model), fused_lora(model):
        yield


def _plain(model: PeftModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss as transformers computes it: all logits, then those that count."""
    labels = batch["labels"]
    logits = model(**{name: tensor for name, tensor in batch.items() if name != "labels"}, use_cache=False).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
    )


def corpus_rows(data: str, tweets: int, chats: int) -> tuple[Encoding, list[Window], list[Window]]:
    """Training and held-out windows of the sample's timeline or chats, by the tokenizer grown on both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "exports", seed=3, tweet_count=tweets, chat_count=chats)
        (folder / "persona.toml").write_text(
            '[persona]\nname = "Mara Voss"\naliases = ["maravoss"]\n[data]\ndms = true\n'
            f"max_gap_minutes = {UNCUT if data == 'long chats' else 0}\n"
        )
        settings = load(folder / "persona.toml", {})
        with Bars(quiet=True) as bars:
            import_exports(settings, [folder / "exports"], fresh=True, bars=bars)
        corpus = load_corpus(settings)
        parts = {part: [one.conversation for one in corpus.in_split(part)] for part in ("train", "b")}
    tokenizer = init_base(parts["train"], 0).tokenizer
    encoding = Encoding(tokenizer.backend_tokenizer, tokenizer.eos_token_id)
    scene = "timeline" if data == "tweets" else "group"
    train, held_out = (
        _contents(windows_of(encoding, [one for one in parts[part] if one.scene == scene], frozenset({ME}), 1024))
        for part in ("train", "b")
    )
    if not held_out:  # uncut, a channel is one conversation: the end of it is held out
        train, held_out = train[: -len(train) // 8], train[-len(train) // 8 :]
    return encoding, train, held_out


def _contents(rows: Sequence[Window]) -> list[Window]:
    """The rows without loss on headers: the rivals' loss is on what is said."""
    return [replace(row, header_mask=[]) for row in rows]


def fresh_model(encoding: Encoding, seed: int, size: Size = SHAPE) -> PeftModel:
    torch.manual_seed(0)  # the same base for all
    base = shape(size, encoding.tokenizer)
    return add_adapter(base, Train(rank=16, dropout=0.0, seed=seed))


def gemm_rate(dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product here: the best of several."""
    a, b = (torch.randn(1536, 1536).to(dtype) for _ in range(2))
    best = math.inf
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 1536**3 / best


def flops(model: PeftModel, fed: int, labelled: int) -> float:
    """Of an epoch of ours: two for each weight and token forwards, two backwards (frozen weights need no gradient of
    their own), six for the adapter's; the head where there is a label."""
    head = model.get_output_embeddings().weight.numel()
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    body = sum(weight.numel() for weight in model.parameters()) - head - trained
    return float(fed * (4.0 * body + 6.0 * trained) + labelled * 4.0 * head)


def compare(name: str, ways: Sequence[Way], seeds: int, tweets: int, chats: int) -> list[dict[str, Any]]:
    """A row of figures for each way."""
    encoding, rows, held_out = corpus_rows(name, tweets, chats)
    a_step = A_STEP[name]
    tokens = sum(len(row.ids) for row in rows)
    targets = sum(sum(row.loss_mask) for row in rows)
    useful = tokens if name == "tweets" else targets
    runs: dict[str, list[Run]] = {way.name: [] for way in ways}
    rate = gemm_rate(torch.bfloat16 if cpu_has_bf16() else torch.float32)
    model = fresh_model(encoding, 0)
    untrained = {key: value.clone() for key, value in get_peft_model_state_dict(model).items()}
    for seed in range(seeds):
        for way in ways:
            set_peft_model_state_dict(model, untrained)
            runs[way.name].append(epoch(way, model, rows, held_out, a_step, seed))
            print(f"  seed {seed} {way.name}: {useful / runs[way.name][-1].seconds:,.0f} tokens/s", file=sys.stderr)
    mine = runs[OURS.name]
    table = []
    for way in ways:
        these = runs[way.name]
        ratios = [b.seconds / a.seconds for a, b in zip(mine, these, strict=True)]
        fed = these[0].fed
        share = flops(model, fed, targets) / min(run.seconds for run in these) / rate if way is OURS else None
        table.append(
            {
                "data": name,
                "way": way.name,
                "tokens_per_second": useful / statistics.median(run.seconds for run in these),
                "waste": 1 - tokens / fed if name == "tweets" else None,
                "fed": fed,
                "ours_is_faster": statistics.median(ratios),
                "range": [min(ratios), max(ratios)],
                "share_of_gemm": share,
                "peak_mib": peak_of(way.name, name, tweets, chats),
                "held_out_bits": [round(run.bits, 4) for run in these],
            }
        )
    return table


def report_share(tweets: int) -> None:
    """Ours over the first steps of an epoch of tweets, on bases of several sizes."""
    encoding, rows, held_out = corpus_rows("tweets", tweets, 300)
    rate = gemm_rate(torch.bfloat16 if cpu_has_bf16() else torch.float32)
    print(f"GEMM {rate / 1e9:.0f} GFLOP/s")
    for size in (Size(256, 6, 4096), Size(512, 8, 4096), Size(1024, 12, 4096)):
        model, some = fresh_model(encoding, 0, size), rows[: 4 * A_STEP["tweets"]]
        run = epoch(OURS, model, some, held_out[:1], A_STEP["tweets"], 0)
        share = flops(model, run.fed, sum(sum(row.loss_mask) for row in some)) / run.seconds / rate
        print(f"{size.hidden} x {size.layers}: {run.fed / run.seconds:,.0f} tokens/s, {share:.0%} of the GEMM rate")


def peak_of(way: str, name: str, tweets: int, chats: int) -> float:
    """MiB at the peak of three steps, above the loaded model, in a process of its own."""
    code = ["--peak", way, "--data", name, "--tweets", str(min(tweets, 1500)), "--chats", str(min(chats, 3000))]
    done = subprocess.run([sys.executable, __file__, *code], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["mib"])


def report_peak(way: str, name: str, tweets: int, chats: int) -> None:
    encoding, rows, held_out = corpus_rows(name, tweets, chats)
    model = fresh_model(encoding, 0)
    chosen = next(one for one in (*TWEETS, *CHATS) if one.name == way)
    a_step = A_STEP[name]
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far, which was the import's, is forgotten (Linux)
    before = _peak_kib()
    epoch(chosen, model, rows[: 3 * a_step], held_out[:1], a_step, 0)
    print(json.dumps({"mib": (_peak_kib() - before) / 1024}))


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def report_long(length: int) -> None:
    """Peak MiB above the loaded model of one training step on a conversation of `length` tokens."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=2048, hidden_size=128, intermediate_size=384, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=32, max_position_embeddings=32768, tie_word_embeddings=True,
    )  # fmt: skip
    model = add_adapter(Qwen3ForCausalLM(config), Train(rank=8))
    ids = torch.randint(0, 2048, (1, length))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    torch.autograd.backward(
        summed_loss(model, {"input_ids": ids, "labels": torch.where(torch.rand(1, length) < 0.3, ids, IGNORE_INDEX)})
    )
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"length": length, "mib": round(peak, 1), "seconds": round(time.perf_counter() - start, 2)}))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--share", action="store_true")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--tweets", type=int, default=1500)
    arguments.add_argument("--chats", type=int, default=3000)
    for hidden in ("--peak", "--data"):
        arguments.add_argument(hidden, help=argparse.SUPPRESS)
    arguments.add_argument("--one-length", type=int, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.peak:
        return report_peak(chosen.peak, chosen.data, chosen.tweets, chosen.chats)
    if chosen.one_length:
        return report_long(chosen.one_length)
    if chosen.share:
        return report_share(chosen.tweets)
    if chosen.long:
        for length in (2048, 4096, 8192, 16384, 32768):
            command = [sys.executable, __file__, "--one-length", str(length)]
            print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="")
        return None
    seeds, tweets, chats = (1, 400, 1200) if chosen.quick else (chosen.seeds, chosen.tweets, chosen.chats)
    table = [
        row for name in A_STEP for row in compare(name, TWEETS if name == "tweets" else CHATS, seeds, tweets, chats)
    ]
    return print(json.dumps(table)) if chosen.json else show(table)


def show(table: Sequence[dict[str, Any]]) -> None:
    dtype = "bfloat16 autocast" if cpu_has_bf16() else "float32 (this CPU has no bfloat16)"
    print(f"{torch.get_num_threads()} threads, {dtype}; useful tokens: tweets all, chats those with loss\n")
    print(
        f"{'data':10} {'way':22} {'tokens/s':>9} {'waste':>6} {'peak MiB':>9} {'GEMM':>5}  {'ours is':>8} {'range':>11}"
        "  held-out bits/char"
    )
    for row in table:
        waste = "" if row["waste"] is None else f"{max(0.0, row['waste']):.1%}"
        share = "" if row["share_of_gemm"] is None else f"{row['share_of_gemm']:.0%}"
        low, high = row["range"]
        print(
            f"{row['data']:10} {row['way']:22} {row['tokens_per_second']:9,.0f} {waste:>6} {row['peak_mib']:9,.0f} {share:>5}"
            f"  {row['ours_is_faster']:7.1f}x {low:4.1f}-{high:4.1f}x  {', '.join(map(str, row['held_out_bits']))}"
        )


if __name__ == "__main__":
    main()
