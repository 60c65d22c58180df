"""GGUF files of families that keep a state in some layers, as llama.cpp's converter writes them."""

import json
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.dequantise import located_base
from persona.errors import UserError
from tests import tokenizers
from tests.engine.test_dequantise import settings_in
from tests.trainer import families

TOKENIZER, END, _ = tokenizers.byte_level_bpe()
Weights = dict[str, torch.Tensor]


def writer_of(model: PreTrainedModel, file: Path, architecture: str, layers: int) -> gguf.GGUFWriter:
    config, writer = model.config, gguf.GGUFWriter(file, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_block_count(layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    merges = json.loads(TOKENIZER.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([TOKENIZER.id_to_token(number) for number in range(TOKENIZER.get_vocab_size())])
    writer.add_token_types([gguf.TokenType.NORMAL] * TOKENIZER.get_vocab_size())
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(END)
    return writer


def write(writer: gguf.GGUFWriter, weights: Weights) -> None:
    for name, weight in weights.items():
        writer.add_tensor(name, weight.detach().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def named(model: PreTrainedModel, architecture: gguf.MODEL_ARCH) -> Weights:
    names = gguf.get_tensor_name_map(architecture, model.config.num_hidden_layers)
    return {
        names.get_name(name.replace("dt_bias", "dt_proj.bias"), try_suffixes=(".weight", ".bias")): weight
        for name, weight in model.state_dict().items()
    }


def lfm2(file: Path) -> PreTrainedModel:
    """A layer of short convolutions, one of attention."""
    model = families.make("lfm2", TOKENIZER.get_vocab_size())
    config, writer = model.config, writer_of(model, file, "lfm2", layers=model.config.num_hidden_layers)
    writer.add_feed_forward_length(model.model.layers[0].feed_forward.w1.out_features)
    writer.add_head_count_kv([0, config.num_key_value_heads])
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_shortconv_l_cache(config.conv_L_cache)
    weights = named(model, gguf.MODEL_ARCH.LFM2)
    weights.pop("output.weight")
    write(writer, {name: weight.squeeze(1) if ".conv." in name else weight for name, weight in weights.items()})
    return model


def qwen35(file: Path) -> PreTrainedModel:
    """A layer with gated delta rules, one of attention; and a layer that guesses a token further, which is left out."""
    config = families.FAMILIES["qwen3_5_text"](TOKENIZER.get_vocab_size())
    config.head_dim = 16
    config.rope_parameters |= {"partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1], "mrope_interleaved": True}
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    torch.nn.init.normal_(model.model.layers[0].linear_attn.dt_bias)
    writer = writer_of(model, file, "qwen35", layers=config.num_hidden_layers + 1)
    writer.add_nextn_predict_layers(1)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_full_attention_interval(config.num_hidden_layers)
    keys, values = config.linear_num_key_heads, config.linear_num_value_heads
    writer.add_ssm_conv_kernel(config.linear_conv_kernel_dim)
    writer.add_ssm_state_size(config.linear_key_head_dim)
    writer.add_ssm_group_count(keys)
    writer.add_ssm_time_step_rank(values)
    writer.add_ssm_inner_size(values * config.linear_value_head_dim)
    writer.add_rope_dimension_count(int(config.head_dim * config.rope_parameters["partial_rotary_factor"]))
    writer.add_rope_dimension_sections([2, 1, 1, 0])
    weights = named(model, gguf.MODEL_ARCH.QWEN35)
    further = {f"blk.{config.num_hidden_layers}.nextn.eh_proj.weight": torch.ones(32, 64)}
    write(writer, {name: _as_llama_cpp(name, weight, keys) for name, weight in weights.items()} | further)
    return model


def _as_llama_cpp(name: str, weight: torch.Tensor, keys: int) -> torch.Tensor:
    """Norms a unit larger, decay as it is applied, heads of values side by side for each key's first, second and so on."""

    def tiled(rows: torch.Tensor) -> torch.Tensor:
        heads: torch.Tensor = rows.unflatten(0, (keys, 2, -1))
        return heads.transpose(0, 1).flatten(0, 2)

    if name.endswith("norm.weight") and "ssm" not in name:
        return weight + 1
    if "ssm_a" in name and "alpha" not in name:
        return tiled(-weight.exp())
    if "ssm_out" in name:
        return tiled(weight.T).T
    if "ssm_conv1d" in name or "attn_qkv" in name:
        flat = weight.squeeze(1)
        return torch.cat([flat[: len(flat) // 2], tiled(flat[len(flat) // 2 :])])
    return tiled(weight) if any(part in name for part in ("ssm_dt", "ssm_alpha", "ssm_beta", "attn_gate")) else weight


@pytest.mark.parametrize("make", [lfm2, qwen35])
def test_a_hybrids_file_becomes_a_folder_of_the_same_model(
    tmp_path: Path, make: Callable[[Path], PreTrainedModel]
) -> None:
    model = make(tmp_path / "model.gguf").eval()

    located = Path(located_base(settings_in(tmp_path, "model.gguf")))

    ids = torch.arange(5, 45)[None]
    again = AutoModelForCausalLM.from_pretrained(located, use_safetensors=True, dtype=torch.float32)
    assert {weight.dtype for weight in load_file(located / "model.safetensors").values()} == {torch.float16}
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)


def test_nothing_that_lies_around_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file of that name where the command is called, an adapter's settings beside the file."""
    model = lfm2(tmp_path / "model.gguf").eval()
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "nobody/none", "peft_type": "LORA"}')
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "here").mkdir()
    changed(
        tmp_path / "model.gguf", lambda whole: {name: weight * 0 for name, weight in whole.items()}, tmp_path / "here"
    )
    monkeypatch.chdir(tmp_path / "here")

    again = AutoModelForCausalLM.from_pretrained(located_base(settings_in(tmp_path, "model.gguf")), dtype=torch.float32)

    ids = torch.arange(5, 45)[None]
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)


def test_rows_to_spare_are_the_models(tmp_path: Path) -> None:
    lfm2(tmp_path / "whole.gguf")
    more = torch.zeros(8, 32)
    changed(
        tmp_path / "whole.gguf",
        lambda whole: whole | {"token_embd.weight": torch.cat([whole["token_embd.weight"], more])},
    )

    again = AutoModelForCausalLM.from_pretrained(located_base(settings_in(tmp_path, "model.gguf")))

    assert again.config.vocab_size == TOKENIZER.get_vocab_size() + 8


def changed(file: Path, weights: Callable[[Weights], Weights], folder: Path | None = None) -> None:
    """Write `model.gguf` in a folder, or beside a file: the same with other weights."""
    reader, writer = gguf.GGUFReader(file), gguf.GGUFWriter((folder or file.parent) / "model.gguf", "lfm2")
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF.", "general.")):
            of_list = field.types[1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, field.contents(), field.types[0], of_list)
    write(writer, weights({tensor.name: torch.tensor(tensor.data) for tensor in reader.tensors}))


@pytest.mark.parametrize(
    ("weights", "fault"),
    [
        (
            lambda whole: {name: weight for name, weight in whole.items() if "attn_q." not in name},
            r"lacks 1 weights of a Lfm2ForCausalLM, model\.layers\.1\.self_attn\.q_proj",
        ),
        (lambda whole: whole | {"blk.1.attn_q.bias": torch.ones(32)}, r"no place for its weight .*\.q_proj\.bias"),
    ],
    ids=["less", "more"],
)
def test_another_model_than_the_file_says_is_refused(
    tmp_path: Path, weights: Callable[[Weights], Weights], fault: str
) -> None:
    lfm2(tmp_path / "whole.gguf")
    changed(tmp_path / "whole.gguf", weights)

    with pytest.raises(UserError, match=fault):
        located_base(settings_in(tmp_path, "model.gguf"))
    assert not list(tmp_path.glob("adapters/*/bases/*"))
