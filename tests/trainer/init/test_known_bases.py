"""Bases of the Hub that imitate well: what a machine trains of them is told in words."""

import pytest

from trainer.base.reachability import impossible_base
from trainer.init.known_bases import KNOWN_BASES, QWEN3
from trainer.init.machine import Machine, base_rows, suggest


def test_every_known_base_can_be_named() -> None:
    """By the owner's name too, once, the largest first; none is an instruct model."""
    names = [base.model for base in KNOWN_BASES]
    assert not any(map(impossible_base, names))
    assert len(set(names)) == len(names)
    assert [base.billions for base in KNOWN_BASES] == sorted((base.billions for base in KNOWN_BASES), reverse=True)
    assert not any("instruct" in name.casefold() for name in names)


@pytest.mark.parametrize(
    ("machine", "trains"),
    [
        (Machine("cuda", 14.6, 2, 20_000), ["in 4 bits", "in 4 bits", "whole", "whole", "whole"]),
        (Machine("mps", 30, 8, 1_400), ["too large", "3 hours", "76 minutes", "32 minutes", "11 minutes"]),
        (Machine("cpu", 100, 8, 186), ["35 hours", "20 hours", "10 hours", "4 hours", "86 minutes"]),
    ],
)
def test_how_a_base_trains_is_told_in_words(machine: Machine, trains: list[str]) -> None:
    """By memory on a card, by hours elsewhere; too many hours are told too, since somebody may have them."""
    rows = {base.model: training for base, training in base_rows(machine)}
    assert [rows[base.model] for base in QWEN3] == trains


def test_gemma_3_needs_twice_the_room_on_a_card_before_ampere() -> None:
    """It overflows in float16, and is held in float32 there."""
    old, new = (Machine("cuda", 14.6, 2, 20_000, float16=float16) for float16 in (True, False))
    (old_rows, new_rows) = ({base.model: training for base, training in base_rows(each)} for each in (old, new))
    changed = {model: (new_rows[model], old_rows[model]) for model in new_rows if new_rows[model] != old_rows[model]}
    assert changed == {"google/gemma-3-4b-pt": ("whole", "in 4 bits")}
    assert old.quantize("gemma3:4b", 3.9) == "4bit"


def test_what_is_suggested_trains_here() -> None:
    """The table and the suggestion follow one rule."""
    for gigabytes in (4, 6, 9, 14, 24, 80):
        machine = Machine("cuda", gigabytes, 8, 50_000)
        suggested = suggest(machine, lambda _model: "c0ffee").base.model
        rows = {base.model: training for base, training in base_rows(machine)}
        assert suggested == "scratch" or rows[suggested] in ("whole", "in 4 bits")
