"""The engine for machines without a GPU: the bundle's GGUF in OpenVINO GenAI, continuous batching with prefix caching."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import openvino
import openvino_genai as genai

from engine.base import EngineError
from engine.cpu_precision import bfloat16_switch
from engine.gguf_header import kv_bytes_per_token
from engine.kernel_caches import FEW, bound_kernel_caches
from engine.stepper import Job, StepResult
from persona.sampling import SamplingParams

TOKENS_A_STEP = 2048  # of prompts, in one forward
BLOCK_TOKENS = 32  # of keys and values, which the CPU plugin keeps in blocks
MAX_CACHE_BYTES = 1 << 30  # of keys and values, over all requests and what is kept of earlier ones

_DONE = {genai.GenerationFinishReason.STOP: "stop", genai.GenerationFinishReason.LENGTH: "length"}


def _precision() -> dict[str, str]:
    """Return the runtime's precision property; empty leaves it to the runtime, which takes bfloat16 if the CPU has it."""
    switch = bfloat16_switch()
    return {} if switch is None else {"INFERENCE_PRECISION_HINT": "bf16" if switch else "f32"}


def cache_blocks(gguf: Path, tokens: int) -> int:
    """Return how many blocks of keys and values to keep: as many bytes as the weights take, at least `tokens`, at most
    MAX_CACHE_BYTES; 0 if the file doesn't tell how large one is. The runtime fills whatever it is given."""
    token_bytes = kv_bytes_per_token(gguf)
    if not token_bytes:
        return 0
    wanted = max(gguf.stat().st_size, tokens * token_bytes)
    return max(1, min(wanted, MAX_CACHE_BYTES) // (token_bytes * BLOCK_TOKENS))


class OpenVinoStepper:
    """One GGUF. Token ids go in and come out; the runtime's own tokenizer is not used. max_length: tokens of the longest
    request; the cache has room for a quarter of max_concurrent such, and at least two."""

    def __init__(
        self, gguf: Path, end_of_turn: int, stops: frozenset[int], max_concurrent: int, max_length: int
    ) -> None:
        bound_kernel_caches()
        scheduler = genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.max_num_seqs = max_concurrent
        scheduler.max_num_batched_tokens = TOKENS_A_STEP
        scheduler.num_kv_blocks = cache_blocks(gguf, max(max_concurrent // 4, 2) * max_length)
        if not scheduler.num_kv_blocks:
            scheduler.cache_size = MAX_CACHE_BYTES >> 30  # GiB
        none = genai.Tokenizer(str(gguf.parent))  # a folder without one in OpenVINO's form; it would never be asked
        kept = {"CPU_RUNTIME_CACHE_CAPACITY": FEW}
        self._pipe = genai.ContinuousBatchingPipeline(str(gguf), none, scheduler, "CPU", **_precision(), **kept)
        self._end_of_turn = end_of_turn
        self._stops = stops
        self._handles: dict[Job, genai.GenerationHandle] = {}
        self._number = 0

    def admit(self, job: Job) -> None:
        """Hand the ids over. Raises EngineError for a penalty that would reach the end of the turn."""
        if job.request.sampling.repetition_penalty != 1.0:
            raise EngineError(
                "OpenVINO can't spare the end of a turn from a repetition penalty; use the transformers engine"
            )
        if not job.request.tuned:
            raise EngineError("a merged model can't speak without its adapter; use the transformers engine")
        self._number += 1
        ids = openvino.Tensor(np.array([job.request.ids], dtype=np.int64))
        if job.likeliest:
            settings = self._beams(job.likeliest)
        else:
            settings = self._settings(job.request.sampling, job.request.seed, job.max_new_tokens)
        self._handles[job] = self._pipe.add_request(self._number, ids, settings)

    def step(self) -> Iterable[StepResult]:
        """One forward for all; yields what each brought."""
        self._pipe.step()
        for job, handle in list(self._handles.items()):
            status = handle.get_status()
            outputs = handle.read().values() if handle.can_read() else ()
            tokens = [token for output in outputs for token in output.generated_ids]
            reasons = [_DONE[output.finish_reason] for output in outputs if output.finish_reason in _DONE]
            if job.likeliest and status == genai.GenerationStatus.FINISHED:
                yield StepResult(job, log_probs={output.generated_ids[0]: output.score for output in outputs})
            elif status == genai.GenerationStatus.RUNNING:
                yield StepResult(job, [] if job.likeliest else tokens)
            elif status == genai.GenerationStatus.FINISHED:
                yield StepResult(job, tokens, "length" if reasons == ["length"] else "stop")
            else:
                yield StepResult(job, tokens, error=f"OpenVINO ended the request as {status.name}")

    def drop(self, job: Job) -> None:
        """Cancel a request and free its keys and values. The runtime frees them in its next step, so the last request to
        go makes one."""
        handle = self._handles.pop(job, None)
        if handle is not None and handle.get_status() == genai.GenerationStatus.RUNNING:
            handle.cancel()
            if not self._handles:
                self._pipe.step()

    def _beams(self, count: int) -> genai.GenerationConfig:
        """Return the settings whose outputs are the likeliest next ids: a search of one token's depth, its scores being their
        log-probabilities. The runtime tells those of a prompt in no other way."""
        config = genai.GenerationConfig()
        config.max_new_tokens = 1
        config.set_eos_token_id(self._end_of_turn)
        config.do_sample = False
        config.num_beams = config.num_return_sequences = count
        config.length_penalty = 0.0
        config.stop_criteria = genai.StopCriteria.NEVER
        return config

    def _settings(self, sampling: SamplingParams, seed: int, max_new_tokens: int) -> genai.GenerationConfig:
        """Return the sampling settings with every field set: the runtime fills gaps from the model's own."""
        config = genai.GenerationConfig()
        config.max_new_tokens = max_new_tokens
        config.eos_token_id = self._end_of_turn
        config.stop_token_ids = set(self._stops | {self._end_of_turn})
        config.do_sample = sampling.temperature > 0
        config.repetition_penalty = 1.0
        config.presence_penalty = config.frequency_penalty = 0.0
        config.num_beams = config.num_return_sequences = 1
        if config.do_sample:
            config.temperature = sampling.temperature
            config.top_p = sampling.top_p
            config.top_k = sampling.top_k or 2**31 - 1
            config.min_p = sampling.min_p
            config.rng_seed = seed
        return config
