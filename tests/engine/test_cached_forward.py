"""Models whose layers can't be packed: batched, read in stretches and continued, as far as each does it rightly."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

from engine.backends.transformers_engine import TransformersStepper
from engine.base import Request
from engine.cached_forward import CachedForward, Snapshots, why_not_batched, why_not_continued
from engine.choose_forward import forward_of
from engine.forward import RowInput
from tests.engine.stepping import ENCODING, GREEDY, agreement, generated, ids_of, prompts
from tests.trainer import families

STATEFUL = ["qwen3_5", "qwen3_5_text", "lfm2", "granite4_hybrid", "falcon_h1", "mamba2"]
UNPACKED = [*STATEFUL, "gemma2"]  # the last caps its attention, in windows of 24 tokens


def steep(family: str) -> Any:
    """A model whose next token depends on all that came before: weights as large as trained ones."""
    model = families.make(family, ENCODING.vocabulary).eval()
    torch.manual_seed(1)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    return model


@pytest.fixture(scope="module", params=UNPACKED)
def model(request: pytest.FixtureRequest) -> Any:
    return steep(request.param)


def mamba() -> Any:
    """Mamba, which forgets its state where several tokens follow what is cached."""
    torch.manual_seed(0)
    config = MambaConfig(vocab_size=ENCODING.vocabulary, hidden_size=32, num_hidden_layers=2, state_size=4)
    return MambaForCausalLM(config).eval()


def read(forward: CachedForward, ids: tuple[int, ...], row: int = 0, start: int = 0) -> torch.Tensor:
    with torch.inference_mode():
        return forward.run([RowInput(row, ids[start:], start)], decode_rows=0)[0]


def alone(model: Any, ids: tuple[int, ...]) -> torch.Tensor:
    """The logits after the last id, by one pass without a cache."""
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    return logits


def test_rows_that_join_and_leave_get_what_each_gets_alone(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Twice as many requests as rows, of many lengths, so that rows come and go; the ids are those of generate()."""
    stepper = TransformersStepper(model, 0, 4)
    budgets = [3, 16, 7, 12, 5, 16, 9, 4]
    asked = [
        Request(ids, replace(GREEDY, max_new_tokens=budget), seed=0)
        for ids, budget in zip(prompts(8), budgets, strict=True)
    ]
    expected = [row[:budget] for row, budget in zip(generated(model, prompts(8), 16), budgets, strict=True)]
    assert agreement(ids_of(stepper, asked), expected) >= 0.97
    assert len({token for row in expected for token in row}) > 5
    assert "not batched" not in caplog.text


def test_those_that_decode_go_through_the_model_together(model: Any) -> None:
    """Four tokens a pass, one of each."""
    counts: list[int] = []
    with model.get_input_embeddings().register_forward_pre_hook(lambda _, given: counts.append(given[0].numel())):
        ids_of(TransformersStepper(model, 0, 8), [Request(ids, GREEDY, seed=0) for ids in prompts(4)])
    reading = [len(ids) for ids in prompts(4)]
    assert counts[-15:] == [4] * 15
    assert sorted(counts[-19:-15]) == sorted(reading)


@pytest.mark.parametrize("family", UNPACKED)
def test_a_follow_up_pays_for_its_new_tokens_alone(family: str) -> None:
    """From the end of the answer, from the end of the prompt where the answer was cut, or anew: right each time."""
    model = steep(family)
    stepper = TransformersStepper(model, 0, 8)
    prompt = prompts(2)[1] * 2
    counts: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(lambda _, given: counts.append(given[0].numel()))

    def paid(ids: tuple[int, ...]) -> int:
        """Ask in the channel, compare with a request that knew nothing; return what the first pass read."""
        del counts[:]
        known = ids_of(stepper, [Request(ids, GREEDY, seed=0, channel="a")])[0]
        read = counts[0]
        assert agreement([known], ids_of(stepper, [Request(ids, GREEDY, seed=0)])) == 1
        return read

    answer = ids_of(stepper, [Request(prompt, GREEDY, seed=0, channel="a")])[0]
    assert paid((*prompt, *answer, 5, 6)) == 3  # the last id of the answer has not been run
    answer = ids_of(stepper, [Request(prompt, GREEDY, seed=0, channel="a")])[0]
    can_cut = family == "gemma2" and len(prompt) + 15 < 24
    assert paid((*prompt, answer[0], 9, 9, 5)) in ((3, 4) if can_cut else (4,))
    assert paid((7, *prompt)) == 1 + len(prompt)


def test_a_snapshot_is_not_changed_by_who_goes_on_from_it(model: Any) -> None:
    """Two rows start from one; what the first does is nothing to the second."""
    forward = CachedForward(model)
    ids = prompts(2)[1]
    forward.start(0, None, 0)
    read(forward, ids)
    kept = forward.export(0, len(ids))
    assert isinstance(kept, Snapshots) and kept.usable(len(ids)) == len(ids)
    for more in ((5, 6, 7), (8, 9, 3)):
        forward.start(1, kept, len(ids))
        assert torch.allclose(
            read(forward, (*ids, *more), 1, len(ids)), alone(model, (*ids, *more)), rtol=1e-2, atol=1e-2
        )
    assert kept.bytes > 0


def test_a_mark_moves_with_its_row() -> None:
    """Where the row before it leaves."""
    model = steep("lfm2")
    forward = CachedForward(model)
    leaving, staying = prompts(2)
    for row, ids in enumerate((leaving, staying)):
        forward.start(row, None, 0)
        read(forward, ids, row)
        forward.mark(row, len(ids))
    forward.release(0, 1)
    longer = (*staying, 5, 6)
    read(forward, longer, 0, len(staying))
    kept = forward.export(0, len(longer))
    assert kept and kept.usable(len(longer) - 1) == len(staying)
    forward.start(1, kept, len(staying))
    assert torch.allclose(
        read(forward, (*staying, 9), 1, len(staying)), alone(model, (*staying, 9)), rtol=1e-2, atol=1e-2
    )


def test_what_a_window_keeps_can_be_cut_until_it_lets_go() -> None:
    """Gemma 2's of 24: before, to any token; afterwards nothing but the whole."""
    model = steep("gemma2")
    forward = CachedForward(model)
    for count, usable in ((20, 11), (30, 0)):
        ids = tuple(range(1, count + 1))
        forward.start(0, None, 0)
        read(forward, ids)
        kept = forward.export(0, count)
        assert kept and kept.usable(11) == usable
    forward.start(0, None, 0)
    read(forward, tuple(range(1, 21)))
    kept = forward.export(0, 20)
    forward.start(1, kept, 11)
    other = (*range(1, 12), 40, 41)
    assert torch.allclose(read(forward, other, 1, 11), alone(model, other), rtol=1e-3, atol=1e-3)


def test_a_model_that_forgets_its_state_reads_prompts_whole(caplog: pytest.LogCaptureFixture) -> None:
    """Mamba: a prompt of more than a stretch is right, nothing is kept, and the log says so."""
    model = mamba()
    long = tuple(token for ids in prompts(40) for token in ids)[:700]
    with torch.no_grad():
        for layer in model.backbone.layers:
            torch.nn.init.normal_(layer.mixer.in_proj.weight, std=0.3)
            torch.nn.init.normal_(layer.mixer.x_proj.weight, std=0.3)
    stepper = TransformersStepper(model, 0, 8)
    assert "this base can't go on from there" in caplog.text
    counts: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(lambda _, given: counts.append(given[0].numel()))
    for _ in range(2):
        del counts[:]
        assert ids_of(stepper, [Request(long, GREEDY, seed=0, channel="a")]) == generated(model, [long], 16)
        assert counts[0] == 700


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_forgetting_is_seen_where_weights_are_small(dtype: torch.dtype) -> None:
    """Freshly made ones, whose states hardly reach the logits; those that go on are not suspected."""
    assert why_not_continued(mamba().to(dtype))
    for family in ("qwen3_5", "lfm2", "granite4_hybrid"):
        fresh = families.make(family, ENCODING.vocabulary).eval().to(dtype)
        assert (why_not_continued(fresh), why_not_batched(fresh)) == ("", "")


def test_padding_that_a_model_reads_is_noticed() -> None:
    """It goes one by one, and is right."""
    model = steep("gemma2")
    blind = model.model.forward

    def without_mask(*given: Any, attention_mask: Any = None, **named: Any) -> Any:
        return blind(*given, **named)

    model.model.forward = without_mask
    forward = forward_of(model)
    assert isinstance(forward, CachedForward)
    assert "logits were off" in why_not_batched(model)
    stepper = TransformersStepper(model, 0, 8)
    each = [ids_of(stepper, [Request(ids, GREEDY, seed=0)])[0] for ids in prompts(4)]
    assert agreement(ids_of(stepper, [Request(ids, GREEDY, seed=0) for ids in prompts(4)]), each) == 1
