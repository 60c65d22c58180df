"""Finds a prompt that tells adapter and base apart, to be sealed with the bundle."""

import torch
from peft import PeftModel

from persona.bundle import Probe, Seal
from persona.encoding import Encoding
from persona.fault import Fault
from persona.names import SOMEONE
from persona.prompt import reply_prompt, tweet_prompt
from persona.transcript import Turn

TOKENS = 16
QUESTIONS = ("hey, are you there?", "what do you think?", "how was your day?", "no way", "good night", "why?")


def find_probe(model: PeftModel, encoding: Encoding, seal: Seal) -> Probe | None:
    """The prompt whose greedy answers differ earliest. None where all are the same although the adapter does something.
    Raises Fault where it does nothing: training did not take."""
    model.eval()
    turns = [(Turn(SOMEONE, (question,)),) for question in QUESTIONS]
    prompts = [
        tweet_prompt(encoding, seal),
        *(reply_prompt(encoding, seal, "group", one, room=TOKENS) for one in turns),
    ]
    probes = [Probe(ids=ids, tuned=_greedy(model, ids), base=_without(model, ids)) for ids in prompts]
    best = min(probes, key=_first_difference)
    if _first_difference(best) < TOKENS:
        return best
    if _same_logits(model, prompts[0]):
        raise Fault("the adapter changes nothing in what the base says: raise [train] learning_rate or epochs")
    return None


def _first_difference(probe: Probe) -> int:
    return next((k for k, (a, b) in enumerate(zip(probe.tuned, probe.base, strict=True)) if a != b), TOKENS)


@torch.inference_mode()
def _greedy(model: PeftModel, ids: tuple[int, ...]) -> tuple[int, ...]:
    fed = list(ids)
    for _ in range(TOKENS):
        logits = model(input_ids=torch.tensor([fed], device=model.device), logits_to_keep=1).logits[0, -1]
        fed.append(int(logits.argmax()))
    return tuple(fed[len(ids) :])


def _without(model: PeftModel, ids: tuple[int, ...]) -> tuple[int, ...]:
    with model.disable_adapter():
        return _greedy(model, ids)


@torch.inference_mode()
def _same_logits(model: PeftModel, ids: tuple[int, ...]) -> bool:
    probe = torch.tensor([ids], device=model.device)
    tuned = model(input_ids=probe).logits
    with model.disable_adapter():
        return bool(torch.equal(tuned, model(input_ids=probe).logits))
