"""The GGUF file says in llama.cpp what the model says in torch, and its chat template speaks the transcript."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
import xllamacpp
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    SmolLM3Config,
    SmolLM3ForCausalLM,
)

from engine.choose import encoding_of
from persona.bundle import current
from persona.config import load
from persona.encoding import Encoding
from persona.errors import UserError
from persona.names import SOMEONE
from persona.transcript import Turn
from tests import tokenizers
from tests.conftest import Home
from tests.trainer import bases
from trainer.bundle.gguf_file import write_gguf
from trainer.export.merged import merged_model, write_gguf_file, write_merged

TOKENS = 10
PROMPTS = 32
AS_GOOD = 0.02  # untrained models choose between near equals, which halves tell apart no more


def qwen2(vocabulary: int) -> PreTrainedModel:
    return Qwen2ForCausalLM(
        Qwen2Config(vocab_size=vocabulary, num_key_value_heads=2, max_position_embeddings=256, **bases.SMALL)
    )


def mistral(vocabulary: int) -> PreTrainedModel:
    more = {"num_key_value_heads": 2, "max_position_embeddings": 256, "sliding_window": None}
    return MistralForCausalLM(MistralConfig(vocab_size=vocabulary, **more, **bases.SMALL))


def olmo2(vocabulary: int) -> PreTrainedModel:
    more = {"num_key_value_heads": 2, "max_position_embeddings": 256}
    return Olmo2ForCausalLM(Olmo2Config(vocab_size=vocabulary, **more, **bases.SMALL))


def smollm3(vocabulary: int) -> PreTrainedModel:
    """Every fourth layer has no rotary positions."""
    more = {"num_key_value_heads": 2, "max_position_embeddings": 256, "pad_token_id": None}
    return SmolLM3ForCausalLM(SmolLM3Config(vocab_size=vocabulary, **more, **{**bases.SMALL, "num_hidden_layers": 4}))


def served(file: Path) -> xllamacpp.Server:
    """llama.cpp with this model, in this process."""
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.verbosity = 0
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.warmup = 256, 1, 1, False
    return xllamacpp.Server(params)


def answered(server: xllamacpp.Server, ids: list[int], end: int) -> list[int]:
    """Its greedy ids, over HTTP: only llama.cpp's own address gives ids back. The end of the turn is among them."""
    wanted = {"prompt": ids, "n_predict": TOKENS, "temperature": 0, "return_tokens": True}
    request = urllib.request.Request(
        f"{server.listening_address}/completion", json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        said = [int(token) for token in json.load(reply)["tokens"] if token != end]
    return said if len(said) == TOKENS else [*said, end]


def agreement(model: PreTrainedModel, server: xllamacpp.Server, prompts: list[list[int]], end: int) -> float:
    """The share of llama.cpp's greedy tokens that are the likeliest for the model too, or as good as that."""
    found = []
    for ids in prompts:
        theirs = torch.tensor(answered(server, ids, end))
        with torch.inference_mode():
            logits = model(torch.tensor([[*ids, *theirs[:-1]]])).logits[0, len(ids) - 1 :]
        found.append(logits.gather(1, theirs[:, None])[:, 0] >= logits.max(1).values - AS_GOOD)
    return float(torch.cat(found).float().mean())


@pytest.mark.parametrize(
    "shape", [bases.llama, qwen2, bases.qwen3, mistral, bases.granite, olmo2, smollm3], ids=lambda shape: shape.__name__
)
def test_llama_cpp_says_what_torch_says(tmp_path: Path, shape: object) -> None:
    """At least 99 % of greedy tokens on 32 prompts, at F16."""
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    torch.manual_seed(1)
    model = shape(tokenizer.get_vocab_size()).eval()  # type: ignore[operator]
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf")
    server = served(tmp_path / "model.gguf")
    rng = torch.Generator().manual_seed(0)
    prompts = torch.randint(3, tokenizer.get_vocab_size(), (PROMPTS, 12), generator=rng).tolist()
    assert agreement(model, server, prompts, end) >= 0.99


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_type": "linear", "factor": 8.0},
        {
            "rope_type": "llama3",
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128,
        },
    ],
    ids=lambda scaling: scaling["rope_type"],
)
def test_positions_are_scaled_in_llama_cpp_too(tmp_path: Path, scaling: dict[str, Any]) -> None:
    """Llama 3.1's and 3.2's, and plain ones, where it matters where a word stands."""
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    rope = {"rope_theta": 10_000.0, **scaling}
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), rope_parameters=rope, **bases.SMALL)
    torch.manual_seed(1)
    model = LlamaForCausalLM(config).eval()
    for name, weight in model.named_parameters():
        if "self_attn" in name or "lm_head" in name:
            weight.data *= 10
    write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf")
    server = served(tmp_path / "model.gguf")
    rng = torch.Generator().manual_seed(0)
    prompts = torch.randint(3, tokenizer.get_vocab_size(), (PROMPTS, 150), generator=rng).tolist()
    plain = LlamaForCausalLM(
        LlamaConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=256, **bases.SMALL)
    )
    plain.load_state_dict(model.state_dict())
    assert agreement(model, server, prompts, end) >= 0.98
    assert agreement(plain.eval(), server, prompts, end) < 0.9


SPLITS = {
    "llama-bpe": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "tekken": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"
    r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
SPLITS["dbrx"] = SPLITS["llama-bpe"]


@pytest.mark.parametrize("name", SPLITS)
def test_llama_cpp_splits_text_as_the_tokenizer_does(tmp_path: Path, name: str) -> None:
    """Llama 3's, OLMo 2's and Mistral Nemo's."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=name != "dbrx"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLITS[name]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    said = ["DON'T tell US'll 12345 or 67890, iPhoneXS isn't.\n\n  two  lines!!!\n", "naïve 早安 Ünder\t(2021)/x\n"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        said * 9,
        trainers.BpeTrainer(vocab_size=600, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False),
    )
    model = bases.llama(tokenizer.get_vocab_size())
    write_gguf(model, Encoding(tokenizer, 0, None), tmp_path / "model.gguf")
    server = served(tmp_path / "model.gguf")
    for text in (*said, "".join(said), "don't 1234567 TEXTs\n\n\nwww.a.b  c"):
        request = urllib.request.Request(
            f"{server.listening_address}/tokenize",
            json.dumps({"content": text}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert json.load(reply)["tokens"] == tokenizer.encode(text).ids


def test_llama_cpp_says_what_the_trained_persona_says(trained: Home, tmp_path: Path) -> None:
    """The exported file against the merged model, after prompts of its own transcript."""
    settings = load(trained.config, {})
    bundle = current(settings.adapters)
    server = served(write_gguf_file(settings, bundle, tmp_path / "mara.gguf", "f16"))
    model, encoding, me = merged_model(settings, bundle), encoding_of(bundle), bundle.seal.speaker
    prompts = [
        encoding.prompt("group", [Turn(SOMEONE, (f"question {number}",))], me, year=bundle.seal.year)
        for number in range(PROMPTS)
    ]
    assert agreement(model, server, prompts, bundle.seal.end_of_turn) >= 0.99


def test_the_exported_file_carries_a_template_that_renders_the_transcript(trained: Home, tmp_path: Path) -> None:
    """A user's words become a friend's turn, the assistant's the persona's: the same ids as the product's prompt."""
    settings = load(trained.config, {})
    bundle = current(settings.adapters)
    folder = write_merged(settings, bundle, tmp_path / "merged")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    talk = [("user", "are you there?"), ("assistant", "no"), ("user", "早安 😀")]
    messages = [{"role": "system", "content": "x"}, *({"role": role, "content": text} for role, text in talk)]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    me = bundle.seal.speaker
    turns = [Turn(SOMEONE if role == "user" else me, (text,)) for role, text in talk]
    assert ids == encoding_of(bundle).prompt("dm", turns, me, year=bundle.seal.year)
    write_gguf_file(settings, bundle, tmp_path / "mara.gguf", "q8_0")
    reply = served(tmp_path / "mara.gguf").handle_chat_completions({"messages": messages, "max_tokens": 8, "seed": 1})
    assert reply["choices"][0]["finish_reason"] in {"stop", "length"}
    modelfile = (tmp_path / "mara.Modelfile").read_text()
    assert modelfile.startswith("FROM ./mara.gguf\n")
    assert re.search(r"^PARAMETER top_k \d+$", modelfile, re.MULTILINE)
    assert re.search(r"^PARAMETER num_predict \d+$", modelfile, re.MULTILINE)
    assert f'PARAMETER stop "{tokenizer.eos_token}"' in modelfile


def test_a_shape_that_gguf_does_not_hold_is_refused_by_name(tmp_path: Path) -> None:
    """With what can be written."""
    tokenizer, end, bos = tokenizers.byte_level_bpe()
    model = bases.gpt2(tokenizer.get_vocab_size())
    with pytest.raises(UserError, match=r"type 'gpt2' can't be written as GGUF; alterego writes granite, llama, "):
        write_gguf(model, Encoding(tokenizer, end, bos), tmp_path / "model.gguf")


def test_a_folder_that_holds_something_is_not_written_over(trained: Home, tmp_path: Path) -> None:
    """The user's files stay."""
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "mine.txt").write_text("mine")
    settings = load(trained.config, {})
    with pytest.raises(UserError, match="is there already"):
        write_merged(settings, current(settings.adapters), tmp_path / "merged")
    assert [path.name for path in (tmp_path / "merged").iterdir()] == ["mine.txt"]
