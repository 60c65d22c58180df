"""A logit bias: how much likelier the persona uses each token than everybody, put into the trained adapter.

Word frequencies are most of what a writer is recognised by, and the last that a small corpus teaches an adapter. So they are
not learned but computed: the head gets a LoRA whose A makes the same number of every hidden state, and whose B says how much
likelier each token is. The bias is part of the adapter in files, in a merged model and on servers.
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
from engine.forward import body_of
from persona.errors import UserError
from trainer.adapter.probe import LEARNED_NOTHING
from trainer.loop.batches import Window
from trainer.loop.loss import CHUNK

PRIOR = 500.0  # tokens of the corpus mixed into the persona's: a word said once is no habit
RARE = 0.1  # of a token that the corpus doesn't hold
MAX_POSITIONS = 8192  # tokens of the persona that are looked at
RIDGE = 1e-3  # of the mean square of a hidden state's number
MAX_END_SHIFT = 1.0  # nats


def unigram_bias(own: Iterable[int], everybody: Iterable[int], vocabulary: int, strength: float) -> torch.Tensor:
    """Return the bias [vocabulary]: strength * log((c + 500 q) / (n + 500) / q), c the counts of the persona's `own` n
    tokens, q the shares of `everybody`'s tokens (a smoothed unigram prior)."""
    counts, all_counts = _counts(own, vocabulary), _counts(everybody, vocabulary) + RARE
    shares = all_counts / all_counts.sum()
    return strength * ((counts + PRIOR * shares) / (counts.sum() + PRIOR) / shares).log()


def add_logit_bias(model: PeftModel, rows: Sequence[Window], weights: torch.Tensor, end_of_turn: int) -> PeftModel:
    """Return the model with `weights` [vocabulary] added to its logits; the given model is used up.

    The end of a turn is shifted so that it comes as often as in `rows`. A head that was trained itself is left alone.
    Raises UserError if training changed nothing, which the bias would hide."""
    if isinstance(model.get_base_model().get_output_embeddings(), BaseTunerLayer):
        return model
    trained = get_peft_model_state_dict(model, save_embedding_layers=False)
    if not any(bool(weight.any()) for name, weight in trained.items() if "lora_B" in name):
        raise UserError(LEARNED_NOTHING)
    hidden, ends = _hidden_states(model.eval(), rows, end_of_turn)
    direction, scale = _constant_direction(hidden), _logit_scale(model, rows[0])
    bias = weights.clone()
    bias[end_of_turn] = 0.0
    bias[end_of_turn] = _end_shift(model, scale, hidden, hidden @ direction, bias, end_of_turn, ends)
    config = copy.deepcopy(model.peft_config["default"])
    base = cast(PreTrainedModel, model.unload())
    biased = _with_head(base, cast(LoraConfig, config))
    set_peft_model_state_dict(biased, trained)
    head = cast(Any, biased.get_base_model().get_output_embeddings())
    with torch.no_grad():
        lora_a, lora_b = head.lora_A["default"].weight.zero_(), head.lora_B["default"].weight.zero_()
        lora_a[0] = direction.to(lora_a)
        lora_b[:, 0] = (bias / scale / head.scaling["default"]).to(lora_b)
    return biased.eval()


def _counts(ids: Iterable[int], vocabulary: int) -> torch.Tensor:
    return torch.bincount(torch.tensor(list(ids), dtype=torch.long), minlength=vocabulary).float()


def _hidden_states(model: PeftModel, rows: Sequence[Window], end_of_turn: int) -> tuple[torch.Tensor, int]:
    """Return the hidden states before the persona's tokens [n, hidden], and how many of those tokens end a turn."""
    causal = cast(PreTrainedModel, model.get_base_model())
    body = body_of(causal)
    states, ends = [], 0
    for row in rows[:: math.ceil(sum(sum(row.loss_mask) for row in rows) / MAX_POSITIONS)]:
        ids, loss_mask = (
            torch.tensor(row.ids, device=model.device),
            torch.tensor(row.loss_mask, device=model.device)[1:],
        )
        with torch.inference_mode():
            states.append(body(ids[None], use_cache=False).last_hidden_state[0, :-1][loss_mask].float())
        ends += int((ids[1:][loss_mask] == end_of_turn).sum())
    return torch.cat(states).clone(), ends


def _constant_direction(hidden: torch.Tensor) -> torch.Tensor:
    """Return the vector [hidden] whose product with every hidden state is about one (least squares)."""
    exact = hidden.cpu().double()  # which Apple's GPUs lack
    squares = exact.T @ exact / len(exact)
    ridge = RIDGE * squares.diagonal().mean() * torch.eye(len(squares), dtype=exact.dtype)
    return cast(torch.Tensor, torch.linalg.solve(squares + ridge, exact.mean(0))).to(hidden)


@torch.inference_mode()
def _logit_scale(model: PeftModel, row: Window) -> float:
    """Return what the model multiplies its head's output by: 1 in most, about 1 if it caps logits."""
    causal = cast(PreTrainedModel, model.get_base_model())
    ids = torch.tensor([row.ids], device=model.device)
    head = cast(torch.nn.Module, causal.get_output_embeddings())
    raw = head(body_of(causal)(ids, use_cache=False).last_hidden_state).float()
    made = causal(input_ids=ids, use_cache=False).logits.float()
    return float((raw * made).sum() / (raw * raw).sum())


@torch.inference_mode()
def _end_shift(
    model: PeftModel,
    scale: float,
    hidden: torch.Tensor,
    strengths: torch.Tensor,
    bias: torch.Tensor,
    end_of_turn: int,
    ends: int,
) -> float:
    """Return by how much to raise the logit of the end of a turn for `ends` of them to be expected, MAX_END_SHIFT at
    most: a small base ends too early. strengths [n]: the factor of the bias at each hidden state."""
    head = cast(torch.nn.Module, model.get_base_model().get_output_embeddings())
    dtype = next(head.parameters()).dtype
    outweighed = []  # by how much all other tokens together outweigh the end, at each position
    size = max(1, CHUNK // len(bias))
    for begin in range(0, len(hidden), size):
        here = slice(begin, begin + size)
        logits = scale * head(hidden[here].to(dtype)).float() + strengths[here, None] * bias.to(hidden.device)
        ending = logits[:, end_of_turn].clone()
        logits[:, end_of_turn] = -torch.inf
        outweighed.append(logits.logsumexp(-1) - ending)
    others = torch.cat(outweighed)
    low, high = -MAX_END_SHIFT, MAX_END_SHIFT
    for _ in range(20):
        middle = (low + high) / 2
        too_many = float((middle * strengths - others).sigmoid().sum()) > ends
        low, high = (low, middle) if too_many else (middle, high)
    return (low + high) / 2


def _with_head(base: PreTrainedModel, config: LoraConfig) -> PeftModel:
    """Return a fresh adapter of the same kind, on the head too, of the same rank: servers read no other."""
    head, modules = head_of(base), config.target_modules
    config.target_modules = f"{modules}|{re.escape(head)}" if isinstance(modules, str) else {*(modules or ()), head}
    untie(base, config)
    return cast(PeftModel, get_peft_model(base, config))
