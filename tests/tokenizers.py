"""Small tokenizers of the kinds that bases ship, made here: byte-level BPE, Unigram, BPE with byte fallback, WordPiece."""

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "ALICE:\nhello there, World 42\n",
    "BOB:\nno, I did not sleep. </s> # group 2021\n",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ: abcdefghijklmnopqrstuvwxyz ,.!?'\"0123456789\n <>|\\/_#@[]…-",
] * 30


def byte_level_bpe() -> tuple[Tokenizer, int, int | None]:
    """As GPT-2, Qwen and Llama 3 have it: tokenizer, end of text, begin of text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>"]
    tokenizer.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.add_tokens(["<think>", "  "])  # added, but not special: Qwen and GPT-NeoX have such
    return tokenizer, 0, None


def unigram() -> tuple[Tokenizer, int, int | None]:
    """As sentencepiece makes them: a blank before every piece, specials inside the vocabulary."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        TEXTS,
        trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False),
    )
    return tokenizer, 2, 1


def bpe_with_fallback() -> tuple[Tokenizer, int, int | None]:
    """As Llama 2 and Gemma have it: blanks as ▁, unknown characters as bytes."""
    chars = sorted(set("".join(TEXTS)) - {" "} | {"▁"})
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for piece in [f"<0x{byte:02X}>" for byte in range(256)] + chars + ["he", "ll", "▁h", "▁he", "llo"]:
        vocabulary.setdefault(piece, len(vocabulary))
    merges = [("h", "e"), ("l", "l"), ("▁", "h"), ("▁", "he"), ("ll", "o")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer, 2, 1


def word_piece() -> tuple[Tokenizer, int, int | None]:
    """As BERT has it: it loses case and line breaks."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[UNK]", "[SEP]"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    return tokenizer, 1, None
