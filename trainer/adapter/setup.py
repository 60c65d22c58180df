"""What a training works on: the base with an untrained adapter, windows of the corpus, and how a step is run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from peft import PeftModel

from persona.config import Settings
from persona.encoding import Encoded
from persona.errors import UserError
from trainer.adapter.logit_bias import leaning, log_weights
from trainer.base.loading import Base
from trainer.corpus.segmentation import ConversationRecord
from trainer.corpus.store import Corpus
from trainer.loop.batches import Window, windows_of
from trainer.loop.distributed import world
from trainer.loop.lora import adapted
from trainer.loop.memory import Fit, fit

FEWEST_MESSAGES = 50  # of the persona in the train part; with fewer there is nothing to learn a voice from
SCRATCH_RATE, RATE = 1e-3, 2e-4  # learning rates where nobody says: a small grown base wants the larger
EMPHASIS = 0.6  # of the persona's words in a grown base, which knows them by a header alone; see docs/likeness.md
TOKENS_PER_BATCH = 2048  # at most, where nobody says
STEPS = 32  # an epoch at least, if rows are short enough: fewer leave a small corpus unlearned


@dataclass(frozen=True, slots=True)
class Material:
    """What a training works on: the base with an untrained adapter on it, windows of the corpus's three parts, and how a
    step is run."""

    base: Base
    model: PeftModel
    rows: list[Window]
    judge_a: list[Window]
    judge_b: list[Window]
    fit: Fit


def prepare(settings: Settings, corpus: Corpus, base: Base) -> Material:
    """What a training works on. Raises UserError where the corpus is too small."""
    require_enough(settings, corpus)
    speakers = target_speakers(settings, corpus)
    rows, judge_a, judge_b = (_windows(settings, base, corpus, speakers, part) for part in ("train", "a", "b"))
    model = adapted(base.model, settings.train)
    return Material(base, model, rows, judge_a, judge_b, fitted(settings, model, rows))


def fitted(settings: Settings, model: PeftModel, rows: Sequence[Window]) -> Fit:
    """How a step on these rows is run: as long as the settings wish, or as the longest row needs."""
    lengths = [len(row.ids) for row in rows]
    wanted = settings.train.tokens_per_batch
    tokens = min(TOKENS_PER_BATCH, sum(lengths) // STEPS) if wanted == "auto" else wanted
    return fit(model, lengths, max([tokens, *lengths]), world()[1])


def target_speakers(settings: Settings, corpus: Corpus) -> frozenset[str]:
    """Whose turns carry loss: the persona's, or everybody's who consented."""
    everyone = {person.key for person in corpus.people.values() if person.consent}
    return frozenset(everyone if settings.train.loss_on == "everyone" else {settings.persona.key})


def learning_rate(settings: Settings, base: Base) -> float:
    """The chosen rate, or what suits this kind of base."""
    wanted = settings.train.learning_rate
    return (SCRATCH_RATE if base.grown else RATE) if wanted == "auto" else wanted


def newest(found: Sequence[ConversationRecord], speakers: frozenset[str], limit: int) -> list[ConversationRecord]:
    """The latest conversations that together hold `limit` messages of these speakers."""
    kept: list[ConversationRecord] = []
    count = 0
    for stretch in sorted(
        found, key=lambda one: max((at for at in one.timestamps if at is not None), default=0.0), reverse=True
    ):
        if count >= limit:
            break
        kept.append(stretch)
        count += sum(len(turn.lines) for turn in stretch.conversation.turns if turn.speaker in speakers)
    return kept


def require_enough(settings: Settings, corpus: Corpus) -> None:
    """Raises UserError where there is too little of the persona to learn a voice from."""
    there = corpus.messages(settings.persona.key)
    if there < FEWEST_MESSAGES:
        raise UserError(
            f"the corpus has {there} messages by {settings.persona.name} to train on, at least {FEWEST_MESSAGES} are needed; "
            "import more exports, or add other names of that person to [persona] aliases"
        )


def emphasised(
    settings: Settings, base: Base, model: PeftModel, rows: Sequence[Window], heard: Sequence[ConversationRecord]
) -> PeftModel:
    """The trained model, leaning towards the persona's own words where one persona is trained. heard: everybody's."""
    wanted = settings.train.emphasis
    strength = (EMPHASIS if base.grown else 0.0) if wanted == "auto" else wanted
    if not strength or settings.train.loss_on != "persona":
        return model
    conversations = [stretch.conversation for stretch in heard]
    everybody = {turn.speaker for one in conversations for turn in one.turns}
    said, said_by_all = _said(rows), _said(base.encoding.conversations(conversations, everybody))
    logits = int(base.model.config.vocab_size)  # more than the tokenizer knows, where a base pads them
    return leaning(model, rows, log_weights(said, said_by_all, logits, strength), base.encoding.end_of_turn)


def _said(found: Iterable[Window | Encoded]) -> list[int]:
    """The ids that are somebody's words. Headers and scenes are not: counted, they would make a line break rare."""
    return [i for one in found for i, target in zip(one.ids, one.targets, strict=True) if target]


def _windows(settings: Settings, base: Base, corpus: Corpus, speakers: frozenset[str], part: str) -> list[Window]:
    found = corpus.in_split(part)
    if part == "train" and settings.train.limit:
        found = newest(found, speakers, settings.train.limit)
    return windows_of(base.encoding, [stretch.conversation for stretch in found], speakers, base.max_length)
