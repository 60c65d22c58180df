"""Which engine runs a bundle on this machine."""

import importlib.util
import logging
from pathlib import Path

from bot.engine.base import Engine
from bot.engine.voice import Voice
from persona.bundle import Bundle, current
from persona.config import Settings
from persona.encoding import Encoding, open_encoding
from persona.fault import SettingsFault
from persona.retraining import marked
from persona.sampling import Sampling

log = logging.getLogger("alterego.engine")


def encoding_of(bundle: Bundle) -> Encoding:
    """The bundle's tokenizer with its sealed ids."""
    return open_encoding(bundle.folder, bundle.seal.end_of_turn, bundle.seal.bos)


def open_voice(settings: Settings, *, merge: bool = True) -> Voice:
    """The current bundle's voice, its engine not yet started. What [sampling] sets goes before what was calibrated."""
    bundle = current(settings.adapters)
    if bundle.version in marked(settings.adapters):
        log.warning("adapter %s learned from somebody who is to be forgotten: train anew", bundle.version)
    sampling = Sampling().overridden(bundle.seal.sampling).overridden(settings.sampling.model_dump())
    return Voice(open_engine(settings, bundle, merge=merge), encoding_of(bundle), bundle.seal, sampling)


def open_engine(settings: Settings, bundle: Bundle, *, merge: bool = True) -> Engine:
    """An engine for the bundle, not yet started. merge: False keeps the base's own voice at hand (Request.tuned)."""
    kind = settings.engine.kind
    if kind == "server":
        raise SettingsFault('[engine] kind = "server" is not built yet; use "auto", "openvino" or "transformers"')
    reason = _why_not_openvino(settings, bundle, merge)
    if kind == "openvino" and reason:
        raise SettingsFault(f'[engine] kind = "openvino" can\'t run this: {reason}; use "auto" or "transformers"')
    if kind == "openvino" or (kind == "auto" and not reason):
        return _openvino(settings, bundle)
    if kind == "auto":
        log.info("engine transformers, not openvino: %s", reason)
    return _transformers(settings, bundle, merge)


def _why_not_openvino(settings: Settings, bundle: Bundle, merge: bool) -> str:
    """What stands against OpenVINO; empty where nothing does."""
    if not merge:
        return "the base's own voice is wanted too"
    if Path("/proc/driver/nvidia/version").exists() and settings.engine.kind == "auto":
        return "there is a GPU"
    if not (bundle.folder / "model.gguf").is_file():
        return "the bundle holds no model.gguf"
    if (settings.sampling.repetition_penalty or bundle.seal.sampling.get("repetition_penalty") or 1.0) != 1.0:
        return "a repetition penalty would reach the end of the turn there"
    if importlib.util.find_spec("openvino_genai") is None:
        return "openvino-genai is not installed"
    return ""


def _openvino(settings: Settings, bundle: Bundle) -> Engine:
    from bot.engine.openvino_engine import OpenVinoStepper
    from bot.engine.worker import ThreadedEngine

    seal, most = bundle.seal, settings.engine.max_concurrent
    stops = frozenset(seal.stops)
    return ThreadedEngine(
        "openvino",
        lambda: OpenVinoStepper(bundle.folder / "model.gguf", seal.end_of_turn, stops, most),
        encoding_of(bundle),
        stops=stops,
        max_length=seal.max_length,
        max_concurrent=most,
    )


def _transformers(settings: Settings, bundle: Bundle, merge: bool) -> Engine:
    from bot.engine.transformers_engine import open_bundle_model, transformers_engine

    local = settings.root / settings.base.model
    model = open_bundle_model(bundle, str(local) if local.is_dir() else settings.base.model, merge=merge)
    return transformers_engine(
        model,
        encoding_of(bundle),
        stops=frozenset(bundle.seal.stops),
        max_length=bundle.seal.max_length,
        max_concurrent=settings.engine.max_concurrent,
    )
