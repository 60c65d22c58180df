"""The training loop: it learns, goes on where it was cut off, and does with less memory or more processes the same."""

import json
import math
import operator
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from bench.old_card import old_card
from engine.backends.transformers_engine import load_base
from engine.cpu_precision import SWITCH
from engine.numerics import LOSS_SCALE
from persona.config import Train
from persona.errors import UserError
from tests.conftest import ROOT
from tests.trainer import bases
from tests.trainer.loop.test_loss import ENCODING, ME, talk
from trainer.loop.batches import PackedSampler, Window, windows_of
from trainer.loop.checkpoints import last_complete
from trainer.loop.device_memory import USED, Fit, activation_bytes, autocast_bytes, fit
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.lora import PATIENCE, add_adapter, target_tokens, train_adapter
from trainer.loop.loss import CHUNK
from trainer.loop.trainer import Trained, training_arguments
from trainer.progress import Bars

SETTINGS = Train(rank=4, epochs=2, dropout=0.1)
END = ENCODING.end_of_turn


def rows_of(talks: int) -> list[Window]:
    return windows_of(ENCODING, [talk(2 + k % 5, 1) for k in range(talks)], ME, 200)


def train(
    folder: Path,
    *,
    step: Fit | None = None,
    settings: Train = SETTINGS,
    learning_rate: float = 5e-3,
    callbacks: Sequence[TrainerCallback] = (),
    limit: int | None = None,
    for_programs: bool = False,
) -> tuple[float, Trained]:
    """An adapter for the base in `folder`/base. Returns its held-out nats. limit: ids a forward can take before memory
    runs out."""
    model = add_adapter(load_base(folder / "base", None, torch.float32), settings)
    if limit is not None:
        model.get_base_model().get_input_embeddings().register_forward_pre_hook(_out_of_memory_beyond(limit))
    held_out = rows_of(9)
    done = train_adapter(
        model,
        rows_of(40),
        held_out,
        settings,
        learning_rate=learning_rate,
        fit=step or Fit(600),
        pad=END,
        folder=folder / "work",
        callbacks=callbacks,
        bars=Bars(quiet=True, for_programs=for_programs),
        on_evaluate=lambda _step, _metrics: None,
    )
    return measure_loss(model, held_out, 2000, END).nats, done


def _out_of_memory_beyond(limit: int) -> Callable[[Any, Any], None]:
    """A device with room for so many ids when it trains."""

    def check(module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if module.training and inputs[0].numel() > limit:
            torch.empty(10**15)  # in PyTorch's own words

    return check


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune")
    bases.save(folder / "base", bases.qwen3)
    return folder


@pytest.fixture
def place(home: Path, tmp_path: Path) -> Path:
    (tmp_path / "base").symlink_to(home / "base")
    (tmp_path / "work").mkdir()
    return tmp_path


class Scales(TrainerCallback):
    """What the loss was multiplied by, after each step."""

    def __init__(self) -> None:
        self.after: list[float] = []

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.after.append(kwargs["optimizer"].scaler.get_scale())


def test_it_learns_as_much_on_a_card_before_ampere(place: Path, tmp_path: Path) -> None:
    """In float16 under a GradScaler, whose first scale costs no step."""
    calm, scales = Train(rank=4, epochs=1, dropout=0.0), Scales()
    expected, _ = train(place, settings=calm)
    with old_card():
        found, done = train(with_same_base(place, tmp_path / "other"), settings=calm, callbacks=[scales])
    assert found == pytest.approx(expected, rel=0.02)
    assert scales.after == [LOSS_SCALE] * done.steps


class Killed(TrainerCallback):
    """Ends a training in the middle of a step, as kill -9 would: nothing more is written."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self._step:
            raise InterruptedError


def test_it_learns_as_much_in_bfloat16(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By autocast, as on CPUs that have it and on CUDA cards; evaluated in float32."""
    untuned = measure_loss(add_adapter(load_base(place / "base", None, torch.float32), SETTINGS), rows_of(9), 2000, END)
    monkeypatch.setenv("ALTEREGO_BFLOAT16", "1")
    tuned, _ = train(place)
    assert tuned < 0.95 * untuned.nats


def test_it_learns_and_prunes_its_checkpoints(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The held-out loss falls, in a number of steps that follows from rows and epochs; a program hears of it meanwhile."""
    untuned = measure_loss(
        add_adapter(load_base(place / "base", None, torch.float32), SETTINGS), rows_of(9), 2000, END
    ).nats
    tuned, done = train(place, for_programs=True)
    assert tuned < 0.95 * untuned
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [one["step"] for one in told if "loss" in one]
    held_out = [one["eval_bits_per_character"] for one in told if "eval_bits_per_character" in one]
    assert held_out[-1] < held_out[0]
    assert told[-1] == {"task": "training the adapter", "done": 1.0}
    assert done.steps == 2 * PackedSampler([len(row.ids) for row in rows_of(40)], 600).batches
    assert len(list((place / "work").glob("checkpoint-*"))) <= 2


class Slow(TrainerCallback):
    """Shows what it shows at an evaluation for a while; on_evaluate counts as one."""

    seconds = 0.0

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        began = time.monotonic()
        while time.monotonic() - began < 0.2:
            time.sleep(0.05)
        self.seconds += time.monotonic() - began


def test_evaluations_are_no_training(place: Path) -> None:
    """Tokens a second are those of the steps."""
    slow, began = Slow(), time.monotonic()
    _, done = train(place, callbacks=[slow])
    assert slow.seconds
    assert 0 < done.seconds <= time.monotonic() - began - slow.seconds


@pytest.mark.parametrize(("steps", "every"), [(1, 1), (23, 12), (64, 32)])
def test_an_epoch_ends_with_an_evaluation_and_has_one_more(place: Path, steps: int, every: int) -> None:
    """Half way, rounded up: rounded down, the last would come a step after another."""
    arguments = training_arguments(
        place, epochs=1, learning_rate=1e-3, seed=0, steps=steps, evaluate=True, fit=Fit(64), save_strategy="steps"
    )
    assert arguments.eval_steps == every


class Worse(TrainerCallback):
    """From some step on the adapter says ever more of what it learned, as one does that is overfitted."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step > 8:
            with torch.no_grad():
                for name, weight in kwargs["model"].named_parameters():
                    weight.mul_(1.15 if "lora_B" in name else 1.0)


def test_the_adapter_with_the_lowest_held_out_loss_is_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Training stops once that has risen, and goes back."""
    found, done = train(
        place, settings=SETTINGS.model_copy(update={"epochs": 9}), callbacks=[Worse()], for_programs=True
    )
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    bits = [one["eval_bits_per_character"] for one in told if "eval_bits_per_character" in one]
    assert done.steps < 9 * PackedSampler([len(row.ids) for row in rows_of(40)], 600).batches
    assert bits[-PATIENCE - 1] == min(bits)
    assert found / sum(row.characters for row in rows_of(9)) / math.log(2) == pytest.approx(min(bits), rel=1e-4)
    assert done.held_out == pytest.approx(found / target_tokens(rows_of(9)), rel=1e-4)


@pytest.mark.parametrize("modules", ["no_such_layer", ["no_such_layer"]])
def test_modules_that_the_base_lacks_are_a_sentence(modules: str | list[str]) -> None:
    """Also where the head is the table of embeddings."""
    base = bases.gpt2(ENCODING.vocabulary)
    with pytest.raises(UserError, match="target_modules does not fit this base"):
        add_adapter(base, Train.model_validate({"target_modules": modules}))


def with_same_base(place: Path, folder: Path) -> Path:
    """A new place whose base is that of another."""
    folder.mkdir()
    (folder / "base").symlink_to(place / "base")
    (folder / "work").mkdir()
    return folder


@pytest.mark.parametrize("step", [1, 4, 9])
def test_a_training_that_was_cut_off_ends_as_if_it_was_not(place: Path, tmp_path: Path, step: int) -> None:
    """At any step: the held-out loss is the uninterrupted run's, dropout and order included."""
    whole, other = place, with_same_base(place, tmp_path / "other")
    expected, _ = train(whole)
    with pytest.raises(InterruptedError):
        train(other, callbacks=[Killed(step)])
    found, done = train(other)
    assert found == pytest.approx(expected, rel=1e-4)
    assert done.held_out == pytest.approx(found / target_tokens(rows_of(9)), rel=1e-4)


def test_a_half_written_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    """It is removed, and the one before it taken."""
    for number, state in ((3, "{}"), (12, '{"global')):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-20").mkdir()
    assert last_complete(tmp_path) == tmp_path / "checkpoint-3"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_where_memory_runs_out_it_goes_on_in_smaller_parts(place: Path, tmp_path: Path) -> None:
    """And learns the same, since a step still sees the same rows."""
    calm = Train(rank=4, epochs=1, dropout=0.0)
    expected, _ = train(place, settings=calm)
    other = with_same_base(place, tmp_path / "other")
    found, _ = train(other, settings=calm, limit=210)
    assert found == pytest.approx(expected, rel=1e-4)


def test_too_little_memory_for_one_message_is_a_sentence(place: Path) -> None:
    """After parts and checkpointing were tried."""
    with pytest.raises(UserError, match="too little memory for even one message"):
        train(place, limit=10)


class Ruined(TrainerCallback):
    """Makes the adapter infinite as soon as one was saved."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        with torch.no_grad():
            next(one for one in kwargs["model"].parameters() if one.requires_grad).fill_(torch.inf)


def test_after_an_infinite_loss_the_best_adapter_so_far_is_kept(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what the last good evaluation saw, and the user hears of both."""
    found, done = train(place, callbacks=[Ruined()], for_programs=True)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    best = min(one["eval_bits_per_character"] for one in told if "eval_bits_per_character" in one)
    characters = sum(row.characters for row in rows_of(9))
    assert found / characters / math.log(2) == pytest.approx(best, rel=1e-4)
    assert any("the best so far" in one.get("said", "") for one in told)
    assert done.steps < 2 * PackedSampler([len(row.ids) for row in rows_of(40)], 600).batches


def test_an_infinite_loss_says_where(place: Path) -> None:
    """With the step and the size of the batch, never its text."""
    with pytest.raises(
        UserError, match=r"the loss became infinite at step \d+ of \d+, on a batch of \d+ rows.*; lower \[train\] learn"
    ):
        train(place, learning_rate=1e30)


class Overflowing(TrainerCallback):
    """Has the base compute no numbers, as in a format that is too short for it."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        with torch.no_grad():
            next(kwargs["model"].parameters()).fill_(torch.inf)


def test_an_infinite_loss_before_anything_was_learned_is_the_base_s(place: Path) -> None:
    """No learning rate mends it."""
    with pytest.raises(
        UserError, match=r"at step 1 of .*; what the base computes in .* is no number; .*choose another base"
    ):
        train(place, callbacks=[Overflowing()])


@pytest.mark.parametrize("modules", [("lm_head",), ("q_proj", "lm_head")])
def test_a_head_that_is_named_learns(place: Path, modules: tuple[str, ...]) -> None:
    """By its own gradient, and not only what lies before it."""
    settings = Train(rank=4, epochs=1, target_modules=modules)
    train(place, settings=settings)
    saved = next(place.glob("work/checkpoint-*/adapter_model.safetensors"))
    learned = {name for name, weight in load_file(saved).items() if "lora_B" in name and weight.any()}
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in learned} == set(modules)


def test_what_fits_follows_from_free_memory(home: Path) -> None:
    """One forward a step where there is room, more where there is less, then checkpointing."""
    model = add_adapter(load_base(home / "base", None, torch.float32), SETTINGS)
    lengths = [40] * 100
    remembered, run_again = (activation_bytes(model, checkpointing=checkpointing) for checkpointing in (False, True))
    assert run_again < remembered
    fixed = 3 * 4 * CHUNK + autocast_bytes(model)
    plenty, some, little = (
        fit(model, lengths, 2000, free=partial(operator.truediv, fixed + room, USED))
        for room in (1e12, 600 * remembered, 35 * remembered)
    )
    assert plenty == Fit(2000, 1, False)
    assert some == Fit(2000, 4, False)
    assert little.checkpointing


def test_what_autocast_copies_has_to_fit_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes too few are a forward more."""
    monkeypatch.setenv(SWITCH, "1")
    model = add_adapter(load_base(home / "base", None, torch.float32), SETTINGS)
    room = 499.5 * activation_bytes(model, checkpointing=False) + 3 * 4 * CHUNK
    with_copies = room + autocast_bytes(model)
    assert autocast_bytes(model) > activation_bytes(model, checkpointing=False)
    assert fit(model, [40] * 100, 2000, free=lambda: with_copies / USED).micro_batches == 5
    assert fit(model, [40] * 100, 2000, free=lambda: (with_copies + room / 499) / USED).micro_batches == 4


def test_two_processes_learn_what_one_does(place: Path, tmp_path: Path) -> None:
    """By torchrun over gloo, at the same global batch; that nothing is sharded on CPUs is said."""
    calm = Train(rank=4, epochs=1, dropout=0.0)
    expected, _ = train(place, settings=calm)
    other = with_same_base(place, tmp_path / "other")
    code = (
        "import sys, json, pathlib; from persona.config import Train; from tests.trainer.loop.test_lora import train; "
        "from trainer.loop.distributed import world; rank, size = world(); "
        "calm = Train(rank=4, epochs=1, dropout=0.0, fsdp='full_shard'); "
        f"nats, done = train(pathlib.Path({str(other)!r}), settings=calm, for_programs=True); "
        f"pathlib.Path({str(other)!r}, f'{{rank}}.json').write_text(json.dumps([nats, done.steps, size]))"
    )
    script = other / "two.py"
    script.write_text(code)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = subprocess.run(
        [*launch, "--master_port", str(port), str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert started.returncode == 0, started.stderr
    for rank in range(2):
        nats, _, size = json.loads((other / f"{rank}.json").read_text())
        assert size == 2
        assert "fsdp shards over CUDA cards alone" in started.stderr
        assert nats == pytest.approx(expected, rel=1e-4)


def test_a_launcher_that_starts_fewer_processes_than_it_says_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """`accelerate launch --cpu` has been seen to do that."""
    from accelerate import PartialState

    from trainer.loop.distributed import world

    PartialState()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="2 processes were asked for and 1 train together"):
        world()
