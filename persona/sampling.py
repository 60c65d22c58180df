"""Sampling: how the next token is drawn. Every field is always sent to the engine, so that no runtime fills a gap."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Settings of one request, applied in this order (transformers' own): repetition_penalty, temperature, top_k,
    top_p, min_p.

    temperature: 0 is greedy, 1 the model's own distribution. top_p: smallest set of tokens with this much probability.
    top_k: so many most likely tokens, 0 = all. min_p: at least this share of the likeliest token's probability.
    repetition_penalty: 1 = none; never touches the end of a turn. max_new_tokens: a hard cap.

    The defaults are for who has too few messages to calibrate by: at .8 a real base goes round in circles, at 1 it is less
    like the person (docs/likeness.md, "On a real base").
    """

    temperature: float = 0.9
    top_p: float = 0.95
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 160

    def overridden(self, changes: Mapping[str, float | int | None]) -> "SamplingParams":
        """These settings with every known change that is not None put in its place."""
        known = {field.name for field in fields(self)}
        return SamplingParams(**(asdict(self) | {k: v for k, v in changes.items() if k in known and v is not None}))
