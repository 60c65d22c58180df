"""What the current adapter makes of the transcript: of quotes, of who speaks next, and of what is not words.

    python -m bench.reading [--config persona.toml] [-n 400] [--json FILE]

Held-out replies alone. quotes: replies that answer something else than the turn before them, with what they quote and without it.
turns: how well the model knows whether the persona speaks next (AUC), beside the bigram of speakers and a constant. not words:
the share of replies that are a reaction or hold a sticker or an emoji, the persona's own beside the adapter's.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import structs

from engine.backends.transformers_engine import open_bundle_model
from engine.choose import encoding_of, open_voice_of
from engine.dequantise import located_base
from engine.voice import Voice
from persona.bundle import current
from persona.config import load
from persona.emoji import emoji_of
from persona.markers import is_reaction, sticker_of, words_of
from persona.transcript import UNKNOWN
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.generation import generate
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import CANDIDATES, LikelihoodScorer, bits_per_character, relevance
from trainer.evaluate.next_speaker import bigrams, calibrated, held_out_talk, scored, speaking_rate
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reply_contexts

Figures = dict[str, Figure | None]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("-n", type=int, default=400, help="replies and places, evenly spaced")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    settings = load(chosen.config)
    corpus, bundle = load_corpus(settings), current(settings.adapters)
    voice = open_voice_of(settings, bundle)
    model = open_bundle_model(bundle, str(located_base(settings)), merge=False)
    scorer = LikelihoodScorer(model, encoding_of(bundle), bundle.seal)
    contexts = reply_contexts(corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), bundle.seal.speaker)
    found = quotes(scorer, contexts) | turns(voice, corpus, chosen.n) | not_words(voice, corpus, contexts, chosen.n)
    for name, figure in found.items():
        shown = f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})" if figure else "too few"
        print(f"{name:44} {shown}")
    if chosen.json:
        plain = {name: figure and [figure.value, figure.low, figure.high] for name, figure in found.items()}
        chosen.json.write_text(json.dumps(plain, indent=1) + "\n")


def quotes(scorer: LikelihoodScorer, contexts: Sequence[ReplyContext]) -> Figures:
    """Bits a character and R10@1 of replies that quote, with the quote and without."""
    quoting = [context for context in contexts if context.real.quote]
    bare = [replace(context, real=structs.replace(context.real, quote=None)) for context in quoting]
    print(f"{len(contexts)} held-out replies, {len(quoting)} of them quote what they answer")
    figures: Figures = {}
    for name, asked in (("with its quote", quoting), ("without", bare)):
        bits = scorer.bits([(context, context.real) for context in asked]) if asked else None
        figures[f"bits a character, {name}"] = None if bits is None else bits_per_character(bits)
        enough = len(asked) >= CANDIDATES
        figures[f"R10@1, {name}"] = relevance(scorer, asked, time.monotonic() + 600) if enough else None
    return figures


def turns(voice: Voice, corpus: Corpus, most: int) -> Figures:
    """AUC of whether the persona speaks next: the model, the bigram of speakers; its share of turns at each threshold."""
    me = voice.seal.speaker
    bigram = bigrams(corpus.in_split(TRAIN), me)
    calibration, test = (
        scored(voice, held_out_talk(corpus, split, me), bigram, most=most) for split in (CALIBRATION_SPLIT, TEST_SPLIT)
    )
    if test is None:
        return {"AUC of who speaks next, model": None}
    print(f"{len(test.spoke)} places, the persona speaks next in {test.spoke.mean():.0%}")
    figures: Figures = {
        "AUC of who speaks next, model": test.auc(test.log_probs),
        "AUC of who speaks next, bigram of speakers": test.auc(test.bigrams),
    }
    if learned := calibrated(calibration, speaking_rate(corpus.in_split(TRAIN, CALIBRATION_SPLIT), me)):
        figures["share of turns over the person's"] = test.share(learned.threshold(1.0))
        figures["the same, unprompted = 0.5"] = test.share(learned.threshold(0.5))
    return figures


def not_words(voice: Voice, corpus: Corpus, contexts: Sequence[ReplyContext], most: int) -> Figures:
    """Shares of turns that are a reaction, or hold a sticker or an emoji: the person's, and of so many replies of the
    adapter's, asked for more than once where few were held out."""
    me = voice.seal.speaker
    real = [turn.lines for record in corpus.conversations for turn in record.conversation.turns if turn.speaker == me]
    asked = evenly_spaced(contexts, most)
    seeds = range(-(-most // max(1, len(asked))))
    replies = [reply.lines for seed in seeds for reply in generate(voice, asked, seed) if reply.lines]
    figures: Figures = {}
    for whose, said in (("real", [lines for lines in real if lines != (UNKNOWN,)]), ("adapter", replies)):
        for kind, is_so in KINDS.items():
            hits = np.array([is_so(lines) for lines in said], dtype=float)
            figures[f"share of turns, {kind}, {whose}"] = bootstrap(lambda some: float(some.mean()), hits)
    return figures


KINDS: dict[str, Callable[[tuple[str, ...]], bool]] = {
    "a reaction": is_reaction,
    "with a sticker": lambda lines: any(map(sticker_of, lines)),
    "with an emoji": lambda lines: any(emoji_of(words_of(line)) for line in lines),
}

if __name__ == "__main__":
    main()
