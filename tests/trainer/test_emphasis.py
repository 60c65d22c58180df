"""The persona's own words count for more: how much, and what a model then learns."""

import pytest
import torch

from trainer.emphasis import token_weights

END, HERS, COMMON, THEIRS, UNHEARD = range(5)


def test_a_word_counts_as_much_more_as_it_is_the_persona_s() -> None:
    """Hers above 1, everybody's about 1, others' below; the end of a turn as without; 1 on her average token."""
    said = [HERS] * 600 + [COMMON] * 400 + [END] * 100
    heard = [HERS] * 700 + [COMMON] * 4000 + [THEIRS] * 4000 + [END] * 1000
    weights = token_weights(said, heard, 5, END, 0.5)
    assert weights[HERS] > weights[COMMON] > weights[THEIRS]
    counts = torch.bincount(torch.tensor(said), minlength=5)
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    squared = token_weights(said, heard, 5, END, 1.0)
    ratios = [float(one[HERS] / one[END]) for one in (weights, squared)]
    assert ratios[0] ** 2 == pytest.approx(ratios[1])


def test_without_strength_every_token_counts_the_same() -> None:
    """And a persona who said nothing changes nothing."""
    assert torch.allclose(token_weights([HERS, COMMON], [COMMON] * 9, 5, END, 0.0), torch.ones(5))
    assert torch.equal(token_weights([], [COMMON] * 9, 5, END, 1.0), torch.ones(5))


def test_a_word_said_once_is_no_habit() -> None:
    """Five hundred tokens of the corpus stand against it."""
    once = token_weights([THEIRS, COMMON], [THEIRS] * 5 + [COMMON] * 95, 5, END, 1.0)
    assert float(once[THEIRS] / once[COMMON]) < 1.05


def test_what_is_learned_leans_by_the_logarithm_of_the_weight() -> None:
    """Weighted cross-entropy is least at w p, normalised: that is what the logits of a free model come to."""
    weights = torch.tensor([1.0, 3.0, 1.0, 0.5])
    truth = torch.tensor([0.4, 0.2, 0.3, 0.1])
    labels = torch.repeat_interleave(torch.arange(4), (truth * 1000).long())
    logits = torch.zeros(4, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(logits.expand(len(labels), -1), labels, weight=weights)
        value.backward()
        return value

    optimizer.step(loss)  # type: ignore[arg-type]
    assert torch.allclose(logits.softmax(-1), weights * truth / (weights * truth).sum(), atol=1e-3)
