"""What is trained here is trained on a card before Ampere too: by the same tests, with the CPU standing in for it."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

OTHER_FORMATS = "machine_s_format or bfloat16 or overflows_in_float16"  # tests that set a number format themselves


@pytest.mark.slow
@pytest.mark.parametrize("tests", ["test_families.py", "adapter", "base", "loop", "refine"])
def test_a_card_before_ampere_trains_it(tests: str) -> None:
    """In float16, every family of bases."""
    asked = [f"tests/trainer/{tests}", "-n0", "-q", "-k", f"not ({OTHER_FORMATS})", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, "-m", "bench.old_card", *asked], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
