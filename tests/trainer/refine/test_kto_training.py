"""Steps of KTO on a small model: what was liked becomes likelier, and nothing but the adapter changes."""

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from tests.trainer import bases
from tests.trainer.refine.test_preference_rows import replies
from trainer.loop.loss import install_loss
from trainer.refine.kto_training import KtoTraining, RefinementRecipe, RowRunner
from trainer.refine.preference_rows import PreferenceSet, preference_set

VOICE = small_voice(FakeEngine())


def adapted() -> PeftModel:
    """A small model under an adapter that changes something, with dropout that must stay off."""
    torch.manual_seed(0)
    lora = LoraConfig(
        r=4, lora_dropout=0.5, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
    )
    model = get_peft_model(bases.llama(VOICE.encoding.vocabulary), lora)
    install_loss(model)
    return model


def training(model: PeftModel, rows: PreferenceSet, epochs: int = 3, budget: int = 256) -> KtoTraining:
    runner = RowRunner(model, budget, VOICE.encoding.end_of_turn)
    return KtoTraining(runner, rows, RefinementRecipe(5e-3, epochs), seed=0)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALTEREGO_BFLOAT16", "0")


def test_liked_answers_become_likelier_than_refused_ones_and_the_base_stays() -> None:
    """Rewards start at 0, dropout or not; corrections become likelier too. Not one weight of the base moves, nor has a
    gradient."""
    model = adapted()
    rows = preference_set(VOICE.encoding, VOICE.seal, replies(24, right=("quite right",)))
    base = {name: weight.clone() for name, weight in model.named_parameters() if not weight.requires_grad}
    steps = training(model, rows, epochs=10)
    answers = [each.row for each in rows.train]
    before, corrections = steps.runner.measured(answers), steps.runner.measured(rows.supervised)
    assert torch.allclose(before, steps.runner.measured(answers))
    history = steps.run(lambda *_: None)
    assert len(history) == steps.steps
    rewards, liked = before - steps.runner.measured(answers), torch.tensor([each.liked for each in rows.train])
    assert rewards[liked].mean() > rewards[~liked].mean() + 1
    assert steps.runner.measured(rows.supervised).mean() < corrections.mean()
    assert all(torch.equal(weight, base[name]) for name, weight in model.named_parameters() if name in base)
    assert all(weight.grad is None for name, weight in model.named_parameters() if name in base)


def test_a_step_is_the_same_however_few_rows_fit_at_once() -> None:
    """Memory decides about micro-batches, not about what is learned."""
    rows = preference_set(VOICE.encoding, VOICE.seal, replies(10, right=("quite right",)))
    outcomes = []
    for budget in (40, 4096):
        model = adapted()
        training(model, rows, epochs=1, budget=budget).run(lambda *_: None)
        outcomes.append({name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad})
    few, many = outcomes
    assert all(torch.allclose(few[name], many[name], atol=2e-4) for name in few)


def test_trying_a_step_changes_nothing() -> None:
    """It is for the time alone; the training after it goes as if it had not been."""
    model = adapted()
    rows = preference_set(VOICE.encoding, VOICE.seal, replies(8))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    steps = training(model, rows)
    steps.try_step()
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())
    assert steps.trainable == sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
