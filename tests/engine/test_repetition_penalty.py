"""A repetition penalty never touches the end of a turn, in whatever engine: a reply that can't end is no reply."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backends.openvino_engine import OpenVinoStepper
from engine.backends.server_engine import ServerEngine
from engine.backends.transformers_engine import TransformersStepper
from engine.base import EngineError, Request, complete
from engine.worker import ThreadedEngine
from tests.engine.stepping import ENCODING, GREEDY, ids_of
from tests.trainer import bases
from trainer.bundle.gguf_file import write_gguf

END, SEEN, NEW = ENCODING.end_of_turn, 7, 9
PENALISED = replace(GREEDY, repetition_penalty=1.5, max_new_tokens=1)


def always(logits: dict[int, float]) -> Any:
    """A model with these logits after every prompt."""
    model = bases.llama(ENCODING.vocabulary).eval()
    fixed = torch.full((ENCODING.vocabulary,), -5.0)
    fixed[list(logits)] = torch.tensor(list(logits.values()))
    model.lm_head.register_forward_hook(lambda *_: fixed.expand(1, _[2].shape[1], -1))
    return model


@pytest.mark.parametrize(
    ("logits", "sampled"),
    [
        ({SEEN: 2.5, NEW: 1.8, END: 0.0}, NEW),  # the penalty works
        ({SEEN: 2.5, NEW: 1.8, END: 2.0}, END),  # though the prompt holds several ends of turns
        ({SEEN: -0.5, NEW: -0.6, END: -0.4}, END),
    ],
)
def test_the_transformers_engine_spares_the_end_of_a_turn(logits: dict[int, float], sampled: int) -> None:
    """What was said before becomes less likely, but not that a turn ends."""
    stepper = TransformersStepper(always(logits), END, 4)
    assert ids_of(stepper, [Request((5, END, SEEN, END), PENALISED, seed=0)]) == [[sampled]]


async def test_the_openvino_engine_refuses_a_penalty(tmp_path: Path) -> None:
    """Its runtime knows no exception."""
    write_gguf(bases.llama(ENCODING.vocabulary), ENCODING, tmp_path / "model.gguf")
    engine = ThreadedEngine(
        "openvino",
        lambda: OpenVinoStepper(tmp_path / "model.gguf", END, frozenset({END}), 4, 256),
        ENCODING,
        stops=frozenset({END}),
        max_length=256,
        max_concurrent=4,
    )
    await engine.start()
    with pytest.raises(EngineError, match="spare the end of a turn"):
        await complete(engine, Request((5,), PENALISED, 0))
    await engine.close()


async def test_the_server_engine_refuses_a_penalty() -> None:
    """Before anything is sent."""
    engine = ServerEngine(
        "http://127.0.0.1:9/v1", "mara", ENCODING, stops=frozenset({END}), max_length=256, max_concurrent=4
    )
    await engine.start()
    with pytest.raises(EngineError, match="spare the end of a turn"):
        await complete(engine, Request((5,), PENALISED, 0))
    await engine.close()
