"""Which engine runs a bundle on this machine."""

import importlib.util
import logging
from pathlib import Path
from urllib.parse import urlsplit

from engine.base import InferenceEngine
from engine.probed_engine import ProbedEngine
from engine.voice import Voice
from persona import reply_timing
from persona.archive.index import archive_of
from persona.bundle import Bundle, Seal, current
from persona.config import Settings
from persona.credentials import secret
from persona.encoding import Encoding, open_encoding
from persona.errors import SettingsError
from persona.events import Event
from persona.guard import FILE, Guard, SeenIndex, blocked_pattern, load, personal_data
from persona.out_of_memory import is_out_of_memory
from persona.retraining import marked
from persona.sampling import SamplingParams
from persona.values import is_loopback

log = logging.getLogger("alterego.engine")

TORCH_PRECISIONS = ("auto", "f16", "bf16", "4bit")
LLAMA_CPP_ALONE = {"granite", "olmo2", "smollm3"}  # whose model.gguf OpenVINO GenAI can't read


def encoding_of(bundle: Bundle) -> Encoding:
    """Return the bundle's tokenizer with its sealed ids."""
    return open_encoding(bundle.folder, bundle.seal.end_of_turn, bundle.seal.bos)


def open_voice(settings: Settings, *, merge: bool = True) -> Voice:
    """Return the current bundle's voice, its engine not yet started."""
    bundle = current(settings.adapters)
    if bundle.version in marked(settings.adapters):
        log.warning("adapter %s learned from somebody who is to be forgotten: train anew", bundle.version)
    return open_voice_of(settings, bundle, merge=merge)


def open_voice_of(settings: Settings, bundle: Bundle, *, merge: bool = True) -> Voice:
    """Return a bundle's voice, its engine not yet started."""
    encoding, sampling = encoding_of(bundle), sampling_of(settings, bundle.seal)
    engine = open_engine(settings, bundle, encoding, merge=merge)
    guard, timing = guard_of(settings, bundle), reply_timing.load(bundle.private / reply_timing.FILE)
    archive = archive_of(bundle)
    return Voice(engine, encoding, bundle.seal, sampling, guard, bundle.version, timing, archive)


def guard_of(settings: Settings, bundle: Bundle) -> Guard:
    """Return the guard of the bundle's voice. A bundle without its private part has no copy guard, which is logged once."""
    path = bundle.private / FILE
    if not path.is_file():
        log.warning("no copy guard: %s is missing, so what was trained on may be repeated word for word", path)
    seen = load(path) if path.is_file() else SeenIndex()
    return Guard(seen, blocked_pattern(settings.data.blocked_words), personal_data)


def open_engine(settings: Settings, bundle: Bundle, encoding: Encoding, *, merge: bool = True) -> InferenceEngine:
    """Return an engine for the bundle, not yet started, which refuses to start where it ignores the adapter. encoding: the
    bundle's. merge: False keeps the base's own voice at hand (Request.tuned)."""
    return probed(_engine(settings, bundle, encoding, merge), bundle, encoding)


def probed(engine: InferenceEngine, bundle: Bundle, encoding: Encoding) -> InferenceEngine:
    """Return the engine so that it refuses to start where it ignores the bundle's adapter."""
    probe = bundle.seal.probe
    return ProbedEngine(engine, probe, encoding) if probe else engine


def _engine(settings: Settings, bundle: Bundle, encoding: Encoding, merge: bool) -> InferenceEngine:
    kind = settings.engine.kind
    if kind == "server" and merge:
        return _server(settings, bundle, encoding)
    reason = "" if kind == "transformers" else _openvino_obstacle(settings, bundle, merge)
    if kind == "openvino" and merge and reason:
        raise SettingsError(f'[engine] kind = "openvino" can\'t run this: {reason}; use "auto" or "transformers"')
    if kind in ("openvino", "auto") and not reason:
        try:
            return _openvino(settings, bundle, encoding)
        except Exception as error:  # for a model that it can't load OpenVINO raises whatever its C++ did
            if is_out_of_memory(error):  # the other engine needs no less
                raise
            reason = f"it can't load model.gguf ({' '.join(str(error).split())[:200]})"
            if kind == "openvino":
                raise SettingsError(f'[engine] kind = "openvino": {reason}; use "auto"') from error
    if kind != "transformers":
        log.info(Event("engine chosen", engine="transformers", reason=reason))
    return _transformers(settings, bundle, encoding, merge)


def sampling_of(settings: Settings, seal: Seal) -> SamplingParams:
    """How a bundle of this seal is sampled: what [sampling] sets goes before what was calibrated."""
    return SamplingParams().overridden(seal.sampling).overridden(settings.sampling.model_dump())


def _openvino_obstacle(settings: Settings, bundle: Bundle, merge: bool) -> str:
    """Return why OpenVINO can't run the bundle; empty if it can."""
    sealed, precision, rule = bundle.seal.precision, settings.engine.precision, sampling_of(settings, bundle.seal)
    if not merge:
        return "the base's own voice is wanted too"
    # not /proc/driver/nvidia: a container sees that whether the GPU was given to it or not
    if Path("/dev/nvidiactl").exists() and settings.engine.kind == "auto":
        return "there is a GPU"
    if not (bundle.folder / "model.gguf").is_file():
        return "the bundle holds no model.gguf"
    if precision not in ("auto", sealed):
        return f"model.gguf is {sealed or 'of another precision'}, [engine] precision asks for {precision}"
    if rule.repetition_penalty != 1.0:
        return "a repetition penalty would reach the end of the turn there"
    if importlib.util.find_spec("openvino_genai") is None:
        return "openvino-genai is not installed"
    return ""


def _openvino(settings: Settings, bundle: Bundle, encoding: Encoding) -> InferenceEngine:
    from engine.backends.openvino_engine import OpenVinoStepper
    from engine.worker import ThreadedEngine

    seal, most = bundle.seal, settings.engine.max_concurrent
    stops = frozenset(seal.stops)
    return ThreadedEngine(
        "openvino",
        lambda: OpenVinoStepper(bundle.folder / "model.gguf", seal.end_of_turn, stops, most, seal.max_length),
        encoding,
        stops=stops,
        max_length=seal.max_length,
        max_concurrent=most,
    )


def _transformers(settings: Settings, bundle: Bundle, encoding: Encoding, merge: bool) -> InferenceEngine:
    if (precision := settings.engine.precision) not in TORCH_PRECISIONS:
        raise SettingsError(
            f'[engine] precision = "{precision}" is for a model.gguf of that precision, and the bundle holds '
            f'{bundle.seal.precision or "none"}; train again to write one, or set precision = "auto"'
        )
    from engine.backends.transformers_engine import open_bundle_model, transformers_engine
    from engine.bundle_base import located_base_of
    from engine.own_thread import in_own_thread
    from engine.prepacked_linear import prepack_linear

    def open_model() -> InferenceEngine:
        base = str(located_base_of(bundle, settings))
        return transformers_engine(
            prepack_linear(open_bundle_model(bundle, base, merge=merge, precision=precision)),
            encoding,
            stops=frozenset(bundle.seal.stops),
            max_length=bundle.seal.max_length,
            max_concurrent=settings.engine.max_concurrent,
        )

    return in_own_thread(open_model)


def _server(settings: Settings, bundle: Bundle, encoding: Encoding) -> InferenceEngine:
    if importlib.util.find_spec("openai") is None:
        raise SettingsError(
            "[engine] kind = \"server\" needs the openai client; run 'pip install -r requirements-server.txt'"
        )
    if sampling_of(settings, bundle.seal).repetition_penalty != 1.0:
        raise SettingsError(
            '[engine] kind = "server" has no repetition penalty that spares the end of a turn; leave it 1'
        )
    from engine.backends.server_engine import ServerEngine

    key = secret("ENGINE_API_KEY", settings) or ""
    return ServerEngine(
        server_url(settings, has_key=bool(key)),
        settings.engine.model or settings.adapters.name,
        encoding,
        key=key,
        stops=frozenset(bundle.seal.stops),
        max_length=bundle.seal.max_length,
        max_concurrent=settings.engine.max_concurrent,
    )


def server_url(settings: Settings, *, has_key: bool) -> str:
    """Return where the server's completions are: [engine] url, up to and including /v1, which may be left out. Raises
    SettingsError for what is no address, and for a key that would cross a network in the clear."""
    url = settings.engine.url.rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f'[engine] kind = "server" needs url, such as "http://127.0.0.1:8000/v1"; it is {settings.engine.url!r}'
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        if has_key:
            raise SettingsError(
                f"ENGINE_API_KEY would be sent in the clear to {parts.hostname}; use https in [engine] url"
            )
        log.warning(Event("what is said in the channels goes unencrypted", host=parts.hostname, hint="use https"))
    return url if parts.path else f"{url}/v1"
