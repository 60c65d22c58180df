"""How a base is opened: whether it wants its first token is found out at a bounded cost."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bench.old_card import old_card
from engine.backends.transformers_engine import load_base
from engine.numerics import autocast
from persona.config import Settings, Train
from persona.errors import UserError
from persona.transcript import Conversation, Turn
from tests import tokenizers
from tests.trainer import bases
from trainer.base.loading import BOS_TOKENS, _model, _scratch_folders, _tokenizer, _with_or_without_bos, scratch_folder
from trainer.base.suitability import require_language_model
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus
from trainer.loop.lora import add_adapter
from trainer.loop.loss import install_loss, summed_loss

END = 0


def corpus(conversations: int, words: int) -> Corpus:
    """Talks of twenty turns of so many words."""
    turns = tuple(Turn(("BOB", "MARA")[k % 2], ("word " * words + str(k),)) for k in range(20))
    records = [
        ConversationRecord(str(n), Conversation("group", turns, 2020), (None,) * 20, "x") for n in range(conversations)
    ]
    return Corpus(conversations=records, splits=dict.fromkeys(map(str, range(conversations)), "train"))


class Tokenizer:
    """As transformers wraps one, with another id for the first token than for the end."""

    bos_token_id = 1

    def __init__(self) -> None:
        self.backend_tokenizer = tokenizers.byte_level_bpe()[0]


@pytest.mark.parametrize(("conversations", "words"), [(1000, 1), (1000, 30), (3, 200), (1, 1)])
def test_choosing_the_first_token_costs_a_bounded_number_of_tokens(
    tmp_path: Path, conversations: int, words: int
) -> None:
    """However large the corpus and however long its turns; both tries together, their padding included."""
    model = load_base(bases.save(tmp_path, bases.llama), None, torch.float32)
    counts: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(lambda _, ids: counts.append(ids[0].numel()))
    _with_or_without_bos(model, Tokenizer(), END, corpus(conversations, words), "MARA")
    assert 0 < sum(counts) <= BOS_TOKENS


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tokenizer.json", ""),
        ("tokenizer.json", '{"model": 5}'),
        ("tokenizer_config.json", "[]"),
        ("tokenizer_config.json", '{"tokenizer_class": 5}'),
        ("tokenizer_config.json", '{"tokenizer_class": "GPT2Tokenizer", "bos_token": 5}'),
    ],
)
def test_a_tokenizer_that_cannot_be_read_is_a_sentence(tmp_path: Path, file: str, content: str) -> None:
    """Whatever transformers raises at it."""
    bases.save(tmp_path, bases.llama)
    (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match=r"the tokenizer of '.*' can't be loaded \(.+\); choose a base that ships"):
        _tokenizer(tmp_path, None)


@pytest.mark.parametrize("likes_bos", [True, False])
def test_the_likelier_encoding_is_chosen(tmp_path: Path, likes_bos: bool) -> None:
    """A model whose words are surer after, or without, a first token."""
    model = load_base(bases.save(tmp_path, bases.llama), None, torch.float32)
    said = corpus(40, 2)
    words = sorted({i for row in _ids(said) for i in row})

    def surer(_: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        """Raise what is said, if the row began as this model likes."""
        return output + likelier * 5.0 * torch.zeros(output.shape[-1]).index_fill(0, torch.tensor(words), 1.0)

    likelier = False

    def look(_: Any, ids: tuple[torch.Tensor]) -> None:
        nonlocal likelier
        likelier = bool((ids[0][:, 0] == Tokenizer.bos_token_id).all()) == likes_bos

    model.get_input_embeddings().register_forward_pre_hook(look)
    model.get_output_embeddings().register_forward_hook(surer)
    encoding = _with_or_without_bos(model, Tokenizer(), END, said, "MARA")
    assert (encoding.bos is not None) == likes_bos


def _ids(said: Corpus) -> list[list[int]]:
    from persona.encoding import Encoding

    encoding = Encoding(Tokenizer().backend_tokenizer, END)
    return [row.ids for row in encoding.conversations([record.conversation for record in said.conversations], ())]


def test_a_new_scratch_base_replaces_scratch_bases_alone(tmp_path: Path) -> None:
    """A dequantised file's folder beside them stays."""
    settings = Settings.model_validate({"persona": {"name": "Mara"}, "base": {"minutes": 2.5}})
    old = scratch_folder(settings.model_copy(update={"root": tmp_path}), corpus(2, 1))
    for name in (
        old.name,
        "0123456789ab-auto-0",
        "SmolLM2-135M-Instruct.Q4_1-0123456789ab",
        "gemma-3-270m-0123456789ab",
        ".0123456789ab-auto-1",
    ):
        (tmp_path / name).mkdir()
    assert sorted(folder.name for folder in _scratch_folders(tmp_path)) == sorted([old.name, "0123456789ab-auto-0"])
    assert [folder.name for folder in _scratch_folders(tmp_path, ".")] == [".0123456789ab-auto-1"]


def test_a_base_that_overflows_is_trained_on_a_card_before_ampere(tmp_path: Path) -> None:
    """Its weights and what its norms hand on are float32: the loss and all gradients are numbers."""
    folder = bases.save(tmp_path, bases.loud)
    with old_card():
        base = _model(folder, None, Settings.model_validate({"persona": {"name": "Mara"}}))
        require_language_model(base, "loud")
        model = add_adapter(base, Train(dropout=0.0))
        install_loss(model)
        ids = torch.arange(1, 25)[None]
        with autocast(model.device):
            loss = summed_loss(model, {"input_ids": ids, "labels": ids})
        loss.backward()
    assert model.dtype == torch.float32
    assert torch.isfinite(loss)
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.requires_grad)
