"""Which engine runs a bundle on this machine."""

from bot.engine.base import Engine
from bot.engine.voice import Voice
from persona.bundle import Bundle, current
from persona.config import Settings
from persona.encoding import Encoding, open_encoding
from persona.fault import SettingsFault
from persona.sampling import Sampling


def encoding_of(bundle: Bundle) -> Encoding:
    """The bundle's tokenizer with its sealed ids."""
    return open_encoding(bundle.folder, bundle.seal.end_of_turn, bundle.seal.bos)


def open_voice(settings: Settings, *, merge: bool = True) -> Voice:
    """The current bundle's voice, its engine not yet started. What [sampling] sets goes before what was calibrated."""
    bundle = current(settings.adapters)
    sampling = Sampling().overridden(bundle.seal.sampling).overridden(settings.sampling.model_dump())
    return Voice(open_engine(settings, bundle, merge=merge), encoding_of(bundle), bundle.seal, sampling)


def open_engine(settings: Settings, bundle: Bundle, *, merge: bool = True) -> Engine:
    """An engine for the bundle, not yet started. merge: False keeps the base's own voice at hand (Request.tuned)."""
    if settings.engine.kind not in ("auto", "transformers"):
        raise SettingsFault(f'[engine] kind = "{settings.engine.kind}" is not built yet; use "auto" or "transformers"')
    from bot.engine.transformers_engine import TransformersEngine, open_bundle_model

    base = settings.root / settings.base.model
    model = open_bundle_model(bundle, str(base) if base.is_dir() else settings.base.model, merge=merge)
    return TransformersEngine(model, encoding_of(bundle), frozenset(bundle.seal.stops), bundle.seal.max_length)
