"""What a training works on: how long a step is, and when an adapter leans."""

from pathlib import Path

import pytest
import torch

from engine.backends.transformers_engine import load_base
from persona.bundle import BaseModelSeal
from persona.config import Settings, Train
from persona.transcript import Conversation, Turn
from tests.trainer import bases
from tests.trainer.loop.test_loss import ENCODING
from trainer.adapter.setup import (
    FROM_SCRATCH,
    MAX_TOKENS_PER_BATCH,
    PRETRAINED,
    Recipe,
    at_most,
    fit_rows,
    learning_rate_for,
    with_logit_bias,
)
from trainer.base.loading import LoadedBase
from trainer.corpus.conversation_records import ConversationRecord
from trainer.loop.batches import Window, windows_of
from trainer.loop.lora import add_adapter


@pytest.mark.parametrize(
    ("recipe", "rows", "length", "tokens"),
    [
        (FROM_SCRATCH, 20_000, 32, MAX_TOKENS_PER_BATCH),  # ten years of tweets
        (FROM_SCRATCH, 500, 32, 500 * 32 // FROM_SCRATCH.min_steps),
        (FROM_SCRATCH, 20, 400, 400),  # a row is never cut
        (PRETRAINED, 20_000, 32, MAX_TOKENS_PER_BATCH),
        (PRETRAINED, 2_000, 32, 2_000 * 32 // PRETRAINED.min_steps),
        (PRETRAINED, 500, 32, PRETRAINED.min_tokens),
        (PRETRAINED, 20, 800, 800),
    ],
)
def test_a_small_corpus_is_learned_in_as_many_steps(
    tmp_path: Path, recipe: Recipe, rows: int, length: int, tokens: int
) -> None:
    """Shorter ones, down to a row; who sets a length gets it."""
    bases.save(tmp_path / "base", bases.qwen3)
    model = add_adapter(load_base(tmp_path / "base", None, torch.float32), Train())
    found = [Window([1] * length, [True] * length, length)] * rows
    assert fit_rows(Settings.model_validate({"persona": {"name": "Mara Voss"}}), model, found, recipe).tokens == tokens
    chosen = Settings.model_validate({"persona": {"name": "Mara Voss"}, "train": {"tokens_per_batch": 1500}})
    assert fit_rows(chosen, model, found, recipe).tokens == 1500


@pytest.mark.parametrize(
    ("hidden", "model_type", "rate"),
    [
        (576, "llama", 5e-4),  # as measured on SmolLM2
        (640, "gemma3_text", 5e-4),
        (1024, "qwen3", 5e-4),
        (4096, "qwen3", 4.73e-4),
        (4096, "llama", 2.86e-4),
        (8192, "llama", 1.66e-4),
    ],
)
def test_the_rate_falls_with_the_width_of_the_base(hidden: int, model_type: str, rate: float) -> None:
    """By the published fit of each family; small models keep what was measured on them."""
    assert learning_rate_for(hidden, model_type) == pytest.approx(rate, rel=0.01)


def test_held_out_rows_are_thinned_evenly() -> None:
    """To so many tokens, from beginning to end; one stays, and all do that fit."""
    rows = [Window([1] * 10, [True] * 10, number) for number in range(100)]
    kept = at_most(rows, 250)
    assert [row.characters for row in kept] == list(range(0, 100, 4))
    assert at_most(rows, 1000) == rows
    assert len(at_most(rows, 0)) == 1


def test_who_speaks_like_everybody_leans_nowhere(tmp_path: Path) -> None:
    """Words are counted, headers and scenes are not: a line break is no rarer for it."""
    bases.save(tmp_path / "base", bases.qwen3)
    base_model = load_base(tmp_path / "base", None, torch.float32)
    model = add_adapter(base_model, Train())
    talk = Conversation("group", (Turn("MARA VOSS", ("so", "it: goes")), Turn("BOB", ("so", "it: goes"))))
    heard = [ConversationRecord("", talk, (None, None), "speaker")] * 900
    seal = BaseModelSeal(model="scratch", weights="", architecture="qwen3")
    base = LoadedBase(base_model, ENCODING, (ENCODING.end_of_turn,), 64, seal, None, True, None)
    settings = Settings.model_validate({"persona": {"name": "Mara Voss"}})
    rows = windows_of(ENCODING, [talk] * 900, frozenset({"MARA VOSS"}), 64)
    everyone = settings.model_copy(update={"train": Train(loss_on="everyone")})
    assert with_logit_bias(everyone, base, model, rows, heard) is model
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(0.01 * ("lora_B" in name))  # as if it had learned something
    head = with_logit_bias(settings, base, model, rows, heard).get_base_model().get_output_embeddings()
    heights = head.lora_B["default"].weight[ENCODING.encode("so\nit: goes")]
    assert torch.allclose(heights[:, 0] * head.scaling["default"], torch.zeros(1), atol=0.05)
