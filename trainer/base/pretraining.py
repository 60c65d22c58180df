"""Pretraining a base from scratch: a byte-level BPE and a small Qwen3-shaped model on the corpus's train part alone."""

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from engine.kernel_caches import bound_kernel_caches
from persona.encoding import Encoding
from persona.transcript import Conversation, render
from trainer.base.muon import Muon
from trainer.loop.batches import PretrainingBlocks
from trainer.loop.checkpoints import CHECKPOINTS, last_complete
from trainer.loop.device_memory import Fit
from trainer.loop.trainer import TokenTrainer, Trained, run_training, training_arguments
from trainer.progress import Bars

END_OF_TURN = "<|end_of_turn|>"
BLOCK = 256  # tokens; longer ones learn no faster at this size
ROWS = 8  # blocks a step
CONTEXT = 512  # positions: further ones cost likelihood, twice a block doesn't
DROPOUT = 0.1
MATRIX_RATE, VECTOR_RATE = 0.02, 3e-3
PATIENCE = 8  # times what the quickest quiet cores take: others are half as fast, and busy ones half as fast again
TOKENS_TO_SEE = 5_500_000  # about 14 passes over a megabyte of text, where held-out loss stops falling
# Nor more over less text: on the sample, half a megabyte, 36 passes were .1 bits a character worse than 6.
PASSES = 14
MIN_TOKENS_TO_SEE = 840_000  # of a small corpus, the sample's in two minutes …
MAX_PASSES = 40  # … which may take so many passes
MIN_MINUTES = 1.0  # that a limit counts with: the first steps are slow
MAX_MINUTES = 40.0  # on two quiet cores, by default
SAVES = 10  # checkpoints on the way, so that an interruption costs a tenth at most


@dataclass(frozen=True, slots=True)
class Size:
    """A model's shape. vocabulary: ids of its tokenizer."""

    hidden: int
    layers: int
    vocabulary: int


QUIET_RATES = {  # tokens a second of pretraining on two quiet cores of a server with AVX-512 BF16 (2026)
    Size(128, 3, 1024): 13_000,
    Size(192, 4, 2048): 7_000,
    Size(256, 6, 4096): 3_200,
    Size(384, 8, 8192): 1_500,
}


def size_for(characters: int) -> Size:
    """Return the size that fits so much text and a home machine: measured on a megabyte of chat (192x4 beat 256x4 at
    equal time there), scaled with the root of the text beyond."""
    small, middle, large, huge = QUIET_RATES
    if characters < 200_000:
        return small
    if characters < 2_000_000:
        return middle
    return large if characters < 20_000_000 else huge


@dataclass(frozen=True, slots=True)
class Budget:
    """How much pretraining does. tokens: that it sees, which decide alone on a quiet machine. minutes: that two quiet cores
    take for them."""

    tokens: int
    minutes: float


def budget_for(size: Size, tokens: int, minutes: float | None = None) -> Budget:
    """Return the budget for a text of so many tokens. minutes: no more than two quiet cores see in that time."""
    wanted = max(tokens, min(PASSES * tokens, TOKENS_TO_SEE), MIN_TOKENS_TO_SEE)
    enough = min(MAX_PASSES * tokens, wanted)
    seen = max(1, min(enough, round((minutes or MAX_MINUTES) * 60 * QUIET_RATES[size])))
    return Budget(seen, seen / QUIET_RATES[size] / 60)


@dataclass(frozen=True, slots=True)
class UntrainedBase:
    """A base before pretraining. characters: of the text it will be trained on."""

    model: Qwen3ForCausalLM
    tokenizer: PreTrainedTokenizerFast
    size: Size
    characters: int


def init_base(conversations: Sequence[Conversation], seed: int) -> UntrainedBase:
    """Return a tokenizer of these conversations and an untrained model of the size that fits them."""
    bound_kernel_caches()
    texts = [render(conversation) for conversation in conversations]
    characters = sum(map(len, texts))
    size = size_for(characters)
    tokenizer = train_tokenizer(texts, size.vocabulary)
    torch.manual_seed(seed)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END_OF_TURN)
    return UntrainedBase(shape(size, tokenizer), wrapped, size, characters)


def pretrain(
    conversations: Sequence[Conversation],
    folder: Path,
    *,
    minutes: float | None,
    seed: int,
    bars: Bars,
    patience: float = PATIENCE,
) -> Trained:
    """Pretrain a base on these conversations and save it in `folder` as transformers does.

    It sees a number of tokens that follows from the text. minutes: at most as many as two quiet cores see in that time. If
    it takes `patience` times as long, it is cut short, and that is told. Interrupted, it leaves checkpoints in `folder`, from
    which the same pretraining goes on."""
    untrained = init_base(conversations, seed)
    tokenizer = untrained.tokenizer.backend_tokenizer
    encoding = Encoding(tokenizer, _end(tokenizer))
    encoded = encoding.conversations(conversations, ())
    tokens = sum(len(conversation.ids) for conversation in encoded)
    budget = budget_for(untrained.size, tokens, minutes)
    limit = patience * max(budget.minutes, minutes or MIN_MINUTES)
    length = min(BLOCK, max(16, tokens))
    blocks = PretrainingBlocks(encoded, length, math.ceil(budget.tokens / length), seed)
    bars.say(
        f"pretraining a base of {untrained.model.num_parameters() / 1e6:.1f}M parameters on {tokens:,} tokens "
        f"({untrained.characters:,} characters), {budget.tokens / tokens:.1f} times"
    )
    torch.manual_seed(seed)
    trained = _train(untrained.model, blocks, encoding, limit * 60, seed, folder, bars)
    if trained.steps < (steps := math.ceil(len(blocks) / ROWS)):
        bars.warn(
            f"pretraining ended after {limit:.3g} minutes, {patience:.3g} times what two quiet cores take, and "
            f"{trained.steps / steps:.0%} of its tokens, so the base is worse than it could be: train when the machine does "
            "nothing else, or raise [base] minutes"
        )
    for checkpoint in folder.glob(CHECKPOINTS):
        shutil.rmtree(checkpoint)
    untrained.model.save_pretrained(folder)
    untrained.tokenizer.save_pretrained(folder)
    return trained


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    """Return a byte-level BPE: any text fits, nothing is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END_OF_TURN], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _end(tokenizer: Tokenizer) -> int:
    return tokenizer.get_vocab()[END_OF_TURN]


def shape(size: Size, tokenizer: Tokenizer) -> Qwen3ForCausalLM:
    """Return an untrained model. Qwen3's shape: OpenVINO, llama.cpp and vLLM all run it, and its weights need no
    permuting."""
    end = _end(tokenizer)
    heads = size.hidden // 32
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=size.hidden,
        intermediate_size=3 * size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 2),
        head_dim=32,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=end,
    )
    return Qwen3ForCausalLM(config)


def _train(
    model: Qwen3ForCausalLM,
    blocks: PretrainingBlocks,
    encoding: Encoding,
    seconds: float,
    seed: int,
    folder: Path,
    bars: Bars,
) -> Trained:
    hooks = [
        module.register_forward_hook(lambda module, _, out: torch.nn.functional.dropout(out, DROPOUT, module.training))
        for layer in model.model.layers
        for module in (layer.self_attn.o_proj, layer.mlp)
    ]
    steps = math.ceil(len(blocks) / ROWS)
    optimizer = MuonWithAdam(model)
    step = Fit(ROWS * len(blocks[0].ids))
    trainer = TokenTrainer(
        model=model,
        args=training_arguments(
            folder,
            epochs=1,
            learning_rate=VECTOR_RATE,
            seed=seed,
            steps=steps,
            evaluate=False,
            fit=step,
            save_strategy="steps",
            save_steps=math.ceil(steps / SAVES),
        ),
        rows=blocks,
        held_out=[],
        fit=step,
        pad=encoding.end_of_turn,
        in_order=True,
        optimizers=(optimizer, _falling(optimizer, steps, seconds)),
    )
    resume_from = last_complete(folder)
    if resume_from:
        bars.say(f"going on at step {resume_from.name.split('-')[1]} of the pretraining that was interrupted")
    trained = run_training(trainer, "pretraining the base", bars, seconds=seconds, resume_from=resume_from)
    for hook in hooks:
        hook.remove()
    return trained


class MuonWithAdam(torch.optim.Optimizer):
    """Muon for the matrices inside the layers, AdamW for embeddings and norms, as one optimizer with two groups."""

    def __init__(self, model: torch.nn.Module) -> None:
        named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        matrices = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name]
        others = [weight for name, weight in named if weight.ndim != 2 or "embed" in name]
        super().__init__([{"params": matrices, "lr": MATRIX_RATE}, {"params": others, "lr": VECTOR_RATE}], {})
        self._parts = (
            Muon(matrices, lr=MATRIX_RATE, momentum=0.95, weight_decay=0.01),
            torch.optim.AdamW(others, lr=VECTOR_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return our own groups, and what both have gathered."""
        return {**super().state_dict(), "parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        own = dict(state_dict)
        for part, state in zip(self._parts, own.pop("parts"), strict=True):
            part.load_state_dict(state)
        super().load_state_dict(own)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of both, at the rates that a scheduler left in our own groups."""
        for part, group in zip(self._parts, self.param_groups, strict=True):
            part.param_groups[0]["lr"] = group["lr"]
            part.step()


def _falling(optimizer: torch.optim.Optimizer, steps: int, seconds: float) -> LambdaLR:
    """Warm up briefly, then decay linearly to zero at the last step or at the time limit, whichever is nearer."""
    start = time.monotonic()

    def factor(step: int) -> float:
        done = max(step / steps, (time.monotonic() - start) / seconds)
        return max(0.02, min(1.0, (step + 1) / 20) * (1 - done))

    return LambdaLR(optimizer, factor)
