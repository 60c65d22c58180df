"""Kernels that oneDNN compiled are kept within bounds, below both runtimes."""

import os
import subprocess
import sys

import pytest

from engine.kernel_caches import A_STEP, FEW
from engine.numerics import cpu_has_bf16
from tests.conftest import ROOT

NAME = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
LENGTHS = """
from engine.kernel_caches import bound_kernel_caches
import psutil, torch
bound_kernel_caches()
resident = psutil.Process().memory_info
weights = [torch.randn(sizes, dtype=torch.bfloat16) for sizes in ((576, 576), (192, 576), (1536, 576), (576, 1536))]
for lengths in range(100, 110), range(110, 250):
    before = resident().rss
    for length in lengths:
        for weight in weights:
            row = torch.randn(length, weight.shape[1], dtype=torch.bfloat16, requires_grad=True)
            torch.nn.functional.linear(row, weight).sum().backward()
print((resident().rss - before) >> 20)
"""


def printed(program: str, **environment: str) -> str:
    """What a process prints in which nobody chose a bound, but these."""
    known = {name: value for name, value in os.environ.items() if "CACHE_CAPACITY" not in name} | environment
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=ROOT, env=known, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(("before", "kept"), [("", FEW), ("import torch; ", A_STEP)])
def test_the_bound_is_that_of_the_runtime_and_the_users_own_is_kept(before: str, kept: int) -> None:
    """PyTorch's oneDNN would compile each kernel of a step again and again within OpenVINO's bound."""
    call = "import os; from engine.kernel_caches import bound_kernel_caches as bound; bound(); "
    program = f"{before}{call}print(os.environ['{NAME}'])"
    assert printed(program) == str(kept)
    assert printed(program, **{NAME: "7"}) == "7"


def test_rows_of_ever_new_lengths_take_little_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 on a CPU: unbounded these take 600 MiB, and a training two or three GiB."""
    monkeypatch.delenv("ALTEREGO_BFLOAT16", raising=False)
    if not cpu_has_bf16():
        pytest.skip(
            "this CPU emulates bfloat16, a hundred times slower and without compiled kernels; nothing is trained so"
        )
    assert int(printed(LENGTHS)) < 250
