"""The lean: what is added to each token's logit, and that it is loaded, folded in and saved with the adapter."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from engine.backends.transformers_engine import untie
from persona.errors import UserError
from persona.transcript import Conversation, Turn
from tests.trainer import bases
from tests.trainer.loop.test_loss import ENCODING
from trainer.adapter.logit_bias import add_logit_bias, unigram_bias
from trainer.loop.batches import Window, windows_of

END, HERS, COMMON, THEIRS = range(4)
IDS = torch.tensor([ENCODING.encode("so it goes, turn after turn")])
LINEAR = r".*\.(q_proj|down_proj)"  # a user's own choice of modules


def tied(vocabulary: int) -> PreTrainedModel:
    """A small model whose head is its table of embeddings too."""
    more = {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "tie_word_embeddings": True}
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=vocabulary, **more, **bases.SMALL))


def under_adapter(base: PreTrainedModel, modules: str = "all-linear") -> PeftModel:
    """With an adapter that changes something."""
    lora = LoraConfig(r=4, target_modules=modules, init_lora_weights=False, task_type="CAUSAL_LM")
    return get_peft_model(base, lora).eval()


def add_adapter(modules: str = "all-linear", shape: Callable[[int], PreTrainedModel] = tied) -> PeftModel:
    """The same one every time."""
    torch.manual_seed(0)
    return under_adapter(shape(ENCODING.vocabulary), modules)


def rows(turns: int = 4) -> list[Window]:
    """Fewer positions than a hidden state has numbers, so that the lean is exact there."""
    talk = Conversation("dm", tuple(Turn("MARA" if k % 2 else "BOB", ("it goes",)) for k in range(turns)))
    return windows_of(ENCODING, [talk], frozenset({"MARA"}), 256)


def bias() -> torch.Tensor:
    """Some tokens likelier, some less so."""
    return torch.linspace(-1, 1, ENCODING.vocabulary)[torch.randperm(ENCODING.vocabulary)]


@torch.inference_mode()
def logits(model: torch.nn.Module, ids: torch.Tensor = IDS) -> torch.Tensor:
    """[positions, vocabulary]."""
    return model(ids).logits[0]  # type: ignore[no-any-return]


def test_a_word_gets_likelier_as_it_is_the_persona_s() -> None:
    """Hers above, everybody's about as before, others' below; twice the strength adds twice as much, none nothing."""
    said = [HERS] * 600 + [COMMON] * 400 + [END] * 100
    heard = [HERS] * 700 + [COMMON] * 4000 + [THEIRS] * 4000 + [END] * 1000
    weights = unigram_bias(said, heard, 4, 0.5)
    assert weights[HERS] > 0.3 > abs(weights[COMMON]) > weights[THEIRS]
    assert torch.allclose(2 * weights, unigram_bias(said, heard, 4, 1.0))
    assert not unigram_bias(said, heard, 4, 0.0).any()
    assert torch.allclose(unigram_bias([], heard, 4, 1.0), torch.zeros(4), atol=1e-6)


def test_a_word_said_once_is_no_habit() -> None:
    """Five hundred tokens of the corpus stand against it."""
    once = unigram_bias([THEIRS, COMMON], [THEIRS] * 5 + [COMMON] * 95, 4, 1.0)
    assert float(once[THEIRS] - once[COMMON]) < 0.05


@pytest.mark.parametrize(
    ("modules", "shape"), [("all-linear", tied), (LINEAR, tied), ("all-linear", bases.granite), (LINEAR, bases.llama)]
)
def test_each_logit_is_raised_by_its_weight(modules: str, shape: Callable[[int], PreTrainedModel]) -> None:
    """Before each of the persona's tokens, beside what the adapter had learned; also where logits are scaled."""
    model, found, weights = add_adapter(modules, shape), rows(), bias()
    ids, loss_mask = torch.tensor([found[0].ids]), torch.tensor(found[0].loss_mask)[1:]
    before = logits(model, ids)[:-1][loss_mask]
    after = logits(add_logit_bias(model, found, weights, ENCODING.end_of_turn), ids)[:-1][loss_mask]
    words = torch.arange(ENCODING.vocabulary) != ENCODING.end_of_turn
    assert torch.allclose((after - before)[:, words], weights[words].expand(len(after), -1), atol=0.1)


def test_an_end_that_is_far_too_rare_is_raised_by_one_nat() -> None:
    """What nobody learned is not made up for."""
    model, found = (
        add_adapter(),
        rows(60),
    )  # an end is every fifth token or so, and a model that knows nothing expects none
    ids, loss_mask = torch.tensor([found[0].ids]), torch.tensor(found[0].loss_mask)[1:]
    end = ENCODING.end_of_turn

    def expected(one: PeftModel) -> float:
        return float(logits(one, ids)[:-1][loss_mask].softmax(-1)[:, end].sum())

    before = expected(model)
    ends = int((ids[0, 1:][loss_mask] == end).sum())
    after = expected(add_logit_bias(model, found, torch.zeros(ENCODING.vocabulary), end))
    assert before < after <= ends
    assert after / before == pytest.approx(torch.e, rel=0.2)


def test_turns_end_as_often_as_they_did() -> None:
    """However likely the words became beside the end: one long turn, about as long as this model expects."""
    model, end = add_adapter(), ENCODING.end_of_turn
    talk = Conversation("dm", (Turn("BOB", ("so?",)), Turn("MARA", (("it goes " * 29).strip(),))))
    (row,) = windows_of(ENCODING, [talk], frozenset({"MARA"}), 256)
    ids, loss_mask = torch.tensor([row.ids]), torch.tensor(row.loss_mask)[1:]
    assert 0.4 < float(logits(model, ids)[:-1][loss_mask].softmax(-1)[:, end].sum()) < 2.5
    biased = add_logit_bias(model, [row], bias(), end)
    assert float(logits(biased, ids)[:-1][loss_mask].softmax(-1)[:, end].sum()) == pytest.approx(1, rel=0.05)


def test_a_training_that_changed_nothing_is_found_out() -> None:
    """The lean alone would pass for a voice."""
    model = get_peft_model(tied(ENCODING.vocabulary), LoraConfig(r=4, target_modules="all-linear"))
    with pytest.raises(UserError, match="changes nothing"):
        add_logit_bias(model, rows(), bias(), ENCODING.end_of_turn)


def test_a_head_that_was_trained_is_left_alone() -> None:
    """Who wants the head among the modules gets what training makes of it."""
    torch.manual_seed(0)
    base, modules = tied(ENCODING.vocabulary), r".*(q_proj|lm_head)"
    untie(base, LoraConfig(target_modules=modules))
    model = under_adapter(base, modules)
    assert add_logit_bias(model, rows(), bias(), ENCODING.end_of_turn) is model


def test_without_the_adapter_the_base_is_as_it_was() -> None:
    """The lean is a part of the adapter."""
    torch.manual_seed(0)
    base = logits(tied(ENCODING.vocabulary).eval())
    model = add_logit_bias(add_adapter(), rows(), bias(), ENCODING.end_of_turn)
    with model.disable_adapter():
        assert torch.equal(logits(model), base)
    assert not torch.allclose(logits(model), base, atol=0.1)


def test_it_is_saved_loaded_and_folded_in_with_the_adapter(tmp_path: Path) -> None:
    """Also where the head is the table of embeddings: that stays as it is, and a saved model has both."""
    bases.save(tmp_path / "base", tied)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    model = add_logit_bias(under_adapter(base), rows(), bias(), ENCODING.end_of_turn)
    wanted = logits(model)
    model.save_pretrained(str(tmp_path / "adapter"), save_embedding_layers=False)
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    table = again.get_input_embeddings().weight.clone()
    untie(again, PeftConfig.from_pretrained(str(tmp_path / "adapter")))
    loaded = PeftModel.from_pretrained(again, str(tmp_path / "adapter")).eval()
    assert torch.allclose(logits(loaded), wanted, atol=1e-5)
    whole = loaded.merge_and_unload()
    assert torch.equal(whole.get_input_embeddings().weight, table)
    assert torch.allclose(logits(whole), wanted, atol=1e-4)
    whole.save_pretrained(tmp_path / "whole")
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "whole", dtype=torch.float32)
    assert torch.allclose(logits(found), wanted, atol=1e-4)
