"""Which engine runs a bundle, and what is said where the one that was asked for can't."""

import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.backends.transformers_engine import load_base
from engine.base import Request, complete
from engine.choose import encoding_of, open_engine, open_voice, server_url
from persona.bundle import Bundle, current, draft, point_current, publish
from persona.config import Settings, load
from persona.encoding import open_encoding
from persona.errors import PermanentError, SettingsError
from persona.sampling import SamplingParams
from tests.conftest import Home, sample_settings
from trainer.bundle.gguf_file import write_gguf


def settings_of(home: Home, text: str) -> Settings:
    return load(home.settings(sample_settings(text)).config, {})


def with_gguf(home: Home, write: Callable[[Bundle, Path], object]) -> None:
    """Give the home a bundle of its own, like the session's but for its model.gguf."""
    settings = settings_of(home, "")
    old = current(settings.adapters)
    (home.folder / "adapters").unlink()
    with draft(settings.adapters) as folder:
        shutil.copytree(old.folder, folder, dirs_exist_ok=True)
        for name in ("persona.json", "model.gguf"):
            (folder / name).unlink()
        write(old, folder / "model.gguf")
        bundle = publish(folder, old.seal)
    point_current(bundle)


def test_without_a_gpu_openvino_runs_it(home: Home) -> None:
    """The bundle holds what it needs, in the precision that was asked for or in any."""
    for text in ("", '[engine]\nprecision = "f16"\n', '[engine]\nkind = "openvino"\n'):
        assert open_voice(settings_of(home, text)).engine.name == "openvino"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[sampling]\nrepetition_penalty = 1.1\n", "a repetition penalty would reach the end of the turn there"),
        ('[engine]\nprecision = "bf16"\n', "model.gguf is f16, [engine] precision asks for bf16"),
    ],
)
def test_what_openvino_cannot_run_falls_to_transformers_with_a_reason(
    home: Home, text: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log, once."""
    caplog.set_level(logging.INFO, "alterego.engine")
    assert open_voice(settings_of(home, text)).engine.name == "transformers"
    assert f'engine=transformers reason="{reason}' in caplog.text


def test_a_gguf_that_cannot_be_loaded_falls_to_transformers_with_a_reason(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless OpenVINO was asked for: then it is a sentence."""
    caplog.set_level(logging.INFO, "alterego.engine")
    with_gguf(home, lambda _, path: path.write_bytes(b"GGUF" + bytes(100)))
    assert open_voice(settings_of(home, "")).engine.name == "transformers"
    assert "engine=transformers reason=\"it can't load model.gguf" in caplog.text
    with pytest.raises(SettingsError, match=r'kind = "openvino": it can\'t load model.gguf'):
        open_voice(settings_of(home, '[engine]\nkind = "openvino"\n'))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('kind = "openvino"\nprecision = "q8_0"\n', "model.gguf is f16, .* asks for q8_0; use"),
        ('precision = "q8_0"\n', 'precision = "q8_0" is for a model.gguf of that precision, and the bundle holds f16'),
        ('kind = "transformers"\nprecision = "q4_0"\n', "train again to write one, or set precision"),
        ('kind = "server"\n', 'needs url, such as "http://127.0.0.1:8000/v1"'),
        ('kind = "server"\nurl = "localhost:8000"\n', "needs url"),
        (
            'kind = "server"\nurl = "http://127.0.0.1:1"\n[sampling]\nrepetition_penalty = 1.2\n',
            "no repetition penalty",
        ),
    ],
)
def test_what_cannot_be_is_a_sentence(home: Home, text: str, sentence: str) -> None:
    """With exit code 2."""
    with pytest.raises(SettingsError, match=sentence) as found:
        open_voice(settings_of(home, f"[engine]\n{text}"))
    assert found.value.exit_code == 2


def test_a_missing_client_is_a_sentence(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server engine's library is an extra."""
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(SettingsError, match=r"run 'pip install -r requirements-server\.txt'"):
        open_voice(settings_of(home, '[engine]\nkind = "server"\nurl = "http://127.0.0.1:1/v1"\n'))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("https://vllm.example/v1/", "https://vllm.example/v1"),
        ("http://10.0.0.5:8000/llm/v1", "http://10.0.0.5:8000/llm/v1"),
    ],
)
def test_v1_may_be_left_out_of_an_address(home: Home, url: str, expected: str) -> None:
    """Another path is left as it is."""
    assert server_url(settings_of(home, f'[engine]\nurl = "{url}"\n'), has_key=False) == expected


def test_a_key_never_crosses_a_network_in_the_clear(home: Home) -> None:
    """On loopback it may; elsewhere only over https."""
    far = settings_of(home, '[engine]\nurl = "http://10.0.0.5:8000"\n')
    with pytest.raises(SettingsError, match=r"ENGINE_API_KEY would be sent in the clear to 10\.0\.0\.5"):
        server_url(far, has_key=True)
    near = settings_of(home, '[engine]\nurl = "http://localhost:8000"\n')
    assert server_url(near, has_key=True) == "http://localhost:8000/v1"


@pytest.mark.parametrize("kind", ["openvino", "transformers"])
async def test_an_engine_that_uses_the_adapter_passes_its_probe(home: Home, kind: str) -> None:
    """And then speaks as was sealed."""
    settings = settings_of(home, f'[engine]\nkind = "{kind}"\n')
    probe = current(settings.adapters).seal.probe
    voice = open_voice(settings)
    await voice.engine.start()
    assert probe is not None
    greedy = SamplingParams(temperature=0.0, max_new_tokens=len(probe.tuned))
    text, _ = await complete(voice.engine, Request(probe.ids, greedy, seed=0))
    await voice.engine.close()
    assert text == voice.encoding.completion(probe.tuned)


async def test_a_model_without_the_adapter_is_refused_at_the_start(home: Home) -> None:
    """The base alone in model.gguf, sealed and all: exit code 78, which systemd doesn't restart."""

    def base_alone(bundle: Bundle, path: Path) -> None:
        seal = bundle.seal
        write_gguf(load_base(bundle.folder / "base"), open_encoding(bundle.folder, seal.end_of_turn, seal.bos), path)

    with_gguf(home, base_alone)
    settings = settings_of(home, "")
    bundle = current(settings.adapters)
    engine = open_engine(settings, bundle, encoding_of(bundle))
    with pytest.raises(PermanentError, match="the openvino engine ignores the adapter") as found:
        await engine.start()
    await engine.close()
    assert found.value.exit_code == 78
