"""Refining tried whole with a rater whose taste is known: `python -m bench.refine --config persona.toml`.

The rater likes one habit of the persona's (answers in several messages) and dislikes a tic (a word); of what has neither it
says nothing. After its votes the held-out ones, the tic's and the habit's share in new answers and the whole battery say
whether the adapter learned that and nothing else. Then the same answers get votes at random: nothing may pass the gate.
`current` is put back as it was.
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.choose import open_voice_of
from persona.bundle import Bundle, current, point_current
from persona.config import Settings, load
from persona.transcript import Conversation
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.generation import GeneratedReply, generate
from trainer.evaluate.reply_context import ReplyContext, reply_contexts
from trainer.progress import Bars
from trainer.refine.judged_replies import JudgedReply
from trainer.refine.refining import RefinementOutcome, refine

Rater = Callable[[GeneratedReply], int]

TIC_SHARE = (0.05, 0.35)  # of answers: rarer is nothing to unlearn, more frequent is the language


def has_habit(reply: GeneratedReply) -> bool:
    """Return whether an answer is of several messages."""
    return len(reply.lines) > 1


def words_of(reply: GeneratedReply) -> set[str]:
    """Return the words of an answer."""
    return set(re.findall(r"[\w']+", reply.text.lower()))


def most_frequent_word(replies: Sequence[GeneratedReply]) -> str:
    """Return the word of four letters or more that most answers hold, but not too many: a tic."""
    counts = Counter(word for reply in replies for word in words_of(reply) if len(word) >= 4)
    low, high = (share * len(replies) for share in TIC_SHARE)
    return next(word for word, count in counts.most_common() if low <= count <= high)


def share(replies: Sequence[GeneratedReply], has: Callable[[GeneratedReply], bool]) -> float:
    """Return how many of the answers have something."""
    return round(sum(map(has, replies)) / max(1, len(replies)), 4)


def judged(reply: GeneratedReply, vote: int) -> JudgedReply:
    """Return an answer with a vote on it, as the bot would keep it."""
    context = Conversation(reply.context.scene, reply.context.before, reply.context.year)
    key = f"{reply.context.conversation_id} {reply.text} {vote}"
    return JudgedReply(context, reply.lines, vote > 0, key=key)


def voted(replies: Sequence[GeneratedReply], rater: Rater, count: int) -> list[JudgedReply]:
    """Return the first answers on which the rater votes, as many liked as refused as far as there are."""
    votes = [(reply, rater(reply)) for reply in replies if reply.lines]
    liked = [judged(reply, vote) for reply, vote in votes if vote > 0][: count // 2]
    refused = [judged(reply, vote) for reply, vote in votes if vote < 0][: count - len(liked)]
    return [*liked, *refused]


def figures(outcome: RefinementOutcome, old: Bundle) -> dict[str, Any]:
    """Return what the seal says of a candidate, beside the adapter before it."""
    rows = outcome.metrics["likeness"]["rows"].get("tuned", {})
    before = old.seal.metrics.get("likeness", {}).get("rows", {}).get("tuned", {})
    kept = ("voice_ratio", "two_sample")
    return {
        "current": outcome.is_current,
        "refined": outcome.metrics["refined"],
        "gate": outcome.metrics["gate"],
        "before": {name: before.get(name) for name in kept},
        "after": {name: rows.get(name) for name in kept},
    }


def answers(
    settings: Settings, bundle: Bundle, contexts: Sequence[ReplyContext], count: int, seed: int
) -> list[GeneratedReply]:
    """Return so many answers to the contexts, over and over with other seeds."""
    voice = open_voice_of(settings, bundle)
    replies: list[GeneratedReply] = []
    while len(replies) < count:
        replies += generate(voice, contexts[: count - len(replies)], seed + len(replies))
    return replies


def run(settings: Settings, corpus: Corpus, count: int, asked: int, seed: int, tic: str = "") -> dict[str, Any]:
    """Return the figures of both raters. tic: the word that is disliked; a frequent one by default."""
    old = current(settings.adapters)
    contexts = reply_contexts(corpus.in_split(TRAIN), settings.persona.key)
    random.Random(seed).shuffle(contexts)
    fresh = reply_contexts(corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), settings.persona.key)
    heard = answers(settings, old, contexts, asked, seed)
    tic = tic or most_frequent_word(heard)

    def has_tic(reply: GeneratedReply) -> bool:
        return tic in words_of(reply)

    def taste(reply: GeneratedReply) -> int:
        return -1 if has_tic(reply) else int(has_habit(reply))

    votes = voted(heard, taste, count)
    rng = random.Random(seed)
    at_random = [replace(vote, liked=rng.random() < 0.5, key=f"random {vote.key}") for vote in votes]
    result: dict[str, Any] = {"votes": len(votes), "liked": sum(vote.liked for vote in votes), "tic": tic}
    result["before"] = measured(settings, old, fresh, asked, seed, has_tic)
    for name, given in (("taste", votes), ("random", at_random)):
        began = time.monotonic()
        with Bars() as bars:
            outcome = refine(settings, corpus, given, bars)
        point_current(old)
        result[name] = figures(outcome, old) | {"minutes": round((time.monotonic() - began) / 60, 2)}
        result[name]["speaks"] = measured(settings, outcome.bundle, fresh, asked, seed, has_tic)
        print(json.dumps({name: result[name]}, ensure_ascii=False), file=sys.stderr)
    return result


def measured(
    settings: Settings,
    bundle: Bundle,
    contexts: Sequence[ReplyContext],
    count: int,
    seed: int,
    has_tic: Callable[[GeneratedReply], bool],
) -> dict[str, float]:
    """Return the shares of the tic and of the habit in answers to contexts that were never voted on."""
    replies = answers(settings, bundle, contexts, count, seed + 1)
    return {"tic": share(replies, has_tic), "habit": share(replies, has_habit), "answers": len(replies)}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("--votes", type=int, default=200)
    parser.add_argument("--answers", type=int, default=1500, help="answers that are voted on, and measured")
    parser.add_argument("--tic", default="", help="the word that the rater dislikes; a frequent one by default")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    settings = load(chosen.config)
    corpus = load_corpus(settings)
    result = run(settings, corpus, chosen.votes, chosen.answers, chosen.seed, chosen.tic)
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
