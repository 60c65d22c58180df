"""Gemma 3 as Ollama's own files have it: with what sees in the same file, and without what its programs know anyway."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

from engine.dequantise import located_base
from persona.encoding import Encoding
from persona.errors import UserError
from tests.engine.test_dequantise import settings_in

LAYERS = 6  # the last of which sees the whole context
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
TOKENS = ["<pad>", "<eos>", "<bos>", "<unk>", *BYTES, "▁", *"etaoinshrdlu", "▁t", "▁th", "th"]
KINDS = [gguf.TokenType.CONTROL] * 4 + [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL] * 16


def gemma3(context: int, layers: int = LAYERS, **more: Any) -> Gemma3ForCausalLM:
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(TOKENS),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        sliding_window=8,
        max_position_embeddings=context,
        **more,
    )
    model = Gemma3ForCausalLM(config).eval()
    for layer in model.model.layers:
        layer.self_attn.q_norm.weight.data += 20  # so that it matters where a word stands
    return model


def write_as_ollama(model: Gemma3ForCausalLM, file: Path, *, tell: bool = False) -> None:
    """tell: which layers see the whole context, and where logits are capped, as it does of texts' models."""
    config = model.config
    writer = gguf.GGUFWriter(file, "gemma3")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    if config.sliding_window:
        writer.add_sliding_window(config.sliding_window)
    if tell:
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    writer.add_uint32("gemma3.vision.block_count", 1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*TOKENS, "<image_soft_token>"])
    writer.add_token_scores([-float(number) for number in range(len(TOKENS) + 1)])
    writer.add_token_types([*KINDS, gguf.TokenType.CONTROL])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        values = weight.numpy() + 1 if "norm" in name else weight.numpy()
        writer.add_tensor(f"{names.get_name(name.removesuffix('.weight'))}.weight", values)
    for name in ("v.patch_embedding.weight", "v.blk.0.attn_q.weight", "mm.mm_soft_emb_norm.weight"):
        writer.add_tensor(name, np.ones((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize(("context", "factor"), [(32_768, None), (131_072, 8.0)], ids=["1B", "4B"])
def test_gemma_3_of_ollama(tmp_path: Path, context: int, factor: float | None) -> None:
    """From 4B on the positions of the whole context are scaled, and the file doesn't say it."""
    model = gemma3(context)
    write_as_ollama(model, tmp_path / "model.gguf")
    if factor:
        model.config.rope_parameters["full_attention"] |= {"rope_type": "linear", "factor": factor}
        scaled = Gemma3ForCausalLM(model.config).eval()
        scaled.load_state_dict(model.state_dict())
        model = scaled

    located = located_base(settings_in(tmp_path, "model.gguf"))

    ids = torch.arange(5, 45)[None]
    again = AutoModelForCausalLM.from_pretrained(located, dtype=torch.float32)
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)
    encoding = Encoding(AutoTokenizer.from_pretrained(located).backend_tokenizer, end_of_turn=1, bos=2)
    typed = encoding.encode("the <image_soft_token> hat")
    assert encoding.decode(typed) == "the <image_soft_token> hat"
    assert max(typed) < len(TOKENS)  # the image's has no row


def test_the_largest_attends_in_another_scale(tmp_path: Path) -> None:
    """62 layers are 27 billion weights to llama.cpp and Ollama: no field of the file says how theirs attend."""
    model = gemma3(32_768, layers=62, query_pre_attn_scalar=8)
    write_as_ollama(model, tmp_path / "model.gguf")

    again = AutoModelForCausalLM.from_pretrained(located_base(settings_in(tmp_path, "model.gguf")))

    assert again.config.query_pre_attn_scalar == 8
    assert gemma3(32_768).config.query_pre_attn_scalar == 256


def test_another_plan_of_layers_is_the_files(tmp_path: Path) -> None:
    kinds = ["full_attention", "sliding_attention"] * 3
    model = gemma3(32_768, layer_types=kinds, final_logit_softcapping=0.1)
    write_as_ollama(model, tmp_path / "model.gguf", tell=True)

    again = AutoModelForCausalLM.from_pretrained(located_base(settings_in(tmp_path, "model.gguf")), dtype=torch.float32)

    ids = torch.arange(5, 45)[None]
    torch.testing.assert_close(again(ids).logits, model(ids).logits, atol=2e-3, rtol=1e-2)


def test_layers_that_all_see_the_whole_context_are_refused(tmp_path: Path) -> None:
    """Rnj-1 is made so, of Gemma 3's parts."""
    model = gemma3(32_768)
    model.config.sliding_window = None
    write_as_ollama(model, tmp_path / "model.gguf")

    with pytest.raises(UserError, match="attend otherwise than Google's Gemma 3"):
        located_base(settings_in(tmp_path, "model.gguf"))
