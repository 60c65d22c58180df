"""Samples next tokens for a whole batch, each row by its own rules and noise. Knows tensors, not models."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from persona.sampling import SamplingParams

TOP_CANDIDATES = 256  # likeliest tokens looked at first
WIDENED = 16  # times as many are looked at next, for a row whose rule allows more
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class NoiseSeed:
    """64 random bits of one draw, from which every token gets its own noise."""

    low: int
    high: int


def next_noise_seed(stream: random.Random) -> NoiseSeed:
    """Return the seed of a request's next draw from its own stream."""
    return NoiseSeed(stream.getrandbits(32), stream.getrandbits(32))


def sample_tokens(logits: torch.Tensor, rules: Sequence[SamplingParams], seeds: Sequence[NoiseSeed]) -> list[int]:
    """Sample a token for each row of logits [rows, vocabulary], float32. Penalties are already in them."""
    tokens = logits.argmax(-1)
    drawn = [row for row, rule in enumerate(rules) if rule.temperature > 0]
    if drawn:
        rows = torch.tensor(drawn, device=logits.device)
        tokens[rows] = _gumbel_max(logits[rows], [rules[row] for row in drawn], [seeds[row] for row in drawn])
    return [int(token) for token in tokens.tolist()]


def apply_repetition_penalty(logits: torch.Tensor, seen: Iterable[int], penalty: float) -> torch.Tensor:
    """Return logits [vocabulary] with those of `seen` ids pushed down (CTRL, arXiv 1909.05858)."""
    places = torch.tensor(sorted(seen), device=logits.device, dtype=torch.long)
    picked = logits[places]
    return logits.index_put((places,), torch.where(picked < 0, picked * penalty, picked / penalty))


def allowed_mask(ordered: torch.Tensor, total: torch.Tensor, rules: Sequence[SamplingParams]) -> torch.Tensor:
    """Return which of a row's likeliest tokens its rules allow: bool [rows, some]. ordered: their logits over the temperature,
    largest first. total: logsumexp of all the row's, [rows]. In transformers' order: top_k, then top_p of what is left,
    then min_p; the likeliest always stays."""
    device = ordered.device
    top_k = torch.tensor([rule.top_k or _WORD for rule in rules], device=device)[:, None]
    top_p = torch.tensor([rule.top_p if rule.top_p < 1 else 2.0 for rule in rules], device=device)[:, None]
    min_logit = torch.tensor([rule.min_p for rule in rules], device=device).clamp(min=1e-30).log()[:, None]
    keep = torch.arange(ordered.shape[1], device=device) < top_k
    limited = torch.tensor([bool(rule.top_k) for rule in rules], device=device)
    total = torch.where(limited, ordered.masked_fill(~keep, -torch.inf).logsumexp(-1), total)
    mass = (ordered - total[:, None]).exp()
    keep &= (mass.cumsum(-1) - mass < top_p) & (ordered >= ordered[:, :1] + min_logit)
    keep[:, 0] = True
    return keep


def _gumbel_max(logits: torch.Tensor, rules: Sequence[SamplingParams], seeds: Sequence[NoiseSeed]) -> torch.Tensor:
    """Sample by Gumbel-max: the token with the largest sum of logit and noise, [rows].

    A token's noise follows from the request's seed and the token's id alone, so neither the batch nor a rounding in
    another token's logit changes it."""
    scaled = logits / torch.tensor([rule.temperature for rule in rules], device=logits.device)[:, None]
    unfiltered = [row for row, rule in enumerate(rules) if _is_unfiltered(rule)]
    filtered = [row for row, rule in enumerate(rules) if not _is_unfiltered(rule)]
    winners = torch.empty(len(rules), dtype=torch.long, device=logits.device)
    if unfiltered:
        ids = torch.arange(scaled.shape[1], device=scaled.device)[None]
        winners[unfiltered] = (scaled[unfiltered] + _noise(ids, [seeds[row] for row in unfiltered])).argmax(-1)
    if filtered:
        winners[filtered] = _filtered_gumbel_max(
            scaled[filtered], [rules[row] for row in filtered], [seeds[row] for row in filtered]
        )
    return winners


def _is_unfiltered(rule: SamplingParams) -> bool:
    return rule.top_k == 0 and rule.top_p >= 1 and rule.min_p <= 0


def _filtered_gumbel_max(
    scaled: torch.Tensor, rules: Sequence[SamplingParams], seeds: Sequence[NoiseSeed], width: int = TOP_CANDIDATES
) -> torch.Tensor:
    """Sample by Gumbel-max among the tokens that each row's rules allow.

    Sorting a whole vocabulary costs more than a small model's forward, so more than the likeliest `width` are sorted only
    for rows that keep more."""
    ordered, ids = scaled.topk(min(width, scaled.shape[1]))
    keep = allowed_mask(ordered, scaled.logsumexp(-1), rules)
    winners = _noisy_argmax(ordered, ids, keep, seeds)
    wide = keep[:, -1].nonzero()[:, 0].tolist()
    if wide and width < scaled.shape[1]:
        of_wide = [rules[row] for row in wide], [seeds[row] for row in wide]
        winners[wide] = _filtered_gumbel_max(scaled[wide], *of_wide, width=width * WIDENED)
    return winners


def _noisy_argmax(
    values: torch.Tensor, ids: torch.Tensor, keep: torch.Tensor, seeds: Sequence[NoiseSeed]
) -> torch.Tensor:
    noisy = (values + _noise(ids, seeds)).masked_fill(~keep, -torch.inf)
    return ids.gather(1, noisy.argmax(-1, keepdim=True))[:, 0]


def _noise(ids: torch.Tensor, seeds: Sequence[NoiseSeed]) -> torch.Tensor:
    """Standard Gumbel noise, float32 of the shape of ids [rows, some]: two rounds of MurmurHash3's 32-bit mixer."""
    low = torch.tensor([seed.low for seed in seeds], device=ids.device)[:, None]
    high = torch.tensor([seed.high for seed in seeds], device=ids.device)[:, None]
    bits = _mix(_mix((ids * 0x9E3779B1 & _WORD) ^ low) ^ high)
    uniform = ((bits.to(torch.float32) + 0.5) / 2**32).clamp(max=1 - 2**-24)
    return -(-torch.log1p(-uniform)).log()


def _mix(bits: torch.Tensor) -> torch.Tensor:
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & _WORD
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & _WORD
    return bits ^ (bits >> 16)
