"""A quick look at many texts sees what a close one sees."""

import random

import numpy as np

from persona.word_tokens import word_tokens
from trainer.ingest.near_duplicates import _FOLDING, _WORDS
from trainer.people.name_finder import NameFinder
from trainer.people.text_scan import TEXTS_AT_ONCE, CharacterClasses, TextScan, chunks

PIECES = (
    *(
        "don't",
        "Zoë",
        "Zoe\u0301",
        "SS",
        "ß",
        "ﬁn",
        "早安",
        "小雨说",
        "ไทย",
        "ok",
        "😀",
        " ",
        " ",
        ", ",
        "_",
        "l’été",
        "ΑΣ",
        "राम",
    ),
    *("a´b", "１２", "Ⅳ", "\n", "\0", "İ", "'", "x" * 40, "٣", "ǅ", "\u0301", ""),
)


def invented(count: int, seed: int) -> list[str]:
    """Texts of odd pieces in any order; some are empty."""
    rng = random.Random(seed)
    return ["".join(rng.choices(PIECES, k=rng.randint(0, 9))) for _ in range(count)]


def test_words_are_cut_and_told_apart_as_word_tokens_are() -> None:
    """As many in each text, and two have one hash exactly if they are the same word."""
    texts = [text.replace("\0", " ") for text in invented(3000, 1)]
    words = TextScan(texts, _FOLDING).words(_WORDS)
    tokens = [word_tokens(text) for text in texts]
    assert words.counts.tolist() == list(map(len, tokens))
    pairs = set(zip((token for some in tokens for token in some), words.hashes.tolist(), strict=True))
    assert len(pairs) == len({token for token, _ in pairs}) == len({digest for _, digest in pairs})


def test_no_text_that_holds_a_name_is_passed_over() -> None:
    """Whatever stands around the name, and whatever the texts before and behind it hold."""
    finder = NameFinder(["zoë", "राम", "小雨", "don", "ok", "zoe\u0301 late", "x" * 40, "ΑΣ", "_", "i̇"])
    texts = invented(5000, 2)
    may = finder.may_stand_in(TextScan(texts))
    assert any(finder.spans(text) for text in texts)
    assert not [text for text, flag in zip(texts, may.tolist(), strict=True) if finder.spans(text) and not flag]
    assert 0 < np.count_nonzero(may) < len(texts)


def test_texts_that_hold_a_character_are_known() -> None:
    """Also empty ones at the end, and one text alone."""
    stars = CharacterClasses(lambda char: char in "*☆")
    assert TextScan(["", "a*", "b", "☆", ""]).holding(stars).tolist() == [False, True, False, True, False]
    assert TextScan([""]).holding(stars).tolist() == [False]
    assert TextScan([]).holding(stars).tolist() == []
    odd = CharacterClasses(lambda char: not char.isprintable())
    assert TextScan(["a", "b\t", "c", "d\0e"]).holding(odd).tolist() == [False, True, False, True]


def test_runs_are_known() -> None:
    """Of as many as asked for, in one text and not over two."""
    texts = ["a" * 8, "a" * 9, "b" + "😀" * 12, "aaaa aaaaa", "", "a" * 4, "a" * 5]
    assert TextScan(texts).repeating(9).tolist() == [False, True, True, False, False, False, False]


def test_chunks_are_all_there_is() -> None:
    """Each text stands in one of them."""
    count = 2 * TEXTS_AT_ONCE + 1
    assert [place for chunk in chunks(count) for place in range(chunk.start, chunk.stop)] == list(range(count))
