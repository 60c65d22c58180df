"""Tiny models of random weights of the families people use, each in the layout that is published for it."""

from collections.abc import Callable
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoModelForMultimodalLM, PreTrainedModel

DENSE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": 0,
}
EXPERTS: dict[str, Any] = {"moe_intermediate_size": 16, "num_experts_per_tok": 2}
VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
SSM: dict[str, Any] = {
    "mamba_d_state": 8,
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_expand": 2,
    "mamba_n_groups": 1,
}
CONV: dict[str, Any] = {"linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8}
GATED = {**CONV, "linear_value_head_dim": 8, "layer_types": ["linear_attention", "full_attention"]}


def _text(config: str, **more: Any) -> Callable[[int], Any]:
    """A config of a text model."""
    return lambda vocabulary: getattr(transformers, config)(**{**DENSE, "vocab_size": vocabulary, **more})


def _multimodal(config: str, text: dict[str, Any], vision: dict[str, Any], **more: Any) -> Callable[[int], Any]:
    """A config of a model that sees pictures too."""
    return lambda vocabulary: getattr(transformers, config)(
        text_config={**DENSE, "vocab_size": vocabulary, **text}, vision_config={**VISION, **vision}, **more
    )


FAMILIES: dict[str, Callable[[int], Any]] = {
    "llama": _text("LlamaConfig"),
    "mistral": _text("MistralConfig", sliding_window=24),
    "ministral3": _text("Ministral3Config"),
    "qwen2": _text("Qwen2Config"),
    "qwen3": _text("Qwen3Config"),
    "qwen3_moe": _text("Qwen3MoeConfig", num_experts=4, **EXPERTS),
    "qwen3_next": _text("Qwen3NextConfig", num_experts=4, shared_expert_intermediate_size=16, **EXPERTS, **GATED),
    "qwen3_5_text": _text("Qwen3_5TextConfig", **GATED),
    "gemma": _text("GemmaConfig"),
    "gemma2": _text("Gemma2Config", sliding_window=24),
    "gemma3_text": _text("Gemma3TextConfig", sliding_window=24),
    "gemma4_text": _text(
        "Gemma4TextConfig",
        sliding_window=24,
        hidden_size_per_layer_input=8,
        vocab_size_per_layer_input=500,
        global_head_dim=8,
        num_kv_shared_layers=0,
    ),
    "gemma3n_text": _text(
        "Gemma3nTextConfig",
        sliding_window=24,
        layer_types=["sliding_attention", "full_attention"],
        hidden_size_per_layer_input=8,
        vocab_size_per_layer_input=500,
        activation_sparsity_pattern=[0.0, 0.0],
        num_kv_shared_layers=0,
        laurel_rank=8,
        pad_token_id=1,
    ),
    "phi3": _text("Phi3Config"),
    "phimoe": _text("PhimoeConfig", num_local_experts=4, num_experts_per_tok=2),
    "granite": _text("GraniteConfig", logits_scaling=4.0),
    "granite4_hybrid": _text(
        "GraniteMoeHybridConfig",
        layer_types=["mamba", "attention"],
        num_local_experts=0,
        shared_intermediate_size=64,
        **SSM,
    ),
    "gpt_oss": _text("GptOssConfig", num_local_experts=4, num_experts_per_tok=2, sliding_window=24),
    "olmo2": _text("Olmo2Config"),
    "olmo3": _text("Olmo3Config", sliding_window=24),
    "smollm3": _text("SmolLM3Config"),
    "lfm2": _text("Lfm2Config", layer_types=["conv", "full_attention"], block_multiple_of=8),
    "falcon_h1": _text("FalconH1Config", **{**SSM, "mamba_d_ssm": 64}),
    "nemotron_h": _text(
        "NemotronHConfig",
        layers_block_type=["mamba", "attention"],
        mamba_num_heads=4,
        mamba_head_dim=16,
        ssm_state_size=8,
        n_groups=1,
    ),
    "zamba2": _text(
        "Zamba2Config",
        num_hidden_layers=3,
        layers_block_type=["mamba", "hybrid", "mamba"],
        mamba_d_state=8,
        n_mamba_heads=4,
        mamba_headdim=16,
        mamba_ngroups=1,
        num_mem_blocks=1,
        use_mem_rope=True,
        adapter_rank=4,
    ),
    "mamba2": _text("Mamba2Config", num_heads=4, head_dim=16, state_size=8, n_groups=1, expand=2),
    "falcon_mamba": _text("FalconMambaConfig", state_size=4, time_step_rank=4),
    "cohere2": _text("Cohere2Config", sliding_window=24),
    "glm4": _text("Glm4Config"),
    "glm4_moe": _text("Glm4MoeConfig", n_routed_experts=4, first_k_dense_replace=1, **EXPERTS),
    "exaone4": _text("Exaone4Config", sliding_window=24, sliding_window_pattern=2),
    "gpt_neox": _text("GPTNeoXConfig"),
    "starcoder2": _text("Starcoder2Config"),
    "ernie4_5": _text("Ernie4_5Config"),
    "hunyuan": _text("HunYuanDenseV1Config"),
    "seed_oss": _text("SeedOssConfig"),
    "apertus": _text("ApertusConfig"),
    "deepseek_v3": _text(
        "DeepseekV3Config",
        n_routed_experts=4,
        n_group=1,
        topk_group=1,
        first_k_dense_replace=1,
        q_lora_rank=8,
        kv_lora_rank=8,
        qk_rope_head_dim=8,
        qk_nope_head_dim=8,
        v_head_dim=8,
        num_key_value_heads=4,
        **EXPERTS,
    ),
    "llama4_text": _text(
        "Llama4TextConfig",
        num_local_experts=4,
        num_experts_per_tok=1,
        intermediate_size_mlp=64,
        interleave_moe_layer_step=2,
    ),
    "opt": _text("OPTConfig", ffn_dim=64, pad_token_id=1, word_embed_proj_dim=32),
    "minimax": _text(
        "MiniMaxConfig", layer_types=["linear_attention", "full_attention"], num_local_experts=4, block_size=8
    ),
    "qwen2_audio": lambda vocabulary: transformers.Qwen2AudioConfig(
        text_config={**DENSE, "vocab_size": vocabulary, "model_type": "qwen2"},
        audio_config={"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16},
        audio_token_index=1,
    ),
    "gemma3": _multimodal("Gemma3Config", {"sliding_window": 24}, {}, mm_tokens_per_image=4),
    "gemma4": _multimodal(
        "Gemma4Config",
        {
            "sliding_window": 24,
            "hidden_size_per_layer_input": 8,
            "vocab_size_per_layer_input": 500,
            "global_head_dim": 8,
            "num_kv_shared_layers": 0,
            "pad_token_id": 0,
        },
        {"head_dim": 8, "num_key_value_heads": 2},
    ),
    "mistral3": _multimodal("Mistral3Config", {"model_type": "ministral3"}, {"model_type": "pixtral", "head_dim": 8}),
    "qwen3_vl": _multimodal(
        "Qwen3VLConfig",
        {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}},
        {"depth": 1, "num_heads": 2, "out_hidden_size": 32, "deepstack_visual_indexes": [0]},
    ),
    "qwen3_5": _multimodal("Qwen3_5Config", GATED, {"depth": 1, "num_heads": 2, "out_hidden_size": 32}),
    "lfm2_vl": _multimodal(
        "Lfm2VlConfig",
        {"model_type": "lfm2", "layer_types": ["conv", "full_attention"], "block_multiple_of": 8},
        {"num_patches": 4},
        projector_hidden_size=16,
    ),
}


def make(family: str, vocabulary: int) -> PreTrainedModel:
    """A model of random weights, of the class that its checkpoints name."""
    torch.manual_seed(0)
    config = FAMILIES[family](vocabulary)
    hears = AutoModelForMultimodalLM if hasattr(config, "audio_config") else AutoModelForCausalLM
    auto = AutoModelForImageTextToText if hasattr(config, "vision_config") else hears
    model = auto.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("_scale") and not weight.any():
                weight.fill_(1.0)  # Gemma 3n's begin at zero, which what was trained has left
    return model
