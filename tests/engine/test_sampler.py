"""How a token is drawn: transformers' own rules, a row at a time or all at once."""

import random

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from engine.sampler import (
    TOP_CANDIDATES,
    WIDENED,
    NoiseSeed,
    allowed_mask,
    apply_repetition_penalty,
    next_noise_seed,
    sample_tokens,
)
from persona.sampling import SamplingParams

RULES = [
    SamplingParams(1.0, 1.0, 0, 0.0),
    SamplingParams(0.7, 0.9, 0, 0.0),
    SamplingParams(1.3, 1.0, 5, 0.0),
    SamplingParams(0.9, 1.0, 0, 0.1),
    SamplingParams(0.8, 0.8, 40, 0.05),
    SamplingParams(),
]


def warped(logits: torch.Tensor, rule: SamplingParams) -> torch.Tensor:
    """logits [rows, vocabulary] as transformers' generate() would have them."""
    theirs = LogitsProcessorList([TemperatureLogitsWarper(rule.temperature)])
    if rule.top_k:
        theirs.append(TopKLogitsWarper(rule.top_k))
    if rule.top_p < 1:
        theirs.append(TopPLogitsWarper(rule.top_p))
    if rule.min_p:
        theirs.append(MinPLogitsWarper(rule.min_p))
    return torch.as_tensor(theirs(torch.zeros(len(logits), 1, dtype=torch.long), logits.clone()))


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_are_those_of_transformers(rule: SamplingParams) -> None:
    """The same tokens are left, in the same order of steps."""
    torch.manual_seed(0)
    logits = torch.randn(50, 300) * 3
    scaled = (logits / rule.temperature).sort(-1, descending=True)
    ours = allowed_mask(scaled.values, scaled.values.logsumexp(-1), [rule] * 50)
    expected = warped(logits, rule) > -torch.inf
    assert torch.equal(torch.zeros_like(expected).scatter(1, scaled.indices, ours), expected)


@pytest.mark.parametrize("spread", [0.1, 2.0, 8.0])
def test_a_row_is_drawn_the_same_in_any_company(spread: float) -> None:
    """Rules of all kinds side by side, flat and steep rows, more tokens than are looked at first."""
    torch.manual_seed(1)
    logits = torch.randn(len(RULES), 4 * TOP_CANDIDATES) * spread
    for seed in range(20):
        seeds = [next_noise_seed(random.Random(seed * 100 + row)) for row in range(len(RULES))]
        together = sample_tokens(logits, RULES, seeds)
        alone = [
            sample_tokens(logits[row : row + 1], RULES[row : row + 1], seeds[row : row + 1])[0]
            for row in range(len(RULES))
        ]
        assert together == alone


def test_only_what_a_rule_keeps_is_drawn() -> None:
    """A flat row whose rule keeps more than are looked at first included."""
    torch.manual_seed(2)
    logits = torch.randn(1, 4 * TOP_CANDIDATES)
    stream = random.Random(0)
    for rule in [*RULES, SamplingParams(1.0, 1.0, 2 * TOP_CANDIDATES, 0.0), SamplingParams(1.0, 0.99, 0, 0.0)]:
        allowed = set((warped(logits, rule)[0] > -torch.inf).nonzero()[:, 0].tolist())
        drawn = {sample_tokens(logits, [rule], [next_noise_seed(stream)])[0] for _ in range(100)}
        assert drawn <= allowed


def seeds_of(count: int) -> list[NoiseSeed]:
    stream = random.Random(3)
    return [next_noise_seed(stream) for _ in range(count)]


@pytest.mark.parametrize("rule", [SamplingParams(1.0, 1.0, 0, 0.0), SamplingParams(1.0, 1.0, 8, 0.0)])
def test_tokens_are_drawn_as_often_as_they_are_likely(rule: SamplingParams) -> None:
    """With a filter and without. A share of 4,000 draws has a standard error of at most 0.008."""
    probabilities = torch.tensor([0.6, 0.2, 0.1, 0.05, 0.03, 0.01, 0.006, 0.004])
    draws = sample_tokens(probabilities.log().repeat(4000, 1), [rule] * 4000, seeds_of(4000))
    shares = torch.bincount(torch.tensor(draws), minlength=8) / 4000
    torch.testing.assert_close(shares, probabilities, atol=0.03, rtol=0)


def test_both_halves_of_a_seed_change_the_draw() -> None:
    """Else only half of the promised 64 bits would count."""
    flat = torch.zeros(20, 1000)
    for seeds in ([NoiseSeed(bits, 7) for bits in range(20)], [NoiseSeed(7, bits) for bits in range(20)]):
        assert len(set(sample_tokens(flat, [SamplingParams(1.0, 1.0, 0, 0.0)] * 20, seeds))) > 10


def test_a_flat_row_is_drawn_from_all_that_its_rule_keeps() -> None:
    """Also from beyond the likeliest that are looked at first, and next."""
    row = torch.linspace(0.1, 0.0, 2 * WIDENED * TOP_CANDIDATES).repeat(100, 1)
    draws = sample_tokens(row, [SamplingParams(1.0, 0.99, 0, 0.0)] * 100, seeds_of(100))
    assert 20 < sum(token >= WIDENED * TOP_CANDIDATES for token in draws) < 80


def test_greedy_takes_the_likeliest_whatever_the_luck() -> None:
    """Temperature 0, beside a row that is drawn."""
    logits = torch.tensor([[0.0, 3.0, 1.0], [0.0, 0.0, 50.0]])
    stream = random.Random(3)
    for _ in range(20):
        assert sample_tokens(
            logits, [SamplingParams(0.0), SamplingParams(1.0)], [next_noise_seed(stream), next_noise_seed(stream)]
        ) == [
            1,
            2,
        ]


def test_rounding_in_the_logits_seldom_changes_a_draw() -> None:
    """What another batch does to the last bits: one draw in hundreds, not more."""
    torch.manual_seed(4)
    logits = torch.randn(400, 1000) * 2
    seeds = [next_noise_seed(random.Random(row)) for row in range(400)]
    rule = [SamplingParams(1.0, 1.0, 0, 0.0)] * 400
    shaken = sample_tokens(logits + torch.randn_like(logits) * 1e-4, rule, seeds)
    assert sum(a != b for a, b in zip(sample_tokens(logits, rule, seeds), shaken, strict=True)) <= 2


def test_a_repetition_penalty_pushes_down_what_was_seen() -> None:
    """Positive logits are divided, negative ones multiplied."""
    found = apply_repetition_penalty(torch.tensor([2.0, -2.0, 3.0]), {0, 1}, 2.0)
    assert found.tolist() == [1.0, -4.0, 3.0]
