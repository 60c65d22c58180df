"""The newest part of a corpus, for `[train] limit`."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from trainer.corpus.conversation_records import ConversationRecord


def newest(
    conversations: Sequence[ConversationRecord], speakers: AbstractSet[str], limit: int
) -> list[ConversationRecord]:
    """Return the latest conversations that together hold `limit` messages of these speakers."""
    kept: list[ConversationRecord] = []
    count = 0
    for record in sorted(
        conversations, key=lambda record: max((at for at in record.timestamps if at), default=0.0), reverse=True
    ):
        if count >= limit:
            break
        kept.append(record)
        count += sum(len(turn.lines) for turn in record.conversation.turns if turn.speaker in speakers)
    return kept
