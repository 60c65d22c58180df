"""Conversations -> windows of token ids -> batches under a token budget, loss on chosen positions only."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, cast

import torch
from torch.utils.data import DataLoader, Sampler

from persona.encoding import Encoded, Encoding
from persona.transcript import Conversation
from trainer.loop.loss import IGNORE_INDEX

OVERLAP = 0.25  # of a window: context repeated from the one before, without loss


@dataclass(frozen=True, slots=True)
class Window:
    """One row of a batch. loss_mask: which ids carry loss. characters: of the text of those ids; a line break and the end
    of a turn count as one each. header_mask: which ids say who speaks; empty if none is to be learned."""

    ids: list[int]
    loss_mask: list[bool]
    characters: int
    header_mask: list[bool] = field(default_factory=list)


Batch = dict[str, torch.Tensor]


def windows_of(
    encoding: Encoding,
    conversations: Sequence[Conversation],
    speakers: frozenset[str],
    max_length: int,
    said_elsewhere: Sequence[Collection[int]] = (),
) -> list[Window]:
    """Return the windows in which one of `speakers` says something; each turn carries loss once.

    said_elsewhere: of each conversation, the places of turns that are context alone."""
    encoded = encoding.conversations(conversations, speakers)
    for number, places in enumerate(said_elsewhere):
        if places:
            encoded[number] = _without_loss(encoded[number], places, encoding.end_of_turn)
    windows = (window for conversation in encoded for window in _cut(encoding, conversation, max_length))
    return [window for window in windows if any(window.loss_mask)]


def reply_windows(encoding: Encoding, conversations: Sequence[Conversation], max_length: int) -> list[Window]:
    """Return a window for each conversation, with loss on its last turn alone; the oldest turns are left out until it fits.
    What doesn't fit with its memories is cut at the beginning."""
    speakers = frozenset(conversation.turns[-1].speaker for conversation in conversations)
    return [
        _reply_window(encoding, conversation, encoded, speakers, max_length)
        for conversation, encoded in zip(conversations, encoding.conversations(conversations, speakers), strict=True)
    ]


def _reply_window(
    encoding: Encoding, conversation: Conversation, encoded: Encoded, speakers: frozenset[str], max_length: int
) -> Window:
    while len(encoded.ids) > max_length and len(conversation.turns) > 1:
        conversation = replace(conversation, turns=conversation.turns[1:])
        (encoded,) = encoding.conversations([conversation], speakers)
    ids, mask = encoded.ids[-max_length:], encoded.loss_mask[-max_length:]
    last = max((place for place, i in enumerate(ids[:-1]) if i == encoding.end_of_turn), default=-1)
    mask = [has_loss and place > last for place, has_loss in enumerate(mask)]
    return replace(_window(encoding, ids, mask, [False] * len(ids)), header_mask=[])


def _without_loss(encoded: Encoded, places: Collection[int], end_of_turn: int) -> Encoded:
    """Return a conversation in which the turns at these places carry no loss."""
    mask = encoded.loss_mask.copy()
    turn = 0
    for place in range(encoded.start, len(mask)):
        mask[place] = mask[place] and turn not in places
        turn += encoded.ids[place] == end_of_turn
    return replace(encoded, loss_mask=mask)


def _cut(encoding: Encoding, conversation: Encoded, max_length: int) -> Iterator[Window]:
    if len(conversation.ids) <= max_length:
        yield _window(encoding, conversation.ids, conversation.loss_mask, conversation.header_mask)
        return
    start = conversation.start
    head, ids = conversation.ids[:start], conversation.ids[start:]
    loss_mask, header_mask = conversation.loss_mask[start:], conversation.header_mask[start:]
    room = max_length - start
    turn_ends = [k + 1 for k, i in enumerate(ids) if i == encoding.end_of_turn]
    begin = done = 0
    while done < len(ids):
        end = _last_turn_end(turn_ends, low=max(done, begin + room // 2), high=min(begin + room, len(ids)))
        repeated = [False] * (start + done - begin)
        masks = (repeated + mask[done:end] for mask in (loss_mask, header_mask))
        yield _window(encoding, head + ids[begin:end], *masks)
        done = end
        begin = next((k for k in turn_ends if end - room * OVERLAP <= k < end), max(0, end - int(room * OVERLAP)))


def _last_turn_end(turn_ends: Sequence[int], low: int, high: int) -> int:
    """Return the last end of a turn in (low, high], else `high`, in the middle of a long turn."""
    return next((k for k in reversed(turn_ends) if low < k <= high), high)


def _window(encoding: Encoding, ids: list[int], loss_mask: list[bool], header_mask: list[bool]) -> Window:
    loss_mask = [False, *loss_mask[1:]]
    labelled = [i for i, has_loss in zip(ids, loss_mask, strict=True) if has_loss]
    ends = labelled.count(encoding.end_of_turn)
    return Window(ids, loss_mask, len(encoding.decode(labelled)) + ends, [False, *header_mask[1:]])


class PretrainingBlocks(Sequence[Window]):
    """All text of many conversations as blocks of one length, with loss on every id, for pretraining a base.

    One pass after the other, each in its own order; index k is block k % n of pass k // n. blocks: how many in all."""

    def __init__(self, encoded: Sequence[Encoded], length: int, blocks: int, seed: int) -> None:
        self._encoded = encoded
        self._length = length
        self._blocks = blocks
        self._seed = seed
        self._per_pass = max(1, sum(len(conversation.ids) for conversation in encoded) // length)
        self._pass = -1
        self._flat: list[int] = []

    def __len__(self) -> int:
        return self._blocks

    def __getitem__(self, index: int) -> Window:  # type: ignore[override]
        number, block = divmod(index, self._per_pass)
        if number != self._pass:
            order = torch.randperm(len(self._encoded), generator=torch.Generator().manual_seed(self._seed + number))
            self._flat = [i for k in order.tolist() for i in self._encoded[k].ids]
            self._pass = number
        ids = self._flat[block * self._length : (block + 1) * self._length]
        return Window(ids, [False] + [True] * (len(ids) - 1), 0)


class LengthGroupedSampler(Sampler[list[int]]):
    """Batches of row indexes, rows of like length together, at most `budget` tokens each with their padding.

    Every row once an epoch; the number of batches is the same in each. micro_batches, rank, world: each batch is divided
    among `world` processes and there among `micro_batches` forward passes, so that a step sees the same rows however many
    share it. A share may be empty."""

    def __init__(
        self,
        lengths: Sequence[int],
        budget: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        micro_batches: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._lengths = torch.tensor(lengths)
        self._budget = budget
        self._seed = seed
        self._shuffle = shuffle
        self._shares = [
            range(part * world + rank, len(lengths), micro_batches * world) for part in range(micro_batches)
        ]
        self._epoch = 0
        grouped = self._group(torch.argsort(self._lengths, stable=True).tolist())
        self.batches, self.max_rows = len(grouped), max(map(len, grouped))

    def __len__(self) -> int:
        return self.batches * len(self._shares)

    def __iter__(self) -> Iterator[list[int]]:
        rng = torch.Generator().manual_seed(self._seed + self._epoch)
        order = torch.randperm(len(self._lengths), generator=rng) if self._shuffle else torch.arange(len(self._lengths))
        ordered = order[torch.argsort(self._lengths[order], stable=True)].tolist()
        batches = self._group(ordered)
        picks = torch.randperm(len(batches), generator=rng).tolist() if self._shuffle else range(len(batches))
        yield from (batches[pick][share.start :: share.step] for pick in picks for share in self._shares)

    def set_epoch(self, epoch: int) -> None:
        """Shuffle as in this epoch."""
        self._epoch = epoch

    def _group(self, ordered: list[int]) -> list[list[int]]:
        batches: list[list[int]] = [[]]
        for index in ordered:  # ascending: the row at hand is the longest of its batch
            if batches[-1] and (len(batches[-1]) + 1) * int(self._lengths[index]) > self._budget:
                batches.append([])
            batches[-1].append(index)
        return batches


class PackedSampler(Sampler[list[int]]):
    """Batches of row indexes, rows of any length together, about `budget` tokens each, for rows that need no padding.

    Every row once an epoch; the number of batches is the same in each. Steps over rows of like length alone are biased
    towards them, and an epoch of such steps learns less. micro_batches, rank, world: as of LengthGroupedSampler."""

    def __init__(
        self,
        lengths: Sequence[int],
        budget: int,
        *,
        seed: int = 0,
        micro_batches: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._lengths = torch.tensor(lengths)
        self._seed = seed
        self._shares = [
            range(part * world + rank, len(lengths), micro_batches * world) for part in range(micro_batches)
        ]
        self._epoch = 0
        self.batches = min(len(lengths), -(-sum(lengths) // budget))
        self.max_rows = max(map(len, self._packs()))

    def __len__(self) -> int:
        return self.batches * len(self._shares)

    def __iter__(self) -> Iterator[list[int]]:
        yield from (rows[share.start :: share.step] for rows in self._packs() for share in self._shares)

    def set_epoch(self, epoch: int) -> None:
        """Shuffle as in this epoch."""
        self._epoch = epoch

    def _packs(self) -> list[list[int]]:
        order = torch.randperm(len(self._lengths), generator=torch.Generator().manual_seed(self._seed + self._epoch))
        ends = self._lengths[order].cumsum(0)
        quantiles = torch.arange(1, self.batches) * ends[-1] / self.batches
        cuts = [0, *torch.searchsorted(ends, quantiles).add(1).tolist(), len(order)]
        for number in range(1, self.batches):  # a long row may span several cuts: each set has a row at least
            cuts[number] = min(max(cuts[number], cuts[number - 1] + 1), len(order) - (self.batches - number))
        return [order[a:b].tolist() for a, b in pairwise(cuts)]


class BatchLoader(DataLoader[Batch]):
    """Rows in the batches of a LengthGroupedSampler, padded, or of a PackedSampler, packed."""

    def __init__(self, rows: Sequence[Window], order: LengthGroupedSampler | PackedSampler, pad: int) -> None:
        to_batch = partial(pack if isinstance(order, PackedSampler) else collate, pad=pad)
        super().__init__(cast(Any, rows), batch_sampler=order, collate_fn=to_batch)
        self._order = order

    def set_epoch(self, epoch: int) -> None:
        """Shuffle as in this epoch; transformers' Trainer calls it."""
        self._order.set_epoch(epoch)


def pack(rows: Sequence[Window], pad: int = 0) -> Batch:
    """Return input_ids, labels and header_labels [1, tokens] of the rows side by side, longest first, and their lengths
    [rows].

    No id is a label of the row before it. No rows make one of padding alone."""
    rows = sorted(rows, key=lambda row: -len(row.ids)) or [Window([pad, pad], [False, False], 0)]
    ids = torch.tensor([[token for row in rows for token in row.ids]])
    loss_mask = torch.tensor([[has_loss for row in rows for has_loss in (False, *row.loss_mask[1:])]])
    headers = torch.tensor([[header for row in rows for header in _headers(row, len(row.ids))]])
    return {
        "input_ids": ids,
        "labels": torch.where(loss_mask, ids, IGNORE_INDEX),
        "header_labels": torch.where(headers, ids, IGNORE_INDEX),
        "lengths": torch.tensor([len(row.ids) for row in rows]),
    }


def collate(rows: Sequence[Window], pad: int = 0) -> Batch:
    """Return input_ids, labels and header_labels [rows, longest], padded on the right; labels without loss are
    IGNORE_INDEX.

    No attention mask: no id of a causal model sees what stands to its right, and without one attention needs memory
    that grows linearly. No rows make one of padding alone, for a process whose share is empty."""
    rows = rows or [Window([pad, pad], [False, False], 0)]
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [pad] * (longest - len(row.ids)) for row in rows])
    loss_mask = torch.tensor([row.loss_mask + [False] * (longest - len(row.ids)) for row in rows])
    headers = torch.tensor([_headers(row, longest) for row in rows])
    return {
        "input_ids": ids,
        "labels": torch.where(loss_mask, ids, IGNORE_INDEX),
        "header_labels": torch.where(headers, ids, IGNORE_INDEX),
    }


def _headers(row: Window, length: int) -> list[bool]:
    """Return the row's header mask, filled up to a length; no first id is anybody's label."""
    mask = [False, *row.header_mask[1:]]
    return mask + [False] * (length - len(mask))
