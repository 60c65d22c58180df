"""Draws next tokens for a whole batch, each row by its own rule and its own luck. Knows tensors, not models."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from persona.sampling import SamplingParams

FEW = 256  # likeliest tokens looked at first; a row whose rule allows more is looked at whole
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Luck:
    """The random numbers of one draw: 64 bits, from which every token gets its own noise."""

    low: int
    high: int


def next_luck(stream: random.Random) -> Luck:
    """The luck of the next draw from a request's own stream."""
    return Luck(stream.getrandbits(32), stream.getrandbits(32))


def draw(logits: torch.Tensor, rules: Sequence[SamplingParams], lucks: Sequence[Luck]) -> list[int]:
    """A token for each row of logits [rows, vocabulary], float32. Penalties are already in them."""
    tokens = logits.argmax(-1)
    drawn = [row for row, rule in enumerate(rules) if rule.temperature > 0]
    if drawn:
        rows = torch.tensor(drawn, device=logits.device)
        tokens[rows] = _race(logits[rows], [rules[row] for row in drawn], [lucks[row] for row in drawn])
    return [int(token) for token in tokens.tolist()]


def penalised(logits: torch.Tensor, seen: Iterable[int], penalty: float) -> torch.Tensor:
    """logits [vocabulary] with those of `seen` ids pushed down (CTRL, arXiv 1909.05858)."""
    places = torch.tensor(sorted(seen), device=logits.device, dtype=torch.long)
    picked = logits[places]
    return logits.index_put((places,), torch.where(picked < 0, picked * penalty, picked / penalty))


def kept(ordered: torch.Tensor, total: torch.Tensor, rules: Sequence[SamplingParams]) -> torch.Tensor:
    """Which of a row's likeliest tokens its rule keeps: bool [rows, some]. ordered: their logits over the temperature,
    largest first. total: logsumexp of all the row's, [rows]. In transformers' order: top_k, then top_p of what is left,
    then min_p; the likeliest always stays."""
    device = ordered.device
    first = torch.tensor([rule.top_k or _WORD for rule in rules], device=device)[:, None]
    share = torch.tensor([rule.top_p if rule.top_p < 1 else 2.0 for rule in rules], device=device)[:, None]
    floor = torch.tensor([rule.min_p for rule in rules], device=device).clamp(min=1e-30).log()[:, None]
    keep = torch.arange(ordered.shape[1], device=device) < first
    limited = torch.tensor([bool(rule.top_k) for rule in rules], device=device)
    total = torch.where(limited, ordered.masked_fill(~keep, -torch.inf).logsumexp(-1), total)
    mass = (ordered - total[:, None]).exp()
    keep &= (mass.cumsum(-1) - mass < share) & (ordered >= ordered[:, :1] + floor)
    keep[:, 0] = True
    return keep


def _race(logits: torch.Tensor, rules: Sequence[SamplingParams], lucks: Sequence[Luck]) -> torch.Tensor:
    """The Gumbel-max draw: the token with the largest sum of logit and noise, [rows]. A token's noise hangs on the
    request's luck and the token's id alone, so neither the batch nor a rounding in another token's logit changes it."""
    scaled = logits / torch.tensor([rule.temperature for rule in rules], device=logits.device)[:, None]
    free = [row for row, rule in enumerate(rules) if _is_free(rule)]
    bound = [row for row, rule in enumerate(rules) if not _is_free(rule)]
    winners = torch.empty(len(rules), dtype=torch.long, device=logits.device)
    if free:
        ids = torch.arange(scaled.shape[1], device=scaled.device)[None]
        winners[free] = (scaled[free] + _noise(ids, [lucks[row] for row in free])).argmax(-1)
    if bound:
        winners[bound] = _bound_race(scaled[bound], [rules[row] for row in bound], [lucks[row] for row in bound])
    return winners


def _is_free(rule: SamplingParams) -> bool:
    return rule.top_k == 0 and rule.top_p >= 1 and rule.min_p <= 0


def _bound_race(
    scaled: torch.Tensor, rules: Sequence[SamplingParams], lucks: Sequence[Luck], width: int = FEW
) -> torch.Tensor:
    """The race among those that each row's rule keeps. Sorting a whole vocabulary costs more than a small model's
    forward, so only rows that keep more than the likeliest `width` are sorted whole."""
    ordered, ids = scaled.topk(min(width, scaled.shape[1]))
    keep = kept(ordered, scaled.logsumexp(-1), rules)
    winners = _winners(ordered, ids, keep, lucks)
    wide = keep[:, -1].nonzero()[:, 0].tolist()
    if wide and width < scaled.shape[1]:
        some = [rules[row] for row in wide], [lucks[row] for row in wide]
        winners[wide] = _bound_race(scaled[wide], *some, width=scaled.shape[1])
    return winners


def _winners(values: torch.Tensor, ids: torch.Tensor, keep: torch.Tensor, lucks: Sequence[Luck]) -> torch.Tensor:
    raced = (values + _noise(ids, lucks)).masked_fill(~keep, -torch.inf)
    return ids.gather(1, raced.argmax(-1, keepdim=True))[:, 0]


def _noise(ids: torch.Tensor, lucks: Sequence[Luck]) -> torch.Tensor:
    """Standard Gumbel noise, float32 of the shape of ids [rows, some]: two rounds of MurmurHash3's 32-bit mixer."""
    low = torch.tensor([luck.low for luck in lucks], device=ids.device)[:, None]
    high = torch.tensor([luck.high for luck in lucks], device=ids.device)[:, None]
    bits = _mixed(_mixed((ids * 0x9E3779B1 & _WORD) ^ low) ^ high)
    uniform = ((bits.to(torch.float32) + 0.5) / 2**32).clamp(max=1 - 2**-24)
    return -(-torch.log1p(-uniform)).log()


def _mixed(bits: torch.Tensor) -> torch.Tensor:
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & _WORD
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & _WORD
    return bits ^ (bits >> 16)
