"""Trainer callback: progress bar, time limit, regular checkpoints, and a check that gradients still flow."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from persona.errors import UserError

SAVE_EVERY = 600.0  # seconds between checkpoints if evaluations are rarer
_SHOWN = {"loss": "loss", "eval_bits_per_character": "held-out bits/char"}  # of the Trainer's log, while it runs


class ProgressCallback(TrainerCallback):
    """Moves the bar, stops at the time limit, saves every few minutes, and reports each evaluation."""

    def __init__(
        self,
        advance: Callable[..., None],
        seconds: float,
        on_evaluate: Callable[[int, Mapping[str, float]], None] | None,
        on_figures: Callable[[int, Mapping[str, float]], None],
    ) -> None:
        self._advance = advance
        self._on_figures = on_figures
        self._start = time.monotonic()
        self._seconds = seconds
        self._on_evaluate = on_evaluate
        self._saved = self._start
        self._check_gradients = False
        self._note = ""
        self._done = 0.0
        self.tokens_before = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.tokens_before = round(state.num_input_tokens_seen)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        spent = (time.monotonic() - self._start) / self._seconds
        done = min(1.0, max(state.global_step / state.max_steps, spent))
        self._advance(done - self._done, self._note)
        self._done = done
        if spent > 1:
            control.should_training_stop = True
        if args.save_strategy != "no" and time.monotonic() - self._saved > SAVE_EVERY:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved = time.monotonic()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """After an evaluation gradients must still flow: a 4-bit base on a CPU has been seen to lose them there."""
        if self._check_gradients:
            self._check_gradients = False
            if not any(bool(weight.grad.any()) for weight in kwargs["model"].parameters() if weight.grad is not None):
                raise UserError('no gradient reaches the adapter after an evaluation; set [base] quantize = "none"')

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        figures = {name: float(logs[name]) for name in _SHOWN if logs and name in logs}
        for name, value in figures.items():
            self._note = f"{_SHOWN[name]} {value:.3f}"
        if figures:
            self._on_figures(state.global_step, figures)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._check_gradients = True
        if self._on_evaluate:
            self._on_evaluate(state.global_step, kwargs.get("metrics", {}))
