"""How alike, measured as docs/likeness.md defines it, beside what fakes reach: one table from one run.

    python bench/likeness.py PATH/tinyshakespeare.txt            three seeds (14 minutes)
    python bench/likeness.py PATH/tinyshakespeare.txt --quick    one seed, the base grown for two minutes

The eight speakers with the most messages each get an adapter on one base grown from scratch; a fifth of their messages is
held out for each judge, since the file is small. Fakes: a Markov chain of order 2, a bot that copies training messages,
training messages with their words shuffled, the base without adapter. All eight speak at one and the same setting, chosen on
judge A with the first seed's adapters; the table is judge B's, who has read judge A's messages too. The voices speak through
engine, guard and all, as they will.
"""

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from engine.choose import open_engine
from engine.voice import Voice
from persona.bundle import BaseModelSeal, Bundle, Seal, Speaker
from persona.config import Persona, Settings, load
from persona.encoding import Encoding
from persona.guard import Guard, build
from persona.sampling import SamplingParams
from trainer.adapter.setup import build_setup, chosen_learning_rate, with_logit_bias
from trainer.base.loading import open_base
from trainer.bundle.gguf_file import write_gguf
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN, assign_splits
from trainer.corpus.store import Corpus
from trainer.evaluate import copying, diversity, markov
from trainer.evaluate.calibration import MAX_DISTINCT_CHANGE, MAX_LENGTH_RATIO, MAX_TWO_SAMPLE, VOICE_RATIO_CAP
from trainer.evaluate.generation import generate
from trainer.evaluate.reference_set import common_words
from trainer.evaluate.reply_context import reply_contexts, texts_by_speaker
from trainer.evaluate.shape import length_distance
from trainer.evaluate.two_sample import area, scores
from trainer.evaluate.voice_ratio import among_speakers
from trainer.ingest.pipeline import import_exports
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import train_adapter
from trainer.loop.loss import Loss
from trainer.progress import Bars

SPEAKERS = 8
HELD_OUT = 0.2  # of each speaker's messages, for each judge
LONGEST = 256  # tokens of an answer: one in 33 is longer in plays
CUTS = ((1.0, 1.0), (1.0, 0.95), (0.9, 1.0), (0.9, 0.95), (0.8, 1.0))  # temperature, top_p

Texts = Mapping[str, Sequence[str]]  # what each speaker says


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table, over all speakers. distinct_2: over the human one; length: over the distance between human
    and human."""

    voice_ratio: float
    low: float
    high: float
    two_sample: float
    distinct_2: float
    duplicates: float
    length: float
    copy8: float
    full: float

    @property
    def violation(self) -> float:
        """How far outside the bounds of the calibration."""
        outside = (
            abs(self.distinct_2 - 1) - MAX_DISTINCT_CHANGE,
            0.1 * (self.length - MAX_LENGTH_RATIO),
            self.two_sample - MAX_TWO_SAMPLE,
        )
        return sum(max(0.0, one) for one in outside)


@dataclass(frozen=True, slots=True)
class Speaking:
    """A speaker's voice with their adapter and without, and the loss on their held-out messages."""

    tuned: Voice
    plain: Voice
    loss: Loss
    loss_plain: Loss


class ReferenceSet:
    """What one judge measures all speakers against. read: whether the judge of voices has read the other one's messages."""

    def __init__(self, corpus: Corpus, part: str, keys: Sequence[str], other: str, *, read: bool) -> None:
        self.asked = {key: reply_contexts(corpus.in_split(part), key) for key in keys}
        self.real = {key: [one.text for one in found] for key, found in self.asked.items()}
        apart = {key: [one.text for one in reply_contexts(corpus.in_split(other), key)] for key in keys}
        self._read = apart if read else {}
        self._usual = length_distance(pooled(apart), pooled(self.real))
        self._training = copying.training_grams(
            text for said in texts_by_speaker(corpus.in_split(TRAIN)).values() for text in said
        )

    def said(self, voices: Mapping[str, Voice], seed: int) -> Texts:
        """What each voice says on its occasions."""
        replies = {key: generate(voice, self.asked[key], seed) for key, voice in voices.items()}
        return {key: [one.text for one in found if one.lines] for key, found in replies.items()}

    def measured(self, texts: Texts, told_by: Texts | None = None) -> Measured:
        """The row of these texts. told_by: texts to tell the speakers by instead."""
        ratio = among_speakers(self.real, told_by or texts, self._read)
        ours, real = pooled(texts), pooled(self.real)
        words = common_words(ours, real)
        return Measured(
            ratio.value,
            ratio.low,
            ratio.high,
            area(*scores(real, ours)),
            diversity.distinct(ours, 2, words) / diversity.distinct(real, 2, words),
            diversity.duplicates(ours).value,
            length_distance(ours, real) / max(self._usual, 0.02),
            copying.copy_share(ours, self._training).value,
            copying.whole_share(ours, self._training).value,
        )


def pooled(texts: Texts) -> list[str]:
    """Everybody's texts in one order: contiguous folds of it hold a fifth of each."""
    placed = sorted((place / len(said), key, text) for key, said in texts.items() for place, text in enumerate(said))
    return [text for _, _, text in placed]


def main() -> None:
    """Import, grow, train, speak, and print the table."""
    parser = argparse.ArgumentParser(description="How alike, beside what fakes reach")
    parser.add_argument("path", type=Path, help="tinyshakespeare.txt, or any file of `Name:` lines and what they said")
    parser.add_argument("--quick", action="store_true", help="one seed, the base grown for two minutes")
    parser.add_argument("--home", type=Path, help="where corpus and base are kept for the next time")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as fresh, Bars() as bars:
        home = chosen.home or Path(fresh)
        home.mkdir(exist_ok=True)
        settings = load(written(home, chosen.path, minutes=2 if chosen.quick else 5))
        corpus = import_exports(settings, settings.sources, fresh=True, bars=bars).corpus
        consenting = {person.key for person in corpus.people.values() if person.consent}
        corpus = replace(corpus, splits=assign_splits(corpus.conversations, consenting, {}, HELD_OUT))
        found = table(settings, corpus, sorted(consenting), 1 if chosen.quick else 3, bars)
    print(json.dumps({**found, "minutes": round((time.monotonic() - began) / 60, 1)}, indent=1))


def written(home: Path, path: Path, minutes: float) -> Path:
    """Settings in which the most talkative speakers of the file consent."""
    names = Counter(re.findall(r"(?m)^([A-Z][^\n:]{0,40}):$", path.read_text(encoding="utf-8"))).most_common(SPEAKERS)
    people = "".join(f'[people."{name.upper()}"]\nnames = ["{name}"]\nconsent = true\n' for name, _ in names)
    file = home / "persona.toml"
    file.write_text(
        f'[persona]\nname = "{names[0][0]}"\n{people}[data]\nsources = ["{path.absolute()}"]\npseudonyms = false\n'
        f"[base]\nminutes = {minutes}\n",
        encoding="utf-8",
    )
    return file


def table(settings: Settings, corpus: Corpus, keys: Sequence[str], seeds: int, bars: Bars) -> dict[str, Any]:
    """The rows, averaged over seeds; the fakes need none."""
    first = ReferenceSet(corpus, CALIBRATION_SPLIT, keys, TEST_SPLIT, read=False)
    second = ReferenceSet(corpus, TEST_SPLIT, keys, CALIBRATION_SPLIT, read=True)
    rows = {name: [second.measured(texts)] for name, texts in fakes(corpus, second).items()}
    rows["human"] = [second.measured(first.real, told_by=second.real)]  # judge B knows the others by heart
    bits: list[list[float]] = []
    chosen: list[SamplingParams] = []  # one, by the first seed
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            voices = {
                key: speaking(settings, corpus, key, seed, Path(folder) / str(k), bars) for k, key in enumerate(keys)
            }
            chosen = chosen or [calibrated({key: one.tuned for key, one in voices.items()}, first)]
            for name, with_adapter in (("alterego", True), ("base without adapter", False)):
                picked = {key: one.tuned if with_adapter else one.plain for key, one in voices.items()}
                said = second.said({key: replace(one, sampling=chosen[0]) for key, one in picked.items()}, 101 + seed)
                rows.setdefault(name, []).append(second.measured(said))
        bits.append([together([getattr(one, side) for one in voices.values()]) for side in ("loss_plain", "loss")])
    return {
        "speakers": list(keys),
        "held-out messages": {"a": sum(map(len, first.asked.values())), "b": sum(map(len, second.asked.values()))},
        "rows": {name: averaged(found) for name, found in rows.items()},
        "bits per character without and with adapter": [
            round(statistics.mean(side), 4) for side in zip(*bits, strict=True)
        ],
        "sampling chosen on judge A": [{"temperature": one.temperature, "top_p": one.top_p} for one in chosen],
    }


def fakes(corpus: Corpus, second: ReferenceSet) -> dict[str, Texts]:
    """What beats one figure or another."""
    rng = random.Random(0)
    trained = {key: [one.text for one in reply_contexts(corpus.in_split(TRAIN), key)] for key in second.asked}
    counts = {key: len(found) for key, found in second.asked.items()}
    return {
        "Markov-2": {key: markov.sample_texts(markov.chain(said), counts[key]) for key, said in trained.items()},
        "copy-bot": {key: rng.choices(said, k=counts[key]) for key, said in trained.items()},
        "shuffled human": {key: shuffled(said, rng) for key, said in trained.items()},
    }


def shuffled(texts: Sequence[str], rng: random.Random) -> list[str]:
    """The same words in another order, in texts of the same lengths."""
    words = " ".join(texts).split()
    rng.shuffle(words)
    left = iter(words)
    return [" ".join(next(left) for _ in text.split()) for text in texts]


def speaking(settings: Settings, corpus: Corpus, key: str, seed: int, folder: Path, bars: Bars) -> Speaking:
    """Train the adapter of one speaker; its voice and the base's under the same header."""
    train = settings.train.model_copy(update={"seed": seed})
    mine = settings.model_copy(update={"persona": Persona(name=key), "train": train})
    base = open_base(settings, corpus, bars)
    setup = build_setup(mine, corpus, base)
    held_out, tokens = setup.calibration + setup.test, setup.fit.tokens
    seal = Seal(
        speaker=key,
        speakers={key: Speaker(name=key, tuned=True)},
        end_of_turn=base.encoding.end_of_turn,
        stops=base.stops,
        bos=base.encoding.bos,
        max_length=base.max_length,
        base=BaseModelSeal.model_validate(base.seal.model_dump()),
        precision="f16",
    )
    untuned = measure_loss(setup.model, held_out, tokens, base.encoding.end_of_turn)
    train_adapter(
        setup.model,
        setup.rows,
        setup.calibration,
        train,
        learning_rate=chosen_learning_rate(mine, base),
        fit=setup.fit,
        pad=base.encoding.end_of_turn,
        folder=folder / "work",
        callbacks=[],
        bars=bars,
        on_evaluate=lambda _step, _metrics: None,
    )
    model = with_logit_bias(mine, base, setup.model, setup.rows, corpus.in_split(TRAIN))
    tuned = measure_loss(model, held_out, tokens, base.encoding.end_of_turn)
    plain = open_base(settings, corpus, bars).model
    known = (turn.text for one in corpus.in_split(TRAIN) for turn in one.conversation.turns)
    guard = Guard(build(known, bytes(16)))
    return Speaking(
        voice_of(mine, model.merge_and_unload(), base.encoding, seal, folder / "tuned", guard),
        voice_of(mine, plain, base.encoding, seal, folder / "plain", guard),
        tuned,
        untuned,
    )


def voice_of(settings: Settings, model: Any, encoding: Encoding, seal: Seal, folder: Path, guard: Guard) -> Voice:
    """A voice on the engine that the daemon would choose."""
    folder.mkdir(parents=True)
    write_gguf(model, encoding, folder / "model.gguf")
    encoding.tokenizer.save(str(folder / "tokenizer.json"))
    return Voice(open_engine(settings, Bundle(folder, seal), encoding), encoding, seal, SamplingParams(), guard)


def calibrated(voices: Mapping[str, Voice], first: ReferenceSet) -> SamplingParams:
    """The setting that is best on judge A: inside the bounds, then the highest voice ratio."""

    def rank(sampling: SamplingParams) -> tuple[float, float]:
        said = first.said({key: replace(one, sampling=sampling) for key, one in voices.items()}, 0)
        found = first.measured(said)
        return (round(found.violation, 2), -min(found.voice_ratio, VOICE_RATIO_CAP))

    tried = (SamplingParams(temperature, top_p, min_p=0.0, max_new_tokens=LONGEST) for temperature, top_p in CUTS)
    return min(tried, key=rank)


def together(losses: Sequence[Loss]) -> float:
    """Bits a character over all speakers."""
    nats, characters = (sum(getattr(one, name) for one in losses) for name in ("nats", "characters"))
    return Loss(nats, 0, characters).bits_per_character


def averaged(found: Sequence[Measured]) -> dict[str, float]:
    """The mean of each figure."""
    return {one.name: round(statistics.mean(getattr(row, one.name) for row in found), 3) for one in fields(Measured)}


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
