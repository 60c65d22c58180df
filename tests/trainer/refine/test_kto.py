"""The loss of KTO, against one written from the paper's equations with plain numbers."""

import math

import pytest
import torch

from trainer.refine.kto import balanced_weights, kto_losses, reference_point, rewards


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def papers_loss(
    policy: list[float],
    reference: list[float],
    liked: list[bool],
    kl: list[float],
    lambdas: tuple[float, float],
    beta: float,
) -> list[float]:
    """Equation 8 of arXiv 2402.01306, answer by answer. policy, reference: log-probabilities of the answers; kl: log-ratios
    of mismatched ones."""
    z0 = max(0.0, sum(kl) / len(kl))
    losses = []
    for log_pi, log_ref, desirable in zip(policy, reference, liked, strict=True):
        r = log_pi - log_ref
        if desirable:
            losses.append(lambdas[0] - lambdas[0] * sigmoid(beta * (r - z0)))
        else:
            losses.append(lambdas[1] - lambdas[1] * sigmoid(beta * (z0 - r)))
    return losses


@pytest.mark.parametrize("kl", [[0.5, 1.5, -0.2], [-3.0, -1.0]])
@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_the_loss_is_the_papers(kl: list[float], beta: float) -> None:
    """With the weights of both sorts, and the reference point clamped at 0."""
    policy, reference = [-12.0, -30.5, -8.0, -20.0], [-13.5, -30.0, -8.0, -11.0]
    liked, lambdas = [True, False, False, True], (1.0, 4 / 3)
    reward = rewards(-torch.tensor(policy), -torch.tensor(reference))
    ours = kto_losses(reward, torch.tensor(liked), reference_point(torch.tensor(kl)), lambdas, beta)
    assert ours.tolist() == pytest.approx(papers_loss(policy, reference, liked, kl, lambdas, beta), rel=1e-5)


def test_the_slope_pulls_likes_up_and_refusals_down_and_fades() -> None:
    """Away from the reference point nothing pulls for ever; no gradient flows through that point."""
    reward = torch.tensor([0.0, 0.0, 60.0, -60.0], requires_grad=True)
    kl = torch.tensor([1.0, 2.0], requires_grad=True)
    kto_losses(reward, torch.tensor([True, False, True, False]), reference_point(kl), (1.0, 1.0)).sum().backward()
    assert reward.grad is not None
    up, down, far_up, far_down = reward.grad.tolist()
    assert up < -0.02 < 0.02 < down
    assert abs(far_up) < abs(up) / 5
    assert abs(far_down) < abs(down) / 5
    assert kl.grad is None


@pytest.mark.parametrize(
    ("counts", "weights"), [((9, 1), (1.0, 9.0)), ((1, 9), (9.0, 1.0)), ((5, 5), (1.0, 1.0)), ((0, 4), (1.0, 1.0))]
)
def test_the_rarer_sort_counts_the_more(counts: tuple[int, int], weights: tuple[float, float]) -> None:
    """Both weigh the same in all; a sort that is not there changes nothing."""
    assert balanced_weights(*counts) == weights
