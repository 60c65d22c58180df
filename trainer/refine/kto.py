"""The loss of KTO: from votes on single answers, without pairs (Ethayarajh et al., arXiv 2402.01306). Pure.

An answer's reward is how much likelier the adapter makes it than the one before refining did, in nats. A liked answer gains
value above a reference point, a refused one below it; both saturate, so that no vote pulls for ever.
"""

import torch

BETA = 0.1  # how soon value saturates; the paper's default


def rewards(nats: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Return log-ratios [n] of the adapter to the reference, from the loss of each in nats."""
    return reference - nats


def reference_point(mismatched: torch.Tensor) -> torch.Tensor:
    """Return z0, the estimate of the KL divergence: the mean reward [n] of answers to other prompts than their own, 0 at
    least. No gradient flows through it."""
    return mismatched.detach().mean().clamp(min=0.0)


def kto_losses(
    reward: torch.Tensor, liked: torch.Tensor, z0: torch.Tensor, weights: tuple[float, float], beta: float = BETA
) -> torch.Tensor:
    """Return the loss [n] of each answer: lambda - lambda * sigmoid(beta * (reward - z0)) of a liked one, of a refused one
    with the signs turned. liked [n]: bool. weights: lambda of liked and of refused answers."""
    sign = torch.where(liked, 1.0, -1.0)
    weight = torch.where(liked, *weights)
    return weight * (1.0 - torch.sigmoid(beta * sign * (reward - z0)))


def balanced_weights(liked: int, refused: int) -> tuple[float, float]:
    """Return lambda of liked and of refused answers, so that both sorts weigh the same in all and the rarer one counts the
    more: of ten votes one of the other kind is heard (the paper's section 4.2)."""
    most = max(liked, refused)
    return (most / liked if liked else 1.0, most / refused if refused else 1.0)
