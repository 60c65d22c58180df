"""The battery: every figure of a set of texts, on the ground of one held-out part of the corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persona.word_tokens import word_tokens
from trainer.corpus.segmentation import ConversationRecord
from trainer.evaluate import copying, diversity, shape
from trainer.evaluate.copying import Known
from trainer.evaluate.intervals import Figure
from trainer.evaluate.judges import masked
from trainer.evaluate.reply_context import Occasion, occasions, texts_by_speaker
from trainer.evaluate.two_sample import two_sample
from trainer.evaluate.voice_ratio import Bench, voice_ratio

FEWEST = 20  # texts of a speaker in a part; below, nothing is told of them
WANTED = 500  # messages that give narrow intervals

Row = dict[str, Figure | None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What texts are measured against: one held-out part. mine: the persona's occasions. others: what other people said
    there, those who said enough. bench, masked, single: judges of bundles, of bundles with capitalised words hidden, and
    of single messages; None where there is nobody to tell the persona from."""

    mine: Sequence[Occasion]
    others: Mapping[str, Sequence[str]]
    training: Known
    bench: Bench | None
    masked: Bench | None
    single: Bench | None

    @property
    def real(self) -> list[str]:
        """What the persona really said."""
        return [one.text for one in self.mine]


def ground(part: Sequence[ConversationRecord], persona: str, training: Known, *, full: bool = True) -> Ground:
    """The ground that a held-out part makes. full: with the judges of masked bundles and of single messages too."""
    mine = occasions(part, persona)
    said = texts_by_speaker(part)
    others = {name: texts for name, texts in said.items() if name != persona and len(texts) >= FEWEST}
    real = [one.text for one in mine]
    judged = bool(others) and len(real) >= FEWEST
    return Ground(
        mine,
        others,
        training,
        Bench(real, others) if judged else None,
        Bench(real, others, seen=masked) if judged and full else None,
        Bench(real, others, size=0) if judged and full else None,
    )


def rows(here: Ground, voices: Mapping[str, Sequence[str]]) -> dict[str, Row]:
    """Every figure of each voice's texts; distinct-n on as many words of each as all have."""
    kept = {name: texts for name, texts in voices.items() if len(texts) >= FEWEST}
    if len(here.mine) < FEWEST or not kept:
        return {}
    words = common_words(here.real, *kept.values())
    return {name: _row(here, texts, words) for name, texts in kept.items()}


def _row(here: Ground, texts: Sequence[str], words: int) -> Row:
    return {
        "voice_ratio": _ratio(here.bench, texts),
        "voice_ratio_masked": _ratio(here.masked, texts),
        "voice_ratio_message": _ratio(here.single, texts),
        "two_sample": two_sample(here.real, texts),
        "distinct_1": diversity.distinct_figure(texts, 1, words),
        "distinct_2": diversity.distinct_figure(texts, 2, words),
        "duplicates": diversity.duplicates(texts),
        "shape": shape.shape(texts, here.real),
        "copy8": copying.copy_share(texts, here.training),
        "full": copying.whole_share(texts, here.training),
    }


def common_words(*many: Sequence[str]) -> int:
    """The number of words on which texts can be compared: as many as the shortest has, at most 5,000."""
    return min(diversity.WORDS, *(sum(len(word_tokens(text)) for text in texts) for texts in many))


def _ratio(bench: Bench | None, texts: Sequence[str]) -> Figure | None:
    return voice_ratio(bench.decisions(texts)) if bench else None
