"""Are tweets as varied as the person's? So many of the current adapter's beside as many of the corpus.

`python -m bench.tweets persona.toml -n 300` prints different openings (the first two words) and near-duplicates.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import mean

from bot.talk.delivery import sayable
from bot.tweeting import some_tweets
from persona.config import load
from persona.openings import opening_of
from persona.repeats import NearIndex
from trainer.bundle.sealing import tweets_of
from trainer.corpus.store import load as load_corpus

DRAWS = 20  # of the person's tweets


def variety(texts: Sequence[str]) -> tuple[int, int, float]:
    """Return how many openings differ, how many texts nearly repeat an earlier one, and the share of the commonest opening."""
    openings = [opening_of(text) for text in texts]
    index, near = NearIndex(), 0
    for text in texts:
        near += bool(index.near(text))
        index.add(text)
    return len(set(openings)), near, max(map(openings.count, set(openings))) / len(texts)


def main() -> None:
    """Print a line for the person and one for the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("-n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    settings = load(asked.config)
    written = tweets_of(load_corpus(settings).conversations, settings.persona.key)
    mine = [text for text in ("\n".join(sayable(text.split("\n"))) for text in written) if text]
    draws = [variety(Random(draw).sample(mine, min(asked.n, len(mine)))) for draw in range(DRAWS)]
    _show("the person", *map(mean, zip(*draws, strict=True)))
    _show("the adapter", *variety(asyncio.run(some_tweets(settings, asked.n, asked.seed, None))))


def _show(who: str, openings: float, near: float, commonest: float) -> None:
    print(f"{who:12} {openings:6.1f} openings {near:6.1f} near-duplicates {commonest:6.1%} begin with the commonest")


if __name__ == "__main__":
    main()
