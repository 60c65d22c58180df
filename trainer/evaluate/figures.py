"""The registry of figures: what a row here says appears in the table, in JSON, in report.html and in docs/likeness.md.

To add one: a function that measures it, and a row. Its key is what the seal and --json call it, so it never changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trainer.evaluate import copying, diversity, shape
from trainer.evaluate.intervals import Figure
from trainer.evaluate.model_sample import ModelSample
from trainer.evaluate.reference_set import MIN_TEXTS, ReferenceSet, common_words
from trainer.evaluate.reply_sample import ReplySample
from trainer.evaluate.two_sample import two_sample
from trainer.evaluate.voice_ratio import PersonaJudge, voice_ratio

Row = dict[str, Figure | None]


@dataclass(frozen=True, slots=True)
class TextSample:
    """Texts of one voice and what they are measured against. words: on how many distinct n-grams are counted."""

    texts: Sequence[str]
    references: ReferenceSet
    words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSpec:
    """How people read a figure. means: what it says. good: which way is good. number: a format specification. fake: what
    beats it alone."""

    title: str
    means: str
    good: str
    number: str = ".2f"
    fake: str = ""

    def text(self, value: float) -> str:
        """Return a value as people read it."""
        return format(value, self.number)

    def with_interval(self, figure: Sequence[float]) -> str:
        """Return [value, low, high] as people read it: the value, and half of its interval to either side."""
        value, low, high = figure
        return f"{self.text(value)} ±{self.text((high - low) / 2)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFigure(FigureSpec):
    """A figure of any voice's texts. low, high: the ends of its scale in the report."""

    measure: Callable[[TextSample], Figure | None]
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure(FigureSpec):
    """A figure of the adapter itself. leak: whether it tells what leaks. slow: only measured if there is time."""

    measure: Callable[[ModelSample], Figure | None]
    leak: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFigure(FigureSpec):
    """A figure of replies to the same contexts, measured where there is a rival to compare with."""

    measure: Callable[[ReplySample], Figure | None]


def _ratio(judge: Callable[[ReferenceSet], PersonaJudge | None]) -> Callable[[TextSample], Figure | None]:
    def measure(sample: TextSample) -> Figure | None:
        judges = judge(sample.references)
        return voice_ratio(judges.decisions(sample.texts)) if judges else None

    return measure


TEXT_FIGURES: Mapping[str, TextFigure] = {
    "voice_ratio": TextFigure(
        title="voice ratio",
        means="how often judges take it for the person: 0 is chance, 1 is the person. Bundles of 400 characters; logistic "
        "regression on character 2-4-grams and function words",
        good="near 1",
        fake="a bot that copies",
        measure=_ratio(lambda references: references.judge),
        high=1.3,
    ),
    "voice_ratio_masked": TextFigure(
        title="voice ratio, masked",
        means="the same with capitalised words masked",
        good="near 1",
        measure=_ratio(lambda references: references.masked),
        high=1.3,
    ),
    "voice_ratio_message": TextFigure(
        title="voice ratio, single",
        means="the same on single messages",
        good="near 1",
        measure=_ratio(lambda references: references.single_judge),
        high=1.3,
    ),
    "two_sample": TextFigure(
        title="C2ST",
        means="how often a classifier tells real from imitated; .5 is chance",
        good="near .5, at most .70",
        fake="a Markov chain of a person who repeats themselves",
        measure=lambda sample: two_sample(sample.references.real, sample.texts),
        low=0.4,
    ),
    "distinct_1": TextFigure(
        title="distinct-1",
        means="different words, as a share of equally many words of each",
        good="within 5% of yours",
        measure=lambda sample: diversity.distinct_figure(sample.texts, 1, sample.words),
    ),
    "distinct_2": TextFigure(
        title="distinct-2",
        means="different pairs of words, as a share of equally many words of each",
        good="within 5% of yours",
        fake="a bot that copies",
        measure=lambda sample: diversity.distinct_figure(sample.texts, 2, sample.words),
    ),
    "duplicates": TextFigure(
        title="duplicates",
        means="messages that were there before",
        good="at most twice yours",
        number=".1%",
        measure=lambda sample: diversity.duplicates(sample.texts),
        high=0.5,
    ),
    "shape": TextFigure(
        title="shape",
        means="distance of lengths, punctuation, endings, case, emoji, bursts and small words; 0 is the same",
        good="low",
        fake="shuffled words",
        measure=lambda sample: shape.shape(sample.texts, sample.references.real),
        high=0.8,
    ),
    "new_pairs": TextFigure(
        title="new pairs",
        means="pairs of words that no training message has: shuffled words have many, a patchwork of copies has none",
        good="near yours",
        number=".1%",
        measure=lambda sample: copying.new_pairs(sample.texts, sample.references.training),
    ),
    "copy8": TextFigure(
        title="copy8",
        means="words inside a run of eight from the training messages",
        good="low, at most half a point above yours",
        number=".1%",
        measure=lambda sample: copying.copy_share(sample.texts, sample.references.training),
    ),
    "full": TextFigure(
        title="full",
        means="whole training messages of six words or more",
        good="0",
        number=".1%",
        measure=lambda sample: copying.whole_share(sample.texts, sample.references.training),
    ),
}

MODEL_FIGURES: Mapping[str, ModelFigure] = {
    "bits_per_character": ModelFigure(
        title="bits per character",
        means="of held-out messages, with the adapter",
        good="low, below the base",
        number=".3f",
        measure=ModelSample.bits_per_character,
    ),
    "bits_per_character_base": ModelFigure(
        title="bits per character, base",
        means="the same without the adapter",
        good="for comparison",
        number=".3f",
        measure=ModelSample.bits_per_character_base,
    ),
    "bits_per_character_trivial": ModelFigure(
        title="bits per character, letters",
        means="the same by a table of which letter follows which four: a model that knows no word",
        good="for comparison",
        number=".3f",
        measure=ModelSample.bits_per_character_trivial,
    ),
    "new_pairs_shuffled": ModelFigure(
        title="new pairs, shuffled",
        means="new pairs of your own held-out messages with the words of each in any order",
        good="for comparison",
        number=".1%",
        measure=ModelSample.new_pairs_shuffled,
    ),
    "membership": ModelFigure(
        title="membership",
        means="how often a training message is likelier to it than a held-out one; .5 is nothing",
        good="near .5, at most .60",
        leak=True,
        measure=ModelSample.membership,
    ),
    "attribution": ModelFigure(
        title="attribution",
        means="how often the adapter gains more on the person's message than on another's; .5 is chance",
        good="high",
        measure=ModelSample.attribution,
    ),
    "relevance": ModelFigure(
        title="relevance",
        means="how often the real answer is found among ten by its question; .1 is chance",
        good="high",
        slow=True,
        measure=ModelSample.relevance,
    ),
    "relevance_unreminded": ModelFigure(
        title="relevance, no memory",
        means="the same without what comes to mind from the archive",
        good="for comparison",
        slow=True,
        measure=ModelSample.relevance_unreminded,
    ),
    "fact_nats": ModelFigure(
        title="a fact",
        means="nats of a name, number or place in your held-out replies that was said before, without a memory",
        good="for comparison",
        slow=True,
        measure=ModelSample.fact_nats,
    ),
    "fact_gain": ModelFigure(
        title="a fact remembered",
        means="nats that the window saves in which it was said",
        good="high, at least 1",
        slow=True,
        measure=ModelSample.fact_gain,
    ),
    "fact_harm": ModelFigure(
        title="a fact misremembered",
        means="nats that another window costs",
        good="low, at most .1",
        slow=True,
        measure=ModelSample.fact_harm,
    ),
    "fact_recalled": ModelFigure(
        title="facts recalled",
        means="of those a window that holds it came to mind",
        good="high",
        number=".1%",
        slow=True,
        measure=ModelSample.fact_recalled,
    ),
    "guard_objects": ModelFigure(
        title="held back",
        means="of what it would say is held back by the guard",
        good="low",
        number=".1%",
        leak=True,
        measure=ModelSample.guard_objects,
    ),
    "guard_silences": ModelFigure(
        title="silences",
        means="of replies end in silence after four tries",
        good="low",
        number=".1%",
        leak=True,
        measure=ModelSample.guard_silences,
    ),
    "guard_blocks_real": ModelFigure(
        title="real messages held back",
        means="of your own new messages the guard would hold back: what it costs",
        good="low",
        number=".1%",
        leak=True,
        measure=ModelSample.guard_blocks_real,
    ),
    "copy8_unguarded": ModelFigure(
        title="copy8, unguarded",
        means="of its words inside a copied run, before the guard",
        good="low",
        number=".1%",
        leak=True,
        measure=ModelSample.copy8_unguarded,
    ),
    "full_unguarded": ModelFigure(
        title="full, unguarded",
        means="whole training messages, before the guard",
        good="low",
        number=".1%",
        leak=True,
        measure=ModelSample.full_unguarded,
    ),
    "turn_auc": ModelFigure(
        title="who speaks next",
        means="how often it finds a turn of yours likelier than one of somebody else's, in held-out group talk; .5 is what a "
        "constant reaches",
        good="above the next",
        measure=ModelSample.turn_auc,
    ),
    "turn_auc_bigram": ModelFigure(
        title="who speaks next, by the last",
        means="the same by a table of who follows whom",
        good="for comparison",
        measure=ModelSample.turn_auc_bigram,
    ),
    "turn_share": ModelFigure(
        title="share of turns",
        means="how often it would speak in that talk with [talk] unprompted = 1, as a share of how often you did",
        good="within 10% of 1",
        measure=ModelSample.turn_share,
    ),
    "delay_distance": ModelFigure(
        title="delays",
        means='Kolmogorov-Smirnov distance of the delays of [talk] rhythm = "mine" from those of your held-out replies, before '
        "rhythm_cap; 0 is the same",
        good="low",
        measure=ModelSample.delay_distance,
    ),
    "delay_distance_fast": ModelFigure(
        title="delays, at once",
        means="the same for answers after two seconds; the best of all constants reaches .5",
        good="for comparison",
        measure=ModelSample.delay_distance_fast,
    ),
    "voice_ratio_among_speakers": ModelFigure(
        title="voice ratio among speakers",
        means="the voice ratio over all speakers that were trained",
        good="near 1",
        slow=True,
        measure=ModelSample.voice_ratio_among_speakers,
    ),
}

REPLY_FIGURES: Mapping[str, ReplyFigure] = {
    "reply_relevance": ReplyFigure(
        title="fit",
        means="how often a reply is found among ten of the same voice by its question, the base without adapter being the "
        "judge; .1 is chance",
        good="near yours",
        measure=ReplySample.relevance,
    ),
    "seconds": ReplyFigure(
        title="seconds",
        means="that a reply takes where one is asked for at a time (four at a time of a server elsewhere)",
        good="low",
        measure=lambda sample: sample.mean(lambda reply: reply.seconds),
    ),
    "prompt_tokens": ReplyFigure(
        title="tokens read",
        means="for a reply, as the model counts",
        good="low",
        number=".0f",
        measure=lambda sample: sample.mean(lambda reply: reply.prompt_tokens),
    ),
    "answer_tokens": ReplyFigure(
        title="tokens written",
        means="for a reply, thoughts among them",
        good="low",
        number=".0f",
        measure=lambda sample: sample.mean(lambda reply: reply.answer_tokens),
    ),
}


def text_figures(references: ReferenceSet, voices: Mapping[str, Sequence[str]]) -> dict[str, Row]:
    """Measure each voice's texts; voices with too few are left out."""
    kept = {name: texts for name, texts in voices.items() if len(texts) >= MIN_TEXTS}
    if len(references.contexts) < MIN_TEXTS or not kept:
        return {}
    words = common_words(references.real, *kept.values())
    samples = {name: TextSample(texts, references, words) for name, texts in kept.items()}
    return {name: {key: spec.measure(sample) for key, spec in TEXT_FIGURES.items()} for name, sample in samples.items()}


def model_figures(sample: ModelSample) -> Row:
    """Measure the model; what can't be measured is left out."""
    specs = {key: spec for key, spec in MODEL_FIGURES.items() if sample.full or not spec.slow}
    return {key: figure for key, spec in specs.items() if (figure := spec.measure(sample))}


def reply_figures(samples: Mapping[str, ReplySample]) -> dict[str, Row]:
    """Measure each voice's replies."""
    return {
        name: {key: spec.measure(sample) for key, spec in REPLY_FIGURES.items()} for name, sample in samples.items()
    }
