"""Conversations -> windows of token ids -> batches under a token budget, loss on chosen positions only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, cast

import torch
from torch.utils.data import DataLoader, Sampler

from persona.encoding import Encoded, Encoding
from persona.transcript import Conversation
from trainer.loop.loss import IGNORED

OVERLAP = 0.25  # of a window: context repeated from the one before, without loss


@dataclass(frozen=True, slots=True)
class Window:
    """One row of a batch. targets: which ids carry loss. characters: what those ids stand for, a line break or the end
    of a turn counting as one."""

    ids: list[int]
    targets: list[bool]
    characters: int


Batch = dict[str, torch.Tensor]


def windows_of(
    encoding: Encoding, conversations: Sequence[Conversation], speakers: frozenset[str], max_length: int
) -> list[Window]:
    """The windows of these conversations in which one of `speakers` says something; each turn carries loss once."""
    encoded = encoding.conversations(conversations, speakers)
    found = (window for one in encoded for window in _cut(encoding, one, max_length))
    return [window for window in found if any(window.targets)]


def _cut(encoding: Encoding, one: Encoded, max_length: int) -> Iterator[Window]:
    if len(one.ids) <= max_length:
        yield _window(encoding, one.ids, one.targets)
        return
    head, ids, targets = one.ids[: one.start], one.ids[one.start :], one.targets[one.start :]
    room = max_length - one.start
    turn_ends = [k + 1 for k, i in enumerate(ids) if i == encoding.end_of_turn]
    begin = done = 0
    while done < len(ids):
        end = _at_turn(turn_ends, low=max(done, begin + room // 2), high=min(begin + room, len(ids)))
        mask = [False] * (done - begin) + targets[done:end]
        yield _window(encoding, head + ids[begin:end], [False] * one.start + mask)
        done = end
        begin = next((k for k in turn_ends if end - room * OVERLAP <= k < end), max(0, end - int(room * OVERLAP)))


def _at_turn(turn_ends: Sequence[int], low: int, high: int) -> int:
    """The last end of a turn in (low, high], else `high`, in the middle of a long turn."""
    return next((k for k in reversed(turn_ends) if low < k <= high), high)


def _window(encoding: Encoding, ids: list[int], targets: list[bool]) -> Window:
    targets = [False, *targets[1:]]
    said = [i for i, target in zip(ids, targets, strict=True) if target]
    ends = said.count(encoding.end_of_turn)
    return Window(ids, targets, len(encoding.decode(said)) + ends)


class Blocks(Sequence[Window]):
    """All text of many conversations as blocks of one length, every id a target, for growing a base. One pass after the
    other, each in an order of its own; index k is block k % n of pass k // n."""

    def __init__(self, encoded: Sequence[Encoded], length: int, passes: int, seed: int) -> None:
        self._encoded = encoded
        self._length = length
        self._passes = passes
        self._seed = seed
        self._per_pass = max(1, sum(len(one.ids) for one in encoded) // length)
        self._pass = -1
        self._flat: list[int] = []

    def __len__(self) -> int:
        return self._per_pass * self._passes

    def __getitem__(self, index: int) -> Window:  # type: ignore[override]
        number, block = divmod(index, self._per_pass)
        if number != self._pass:
            order = torch.randperm(len(self._encoded), generator=torch.Generator().manual_seed(self._seed + number))
            self._flat = [i for k in order.tolist() for i in self._encoded[k].ids]
            self._pass = number
        ids = self._flat[block * self._length : (block + 1) * self._length]
        return Window(ids, [False] + [True] * (len(ids) - 1), 0)


class TokenBudget(Sampler[list[int]]):
    """Batches of row indexes, rows of like length together, at most `budget` tokens each with their padding. Every row
    once an epoch; the number of batches is the same in each.

    parts, rank, world: each batch is dealt out to `world` processes and there to `parts` forwards, so that a step sees
    the same rows however many share it. A share may be empty."""

    def __init__(
        self,
        lengths: Sequence[int],
        budget: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        parts: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._lengths = torch.tensor(lengths)
        self._budget = budget
        self._seed = seed
        self._shuffle = shuffle
        self._shares = [range(part * world + rank, len(lengths), parts * world) for part in range(parts)]
        self._epoch = 0
        grouped = self._grouped(torch.argsort(self._lengths, stable=True).tolist())
        self.batches, self.most_rows = len(grouped), max(map(len, grouped))

    def __len__(self) -> int:
        return self.batches * len(self._shares)

    def __iter__(self) -> Iterator[list[int]]:
        luck = torch.Generator().manual_seed(self._seed + self._epoch)
        order = (
            torch.randperm(len(self._lengths), generator=luck) if self._shuffle else torch.arange(len(self._lengths))
        )
        ordered = order[torch.argsort(self._lengths[order], stable=True)].tolist()
        batches = self._grouped(ordered)
        picks = torch.randperm(len(batches), generator=luck).tolist() if self._shuffle else range(len(batches))
        yield from (batches[pick][share.start :: share.step] for pick in picks for share in self._shares)

    def set_epoch(self, epoch: int) -> None:
        """Draw as in this epoch."""
        self._epoch = epoch

    def _grouped(self, ordered: list[int]) -> list[list[int]]:
        batches: list[list[int]] = [[]]
        for index in ordered:  # ascending: the row at hand is the longest of its batch
            if batches[-1] and (len(batches[-1]) + 1) * int(self._lengths[index]) > self._budget:
                batches.append([])
            batches[-1].append(index)
        return batches


class TokenSets(Sampler[list[int]]):
    """Batches of row indexes, rows of any length together, about `budget` tokens each. Every row once an epoch; the number
    of batches is the same in each. For rows that need no padding: a step over rows of like length alone pulls towards
    what is like them, and an epoch of such steps learns less.

    parts, rank, world: as of TokenBudget."""

    def __init__(
        self, lengths: Sequence[int], budget: int, *, seed: int = 0, parts: int = 1, rank: int = 0, world: int = 1
    ) -> None:
        self._lengths = torch.tensor(lengths)
        self._seed = seed
        self._shares = [range(part * world + rank, len(lengths), parts * world) for part in range(parts)]
        self._epoch = 0
        self.batches = min(len(lengths), -(-sum(lengths) // budget))
        self.most_rows = max(map(len, self._sets()))

    def __len__(self) -> int:
        return self.batches * len(self._shares)

    def __iter__(self) -> Iterator[list[int]]:
        yield from (rows[share.start :: share.step] for rows in self._sets() for share in self._shares)

    def set_epoch(self, epoch: int) -> None:
        """Draw as in this epoch."""
        self._epoch = epoch

    def _sets(self) -> list[list[int]]:
        order = torch.randperm(len(self._lengths), generator=torch.Generator().manual_seed(self._seed + self._epoch))
        ends = self._lengths[order].cumsum(0)
        wanted = torch.arange(1, self.batches) * ends[-1] / self.batches
        cuts = [0, *torch.searchsorted(ends, wanted).add(1).tolist(), len(order)]
        for number in range(1, self.batches):  # a long row may span several cuts: each set has a row at least
            cuts[number] = min(max(cuts[number], cuts[number - 1] + 1), len(order) - (self.batches - number))
        return [order[a:b].tolist() for a, b in pairwise(cuts)]


class Batches(DataLoader[Batch]):
    """Rows in the batches of a TokenBudget, padded, or of TokenSets, packed."""

    def __init__(self, rows: Sequence[Window], order: TokenBudget | TokenSets, pad: int) -> None:
        put = partial(pack if isinstance(order, TokenSets) else collate, pad=pad)
        super().__init__(cast(Any, rows), batch_sampler=order, collate_fn=put)
        self._order = order

    def set_epoch(self, epoch: int) -> None:
        """Draw as in this epoch; transformers' Trainer calls it."""
        self._order.set_epoch(epoch)


def pack(rows: Sequence[Window], pad: int = 0) -> Batch:
    """input_ids and labels [1, tokens] of the rows side by side, the longest first, and their lengths [rows]. No id is a
    label of the row before it. No rows make one of padding alone."""
    rows = sorted(rows, key=lambda row: -len(row.ids)) or [Window([pad, pad], [False, False], 0)]
    ids = torch.tensor([[token for row in rows for token in row.ids]])
    targets = torch.tensor([[target for row in rows for target in (False, *row.targets[1:])]])
    lengths = torch.tensor([len(row.ids) for row in rows])
    return {"input_ids": ids, "labels": torch.where(targets, ids, IGNORED), "lengths": lengths}


def collate(rows: Sequence[Window], pad: int = 0) -> Batch:
    """input_ids and labels [rows, longest], padded on the right: the ids that carry loss where they stand, IGNORED elsewhere.
    No attention mask: no id of a causal model sees what stands to its right, and without one attention needs memory
    that grows linearly. No rows make one of padding alone, for a process whose share is empty."""
    rows = rows or [Window([pad, pad], [False, False], 0)]
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [pad] * (longest - len(row.ids)) for row in rows])
    targets = torch.tensor([row.targets + [False] * (longest - len(row.ids)) for row in rows])
    return {"input_ids": ids, "labels": torch.where(targets, ids, IGNORED)}
