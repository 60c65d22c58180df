"""The lean: how often the persona says each word, put into the adapter as a whole once it is trained.

It is most of what one knows a writer by, and the last that a small corpus teaches an adapter. So it is not learned but
computed: the head gets a LoRA of rank one, whose A makes the same number of every hidden state, and whose B says how much
likelier each token is. It is part of the adapter: every engine speaks with it and none needs to know of it.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from bot.engine.transformers_engine import untie
from trainer.batches import Window

PRIOR = 500.0  # tokens of the corpus mixed into the persona's: a word said once is no habit
RARE = 0.1  # of a token that the corpus doesn't hold
POSITIONS = 8192  # tokens of the persona that are looked at
RIDGE = 1e-3  # of the mean square of a hidden state's number
FARTHEST = 1.0  # nats by which the end of a turn may be moved
LOGITS = 2**24  # held at a time


def log_weights(said: Iterable[int], heard: Iterable[int], vocabulary: int, strength: float) -> torch.Tensor:
    """What is added to each token's logit [vocabulary]: strength * log((c + 500 q) / (n + 500) / q), c the counts of the n
    tokens that the persona `said`, q the shares of those `heard` from everybody."""
    counts, all_counts = _counts(said, vocabulary), _counts(heard, vocabulary) + RARE
    shares = all_counts / all_counts.sum()
    return strength * ((counts + PRIOR * shares) / (counts.sum() + PRIOR) / shares).log()


def leaning(model: PeftModel, rows: Sequence[Window], weights: torch.Tensor, end_of_turn: int) -> PeftModel:
    """The same base under the same adapter, its head's logits raised by `weights` [vocabulary] as well, but for the end of
    a turn: that comes as often as in `rows`. It takes the given model's place, which is of no use any more. A head that
    was trained has learned all this, and is left alone."""
    if isinstance(model.get_base_model().get_output_embeddings(), BaseTunerLayer):
        return model
    hidden, ends = _hidden_states(model.eval(), rows, end_of_turn)
    same = _steady(hidden)
    heights = weights.clone()
    heights[end_of_turn] = 0.0
    heights[end_of_turn] = _at_the_end(model, hidden, hidden @ same, heights, end_of_turn, ends)
    config, trained = copy.deepcopy(model.peft_config["default"]), get_peft_model_state_dict(model)
    base = cast(PreTrainedModel, model.unload())
    leant = _with_head(base, cast(LoraConfig, config))
    set_peft_model_state_dict(leant, trained)
    head = cast(Any, leant.get_base_model().get_output_embeddings())
    with torch.no_grad():
        head.lora_A["default"].weight.copy_(same[None])
        head.lora_B["default"].weight.copy_(heights[:, None])
    return leant.eval()


def _counts(ids: Iterable[int], vocabulary: int) -> torch.Tensor:
    return torch.bincount(torch.tensor(list(ids), dtype=torch.long), minlength=vocabulary).float()


def _hidden_states(model: PeftModel, rows: Sequence[Window], end_of_turn: int) -> tuple[torch.Tensor, int]:
    """What the head is given before each of the persona's tokens [n, hidden], and how many of those end a turn."""
    causal = cast(PreTrainedModel, model.get_base_model())
    body = getattr(causal, causal.base_model_prefix)
    found, ends = [], 0
    for row in rows[:: max(1, sum(sum(row.targets) for row in rows) // POSITIONS)]:
        ids, targets = torch.tensor(row.ids, device=model.device), torch.tensor(row.targets, device=model.device)[1:]
        with torch.inference_mode():
            found.append(body(ids[None], use_cache=False).last_hidden_state[0, :-1][targets].float())
        ends += int((ids[1:][targets] == end_of_turn).sum())
    return torch.cat(found).clone(), ends


def _steady(hidden: torch.Tensor) -> torch.Tensor:
    """The vector [hidden] whose product with every hidden state is about one: least squares."""
    exact = hidden.cpu().double()  # which Apple's GPUs lack
    squares = exact.T @ exact / len(exact)
    ridge = RIDGE * squares.diagonal().mean() * torch.eye(len(squares), dtype=exact.dtype)
    return cast(torch.Tensor, torch.linalg.solve(squares + ridge, exact.mean(0))).to(hidden)


@torch.inference_mode()
def _at_the_end(
    model: PeftModel, hidden: torch.Tensor, same: torch.Tensor, heights: torch.Tensor, end_of_turn: int, ends: int
) -> float:
    """How far the logit of the end of a turn is to be raised for `ends` of them to be expected: a base that knows little
    ends too early. same [n]: what the lean makes of each hidden state."""
    head = cast(torch.nn.Module, model.get_base_model().get_output_embeddings())
    dtype = next(head.parameters()).dtype
    surprise = []  # by how much all other tokens together outweigh the end, at each position
    rows = max(1, LOGITS // len(heights))
    for begin in range(0, len(hidden), rows):
        here = slice(begin, begin + rows)
        logits = head(hidden[here].to(dtype)).float() + same[here, None] * heights.to(hidden.device)
        ending = logits[:, end_of_turn].clone()
        logits[:, end_of_turn] = -torch.inf
        surprise.append(logits.logsumexp(-1) - ending)
    others = torch.cat(surprise)
    low, high = -FARTHEST, FARTHEST
    for _ in range(20):
        middle = (low + high) / 2
        too_many = float((middle * same - others).sigmoid().sum()) > ends
        low, high = (low, middle) if too_many else (middle, high)
    return (low + high) / 2


def _with_head(base: PreTrainedModel, config: LoraConfig) -> PeftModel:
    """A fresh adapter of the same kind with a LoRA of rank one on the head."""
    untie(base)
    head = next(name for name, module in base.named_modules() if module is base.get_output_embeddings())
    wanted = config.target_modules
    config.target_modules = f"(?:{wanted})|{head}" if isinstance(wanted, str) else {*(wanted or ()), head}
    config.rank_pattern = {**config.rank_pattern, head: 1}
    config.alpha_pattern = {**config.alpha_pattern, head: 1}
    return cast(PeftModel, get_peft_model(base, config))
