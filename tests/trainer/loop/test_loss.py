"""The loss is the model's own, whatever the head does to its logits, and costs little memory."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import MambaConfig, MambaForCausalLM, PreTrainedModel

from persona.encoding import Encoding
from persona.transcript import Conversation, Turn
from tests import tokenizers
from tests.trainer import bases
from trainer.loop.batches import Window, collate, pack, windows_of
from trainer.loop.held_out_loss import measure_loss
from trainer.loop.loss import HEADER_WEIGHT, IGNORE_INDEX, Loss, _Chunked, install_loss, row_losses, summed_loss
from trainer.loop.packing import can_pack, padded_groups, side_by_side

ENCODING = Encoding(*tokenizers.byte_level_bpe())
ME = frozenset({"MARA"})
Shape = Callable[[int], PreTrainedModel]


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare in float32, whatever ALTEREGO_BFLOAT16 says; the tests of bfloat16 switch it on."""
    monkeypatch.setenv("ALTEREGO_BFLOAT16", "0")


def talk(turns: int, words: int = 6) -> Conversation:
    lines = [(f"turn {number} " + "word " * words).strip() for number in range(turns)]
    return Conversation("group", tuple(Turn("MARA" if k % 2 else "BOB", (line,)) for k, line in enumerate(lines)), 2020)


def rows_of(*talks: Conversation) -> list[Window]:
    return windows_of(ENCODING, list(talks), ME, 256)


def add_adapter(shape: Shape) -> PeftModel:
    """A small model under an adapter that changes something."""
    torch.manual_seed(0)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    return get_peft_model(shape(ENCODING.vocabulary), lora).eval()


def gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    assert found
    model.zero_grad()
    return {name: grad.clone() for name, grad in found.items()}


def theirs(model: PeftModel, rows: Sequence[Window], *, headers: float = HEADER_WEIGHT) -> torch.Tensor:
    """model(labels=) on each row alone, summed: no padding, no neighbours. headers: the weight of who speaks."""
    total = torch.zeros(())
    for row in rows:
        for mask, weight in ((row.loss_mask, 1.0), (row.header_mask, headers)):
            labels = torch.tensor([[i if target else IGNORE_INDEX for i, target in zip(row.ids, mask, strict=True)]])
            mean = model(input_ids=torch.tensor([row.ids]), labels=labels).loss
            total = total + weight * mean * int((labels != IGNORE_INDEX).sum())
    return total


@pytest.mark.filterwarnings("ignore:fan_in_fan_out")
@pytest.mark.parametrize("shape", bases.ALL, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("chunk", [1, 2000, 2**24])
def test_loss_and_gradients_are_the_model_s_own(shape: Shape, chunk: int) -> None:
    """Equal to model(labels=) on each row alone: padding, neighbours, chunks and capped logits change nothing."""
    model = add_adapter(shape)
    rows = rows_of(talk(3, 2), talk(6, 2), talk(2, 2), talk(4, 1))
    assert len({len(row.ids) for row in rows}) > 1
    expected, said = theirs(model, rows), float(theirs(model, rows, headers=0).detach())
    expected.backward()
    wanted = gradients(model)
    install_loss(model, chunk)
    ours = summed_loss(model, collate(rows))
    ours.backward()
    assert torch.isclose(ours, expected, rtol=1e-5)
    assert all(torch.allclose(grad, wanted[name], atol=1e-4) for name, grad in gradients(model).items())
    assert can_pack(model)
    with side_by_side(model):
        packed = summed_loss(model, pack(rows))
        packed.backward()
    assert torch.isclose(packed, expected, rtol=1e-5)
    assert all(torch.allclose(grad, wanted[name], atol=1e-4) for name, grad in gradients(model).items())
    measured = measure_loss(model, rows, 512, 0).nats
    assert measured == pytest.approx(said, rel=1e-5)
    assert measured < float(expected.detach()) * (1 - 1e-3)


@pytest.mark.filterwarnings("ignore:fan_in_fan_out")
@pytest.mark.parametrize("shape", bases.ALL, ids=lambda shape: shape.__name__)
def test_in_bfloat16_the_loss_is_the_same_but_for_rounding(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CPUs compute that have bfloat16; emulated on others. It is another number, so autocast was on."""
    model = add_adapter(shape)
    rows = rows_of(talk(3, 2), talk(6, 2), talk(2, 2), talk(4, 1))
    exact = measure_loss(model, rows, 512, 0).nats
    monkeypatch.setenv("ALTEREGO_BFLOAT16", "1")
    rounded = measure_loss(model, rows, 512, 0).nats
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=2e-3)


@pytest.mark.filterwarnings("ignore:fan_in_fan_out")
@pytest.mark.parametrize("shape", bases.ALL, ids=lambda shape: shape.__name__)
def test_rows_side_by_side_keep_their_window_and_their_memory(shape: Shape) -> None:
    """Rows longer than the window of a shape that has one, of lengths far apart, layers run again in the backward pass."""
    model = add_adapter(shape)
    rows = rows_of(talk(2, 0), talk(6, 2), talk(3, 1), talk(5, 2))
    expected = theirs(model, rows)
    expected.backward()
    wanted = gradients(model)
    install_loss(model)
    model.get_base_model().activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    for dropout in (one for one in model.modules() if isinstance(one, torch.nn.Dropout)):
        dropout.p = 0.0
    with side_by_side(model):
        packed = summed_loss(model, pack(rows))
        packed.backward()
    assert torch.isclose(packed, expected, rtol=1e-5)
    assert all(torch.allclose(grad, wanted[name], atol=1e-4) for name, grad in gradients(model).items())


def test_rows_of_lengths_far_apart_are_not_padded_to_each_other() -> None:
    """Attention to padding costs no more than attention to words, or next to nothing."""
    lengths = [3000, 900, 800, *[40] * 50, *[8] * 30]
    found = padded_groups(lengths, torch.device("cpu"))
    assert [group.longest for group in found] == [3000, 800, 40]
    assert sum(len(group.kept) for group in found) == sum(lengths)
    spent = sum(len(group.padded) * group.longest for group in found)
    assert spent < 2 * sum(length**2 for length in lengths)


def test_a_model_that_looks_ahead_or_has_no_such_attention_is_not_packed() -> None:
    """It is trained on padded rows of like length instead."""
    config = MambaConfig(vocab_size=ENCODING.vocabulary, hidden_size=32, num_hidden_layers=2, state_size=4)
    assert not can_pack(MambaForCausalLM(config))


@pytest.mark.parametrize("shape", [bases.llama, bases.qwen3], ids=lambda shape: shape.__name__)
def test_one_pass_over_a_conversation_equals_a_row_a_reply(shape: Shape) -> None:
    """Loss and gradients, and with far fewer tokens."""
    model = add_adapter(shape)
    install_loss(model)
    conversation = talk(12, 1)
    whole = [replace(row, header_mask=[]) for row in rows_of(conversation)]
    assert len(whole) == 1
    turns = conversation.turns
    answers = [
        rows_of(Conversation("group", turns[: k + 1], 2020))[0]
        for k, turn in enumerate(turns)
        if turn.speaker == "MARA"
    ]
    single = [_last_only(row) for row in answers]
    one, many = (summed_loss(model, collate(rows)) for rows in (whole, single))
    one.backward()
    first = gradients(model)
    many.backward()
    assert torch.isclose(one, many, rtol=1e-5)
    assert all(torch.allclose(grad, first[name], atol=1e-4) for name, grad in gradients(model).items())
    assert 3 * sum(len(row.ids) for row in whole) < sum(len(row.ids) for row in single)


def _last_only(row: Window) -> Window:
    """Loss on the last turn alone, as systems train that make a row of every reply."""
    last = max(k for k, target in enumerate(row.loss_mask) if not target)
    return Window(row.ids, [k > last for k in range(len(row.ids))], row.characters)


def test_a_large_vocabulary_never_holds_all_its_logits() -> None:
    """The widest matrix of logits that the head is asked for is a chunk."""
    hidden, labels = torch.randn(100, 8, requires_grad=True), torch.randint(0, 5000, (100,))
    weight = torch.randn(5000, 8)
    asked: list[int] = []

    def head(piece: torch.Tensor) -> torch.Tensor:
        asked.append(len(piece))
        return piece @ weight.T

    loss = _Chunked.apply(hidden, labels, torch.ones(100), head, 7).sum()
    (loss / 4).backward()  # as a share of several batches
    assert max(asked) == 7
    assert sum(asked) == 100
    expected = cross_entropy(hidden @ weight.T, labels, reduction="sum")
    (slope,) = torch.autograd.grad(expected, hidden)
    assert torch.isclose(loss, expected, rtol=1e-5)
    assert hidden.grad is not None
    assert torch.allclose(hidden.grad, slope / 4, atol=1e-4)


def test_bits_are_counted_by_characters_and_perplexity_by_tokens() -> None:
    """Eight bits over two characters that were eight tokens."""
    loss = Loss(nats=8 * math.log(2), tokens=8, characters=2)
    assert loss.bits_per_character == pytest.approx(4)
    assert loss.perplexity == pytest.approx(2)


def test_a_batch_without_labels_has_no_loss_and_no_gradient() -> None:
    """The share of a process that got no rows."""
    model = add_adapter(bases.qwen3)
    install_loss(model)
    loss = summed_loss(model, collate([]))
    loss.backward()
    assert float(loss.detach()) == 0
    assert all(not grad.any() for grad in gradients(model).values())


@pytest.mark.parametrize("packed", [False, True])
def test_each_row_has_its_own_loss_and_gradient(packed: bool) -> None:
    """Whatever stands beside it: each as if it were alone, with a weight of its own."""
    model = add_adapter(bases.llama)
    rows = sorted(rows_of(talk(3, 2), talk(6, 2), talk(2, 1)), key=lambda row: -len(row.ids))
    weights = torch.tensor([1.0, -2.0, 0.5])
    alone = torch.stack([theirs(model, [row], headers=0) for row in rows])
    (alone * weights).sum().backward()
    wanted = gradients(model)
    install_loss(model)
    batch = pack(rows) if packed else collate(rows)
    del batch["header_labels"]
    with side_by_side(model) if packed else nullcontext():
        together = row_losses(model, batch)
        (together * weights).sum().backward()
    ours = gradients(model)
    assert torch.allclose(together, alone, atol=1e-4)
    assert all(torch.allclose(ours[name], wanted[name], atol=1e-4) for name in wanted)
