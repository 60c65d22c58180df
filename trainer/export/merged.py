"""The persona as one model without an adapter: a folder for transformers, or a GGUF file for llama.cpp and Ollama."""

from pathlib import Path
from typing import Any, cast

from transformers import AutoTokenizer, PreTrainedModel

from engine.backends.transformers_engine import open_bundle_model
from engine.bundle_base import located_base_of
from engine.choose import encoding_of
from persona.atomic import new_folder, replacing, write_whole
from persona.bundle import Bundle
from persona.config import Settings
from persona.sampling import SamplingParams
from trainer.bundle.gguf_file import write_gguf
from trainer.export.template import chat_template, ollama_template


def merged_model(settings: Settings, bundle: Bundle) -> PreTrainedModel:
    """Return the bundle's base with the adapter folded in."""
    return cast(PreTrainedModel, open_bundle_model(bundle, str(located_base_of(bundle, settings)), merge=True))


def write_merged(settings: Settings, bundle: Bundle, target: Path) -> Path:
    """Return a folder that `from_pretrained`, vLLM and every converter load: safetensors, tokenizer, chat template."""
    model, tokenizer = merged_model(settings, bundle), _tokenizer(bundle)
    model.generation_config.eos_token_id = list(bundle.seal.stops)
    with new_folder(target) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return target


def write_gguf_file(settings: Settings, bundle: Bundle, target: Path, precision: str) -> Path:
    """Return a GGUF file with tokenizer and chat template, and beside it a Modelfile for Ollama."""
    encoding = encoding_of(bundle)
    end = str(encoding.tokenizer.id_to_token(bundle.seal.end_of_turn))
    with replacing(target) as fresh:
        template = chat_template(bundle.seal, end)
        write_gguf(merged_model(settings, bundle), encoding, fresh, precision, template)
    modelfile = target.with_name(f"{target.stem}.Modelfile")
    write_whole(modelfile, [_modelfile(bundle, target.name, end)])
    return target


def _tokenizer(bundle: Bundle) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(bundle.folder, trust_remote_code=False)
    tokenizer.chat_template = chat_template(bundle.seal, str(tokenizer.convert_ids_to_tokens(bundle.seal.end_of_turn)))
    return tokenizer


def _modelfile(bundle: Bundle, name: str, end: str) -> str:
    """Return what `ollama create` reads: the same turns, the same stops, the calibrated sampling."""
    sampling = SamplingParams().overridden(bundle.seal.sampling)
    rows = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": int(sampling.top_k),  # Ollama refuses 0.0 where it wants a whole number
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repetition_penalty,
        "num_predict": int(sampling.max_new_tokens),
        "stop": f'"{end}"',
    }
    parameters = "\n".join(f"PARAMETER {key} {value}" for key, value in rows.items())
    return f'FROM ./{name}\nTEMPLATE """{ollama_template(bundle.seal, end)}"""\n{parameters}\n'
