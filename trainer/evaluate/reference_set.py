"""What texts are measured against: a held-out split of the corpus and its judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persona.word_tokens import word_tokens
from trainer.corpus.conversation_records import ConversationRecord
from trainer.evaluate import diversity
from trainer.evaluate.copying import TrainingGrams
from trainer.evaluate.judges import masked
from trainer.evaluate.reply_context import ReplyContext, reply_contexts, texts_by_speaker
from trainer.evaluate.voice_ratio import PersonaJudge

MIN_TEXTS = 20  # of a speaker in a split; fewer are not measured
ADVISED_MESSAGES = 500  # messages that give narrow intervals


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """What texts are measured against: one held-out split. contexts: the persona's. others: texts of other people who said
    enough there. judge, masked, single_judge: of bundles, of bundles with capitalised words hidden, and of single messages;
    None if there is nobody to tell the persona from."""

    contexts: Sequence[ReplyContext]
    others: Mapping[str, Sequence[str]]
    training: TrainingGrams
    judge: PersonaJudge | None
    masked: PersonaJudge | None
    single_judge: PersonaJudge | None

    @property
    def real(self) -> list[str]:
        """Return what the persona really said."""
        return [context.text for context in self.contexts]


def reference_set(
    part: Sequence[ConversationRecord], persona: str, training: TrainingGrams, *, full: bool = True
) -> ReferenceSet:
    """Return the references of a held-out split. full: with the judges of masked bundles and of single messages too."""
    contexts = reply_contexts(part, persona)
    said = texts_by_speaker(part)
    others = {name: texts for name, texts in said.items() if name != persona and len(texts) >= MIN_TEXTS}
    real = [context.text for context in contexts]
    judged = bool(others) and len(real) >= MIN_TEXTS
    return ReferenceSet(
        contexts,
        others,
        training,
        PersonaJudge(real, others) if judged else None,
        PersonaJudge(real, others, transform=masked) if judged and full else None,
        PersonaJudge(real, others, size=0) if judged and full else None,
    )


def common_words(*many: Sequence[str]) -> int:
    """Return on how many words texts can be compared: as many as the shortest sample has, at most 5,000."""
    return min(diversity.WORDS, *(sum(len(word_tokens(text)) for text in texts) for texts in many))
