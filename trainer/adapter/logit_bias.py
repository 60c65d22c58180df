"""The lean: how often the persona says each word, put into the adapter as a whole once it is trained.

It is most of what one knows a writer by, and the last that a small corpus teaches an adapter. So it is not learned but
computed: the head gets a LoRA whose A makes the same number of every hidden state, and whose B says how much likelier each
token is. So it is part of the adapter, in files, in a merged model and on servers.
"""

import copy
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from engine.backends.transformers_engine import head_of, untie
from persona.errors import UserError
from trainer.adapter.probe import LEARNED_NOTHING
from trainer.loop.batches import Window
from trainer.loop.loss import CHUNK

PRIOR = 500.0  # tokens of the corpus mixed into the persona's: a word said once is no habit
RARE = 0.1  # of a token that the corpus doesn't hold
POSITIONS = 8192  # tokens of the persona that are looked at
RIDGE = 1e-3  # of the mean square of a hidden state's number
FARTHEST = 1.0  # nats by which the end of a turn may be moved


def log_weights(said: Iterable[int], heard: Iterable[int], vocabulary: int, strength: float) -> torch.Tensor:
    """What is added to each token's logit [vocabulary]: strength * log((c + 500 q) / (n + 500) / q), c the counts of the n
    tokens that the persona `said`, q the shares of those `heard` from everybody."""
    counts, all_counts = _counts(said, vocabulary), _counts(heard, vocabulary) + RARE
    shares = all_counts / all_counts.sum()
    return strength * ((counts + PRIOR * shares) / (counts.sum() + PRIOR) / shares).log()


def leaning(model: PeftModel, rows: Sequence[Window], weights: torch.Tensor, end_of_turn: int) -> PeftModel:
    """The same base under the same adapter, its logits raised by `weights` [vocabulary] as well, but for the end of a turn:
    that is to come as often as in `rows`. It takes the given model's place, which is of no use any more. A head that was
    trained itself is left alone. Raises UserError where training changed nothing, which the lean would hide."""
    if isinstance(model.get_base_model().get_output_embeddings(), BaseTunerLayer):
        return model
    trained = get_peft_model_state_dict(model)
    if not any(bool(weight.any()) for name, weight in trained.items() if "lora_B" in name):
        raise UserError(LEARNED_NOTHING)
    hidden, ends = _hidden_states(model.eval(), rows, end_of_turn)
    direction, scale = _steady(hidden), _scale(model, rows[0])
    heights = weights.clone()
    heights[end_of_turn] = 0.0
    heights[end_of_turn] = _at_the_end(model, scale, hidden, hidden @ direction, heights, end_of_turn, ends)
    config = copy.deepcopy(model.peft_config["default"])
    base = cast(PreTrainedModel, model.unload())
    leant = _with_head(base, cast(LoraConfig, config))
    set_peft_model_state_dict(leant, trained)
    head = cast(Any, leant.get_base_model().get_output_embeddings())
    with torch.no_grad():
        into, out_of = head.lora_A["default"].weight.zero_(), head.lora_B["default"].weight.zero_()
        into[0] = direction.to(into)
        out_of[:, 0] = (heights / scale / head.scaling["default"]).to(out_of)
    return leant.eval()


def _counts(ids: Iterable[int], vocabulary: int) -> torch.Tensor:
    return torch.bincount(torch.tensor(list(ids), dtype=torch.long), minlength=vocabulary).float()


def _hidden_states(model: PeftModel, rows: Sequence[Window], end_of_turn: int) -> tuple[torch.Tensor, int]:
    """What the head is given before each of the persona's tokens [n, hidden], and how many of those end a turn."""
    causal = cast(PreTrainedModel, model.get_base_model())
    body = getattr(causal, causal.base_model_prefix)
    found, ends = [], 0
    for row in rows[:: math.ceil(sum(sum(row.targets) for row in rows) / POSITIONS)]:
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
def _scale(model: PeftModel, row: Window) -> float:
    """What the model multiplies its head's output with: 1 in most, about 1 where it caps them."""
    causal = cast(PreTrainedModel, model.get_base_model())
    ids = torch.tensor([row.ids], device=model.device)
    head = cast(torch.nn.Module, causal.get_output_embeddings())
    raw = head(getattr(causal, causal.base_model_prefix)(ids, use_cache=False).last_hidden_state).float()
    made = causal(input_ids=ids, use_cache=False).logits.float()
    return float((raw * made).sum() / (raw * raw).sum())


@torch.inference_mode()
def _at_the_end(
    model: PeftModel,
    scale: float,
    hidden: torch.Tensor,
    ones: torch.Tensor,
    heights: torch.Tensor,
    end_of_turn: int,
    ends: int,
) -> float:
    """How far the logit of the end of a turn is to be raised for `ends` of them to be expected, FARTHEST at most: a base
    that knows little ends too early. ones [n]: what the lean makes of each hidden state."""
    head = cast(torch.nn.Module, model.get_base_model().get_output_embeddings())
    dtype = next(head.parameters()).dtype
    surprise = []  # by how much all other tokens together outweigh the end, at each position
    size = max(1, CHUNK // len(heights))
    for begin in range(0, len(hidden), size):
        here = slice(begin, begin + size)
        logits = scale * head(hidden[here].to(dtype)).float() + ones[here, None] * heights.to(hidden.device)
        ending = logits[:, end_of_turn].clone()
        logits[:, end_of_turn] = -torch.inf
        surprise.append(logits.logsumexp(-1) - ending)
    others = torch.cat(surprise)
    low, high = -FARTHEST, FARTHEST
    for _ in range(20):
        middle = (low + high) / 2
        too_many = float((middle * ones - others).sigmoid().sum()) > ends
        low, high = (low, middle) if too_many else (middle, high)
    return (low + high) / 2


def _with_head(base: PreTrainedModel, config: LoraConfig) -> PeftModel:
    """A fresh adapter of the same kind, on the head too. Of the rank that all have: servers read no other."""
    head, wanted = head_of(base), config.target_modules
    config.target_modules = f"{wanted}|{re.escape(head)}" if isinstance(wanted, str) else {*(wanted or ()), head}
    untie(base, config)
    return cast(PeftModel, get_peft_model(base, config))
