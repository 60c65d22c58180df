"""Which conversations are trained on and which are held out. Pure; held out once is held out for ever."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from trainer.corpus.segmentation import ConversationRecord

TRAIN, CALIBRATION_SPLIT, TEST_SPLIT = "train", "a", "b"  # as corpora on disk name them
HELD_OUT_SHARE, MAX_HELD_OUT = 0.1, 500  # of a speaker's messages, for each held-out split
MIN_MESSAGES_TO_HOLD_OUT = 20  # whoever said less is not held out


def assign_splits(
    conversations: Sequence[ConversationRecord],
    targets: Collection[str],
    before: Mapping[str, str],
    share: float = HELD_OUT_SHARE,
) -> dict[str, str]:
    """Return the split of each conversation, by its id. targets: the speakers who are judged. before: what earlier imports
    decided; held out stays held out. share: of a speaker's messages, for each held-out split."""
    said = [_messages(record, targets) for record in conversations]
    total = _sum(said)
    quota = {
        speaker: min(share * count, MAX_HELD_OUT)
        for speaker, count in total.items()
        if count >= MIN_MESSAGES_TO_HOLD_OUT
    }
    splits = {record.id: before.get(record.id, TRAIN) for record in conversations}
    by_hash = sorted(zip(conversations, said, strict=True), key=lambda pair: pair[0].id)
    for split, order in ((CALIBRATION_SPLIT, by_hash), (TEST_SPLIT, by_hash[::-1])):
        held = _sum(counts for record, counts in order if splits[record.id] == split)
        for record, counts in order:
            is_needed = any(held.get(speaker, 0) < quota.get(speaker, 0) for speaker in counts)
            too_much = any(count > 2 * quota[speaker] + 5 for speaker, count in counts.items() if speaker in quota)
            if splits[record.id] == TRAIN and is_needed and not too_much:
                splits[record.id] = split
                held = _sum((held, counts))
    return splits


def _messages(record: ConversationRecord, targets: Collection[str]) -> dict[str, int]:
    return _sum({turn.speaker: len(turn.lines)} for turn in record.conversation.turns if turn.speaker in targets)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counted in counts:
        for speaker, count in counted.items():
            total[speaker] = total.get(speaker, 0) + count
    return total
