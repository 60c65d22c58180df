"""What memory is worth: the same corpus learned with memory rows and without, and facts with the window that holds them,
another one, or none.

    python -m bench.recall [--config persona.toml]              # of the bundle that speaks
    python -m bench.recall --sample FOLDER --write docs/memory.md    # the sample with planted facts, learned both ways
    python -m bench.recall --sample FOLDER --untuned smollm2         # … and facts as a real base reads them, without an adapter

A planted fact is an invented name or number that the persona says once, and in later years is asked for again. Both adapters
stand on one base and are asked the same, with the archive of the one that has it. FOLDER keeps each step's outcome: a run that
was cut short goes on where it ended. Some twenty minutes on two quiet cores.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.real_base import write_between
from engine.backends.transformers_engine import open_bundle_model
from engine.choose import encoding_of, open_voice_of
from engine.dequantise import located_base
from examples.make_sample import SampleMessage, make, write_telegram
from persona.archive.index import archive_of
from persona.bundle import Bundle, current, open_bundle, read_seal
from persona.config import Settings, load
from trainer.base.loading import open_base
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.cloze import Fact, cloze, facts_of
from trainer.evaluate.evaluation import Scope, evaluate
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import LikelihoodScorer, bits_per_character, relevance
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reminded, reply_contexts, unreminded
from trainer.loop.lora import add_adapter
from trainer.progress import Bars

ROOT = Path(__file__).resolve().parent.parent
SCORED = 600  # replies whose bits are taken
TWEETS, CHATS, FACTS = 600, 1500, 480  # of the sample; so many facts make some 360 memory rows
MINUTES, SECONDS = 2.0, 75.0  # to grow the base; for each relevance and for the likeness of each adapter
COLOURS = (
    "amber brass cobalt coral crimson indigo ivory jade khaki lilac maroon ochre olive pewter russet teal azure beige cherry "
    "copper lemon mauve peach plum"
).split()
THINGS = (
    "kettle lantern ladder drum kayak piano violin tent trunk clock stove mirror rug vase anvil bench barrel bucket canoe "
    "cello desk globe hammock sledge"
).split()
_SYLLABLES = "zor vek lam trin bal quo mur dex fin osk pel gra hul jin tav wex".split()
FIRST_ASKED = (
    "what did you name the {}?",
    "what number is on the {}?",
)  # seven words: of eight and more, what is nearly
ASKED_AGAIN = ("what is the {} called again", "which number had the {} again")  # the same again is left out of a corpus
ANSWERS = ("it's {}", "{} i think", "{}")
YEARS_LATER = (400, 800)  # days after which a fact is asked for again
RESULT = "result.json"
VARIANTS = {"with": "learned with memories", "without": "without"}
MARKS = ("<!-- memory, made by `python -m bench.recall` -->", "<!-- end of memory -->")

Plain = list[float] | None  # value, low, high
Result = dict[str, dict[str, Any]]


def main() -> None:
    """Measure what is not measured yet, and print the figures."""
    chosen = _arguments()
    if chosen.sample:
        table = _compared(chosen)
    else:
        settings = load(chosen.config)
        bundle = current(settings.adapters)
        parts = _parts(settings, load_corpus(settings), bundle, bundle, chosen.seconds)
        table = table_of({"with": {key: figure for part in parts.values() for key, figure in part().items()}})
    print(table)
    if chosen.write:
        write_between(chosen.write, table, MARKS)


def _compared(chosen: argparse.Namespace) -> str:
    """Return the table of a sample with planted facts; what is in its folder already is not done again."""
    folder: Path = chosen.sample
    _make(folder, chosen)
    result: Result = json.loads((folder / RESULT).read_text("utf-8")) if (folder / RESULT).is_file() else {}
    for variant in VARIANTS:
        if "bundle" not in result.setdefault(variant, {}):
            _say(f"training {VARIANTS[variant]}")
            began = time.monotonic()
            bundle = Path(_trainer("train", folder / f"{variant}.toml", "--force", "--if-changed")["bundle"])
            minutes = (time.monotonic() - began) / 60
            steps = read_seal(bundle).metrics["steps"]
            _keep(folder, result, variant, {"bundle": str(bundle), "steps": steps, "minutes": round(minutes, 1)})
    opened = {variant: open_bundle(Path(result[variant]["bundle"])) for variant in VARIANTS}
    for variant in VARIANTS:
        settings = load(folder / f"{variant}.toml")
        parts = _parts(settings, load_corpus(settings), opened[variant], opened["with"], chosen.seconds)
        for name, part in parts.items():
            if name not in result[variant]:
                _say(f"{VARIANTS[variant]}: {name}")
                _keep(folder, result, variant, {**part(), name: True})
    if chosen.untuned and chosen.untuned not in result:
        _say(f"{chosen.untuned}, untuned")
        asked = Asked(settings, load_corpus(settings), opened["with"], opened["with"], chosen.untuned)
        figures = {**asked.facts_figures(), **asked.relevance_figures(chosen.seconds, kinds=["_facts"])}
        _keep(folder, result, chosen.untuned, figures)
    return table_of(result)


def _make(folder: Path, chosen: argparse.Namespace) -> None:
    """Write the exports, the settings of both variants, and the corpus that they share."""
    if not (folder / "exports").exists():
        make(folder / "exports", seed=7, tweet_count=chosen.tweets, chat_count=chosen.chats)
        facts = folder / "exports" / "telegram-facts" / "result.json"
        write_telegram(facts, list(planted(chosen.facts)), "lost and found", 4200000002)
    text = (ROOT / "examples" / "persona.toml").read_text(encoding="utf-8")
    text = text.replace('model = "scratch"', f"model = {json.dumps(chosen.base)}")
    text = text.replace("minutes = 2 ", f"minutes = {chosen.minutes} ")
    for variant in VARIANTS:
        own = re.sub(r'\nmemory = "auto"', f"\nmemory = {'true' if variant == 'with' else 'false'}", text, count=1)
        (folder / f"{variant}.toml").write_text(own, encoding="utf-8")
    if not (folder / "corpus").exists():
        _trainer("import", folder / "with.toml")


def _trainer(command: str, config: Path, *more: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "trainer", command, "--config", str(config), "--json", *more]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _keep(folder: Path, result: Result, variant: str, more: Mapping[str, Any]) -> None:
    result[variant] = {**result.get(variant, {}), **more}
    fresh = folder / f".{RESULT}"
    fresh.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    fresh.replace(folder / RESULT)


def _say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def _parts(
    settings: Settings, corpus: Corpus, bundle: Bundle, remembering: Bundle, seconds: float
) -> dict[str, Callable[[], dict[str, Plain]]]:
    """Return what is measured of a bundle, by name. remembering: the one whose archive reminds. seconds: of the longer
    parts."""
    asked = Asked(settings, corpus, bundle, remembering)
    return {
        "facts": asked.facts_figures,
        "bits": asked.bits_figures,
        "relevance": lambda: asked.relevance_figures(seconds),
        "likeness": lambda: likeness(settings, corpus, bundle, seconds),
    }


@dataclass
class Asked:
    """The held-out replies of a corpus as a bundle is asked for them, or a base without an adapter; loaded when they are
    needed."""

    settings: Settings
    corpus: Corpus
    bundle: Bundle
    remembering: Bundle
    untuned: str = ""

    @cached_property
    def scorer(self) -> LikelihoodScorer:
        """Return what tells how likely the bundle, or the base, finds a text."""
        if self.untuned:
            return self._untuned_scorer()
        model = open_bundle_model(self.bundle, str(located_base(self.settings)), merge=False)
        return LikelihoodScorer(model, encoding_of(self.bundle), self.bundle.seal)

    def _untuned_scorer(self) -> LikelihoodScorer:
        base = self.settings.base.model_copy(update={"model": self.untuned, "revision": "main"})
        opened = open_base(self.settings.model_copy(update={"base": base}), self.corpus, Bars(quiet=True))
        ends = {"end_of_turn": opened.encoding.end_of_turn, "bos": opened.encoding.bos}
        model = add_adapter(opened.model, self.settings.train).eval()  # which changes nothing before it is trained
        return LikelihoodScorer(model, opened.encoding, self.bundle.seal.model_copy(update=ends))

    @cached_property
    def replies(self) -> tuple[list[ReplyContext], list[Fact]]:
        """Return the replies with what comes to mind before each, and the facts in them."""
        me = self.bundle.seal.speaker
        contexts = reply_contexts(self.corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), me)
        with closing(archive_of(self.remembering)) as archive:
            asked = reminded(contexts, archive, self.scorer.encoding, self.bundle.seal)
            facts = facts_of(asked, archive, me)
        with_memories = sum(bool(each.memories) for each in asked)
        _say(f"{len(asked)} held-out replies, {with_memories} with memories, {len(facts)} facts")
        return asked, facts

    def facts_figures(self) -> dict[str, Plain]:
        """Return nats of facts, and how often the right window comes to mind."""
        measured = cloze(self.scorer, self.replies[1])
        if measured is None:
            return {}
        nats = {"none": measured.none, "right": measured.right, "wrong": measured.wrong}
        return {
            **{f"nats_{name}": bootstrap(_mean, values).plain for name, values in nats.items()},
            "gain": measured.gain.plain,
            "harm": measured.harm.plain,
            "recalled": measured.found.plain,
        }

    def bits_figures(self) -> dict[str, Plain]:
        """Return bits a character of the replies, reminded and not."""
        scored = evenly_spaced(self.replies[0], SCORED)
        return {
            f"bits_{name}": bits_per_character(self.scorer.bits([(each, each.real) for each in some])).plain
            for name, some in (("reminded", scored), ("unreminded", [*map(unreminded, scored)]))
        }

    def relevance_figures(self, seconds: float, kinds: Sequence[str] = ("", "_facts")) -> dict[str, Plain]:
        """Return R10@1 of all replies and of those with a fact, reminded and not. seconds: for each."""
        asked, facts = self.replies
        figures: dict[str, Plain] = {}
        for kind in kinds:
            some = [fact.context for fact in facts] if kind else asked
            for name, replies in (("reminded", some), ("unreminded", [*map(unreminded, some)])):
                figures[f"r10{kind}_{name}"] = _plain(relevance(self.scorer, replies, time.monotonic() + seconds))
        return figures


def likeness(settings: Settings, corpus: Corpus, bundle: Bundle, seconds: float) -> dict[str, Plain]:
    """Return the likeness of what a bundle says, with its own archive if it has one."""
    voice = open_voice_of(settings, bundle)
    measured = evaluate(settings, corpus, bundle, voice, Scope(seconds, full=False), Bars(quiet=True))
    tuned = measured.rows.get("tuned", {})
    figures = {key: _plain(tuned.get(key)) for key in ("voice_ratio", "two_sample", "distinct_2", "copy8", "full")}
    return figures | {"membership": _plain(measured.figures.get("membership"))}


FIGURES = {
    "gain": "nats that the right window saves (aim: 1 or more)",
    "harm": "nats that a wrong window costs (aim: .1 at most)",
    "nats_none": "nats of a fact, no window",
    "nats_right": "with the right window",
    "nats_wrong": "with a wrong window",
    "recalled": "facts whose window comes to mind",
    "r10_facts_reminded": "R10@1 of replies with a fact, reminded",
    "r10_facts_unreminded": "not reminded",
    "r10_reminded": "R10@1 of all replies, reminded",
    "r10_unreminded": "not reminded",
    "bits_reminded": "bits a character, reminded",
    "bits_unreminded": "not reminded",
    "voice_ratio": "voice ratio",
    "two_sample": "C2ST",
    "distinct_2": "distinct-2",
    "copy8": "copy8",
    "full": "verbatim",
    "membership": "membership",
}


def table_of(result: Result) -> str:
    """Return the figures as a table in Markdown, a column a variant, each with its interval."""
    titles = [VARIANTS.get(variant, f"{variant}, untuned") for variant in result]
    rows = [["", *titles], ["---"] * (1 + len(titles))]
    rows += [[title, *(_cell(figures.get(key)) for figures in result.values())] for key, title in FIGURES.items()]
    steps = [f"{each['steps']}, {each['minutes']}" if "steps" in each else "" for each in result.values()]
    rows += [["steps, minutes of training", *steps]] if any(steps) else []
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def _cell(figure: Plain) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*figure) if figure else ""


def _plain(figure: Figure | None) -> Plain:
    return figure.plain if figure else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def planted(count: int, seed: int = 0) -> Iterator[SampleMessage]:
    """Yield a chat of two in the order of time: each fact is told once, and asked for again later, each time in a talk of its
    own."""
    rng = random.Random(seed)
    things = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]
    told: list[tuple[datetime, str, str]] = []
    for number, thing in enumerate(rng.sample(things, count)):
        kind = number % 2
        fact = "".join(rng.sample(_SYLLABLES, 2)).capitalize() if kind == 0 else str(rng.randrange(1000, 10000))
        start = datetime(2020, 1, 1, 8, tzinfo=UTC) + timedelta(hours=30 * number)
        told.append((start, FIRST_ASKED[kind].format(thing), rng.choice(ANSWERS).format(fact)))
        for later in YEARS_LATER:
            asked = f"{ASKED_AGAIN[kind].format(thing)}{'?' * (later == YEARS_LATER[0])}"
            told.append((start + timedelta(days=later, minutes=7 * number), asked, rng.choice(ANSWERS).format(fact)))
    for at, question, answer in sorted(told):
        yield SampleMessage("jonas", question, at)
        yield SampleMessage("mara", answer, at + timedelta(seconds=rng.randrange(20, 40)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("--sample", type=Path, help="a folder for the sample with planted facts and what comes of it")
    parser.add_argument("--base", default="scratch", help="of that sample")
    parser.add_argument("--untuned", default="", help="a real base that is asked for the facts without an adapter")
    parser.add_argument("--tweets", type=int, default=TWEETS)
    parser.add_argument("--chats", type=int, default=CHATS, help="messages in each of its two groups")
    parser.add_argument("--facts", type=int, default=FACTS, help="planted")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="to grow its base")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each of the longer measurements")
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
