"""The setup of a training: a base with an untrained adapter, windows of the corpus, and how a step is run."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel

from persona.archive.index import FILE, Archive
from persona.bundle import PRIVATE, draft
from persona.config import Settings
from persona.encoding import Encoded
from persona.errors import UserError
from trainer.adapter.logit_bias import add_logit_bias, unigram_bias
from trainer.base.loading import LoadedBase
from trainer.corpus.archiving import write_archive
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.newest import newest
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.loop.batches import Window, windows_of
from trainer.loop.device_memory import Fit, fit
from trainer.loop.distributed import world
from trainer.loop.lora import add_adapter
from trainer.loop.memory_rows import MemoryRows, memory_rows

MIN_MESSAGES = 50  # of the persona in the train part; with fewer there is nothing to learn a voice from
EMPHASIS = 0.6  # of the logit bias on a base from scratch; see docs/likeness.md
MAX_TOKENS_PER_BATCH = 2048  # by default
# To read is a third as dear as to train: two evaluations an epoch, and the test split before and after, take a fifth of the time.
WATCHED_SHARE, TEST_SHARE = 0.3, 0.3  # of an epoch's tokens, and of all epochs'
MIN_WATCHED_TOKENS = 4096  # of the calibration split; fewer are noise


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an adapter is trained by default. min_steps: an epoch has at least as many, if rows are short enough: fewer leave
    a small corpus unlearned. min_tokens: a step has at least as many, since fewer are noise."""

    learning_rate: float
    min_steps: int
    min_tokens: int


FROM_SCRATCH = Recipe(1e-3, 32, 64)
PRETRAINED = Recipe(5e-4, 64, 512)  # many small steps: see "On a real base" in docs/likeness.md
# Ten times the rate of full tuning falls as (2000 / hidden) ** exponent beyond a hidden size of 2,000, and was fitted per
# family ("LoRA Without Regret", 2025, as its authors' cookbook has it). Small models would get more by it, which diverged here.
WIDTH, EXPONENT, QWEN_EXPONENT = 2000, 0.781, 0.0775


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """A base with an untrained adapter, the windows of the corpus's three splits, and how a step is run. calibration, test:
    as many as training can look at on its way, and before and after it. held_out: how many windows the calibration split has.
    remembering: how many of `rows` are replies after something came to mind."""

    base: LoadedBase
    model: PeftModel
    rows: list[Window]
    calibration: list[Window]
    test: list[Window]
    held_out: int
    fit: Fit
    remembering: int = 0


def build_setup(
    settings: Settings, corpus: Corpus, base: LoadedBase, *, refit: bool = False, archive: Path | None = None
) -> TrainingSetup:
    """Build the setup of a training; of a refit nothing is held out. archive: where to write the archive, unless it is
    there; by default it is removed again. Raises UserError if the corpus is too small."""
    require_enough(settings, corpus)
    speakers = target_speakers(settings, corpus)
    learned_from = learned_conversations(settings, corpus, refit=refit)
    held_out = ([], []) if refit else (corpus.in_split(CALIBRATION_SPLIT), corpus.in_split(TEST_SPLIT))
    remembering = _memory_rows(settings, corpus, base, learned_from, speakers, archive)
    said_elsewhere = [remembering.replies.get(record.id, ()) for record in learned_from]
    passes, calibration, test = (
        windows_of(base.encoding, [record.conversation for record in records], speakers, base.max_length, elsewhere)
        for records, elsewhere in ((learned_from, said_elsewhere), (held_out[0], ()), (held_out[1], ()))
    )
    rows = [*passes, *remembering.windows]
    model = add_adapter(base.model, settings.train)
    watched = at_most(calibration, max(MIN_WATCHED_TOKENS, round(WATCHED_SHARE * _tokens(rows))))
    test = at_most(test, max(MIN_WATCHED_TOKENS, round(min(1.0, TEST_SHARE * settings.train.epochs) * _tokens(rows))))
    fit = fit_rows(settings, model, rows, recipe_for(base))
    return TrainingSetup(base, model, rows, watched, test, len(calibration), fit, len(remembering.windows))


def learned_conversations(settings: Settings, corpus: Corpus, *, refit: bool = False) -> list[ConversationRecord]:
    """Return what an adapter learns from: the train split, or everything for a refit, up to [train] limit."""
    records = corpus.in_split(TRAIN, CALIBRATION_SPLIT, TEST_SPLIT) if refit else corpus.in_split(TRAIN)
    limit = settings.train.limit
    return newest(records, target_speakers(settings, corpus), limit) if limit else records


def _memory_rows(
    settings: Settings,
    corpus: Corpus,
    base: LoadedBase,
    learned_from: Sequence[ConversationRecord],
    speakers: frozenset[str],
    path: Path | None,
) -> MemoryRows:
    """Return the rows with memories. path: of the archive, as of `build_setup`."""
    if not remembers(settings, base):
        return MemoryRows()
    if path is None:
        with draft(settings.adapters) as folder:
            return _memory_rows(settings, corpus, base, learned_from, speakers, folder / PRIVATE / FILE)
    if not path.exists():
        write_archive(settings, corpus, path)
    with closing(Archive.open(path)) as archive:
        return memory_rows(learned_from, speakers, archive, base.encoding, base.max_length, settings.persona.key)


def remembers(settings: Settings, base: LoadedBase) -> bool:
    """Return whether replies are trained with what comes to mind: on a real base, unless told. A grown one is too small to
    copy from what it reads, and predicts worse with it (docs/memory.md)."""
    return not base.from_scratch if settings.train.memory == "auto" else settings.train.memory


def at_most(rows: list[Window], tokens: int) -> list[Window]:
    """Return as many of the rows, evenly spaced, as hold so many tokens; one at least."""
    count = max(1, int(len(rows) * tokens / max(1, _tokens(rows))))
    return rows if count >= len(rows) else [rows[index * len(rows) // count] for index in range(count)]


def _tokens(rows: Iterable[Window]) -> int:
    return sum(len(row.ids) for row in rows)


def fit_rows(settings: Settings, model: PeftModel, rows: Sequence[Window], recipe: Recipe) -> Fit:
    """Return how a step on these rows is run: of the tokens that the settings ask for, or that the longest row needs."""
    lengths = [len(row.ids) for row in rows]
    tokens_per_batch = settings.train.tokens_per_batch
    evenly = max(recipe.min_tokens, sum(lengths) // recipe.min_steps)
    tokens = min(MAX_TOKENS_PER_BATCH, evenly) if tokens_per_batch == "auto" else tokens_per_batch
    return fit(model, lengths, max([tokens, *lengths]), world()[1])


def target_speakers(settings: Settings, corpus: Corpus) -> frozenset[str]:
    """Return whose turns carry loss: the persona's, or everybody's who consented."""
    everyone = {person.key for person in corpus.people.values() if person.consent}
    return frozenset(everyone if settings.train.loss_on == "everyone" else {settings.persona.key})


def chosen_learning_rate(settings: Settings, base: LoadedBase) -> float:
    """Return the learning rate of the settings, or what suits this kind of base."""
    rate = settings.train.learning_rate
    return recipe_for(base).learning_rate if rate == "auto" else rate


def recipe_for(base: LoadedBase) -> Recipe:
    """Return how an adapter on this base is trained by default."""
    if base.from_scratch:
        return FROM_SCRATCH
    width = cast(torch.Tensor, base.model.get_input_embeddings().weight).shape[-1]  # which not every config tells
    family = str(base.model.config.get_text_config().model_type)
    return replace(PRETRAINED, learning_rate=learning_rate_for(width, family))


def learning_rate_for(hidden: int, model_type: str) -> float:
    """Return the rate that suits an adapter on a pretrained model of this width and family."""
    exponent = QWEN_EXPONENT if model_type.startswith("qwen") else EXPONENT
    return float(PRETRAINED.learning_rate * min(1.0, (WIDTH / hidden) ** exponent))


def require_enough(settings: Settings, corpus: Corpus) -> None:
    """Raise UserError if there is too little of the persona to learn a voice from."""
    count = corpus.messages(settings.persona.key)
    if count < MIN_MESSAGES:
        raise UserError(
            f"the corpus has {count} messages by {settings.persona.name} to train on, at least {MIN_MESSAGES} are needed; "
            "import more exports, or add other names of that person to [persona] aliases"
        )


def with_logit_bias(
    settings: Settings,
    base: LoadedBase,
    model: PeftModel,
    rows: Sequence[Window],
    learned_from: Sequence[ConversationRecord],
) -> PeftModel:
    """Return the trained model with a logit bias towards the persona's own words, if one persona is trained.
    learned_from: everybody's conversations."""
    emphasis = settings.train.emphasis
    strength = (EMPHASIS if base.from_scratch else 0.0) if emphasis == "auto" else emphasis
    if not strength or settings.train.loss_on != "persona":
        return model
    conversations = [record.conversation for record in learned_from]
    everybody = {turn.speaker for conversation in conversations for turn in conversation.turns}
    own, everybodys = _labelled_ids(rows), _labelled_ids(base.encoding.conversations(conversations, everybody))
    logits = int(
        base.model.config.get_text_config().vocab_size
    )  # more than the tokenizer knows, where a base pads them
    return add_logit_bias(model, rows, unigram_bias(own, everybodys, logits, strength), base.encoding.end_of_turn)


def _labelled_ids(rows: Iterable[Window | Encoded]) -> list[int]:
    """Return the ids that are somebody's words, without headers and scenes: those would make a line break look rare."""
    return [i for row in rows for i, has_loss in zip(row.ids, row.loss_mask, strict=True) if has_loss]
