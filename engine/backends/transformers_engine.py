"""The reference engine: transformers and peft on CUDA, MPS or the CPU. The daemon's only home of torch."""

import gc
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftConfig, PeftModel
from peft.tuners.tuners_utils import check_target_module_exists
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    MODEL_FOR_MULTIMODAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForMultimodalLM,
    BitsAndBytesConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from engine.base import EngineError
from engine.batching import Batch
from engine.choose_forward import forward_of
from engine.kernel_caches import bound_kernel_caches
from engine.numerics import best_device, numerics_of, quantising_obstacle
from engine.prefix_cache import PrefixCache
from engine.stepper import Job, StepResult
from engine.worker import ThreadedEngine
from persona.bundle import Bundle
from persona.encoding import Encoding
from persona.errors import PermanentError, UserError
from persona.out_of_memory import is_out_of_memory
from persona.weights import weights_hash

log = logging.getLogger("alterego.engine")

PROBED = range(1, 9)  # ids of any base; the end's may have an embedding of zeros, where it is the padding's too

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()


def load_base(
    model: str | Path, revision: str | None = None, dtype: torch.dtype | str = "auto", **options: Any
) -> PreTrainedModel:
    """Load a causal language model from a folder or the Hub: safetensors only, none of its own code. Raises UserError.

    A checkpoint that sees or hears too is loaded whole, so that an adapter's names are those of its published layers."""
    bound_kernel_caches()
    try:
        config = AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=False)
        loaded, info = _auto_class(config, str(model)).from_pretrained(
            model,
            config=config,
            revision=revision,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except UserError:
        raise
    except ImportError as error:  # for weights quantised in a format of their own, or a part that sees
        raise UserError(
            f"the base {str(model)!r} needs what is not installed ({in_short(error)}); install that, or choose a base of plain "
            "safetensors"
        ) from error
    except Exception as error:  # a config may be wrong in any way, and nobody checks it before it is used
        if is_out_of_memory(error):
            raise
        raise UserError(
            f"the base {str(model)!r} can't be loaded: it must be a folder or Hub id of a causal language model in safetensors, "
            f"and the Hub must be reachable the first time ({in_short(error)})"
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise UserError(
            f"the base {str(model)!r} lacks {len(missing)} weights of a {type(loaded).__name__}, {missing[0]} first: "
            "they would be random; choose a checkpoint of a whole language model"
        )
    return cast(PreTrainedModel, loaded)


def in_short(error: Exception) -> str:
    """Return what a library says in a line; with the kind of fault, where that is not one it raises by intent."""
    said = " ".join(str(error).split())[:300]
    return said if isinstance(error, OSError | ValueError | RuntimeError) else f"{type(error).__name__}: {said}"


def no_number(computing: torch.dtype) -> str:
    """Return what to do about a base that computes no numbers in a format."""
    longer = "set ALTEREGO_BFLOAT16=1 in the environment, slower but right, or " * (computing == torch.float16)
    return (
        f"what the base computes in {computing} is no number; {longer}choose another base, such as Qwen/Qwen3-0.6B-Base"
    )


def load_finite(load: Callable[[torch.dtype], PreTrainedModel], dtype: torch.dtype) -> PreTrainedModel:
    """Return what `load` makes in `dtype`; in float32 if it overflows in float16, as Gemma 3 does, whose hidden states reach
    100,000. Its products may be rounded to float16 all the same, as autocast does in training."""
    model = load(dtype)
    if dtype != torch.float16 or not _overflows(model):
        return model
    kind = type(model).__name__
    del model  # before it is loaded once more: there may be no room for both
    gc.collect()
    torch.cuda.empty_cache()
    log.warning("%s overflows in float16: it is held in float32, which takes more memory", kind)
    return norms_in_float32(load(torch.float32))


def norms_in_float32(model: PreTrainedModel) -> PreTrainedModel:
    """Have norms hand on float32, even of a product that autocast rounded to float16: where they come behind a layer, as in
    Gemma 2 and 3, what they make of it may be beyond float16. A no-op where nothing is rounded."""
    hidden = getattr(model.config.get_text_config(), "hidden_size", None)
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if "Norm" in type(module).__name__ and weight is not None and tuple(weight.shape) == (hidden,):
            module.register_forward_pre_hook(_in_float32)
    return model


def _in_float32(_: torch.nn.Module, states: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a norm's arguments, in float32."""
    return tuple(each.float() if isinstance(each, torch.Tensor) else each for each in states)


@torch.inference_mode()
def _overflows(model: PreTrainedModel) -> bool:
    """Return whether the logits of a short text are no numbers. A model that can't read one is refused elsewhere."""
    ids = torch.tensor([list(PROBED)], device=model.device)
    try:
        logits = cast(Any, model)(input_ids=ids, use_cache=False).logits
    except Exception as error:  # models refuse in many ways what they were not made for
        if is_out_of_memory(error):
            raise
        return False
    return not bool(torch.isfinite(logits).all())


_AUTO_CLASSES: tuple[tuple[Any, Any], ...] = (
    (MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM),
    (MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText),
    (MODEL_FOR_MULTIMODAL_LM_MAPPING, AutoModelForMultimodalLM),
)


def _auto_class(config: Any, name: str) -> Any:
    """Return what loads this config. Its text part alone (get_text_config) would load other names, so random weights.
    Raises UserError if it is no decoder-only language model's."""
    loader = next((auto for mapping, auto in _AUTO_CLASSES if type(config) in mapping), None)
    if loader is None or config.is_encoder_decoder:
        kind = "an encoder and a decoder" if loader else "no language model that transformers can load alone"
        raise UserError(
            f"the base {name!r} is of type {config.model_type!r}, {kind}; choose a decoder-only language model, "
            "such as Qwen/Qwen3-0.6B-Base"
        )
    return loader


class TransformersStepper:
    """A model and the jobs that go through it together; those that want the base without its adapter go apart. Used by
    one thread alone."""

    def __init__(self, model: PreTrainedModel | PeftModel, end_of_turn: int, max_concurrent: int) -> None:
        self._model = model
        prefixes = PrefixCache()
        self._tuned = Batch(forward_of(model), prefixes, max_concurrent, end_of_turn)
        self._base: Batch | None = None
        if isinstance(model, PeftModel):
            self._base = Batch(forward_of(model), prefixes, max_concurrent, end_of_turn)

    def admit(self, job: Job) -> None:
        """Take a job in. Raises EngineError if the adapter is merged and the base is asked for."""
        if job.request.tuned:
            self._tuned.add(job)
        elif self._base:
            self._base.add(job)
        else:
            raise EngineError("the adapter is merged: this engine can't speak without it")

    def step(self) -> Iterable[StepResult]:
        """One forward for all."""
        yield from self._tuned.step()
        # to switch the adapter off and on takes as long as a small model's forward
        if self._base and not self._base.is_idle:
            with cast(PeftModel, self._model).disable_adapter():
                results = self._base.step()
            yield from results

    def drop(self, job: Job) -> None:
        """Free its keys and values; what is known of its channel is kept."""
        (self._tuned if job.request.tuned or not self._base else self._base).drop(job)


def transformers_engine(
    model: PreTrainedModel | PeftModel,
    encoding: Encoding,
    *,
    stops: frozenset[int],
    max_length: int,
    max_concurrent: int = 32,
) -> ThreadedEngine:
    """Return an engine over a loaded model."""
    return ThreadedEngine(
        "transformers",
        lambda: TransformersStepper(model, encoding.end_of_turn, max_concurrent),
        encoding,
        stops=stops,
        max_length=max_length,
        max_concurrent=max_concurrent,
    )


def open_bundle_model(
    bundle: Bundle, base: str, *, merge: bool, precision: str = "auto"
) -> PreTrainedModel | PeftModel:
    """Return the bundle's base with its adapter. base: [base] model, for a base that isn't in the bundle. merge: fold the
    adapter into the weights, which is faster but can't be undone; a 4-bit base stays as it is, since folding would round
    the adapter away. precision: "auto", "f16", "bf16" or "4bit". Raises PermanentError for another base's adapter, and
    where the adapter changes nothing."""
    seal = bundle.seal
    inside = bundle.folder / "base"
    source: str | Path = inside if inside.is_dir() else base if Path(base).is_dir() else seal.base.model
    revision = seal.base.revision or None if isinstance(source, str) else None
    model = _placed(source, revision, best_device(), precision)
    if isinstance(source, Path) or Path(source).is_dir():
        _require_weights(Path(source), bundle)
    untie(model, PeftConfig.from_pretrained(str(bundle.folder)))
    tuned = PeftModel.from_pretrained(model, bundle.folder).eval()
    _require_effect(tuned, [*([] if seal.bos is None else [seal.bos]), *PROBED, seal.end_of_turn])
    return tuned.merge_and_unload() if merge and precision != "4bit" else tuned


def untie(model: PreTrainedModel, adapter: PeftConfig) -> None:
    """Where `adapter` changes a head that is the table of embeddings too, give the head weights of its own: merged, it
    would change the embeddings."""
    head, table = cast(Any, model.get_output_embeddings()), cast(Any, model.get_input_embeddings())
    if head.weight is table.weight and check_target_module_exists(adapter, head_of(model)):
        head.weight = torch.nn.Parameter(head.weight.detach().clone(), requires_grad=False)
        model.config.tie_word_embeddings = False


def head_of(model: PreTrainedModel) -> str:
    """Return the name of the module that makes logits."""
    head = model.get_output_embeddings()
    return str(next(name for name, module in model.named_modules() if module is head))


def _placed(source: str | Path, revision: str | None, device: torch.device, precision: str) -> PreTrainedModel:
    """Return the base on its device, in its precision."""
    named = {"f16": torch.float16, "bf16": torch.bfloat16}
    if precision != "4bit":

        def load(dtype: torch.dtype) -> PreTrainedModel:
            return load_base(source, revision, dtype).to(cast(Any, device))

        return load_finite(load, named.get(precision, numerics_of(device).serving))
    if obstacle := quantising_obstacle(precision, otherwise="auto"):
        raise UserError(f'[engine] precision = "4bit" {obstacle}')

    def load_four(dtype: torch.dtype) -> PreTrainedModel:
        four = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        return load_base(source, revision, dtype, quantization_config=four, device_map={"": device})

    return load_finite(load_four, numerics_of(device).quantised)


def _require_weights(folder: Path, bundle: Bundle) -> None:
    if weights_hash(folder) != bundle.seal.base.weights:
        raise PermanentError(
            f"{folder} holds other weights than the adapter in {bundle.folder} was trained on; "
            "name the right base in [base] model"
        )


@torch.inference_mode()
def _require_effect(tuned: PeftModel, ids: list[int]) -> None:
    """A silently ignored adapter is a real failure of runtimes: ask both, and compare."""
    probe = torch.tensor([ids], device=tuned.device)
    with_adapter = tuned(input_ids=probe, use_cache=False).logits
    with tuned.disable_adapter():
        without = tuned(input_ids=probe, use_cache=False).logits
    if not torch.isfinite(with_adapter).all():
        raise PermanentError(no_number(tuned.dtype))
    if torch.equal(with_adapter, without):
        raise PermanentError("the adapter changes nothing in what the base says: training did not take; train again")
