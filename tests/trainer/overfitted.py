"""An adapter that learned its messages by heart, on purpose: what the guard is for."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel

from persona.config import Train
from persona.encoding import Encoding
from persona.transcript import Conversation
from trainer.base.pretraining import Size, shape
from trainer.loop.batches import windows_of
from trainer.loop.device_memory import Fit
from trainer.loop.lora import add_adapter, train_adapter
from trainer.progress import Bars

LOUD = 0.3  # of the embeddings; an untrained model's are so small that no adapter could make it sure of anything


def overfitted(
    encoding: Encoding, conversations: Sequence[Conversation], speaker: str, *, epochs: int, hidden: int = 96
) -> PeftModel:
    """A LoRA on an untrained base that saw these conversations so many times, with nothing held out to stop it."""
    torch.manual_seed(0)
    base = shape(Size(hidden, 2, encoding.vocabulary), encoding.tokenizer)
    torch.nn.init.normal_(base.model.embed_tokens.weight, std=LOUD)  # the end's row too: as padding it would be zero
    settings = Train(rank=64, alpha=128, dropout=0.0, epochs=epochs)
    model = add_adapter(base, settings)
    rows = windows_of(encoding, conversations, frozenset({speaker}), 256)
    with tempfile.TemporaryDirectory() as folder:
        train_adapter(
            model,
            rows,
            [],
            settings,
            learning_rate=3e-3,
            fit=Fit(1024),
            pad=encoding.end_of_turn,
            folder=Path(folder),
            callbacks=[],
            bars=Bars(quiet=True),
            on_evaluate=lambda *_: None,
        )
    return model.eval()
