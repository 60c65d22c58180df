"""What a base must be able to do is asked of the model itself; what it can't is told in a sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertLMHeadModel,
    BlipConfig,
    BlipForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    ResNetConfig,
    ResNetModel,
)

from engine.backends.transformers_engine import load_base
from persona.errors import UserError
from trainer.base.suitability import require_language_model

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION = {**SMALL, "image_size": 28, "patch_size": 14}


def llama(scale: float = 1.0) -> PreTrainedModel:
    model = LlamaForCausalLM(LlamaConfig(vocab_size=50, **SMALL))
    with torch.no_grad():
        model.lm_head.weight.mul_(scale)
    return model


def bert() -> PreTrainedModel:
    """As its checkpoints are published: not as a decoder."""
    return BertLMHeadModel(BertConfig(vocab_size=50, initializer_range=0.2, **SMALL))


def blip() -> PreTrainedModel:
    text = {**SMALL, "vocab_size": 50, "encoder_hidden_size": 16}
    return BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=VISION))


def test_a_language_model_may_be_a_base() -> None:
    model = llama().train()
    require_language_model(model, "a-llama")
    assert model.training


@pytest.mark.parametrize(("make", "sentence"), [(bert, "reads ahead"), (blip, "can't read text alone")])
def test_what_is_no_language_model_is_refused(make: Callable[[], PreTrainedModel], sentence: str) -> None:
    """Trained on what it reads ahead it would seem perfect, and say nothing."""
    torch.manual_seed(0)
    with pytest.raises(UserError, match=f"the base 'a-model' .*{sentence}.*choose a"):
        require_language_model(make(), "a-model")


def test_a_base_that_overflows_in_float16_is_refused() -> None:
    """On a card before Ampere; bfloat16 has float32's range."""
    with pytest.raises(
        UserError, match=r"^the base 'a-llama': .* computes in torch\.float16 is no number; set ALTEREGO_BFLOAT16=1"
    ):
        require_language_model(llama(1e6).half(), "a-llama")
    require_language_model(llama(1e6).bfloat16(), "a-llama")


def bart() -> PreTrainedModel:
    small = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    return BartForConditionalGeneration(BartConfig(vocab_size=50, **small, **heads))


def resnet() -> PreTrainedModel:
    return ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1]))


@pytest.mark.parametrize(("make", "kind"), [(bart, "an encoder and a decoder"), (resnet, "no language model")])
def test_another_kind_of_model_is_named(tmp_path: Path, make: Callable[[], PreTrainedModel], kind: str) -> None:
    """Not as one that the Hub doesn't have."""
    make().save_pretrained(tmp_path)
    with pytest.raises(UserError, match=f"is of type '{make.__name__}', {kind}.*choose a decoder-only"):
        load_base(tmp_path)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"quantization_config": {"quant_method": "hqq"}}, "needs what is not installed .*hqq"),
        ({"_attn_implementation": "flash_attention_2"}, "needs what is not installed .*Flash"),
        ({"num_attention_heads": 0}, "can't be loaded: .*ZeroDivisionError"),
        ({"num_hidden_layers": "many"}, "can't be loaded: .*num_hidden_layers"),
    ],
)
def test_a_config_that_cannot_be_followed_is_a_sentence(
    tmp_path: Path, config: dict[str, object], sentence: str
) -> None:
    """Whatever transformers raises at it, and it has no word of its own for most."""
    llama().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    with pytest.raises(UserError, match=sentence):
        load_base(tmp_path)
