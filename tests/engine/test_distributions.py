"""First tokens follow the exact distribution under every sampling rule: chi-square over 20,000 draws an engine and rule."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backends.openvino_engine import OpenVinoStepper
from engine.backends.transformers_engine import TransformersStepper, load_base
from engine.base import Request
from engine.stepper import Stepper
from persona.sampling import SamplingParams
from tests.engine.stepping import ENCODING, FREE, ids_of, steep_base
from tests.engine.test_sampler import warped
from trainer.bundle.gguf_file import write_gguf

DRAWS = 20_000
END = ENCODING.end_of_turn
PROMPT = (20, 30, 40, 50)
RULES = {
    "free": FREE,
    "cool": replace(FREE, temperature=0.7),
    "hot": replace(FREE, temperature=1.5),
    "top_p": replace(FREE, top_p=0.8),
    "top_k": replace(FREE, top_k=7),
    "min_p": replace(FREE, min_p=0.1),
    "calibrated": SamplingParams(),
    "all": SamplingParams(0.9, 0.9, 12, 0.05),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_base(steep_base(tmp_path_factory.mktemp("base"))).eval()


@pytest.fixture(scope="module", params=["transformers", "openvino"])
def stepper(request: pytest.FixtureRequest, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Stepper:
    if request.param == "transformers":
        return TransformersStepper(model, END, 256)
    path: Path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(model, ENCODING, path)
    return OpenVinoStepper(path, END, frozenset({END}), 256, 256)


def p_value(counts: Counter[int], exact: torch.Tensor) -> float:
    """Of Pearson's chi-square; tokens expected fewer than five times are taken together."""
    expected = (exact * DRAWS).tolist()
    often = [token for token, wanted in enumerate(expected) if wanted >= 5]
    rest = DRAWS - sum(expected[token] for token in often)
    cells = [(counts[token], expected[token]) for token in often]
    if rest > 1:
        cells.append((DRAWS - sum(counts[token] for token in often), rest))
    square = sum((seen - wanted) ** 2 / wanted for seen, wanted in cells)
    freedom = max(1, len(cells) - 1)
    return float(torch.special.gammaincc(torch.tensor(freedom / 2.0), torch.tensor(square / 2.0)))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_first_tokens_follow_the_exact_distribution(stepper: Stepper, model: Any, rule: SamplingParams) -> None:
    """What the rule excludes is never drawn, and the rest as often as it is likely."""
    once = replace(rule, max_new_tokens=1)
    drawn: Counter[int] = Counter()
    for start in range(0, DRAWS, 2000):
        many = [Request(PROMPT, once, seed) for seed in range(start, start + 2000)]
        drawn.update(token for (token,) in ids_of(stepper, many, stop=END))
    with torch.no_grad():
        logits = model(torch.tensor([PROMPT])).logits[0, -1:].float()
    exact = warped(logits, rule)[0].softmax(-1)
    assert {token for token in drawn if exact[token] == 0} == set()
    found = p_value(drawn, exact)
    assert found > 1e-4, f"p = {found:.2g}"
    assert math.isfinite(found)
