"""The reference engine: transformers and peft on CUDA, MPS or the CPU. The daemon's only home of torch."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedModel
from transformers.utils import logging as transformers_logging

from bot.engine.base import EngineError, Request
from bot.engine.worker import Advance, Job, ThreadedEngine
from persona.bundle import Bundle
from persona.encoding import Encoding
from persona.fault import Fault, StandingFault
from persona.sampling import Sampling
from persona.weights import weights_hash

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()


def best_device() -> torch.device:
    """CUDA where there is a card, then Apple's, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32."""
    native = (device.type == "cuda" and torch.cuda.is_bf16_supported()) or (device.type == "cpu" and cpu_has_bf16())
    return torch.bfloat16 if native else torch.float32


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AVX-512 BF16 or AMX); emulation is slower than float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def load_base(
    model: str | Path, revision: str | None = None, dtype: torch.dtype | str = "auto", **options: Any
) -> PreTrainedModel:
    """A causal language model from a folder or the Hub: safetensors only, no code of theirs. Raises Fault."""
    try:
        return cast(
            PreTrainedModel,
            AutoModelForCausalLM.from_pretrained(
                model, revision=revision, dtype=dtype, use_safetensors=True, trust_remote_code=False, **options
            ),
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise Fault(
            f"the base {str(model)!r} can't be loaded: it must be a folder or Hub id of a causal language model in safetensors, "
            f"and the Hub must be reachable the first time ({reason})"
        ) from error


class TransformersStepper:
    """Advances each job by one forward of the model. Used by one thread alone."""

    def __init__(self, model: PreTrainedModel | PeftModel, end_of_turn: int) -> None:
        self._model = model
        self._end_of_turn = end_of_turn
        self._running: dict[Job, _Sequence] = {}

    def admit(self, job: Job) -> None:
        """Take a job in. Raises EngineError where the adapter is merged and the base is asked for."""
        if not job.request.tuned and not isinstance(self._model, PeftModel):
            raise EngineError("the adapter is merged: this engine can't speak without it")
        draw = _Draw(job.request, self._end_of_turn, self._model.device)
        self._running[job] = _Sequence(list(job.request.ids), DynamicCache(config=self._model.config), draw)

    def step(self) -> Iterable[Advance]:
        """A token for every job."""
        for job, sequence in list(self._running.items()):
            token = self._next(sequence, job.request.tuned)
            sequence.fed = [token]
            sequence.made += 1
            yield Advance(job, [token], "length" if sequence.made >= job.cap else None)

    def drop(self, job: Job) -> None:
        """Free its keys and values."""
        self._running.pop(job, None)

    @torch.inference_mode()
    def _next(self, sequence: "_Sequence", tuned: bool) -> int:
        ids = torch.tensor([sequence.fed], device=self._model.device)
        adapter = nullcontext() if tuned else cast(PeftModel, self._model).disable_adapter()
        with adapter:
            output = self._model(input_ids=ids, past_key_values=sequence.cache, use_cache=True, logits_to_keep=1)
        return sequence.draw.next(output.logits[0, -1].float())


@dataclass(slots=True)
class _Sequence:
    """A job's place in its completion. fed: the ids the next forward takes."""

    fed: list[int]
    cache: DynamicCache
    draw: "_Draw"
    made: int = 0


def transformers_engine(
    model: PreTrainedModel | PeftModel,
    encoding: Encoding,
    *,
    stops: frozenset[int],
    max_length: int,
    max_concurrent: int = 32,
) -> ThreadedEngine:
    """An engine over a loaded model."""
    return ThreadedEngine(
        "transformers",
        lambda: TransformersStepper(model, encoding.end_of_turn),
        encoding,
        stops=stops,
        max_length=max_length,
        max_concurrent=max_concurrent,
    )


class _Draw:
    """Draws the tokens of one request with its own random stream."""

    def __init__(self, request: Request, end_of_turn: int, device: torch.device) -> None:
        self._sampling = request.sampling
        self._end = end_of_turn
        self._random = torch.Generator(device="cpu").manual_seed(request.seed)
        self._seen = torch.tensor(sorted(set(request.ids) - {end_of_turn}), device=device)

    def next(self, logits: torch.Tensor) -> int:
        """The next token of logits [vocabulary], float32."""
        rule = self._sampling
        if rule.repetition_penalty != 1.0:
            logits = penalised(logits, self._seen, rule.repetition_penalty)
        if rule.temperature == 0:
            token = int(logits.argmax())
        else:
            probabilities = allowed(logits / rule.temperature, rule).softmax(-1).cpu()
            token = int(torch.multinomial(probabilities, 1, generator=self._random))
        if rule.repetition_penalty != 1.0 and token != self._end:
            self._seen = torch.unique(torch.cat([self._seen, torch.tensor([token], device=self._seen.device)]))
        return token


def penalised(logits: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """logits [vocabulary] with those of `seen` ids pushed down (CTRL, arXiv 1909.05858)."""
    picked = logits[seen]
    return logits.index_put((seen,), torch.where(picked < 0, picked * penalty, picked / penalty))


def allowed(logits: torch.Tensor, rule: Sampling) -> torch.Tensor:
    """logits [vocabulary] with what top_k, top_p and min_p exclude at -inf, in transformers' order."""
    if 0 < rule.top_k < logits.numel():
        logits = logits.masked_fill(logits < logits.topk(rule.top_k).values[-1], -torch.inf)
    if rule.top_p < 1:
        ordered, places = logits.sort(descending=False)
        excluded = ordered.softmax(-1).cumsum(-1) <= 1 - rule.top_p
        excluded[-1] = False  # the likeliest always stays
        logits = logits.masked_fill(excluded.scatter(0, places, excluded), -torch.inf)
    if rule.min_p > 0:
        probabilities = logits.softmax(-1)
        logits = logits.masked_fill(probabilities < rule.min_p * probabilities.max(), -torch.inf)
    return logits


def open_bundle_model(bundle: Bundle, base: str, *, merge: bool) -> PreTrainedModel | PeftModel:
    """The bundle's base with its adapter. base: [base] model, for a base that isn't in the bundle. merge: fold the
    adapter into the weights, which is faster but can't be undone. Raises StandingFault for another base's adapter, and
    where the adapter changes nothing."""
    seal = bundle.seal
    device = best_device()
    inside = bundle.folder / "base"
    source: str | Path = inside if inside.is_dir() else base if Path(base).is_dir() else seal.base.model
    model = load_base(source, seal.base.revision or None if isinstance(source, str) else None, best_dtype(device)).to(
        device
    )
    if isinstance(source, Path) or Path(source).is_dir():
        _require_weights(Path(source), bundle)
    tuned = PeftModel.from_pretrained(model, bundle.folder).eval()
    _require_effect(tuned, [*([] if seal.bos is None else [seal.bos]), seal.end_of_turn])
    return tuned.merge_and_unload() if merge else tuned


def _require_weights(folder: Path, bundle: Bundle) -> None:
    if weights_hash(folder) != bundle.seal.base.weights:
        raise StandingFault(
            f"{folder} holds other weights than the adapter in {bundle.folder} was trained on; "
            "name the right base in [base] model"
        )


@torch.inference_mode()
def _require_effect(tuned: PeftModel, ids: list[int]) -> None:
    """A silently ignored adapter is a real failure of runtimes: ask both, and compare."""
    probe = torch.tensor([ids], device=tuned.device)
    with_adapter = tuned(input_ids=probe).logits
    with tuned.disable_adapter():
        without = tuned(input_ids=probe).logits
    if torch.equal(with_adapter, without):
        raise StandingFault("the adapter changes nothing in what the base says: training did not take; train again")
