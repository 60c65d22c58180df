"""Which conversations are trained on and which are kept for the judges. Pure; held out once is held out for ever."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from trainer.corpus.segmentation import Stretch

TRAIN, JUDGE_A, JUDGE_B = "train", "a", "b"
SHARE, CAP = 0.1, 500  # of a speaker's messages, for each judge
FEWEST = 20  # messages; whoever said less is not held out


def split(
    found: Sequence[Stretch], targets: Collection[str], before: Mapping[str, str], share: float = SHARE
) -> dict[str, str]:
    """The part each stretch belongs to, by its id. targets: the speakers judged later. before: what earlier imports
    decided; held out stays held out. share: of a speaker's messages, for each judge."""
    said = [_messages(stretch, targets) for stretch in found]
    total = _sum(said)
    quota = {speaker: min(share * count, CAP) for speaker, count in total.items() if count >= FEWEST}
    parts = {stretch.id: before.get(stretch.id, TRAIN) for stretch in found}
    by_hash = sorted(zip(found, said, strict=True), key=lambda pair: pair[0].id)
    for judge, order in ((JUDGE_A, by_hash), (JUDGE_B, by_hash[::-1])):
        held = _sum(counts for stretch, counts in order if parts[stretch.id] == judge)
        for stretch, counts in order:
            wanted = any(held.get(speaker, 0) < quota.get(speaker, 0) for speaker in counts)
            too_much = any(count > 2 * quota[speaker] + 5 for speaker, count in counts.items() if speaker in quota)
            if parts[stretch.id] == TRAIN and wanted and not too_much:
                parts[stretch.id] = judge
                held = _sum((held, counts))
    return parts


def _messages(stretch: Stretch, targets: Collection[str]) -> dict[str, int]:
    return _sum({turn.speaker: len(turn.lines)} for turn in stretch.conversation.turns if turn.speaker in targets)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for speaker, count in one.items():
            total[speaker] = total.get(speaker, 0) + count
    return total
