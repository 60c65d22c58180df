"""What memory is worth: relevance with it and without, and facts with the window that holds them, another one, or none.

    python -m bench.recall [--config persona.toml] [--json FILE]      # of the bundle that speaks
    python -m bench.recall --sample FOLDER [--base MODEL] [--facts N]   # makes the sample with planted facts, trains, measures

A planted fact is an invented name or number that the persona says once, years later is asked for again, and answers. FOLDER keeps
what was made: a second run measures alone. seconds: of a look-up in the archive.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.backends.transformers_engine import open_bundle_model
from engine.choose import encoding_of
from engine.dequantise import located_base
from examples.make_sample import SampleMessage, make, write_telegram
from persona.archive.index import archive_of
from persona.bundle import Bundle, current
from persona.config import load
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.cloze import cloze, facts_of
from trainer.evaluate.intervals import Figure
from trainer.evaluate.likelihood import LikelihoodScorer, bits_per_character, relevance
from trainer.evaluate.reply_context import evenly_spaced, reminded, reply_contexts, unreminded

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120.0  # for each relevance
SCORED = 400  # replies whose bits are taken
COLOURS = "amber brass cobalt coral crimson indigo ivory jade khaki lilac maroon ochre olive pewter russet teal".split()
THINGS = "kettle lantern ladder drum kayak piano violin tent trunk clock stove mirror rug vase anvil bench".split()
_SYLLABLES = "zor vek lam trin bal quo mur dex fin osk pel gra hul jin tav wex".split()
FIRST_ASKED = ("so what did you call the {}?", "what's the number on the {}?")
ASKED_AGAIN = ("remind me, how is the {} called", "which number did the {} have again")
ANSWERS = ("it's {}", "{} i think", "{}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("--sample", type=Path, help="a folder to make the sample with planted facts in")
    parser.add_argument("--base", default="scratch", help="of that sample")
    parser.add_argument("--facts", type=int, default=240, help="planted")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    config = _made(chosen) if chosen.sample else chosen.config
    settings = load(config)
    figures = measured(load_corpus(settings), current(settings.adapters), str(located_base(settings)))
    for name, figure in figures.items():
        shown = f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})" if figure else "too few"
        print(f"{name:44} {shown}")
    if chosen.json:
        plain = {name: figure and figure.plain for name, figure in figures.items()}
        chosen.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def measured(corpus: Corpus, bundle: Bundle, base: str) -> dict[str, Figure | None]:
    """Return the figures of a bundle, on all held-out replies."""
    scorer = LikelihoodScorer(open_bundle_model(bundle, base, merge=False), encoding_of(bundle), bundle.seal)
    me, most = bundle.seal.speaker, bundle.seal.max_length
    contexts = reply_contexts(corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), me)
    with closing(archive_of(bundle)) as archive:
        began = time.monotonic()
        asked = reminded(contexts, archive, scorer.encoding, most, me)
        print(f"{1000 * (time.monotonic() - began) / max(1, len(contexts)):.1f} ms a look-up, {len(archive)} passages")
        facts = facts_of(asked, archive, me)
    print(
        f"{len(asked)} held-out replies, {sum(bool(each.memories) for each in asked)} with memories, {len(facts)} facts"
    )
    figures: dict[str, Figure | None] = {}
    for name, some in (("with memory", asked), ("without", [*map(unreminded, asked)])):
        scored = evenly_spaced(some, SCORED)
        figures[f"bits a character, {name}"] = bits_per_character(scorer.bits([(each, each.real) for each in scored]))
        figures[f"R10@1, {name}"] = relevance(scorer, some, time.monotonic() + SECONDS)
    measured_facts = cloze(scorer, facts)
    for title, key in FACTS.items():
        figures[title] = getattr(measured_facts, key) if measured_facts else None
    return figures


FACTS = {
    "nats of a fact, no memory": "nats",
    "nats that the right window saves": "gain",
    "nats that a wrong window costs": "harm",
    "facts whose window comes to mind": "found",
}


def planted(count: int, seed: int = 0) -> Iterator[SampleMessage]:
    """Yield a chat of two in the order of time: each fact is told once, and asked for twice, each in a talk of its own."""
    rng = random.Random(seed)
    things = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]
    told: list[tuple[datetime, str, str]] = []
    for number, thing in enumerate(rng.sample(things, count)):
        kind = number % 2
        fact = "".join(rng.sample(_SYLLABLES, 2)).capitalize() if kind == 0 else str(rng.randrange(1000, 10000))
        start = datetime(2020, 1, 1, 8, tzinfo=UTC) + timedelta(hours=30 * number)
        told.append((start, FIRST_ASKED[kind].format(thing), rng.choice(ANSWERS).format(fact)))
        for later in (400, 800):
            asked = f"{ASKED_AGAIN[kind].format(thing)}{'?' * (later == 400)}"
            told.append((start + timedelta(days=later, minutes=7 * number), asked, rng.choice(ANSWERS).format(fact)))
    for at, question, answer in sorted(told):
        yield SampleMessage("jonas", question, at)
        yield SampleMessage("mara", answer, at + timedelta(seconds=rng.randrange(20, 40)))


def _made(chosen: argparse.Namespace) -> Path:
    """Return the settings of a sample with planted facts, imported and trained on."""
    folder: Path = chosen.sample
    config = folder / "persona.toml"
    if not config.exists():
        make(folder / "exports", seed=7, tweet_count=600, chat_count=1500)
        write_telegram(folder / "exports" / "telegram-facts" / "result.json", list(planted(chosen.facts)))
        text = (ROOT / "examples" / "persona.toml").read_text(encoding="utf-8").replace("scratch", chosen.base)
        config.write_text(text, encoding="utf-8")
    for command in () if (folder / "adapters").exists() else (["import"], ["train", "--force"]):
        subprocess.run([sys.executable, "-m", "trainer", *command, "--config", str(config)], cwd=ROOT, check=True)
    return config


if __name__ == "__main__":
    main()
