"""The reference engine: transformers and peft on CUDA, MPS or the CPU. The daemon's only home of torch."""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedModel
from transformers.utils import logging as transformers_logging

from bot.engine.base import EngineError, Piece, Request
from persona.bundle import Bundle
from persona.encoding import Encoding, TextStream
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


class TransformersEngine:
    """Samples from a model in a thread of its own, one request after the other."""

    name = "transformers"

    def __init__(
        self, model: PreTrainedModel | PeftModel, encoding: Encoding, stops: frozenset[int], max_length: int
    ) -> None:
        self._model = model
        self._encoding = encoding
        self._stops = stops | {encoding.end_of_turn}
        self._max_length = max_length
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Begin to take requests."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()

    async def close(self) -> None:
        """End after the request in hand."""
        if self._thread:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """The completion of `request`, piece by piece."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Piece | EngineError] = asyncio.Queue()
        job = _Job(request, lambda piece: loop.call_soon_threadsafe(pieces.put_nowait, piece))
        self._jobs.put(job)
        try:
            while True:
                piece = await pieces.get()
                if isinstance(piece, EngineError):
                    raise piece
                yield piece
                if piece.finish:
                    return
        finally:
            job.cancelled = True

    def _run(self) -> None:
        while job := self._jobs.get():
            try:
                for piece in self._pieces(job):
                    job.deliver(piece)
            except Exception as error:  # one request's failure is that request's alone
                job.deliver(EngineError(f"{type(error).__name__}: {error}"))

    @torch.inference_mode()
    def _pieces(self, job: "_Job") -> Iterator[Piece]:
        """Decode until the turn ends, the cap is reached or nobody waits any more."""
        request = job.request
        cap = min(request.sampling.max_new_tokens, self._max_length - len(request.ids))
        if cap <= 0:
            raise EngineError(f"a prompt of {len(request.ids)} tokens leaves no room in {self._max_length}")
        draw = _Draw(request, self._encoding.end_of_turn, self._model.device)
        text = TextStream(self._encoding)
        with self._without_adapter() if not request.tuned else nullcontext():
            cache = DynamicCache(config=self._model.config)
            fed = torch.tensor([request.ids], device=self._model.device)
            for _ in range(cap):
                if job.cancelled:
                    return
                if request.deadline is not None and time.monotonic() > request.deadline:
                    yield Piece("", "deadline")
                    return
                logits = self._model(input_ids=fed, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[
                    0, -1
                ]
                token = draw.next(logits.float())
                if token in self._stops:
                    yield Piece("", "stop")
                    return
                if piece := text.push(token):
                    yield Piece(piece)
                fed = torch.tensor([[token]], device=self._model.device)
        yield Piece("", "length")

    def _without_adapter(self) -> AbstractContextManager[None]:
        if not isinstance(self._model, PeftModel):
            raise EngineError("the adapter is merged: this engine can't speak without it")
        return cast(AbstractContextManager[None], self._model.disable_adapter())


@dataclass(slots=True)
class _Job:
    request: Request
    deliver: Callable[[Piece | EngineError], object]
    cancelled: bool = False


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
