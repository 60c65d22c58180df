"""Windows and batches: every turn once, little padding, and a loss that is the model's own."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from persona.encoding import Encoding
from persona.transcript import Conversation, Turn
from tests import tokenizers
from trainer.loop.batches import (
    LengthGroupedSampler,
    PackedSampler,
    PretrainingBlocks,
    Window,
    collate,
    pack,
    windows_of,
)
from trainer.loop.loss import IGNORE_INDEX

ENCODING = Encoding(*tokenizers.byte_level_bpe())
ME = frozenset({"MARA"})


def talk(turns: int, words: int = 6) -> Conversation:
    lines = [(f"turn {number} " + "word " * words).strip() for number in range(turns)]
    return Conversation("group", tuple(Turn("MARA" if k % 2 else "BOB", (line,)) for k, line in enumerate(lines)), 2020)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(48, 400))
@settings(max_examples=60, deadline=None)
def test_each_turn_carries_loss_once_however_it_is_cut(turns: int, words: int, max_length: int) -> None:
    """Windows overlap in context, never in loss; each begins like a conversation and fits."""
    conversation = talk(turns, words)
    (whole,) = ENCODING.conversations([conversation], ME)
    found = windows_of(ENCODING, [conversation], ME, max_length)
    expected = [i for i, target in zip(whole.ids, whole.loss_mask, strict=True) if target]
    assert [i for window in found for i, target in zip(window.ids, window.loss_mask, strict=True) if target] == expected
    assert all(
        len(window.ids) <= max_length and window.ids[: whole.start] == whole.ids[: whole.start] for window in found
    )


def test_characters_are_counted_with_line_breaks_and_ends_of_turns() -> None:
    """What bits per character divides by."""
    conversation = Conversation(
        "group", (Turn("BOB", ("hello",)), Turn("MARA", ("no", "really")), Turn("MARA", ("ok",)))
    )
    (window,) = windows_of(ENCODING, [conversation], ME, 256)
    assert window.characters == len("no\nreally") + 1 + len("ok") + 1


@given(st.lists(st.integers(2, 90), min_size=1, max_size=200), st.integers(90, 600))
@settings(deadline=None)
def test_every_row_is_batched_once_within_the_budget(lengths: list[int], budget: int) -> None:
    """In every epoch, and in the same number of batches."""
    batches = LengthGroupedSampler(lengths, budget, seed=3)
    for _ in range(2):
        found = list(batches)
        assert len(found) == len(batches)
        assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
        assert all(len(batch) * max(lengths[index] for index in batch) <= budget for batch in found)


@given(st.lists(st.integers(2, 90), min_size=1, max_size=200), st.integers(90, 600), st.integers(1, 3))
@settings(deadline=None)
def test_sets_hold_every_row_once_and_no_more_than_a_row_above_the_budget(
    lengths: list[int], budget: int, micro_batches: int
) -> None:
    """In every epoch, in the same number of sets, however many forwards and processes share one."""
    for epoch in range(2):
        dealt = []
        for rank in range(2):
            order = PackedSampler(lengths, budget, seed=3, micro_batches=micro_batches, rank=rank, world=2)
            order.set_epoch(epoch)
            dealt.append(list(order))
            assert len(dealt[-1]) == len(order) == micro_batches * order.batches
        whole = PackedSampler(lengths, budget, seed=3)
        whole.set_epoch(epoch)
        sets = list(whole)
        assert sorted(index for rows in sets for index in rows) == list(range(len(lengths)))
        assert all(rows and sum(lengths[index] for index in rows) <= budget + 2 * max(lengths) for rows in sets)
        for number, rows in enumerate(sets):
            shared = [
                share for shares in dealt for share in shares[number * micro_batches : (number + 1) * micro_batches]
            ]
            assert sorted(index for share in shared for index in share) == sorted(rows)


def test_rows_of_like_length_waste_less_than_one_percent() -> None:
    """On lengths like those of tweets."""
    lengths = [8 + (number * 37) % 60 for number in range(5000)]
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in LengthGroupedSampler(lengths, 1024))
    assert 1 - sum(lengths) / padded < 0.01


def test_epochs_differ_and_repeat_with_their_number() -> None:
    """Shuffled, and resumable."""
    batches = LengthGroupedSampler([5 + k % 7 for k in range(100)], 64, seed=1)
    first = list(batches)
    batches.set_epoch(1)
    second = list(batches)
    batches.set_epoch(0)
    assert first != second
    assert list(batches) == first


def test_packed_rows_lie_side_by_side_the_longest_first() -> None:
    """No row's beginning is a label of the row before."""
    rows = [Window([5, 6], [True, True], 2), Window([1, 2, 3], [False, False, True], 1, [True, True, False])]
    batch = pack(rows)
    assert batch["header_labels"].tolist() == [[IGNORE_INDEX, 2, IGNORE_INDEX, IGNORE_INDEX, IGNORE_INDEX]]
    assert batch["input_ids"].tolist() == [[1, 2, 3, 5, 6]]
    assert batch["labels"].tolist() == [[IGNORE_INDEX, IGNORE_INDEX, 3, IGNORE_INDEX, 6]]
    assert batch["lengths"].tolist() == [3, 2]
    assert pack([], pad=7)["input_ids"].tolist() == [[7, 7]]


def test_labels_are_the_ids_of_targets_alone() -> None:
    """The standard form, so that model(labels=) understands it too."""
    rows = [Window([1, 2, 3, 4], [False, False, True, True], 2, [True, True]), Window([5, 6], [False, True], 1)]
    batch = collate(rows, pad=0)
    assert batch["header_labels"].tolist() == [[IGNORE_INDEX, 2, IGNORE_INDEX, IGNORE_INDEX], [IGNORE_INDEX] * 4]
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4], [5, 6, 0, 0]]
    assert batch["labels"].tolist() == [
        [IGNORE_INDEX, IGNORE_INDEX, 3, 4],
        [IGNORE_INDEX, 6, IGNORE_INDEX, IGNORE_INDEX],
    ]


def test_blocks_hold_all_text_in_another_order_each_pass() -> None:
    """Growing a base sees every token about once a pass."""
    encoded = ENCODING.conversations([talk(k % 5 + 1) for k in range(40)], ())
    total = sum(len(one.ids) for one in encoded)
    blocks = PretrainingBlocks(encoded, 32, blocks=2 * (total // 32), seed=0)
    assert len(blocks) == 2 * (total // 32)
    first, second = (
        [i for k in range(start, start + total // 32) for i in blocks[k].ids] for start in (0, total // 32)
    )
    assert first != second
    assert all(len(a.ids) == len(b.ids) == 32 for a, b in pairwise(blocks[k] for k in range(len(blocks))))
