"""The base model an adapter is trained on: from the Hub, from a folder, or pretrained from scratch and kept."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

from huggingface_hub import try_to_load_from_cache
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedModel

from engine.backends.transformers_engine import in_short, load_base, load_finite, norms_in_float32
from engine.base_source import INSTRUCT, is_instruct
from engine.bundle_base import located_base_of
from engine.dequantise import located_base
from engine.numerics import best_device, numerics_of, quantising_obstacle
from persona.atomic import move_folder
from persona.bundle import SCRATCH, BaseModelSeal, Bundle
from persona.config import Settings
from persona.encoding import Encoding, open_encoding
from persona.errors import SettingsError, UserError
from persona.out_of_memory import is_out_of_memory
from persona.transcript import Conversation
from persona.weights import weights_hash
from trainer.base.reachability import require_base
from trainer.base.suitability import require_language_model
from trainer.corpus.store import Corpus
from trainer.loop.batches import windows_of
from trainer.loop.distributed import world
from trainer.loop.held_out_loss import measure_loss
from trainer.progress import Bars

LONGEST_AUTO = 1024  # tokens a window by default
_SCRATCH_FOLDER = re.compile(r"[0-9a-f]{12}-(?:auto|[\d.e-]+)-\d+")  # as scratch_folder() names them
BOS_TOKENS = 2048  # on which "with or without" is decided, both tries together


@dataclass(frozen=True, slots=True)
class LoadedBase:
    """A loaded base. stops: every id that ends a text. folder: where its files lie, if here. from_scratch: pretrained
    here on the corpus, so that it travels inside the bundle."""

    model: PreTrainedModel
    encoding: Encoding
    stops: tuple[int, ...]
    max_length: int
    seal: BaseModelSeal
    folder: Path | None
    from_scratch: bool
    tokenizer: Any


def open_base(settings: Settings, corpus: Corpus, bars: Bars) -> LoadedBase:
    """Load the base that [base] names. Raises UserError if there is none or it can't carry a transcript."""
    _require_quantisable(settings)
    if settings.base.model == SCRATCH:
        return _pretrained(settings, corpus, bars)
    require_base(settings)
    bars.say(f"loading {settings.base.model}")
    return _loaded(located_base(settings, bars.task), settings, corpus, bars, from_scratch=False)


def base_of(bundle: Bundle, settings: Settings) -> LoadedBase:
    """Load the base that a bundle's adapter was trained on, as a training has it. Raises UserError for another base."""
    _require_quantisable(settings)
    seal, source = bundle.seal, located_base_of(bundle, settings)
    revision = None if isinstance(source, Path) else seal.base.revision or None
    model = _model(source, revision, settings)
    folder = source if isinstance(source, Path) else _cached_folder(source, model)
    if folder and weights_hash(folder) != seal.base.weights:
        raise UserError(
            f"{folder} holds other weights than the adapter in {bundle.folder} was trained on; name the right base in "
            "[base] model"
        )
    encoding = open_encoding(bundle.folder, seal.end_of_turn, seal.bos)
    from_scratch = seal.base.from_scratch
    tokenizer = _tokenizer(bundle.folder, None)
    return LoadedBase(model, encoding, seal.stops, seal.max_length, seal.base, folder, from_scratch, tokenizer)


def untrained_base(settings: Settings, corpus: Corpus, bars: Bars) -> LoadedBase:
    """Return the base as it will be, for a plan: one not pretrained yet has its shape and tokenizer, but untrained weights,
    and whether it likes a first token is not asked."""
    _require_quantisable(settings)
    if settings.base.model != SCRATCH:
        require_base(settings)
        return _loaded(located_base(settings, bars.task), settings, Corpus(), bars, from_scratch=False)
    if (folder := scratch_folder(settings, corpus)) and (folder / "model.safetensors").is_file():
        return _loaded(folder, settings, Corpus(), bars, from_scratch=True)
    from trainer.base.pretraining import init_base

    untrained = init_base([record.conversation for record in corpus.in_split("train")], settings.train.seed)
    model = cast(PreTrainedModel, untrained.model.to(cast(Any, best_device())))
    end, stops = _ends(model, untrained.tokenizer, SCRATCH)
    encoding = Encoding(untrained.tokenizer.backend_tokenizer, end)
    seal = BaseModelSeal(model=SCRATCH, weights="", architecture=str(model.config.model_type))
    return LoadedBase(model, encoding, stops, _max_length(settings, model), seal, None, True, untrained.tokenizer)


def _require_quantisable(settings: Settings) -> None:
    quantize = settings.base.quantize
    if quantize != "none" and (obstacle := quantising_obstacle(quantize)):
        raise SettingsError(f'[base] quantize = "{quantize}" {obstacle}')


def _pretrained(settings: Settings, corpus: Corpus, bars: Bars) -> LoadedBase:
    """Return the base pretrained on this corpus: the one from last time, or a new one."""
    minutes = settings.base.minutes
    folder = scratch_folder(settings, corpus)
    if not (folder / "model.safetensors").is_file():
        from trainer.base.pretraining import pretrain

        if world()[1] > 1:
            raise UserError("a base is pretrained by one process: run 'python -m trainer train' once before torchrun")
        fresh = folder.with_name(f".{folder.name}")
        fresh.mkdir(parents=True, exist_ok=True)
        for other in _scratch_folders(folder.parent, "."):  # interrupted on another corpus
            if other != fresh:
                shutil.rmtree(other)
        try:
            conversations = [record.conversation for record in corpus.in_split("train")]
            pretrain(
                conversations,
                fresh,
                minutes=None if minutes == "auto" else minutes,
                seed=settings.train.seed,
                bars=bars,
            )
        except Exception:  # but not after Ctrl-C: the next training goes on from what is there
            shutil.rmtree(fresh)
            raise
        for old in _scratch_folders(folder.parent):
            shutil.rmtree(old)
        move_folder(fresh, folder)
    return _loaded(folder, settings, corpus, bars, from_scratch=True)


def scratch_folder(settings: Settings, corpus: Corpus) -> Path:
    """Return the folder of the base pretrained on this corpus."""
    return settings.adapters / "bases" / f"{corpus.fingerprint[:12]}-{settings.base.minutes}-{settings.train.seed}"


def _scratch_folders(bases: Path, prefix: str = "") -> list[Path]:
    """Return the pretrained bases among the folders of `bases`, where dequantised ones lie too. prefix: "." for those whose
    pretraining was interrupted."""
    return [
        folder
        for folder in bases.iterdir()
        if folder.name.startswith(prefix) and _SCRATCH_FOLDER.fullmatch(folder.name.removeprefix(prefix))
    ]


def _loaded(source: Path | str, settings: Settings, corpus: Corpus, bars: Bars, *, from_scratch: bool) -> LoadedBase:
    revision = None if isinstance(source, Path) else settings.base.revision
    model = _model(source, revision, settings)
    require_language_model(model, str(source))
    tokenizer = _tokenizer(source, revision)
    if not from_scratch and is_instruct(
        settings.base.model, has_template=bool(getattr(tokenizer, "chat_template", None))
    ):
        bars.say(f"{settings.base.model} works, but {INSTRUCT}")
    end, stops = _ends(model, tokenizer, str(source))
    encoding = _with_or_without_bos(model, tokenizer, end, corpus, settings.persona.key)
    folder = source if isinstance(source, Path) else _cached_folder(source, model)
    seal = BaseModelSeal(
        model=SCRATCH if from_scratch else source.name if isinstance(source, Path) else source,
        revision="" if isinstance(source, Path) else str(getattr(model.config, "_commit_hash", "") or ""),
        weights=weights_hash(folder) if folder else "",
        architecture=str(model.config.model_type),
    )
    return LoadedBase(model, encoding, stops, _max_length(settings, model), seal, folder, from_scratch, tokenizer)


def _model(source: Path | str, revision: str | None, settings: Settings) -> PreTrainedModel:
    """On the best device: float32 on a CPU, where autocast computes in bfloat16 if it can; two bytes a weight or less on CUDA."""
    device = best_device()
    numerics = numerics_of(device)
    if settings.base.quantize == "none":
        return load_finite(lambda dtype: load_base(source, revision, dtype).to(cast(Any, device)), numerics.weights)
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    four = settings.base.quantize == "4bit"
    chosen = BitsAndBytesConfig(
        load_in_4bit=four,
        load_in_8bit=not four,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=numerics.quantised,
    )
    model = load_base(source, revision, numerics.weights, quantization_config=chosen, device_map={"": device})
    prepared = cast(PreTrainedModel, prepare_model_for_kbit_training(model, use_gradient_checkpointing=False))
    return norms_in_float32(prepared) if numerics.scales_loss else prepared


def _tokenizer(source: Path | str, revision: str | None) -> Any:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    except Exception as error:  # its files may be wrong in any way, and nobody checks them before they are used
        if is_out_of_memory(error):
            raise
        raise UserError(
            f"the tokenizer of {str(source)!r} can't be loaded ({in_short(error)}); choose a base that ships a tokenizer.json"
        ) from error
    if not isinstance(getattr(tokenizer, "backend_tokenizer", None), Tokenizer):
        raise UserError(
            f"the tokenizer of {str(source)!r} ({type(tokenizer).__name__}) has no fast form; "
            "choose a base that ships a tokenizer.json"
        )
    return tokenizer


def _ends(model: PreTrainedModel, tokenizer: Any, name: str) -> tuple[int, tuple[int, ...]]:
    """Return the end-of-turn id, and every id that ends a text: the tokenizer's EOS if the model generates it, else the
    first the model generates, else the tokenizer's. (Qwen bases ship one and stop on the other.)"""
    listed = getattr(model.generation_config, "eos_token_id", None)
    generated = [listed] if isinstance(listed, int) else list(listed or [])
    own = tokenizer.eos_token_id
    end = own if own in generated else generated[0] if generated else own
    if end is None:
        raise UserError(
            f"the base {name!r} has no end-of-sequence token, so a reply would never stop; choose another base"
        )
    return int(end), tuple(sorted({int(end), *map(int, generated)}))


def _with_or_without_bos(model: PreTrainedModel, tokenizer: Any, end: int, corpus: Corpus, speaker: str) -> Encoding:
    """Return the encoding that the base finds likelier: some bases (Gemma) collapse without their first token."""
    plain = Encoding(tokenizer.backend_tokenizer, end)
    if tokenizer.bos_token_id is None:
        return plain
    started = Encoding(tokenizer.backend_tokenizer, end, int(tokenizer.bos_token_id))
    conversations = [
        replace(record.conversation, turns=record.conversation.turns[:8])
        for record in corpus.in_split("train")
        if any(turn.speaker == speaker for turn in record.conversation.turns[:8])
    ]
    if not conversations:
        return started
    return min((started, plain), key=lambda encoding: _bits(model, encoding, conversations[:BOS_TOKENS], speaker))


def _bits(model: PreTrainedModel, encoding: Encoding, conversations: Sequence[Conversation], speaker: str) -> float:
    """Return bits a character on as many windows as half of BOS_TOKENS holds, padded to each other."""
    rows = windows_of(encoding, conversations, frozenset({speaker}), 256)
    longest = accumulate((len(row.ids) for row in rows), max)
    count = sum((number + 1) * length <= BOS_TOKENS // 2 for number, length in enumerate(longest))
    return measure_loss(model, rows[:count], BOS_TOKENS // 2, encoding.end_of_turn).bits_per_character


def _cached_folder(model_id: str, model: PreTrainedModel) -> Path | None:
    config = try_to_load_from_cache(model_id, "config.json", revision=getattr(model.config, "_commit_hash", None))
    return Path(config).parent if isinstance(config, str) else None


def _max_length(settings: Settings, model: PreTrainedModel) -> int:
    """Return the tokens a window may have: what the base has positions for, and, where attention ends at the borders of chunks
    (Llama 4), one chunk: rows side by side know no such borders."""
    config = model.config.get_text_config()
    bounds = [getattr(config, name, None) for name in ("max_position_embeddings", "attention_chunk_size")]
    positions = min((int(bound) for bound in bounds if bound), default=LONGEST_AUTO)
    max_length = settings.train.max_length
    return min(positions, LONGEST_AUTO if max_length == "auto" else max_length)
