"""Forward passes without any cache, for models whose own can't be used: the whole row is read for each new token."""

from collections.abc import Sequence

import torch

from engine.forward import Model, RowInput, RowPrefix


class RereadForward:
    """Rows of ids alone. Right for any model, and slow."""

    reads_whole = True

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows: dict[int, list[int]] = {}

    def run(self, inputs: Sequence[RowInput], decode_rows: int) -> torch.Tensor:
        """Run a forward pass for each row."""
        return torch.stack([self._read(row_input) for row_input in inputs]).float()

    def _read(self, row_input: RowInput) -> torch.Tensor:
        row = self._rows[row_input.row] = [*self._rows.get(row_input.row, ())[: row_input.start], *row_input.ids]
        ids = torch.tensor([row], device=self._model.device)
        logits: torch.Tensor = self._model(input_ids=ids, use_cache=False).logits
        return logits[0, -1]

    def start(self, row: int, kept: RowPrefix | None, tokens: int) -> None:
        """Start with nothing."""
        self._rows[row] = []

    def release(self, row: int, last: int) -> None:
        """Give the row what `last` has."""
        moved = self._rows.pop(last, [])
        if row != last:
            self._rows[row] = moved

    def mark(self, row: int, tokens: int) -> None:
        """Nothing is kept."""

    def export(self, row: int, tokens: int) -> RowPrefix | None:
        """Return None: nothing is kept."""
        return None

    def clear(self) -> None:
        """Free all memory."""
        self._rows.clear()
