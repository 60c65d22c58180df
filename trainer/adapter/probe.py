"""Finds a prompt after which adapter and base differ, to be sealed with the bundle."""

import random

import torch
from peft import PeftModel

from persona.bundle import Probe, Seal
from persona.encoding import Encoding
from persona.errors import UserError
from persona.names import SOMEONE
from persona.prompt import reply_prompt, tweet_prompt
from persona.transcript import Turn

LEARNED_NOTHING = "the adapter changes nothing in what the base says: raise [train] learning_rate or epochs"
TOKENS = 4  # of each answer; an engine shows what it is by the first that differs
LONGEST = 128
QUESTIONS = ("hey, are you there?", "what do you think?", "how was your day?", "no way", "good night", "why?")


def find_probe(model: PeftModel, encoding: Encoding, seal: Seal) -> Probe | None:
    """Return the prompt after which adapter and base have different likeliest words, by the widest margin over any other word.

    The margin keeps an engine's rounding errors, and those of quantised weights, from changing either word. None if adapter
    and base choose the same word after every prompt although their logits differ. Raises UserError if the adapter changes no
    logit: training did not take.
    """
    model.eval()
    rows = int(model.config.get_text_config().vocab_size)  # fewer than the tokenizer's tokens in Ollama's Gemma 3
    texts = _texts(encoding, seal, min(rows, encoding.vocabulary))
    margin, ids = max((_widest_margin(model, encoding, text) for text in texts), key=lambda candidate: candidate[0])
    if margin > 0:
        return Probe(ids=ids, tuned=_greedy(model, ids), base=_without(model, ids))
    if all(torch.equal(*_both(model, text)) for text in texts):
        raise UserError(LEARNED_NOTHING)
    return None


def _texts(encoding: Encoding, seal: Seal, vocabulary: int) -> list[tuple[int, ...]]:
    """Return candidate prompts: those before a tweet and before replies, and ids drawn at random.

    A short training that changes the first word of no reply changes one after random ids. None of it is anybody's text:
    the probe is sealed where everybody can read it.
    """
    rng = random.Random(0)
    longest = min(LONGEST, seal.max_length - TOKENS)
    turns = [(Turn(SOMEONE, (question,)),) for question in QUESTIONS]
    prompts = [
        tweet_prompt(encoding, seal),
        *(reply_prompt(encoding, seal, "group", turn, room=TOKENS) for turn in turns),
    ]
    noise = [tuple(rng.randrange(vocabulary) for _ in range(longest)) for _ in range(4)]
    return [ids[:longest] for ids in (*prompts, *((*prompts[0], *row) for row in noise))]


def _widest_margin(model: PeftModel, encoding: Encoding, ids: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
    """Return the widest margin in `ids`, in logits, and the prefix where it is; 0 if adapter and base never differ.

    The margin is that of the less certain of the two, over the second likeliest word of each.
    """
    tuned, base = (logits.topk(2) for logits in _both(model, ids))
    first, other = tuned.indices[:, 0], base.indices[:, 0]
    shows_text = torch.tensor(
        [a != b and _is_word(encoding, a) and _is_word(encoding, b) for a, b in zip(first, other, strict=True)]
    )
    margins = [of.values[:, 0] - of.values[:, 1] for of in (tuned, base)]
    margin = torch.minimum(*margins).cpu() * shows_text
    place = int(margin.argmax())
    return float(margin[place]), ids[: place + 1]


def _is_word(encoding: Encoding, token: torch.Tensor) -> bool:
    """Return whether a token is visible in a text: half a character is not, nor is the end of a turn."""
    text = encoding.decode([int(token)])
    return bool(text.strip()) and "\ufffd" not in text


@torch.inference_mode()
def _both(model: PeftModel, ids: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [ids, vocabulary] with the adapter and without."""
    fed = torch.tensor([ids], device=model.device)
    tuned = model(input_ids=fed).logits[0].float()
    with model.disable_adapter():
        return tuned, model(input_ids=fed).logits[0].float()


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
