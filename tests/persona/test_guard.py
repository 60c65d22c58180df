"""The copy guard: what it finds, what it lets pass, what it keeps, and what it costs."""

import random
import secrets
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.errors import PermanentError
from persona.guard import Guard, blocked_pattern, build, load, numbers, shingles
from persona.word_tokens import word_tokens

KEY = bytes(range(128, 144))
SAID = (
    "the cat sat on the good jacket again",
    "我昨天晚上在楼下的小店买了三个饺子",
    "call me on 06-1234 5678 if the bike breaks",
    "see you there",
)


@pytest.fixture
def guard() -> Guard:
    return Guard(build(SAID, KEY), blocked_pattern(["heron", "秘密"]))


@pytest.mark.parametrize(
    "text",
    [
        SAID[0],
        "THE CAT SAT ON THE GOOD JACKET",
        "well, the cat -- sat on: the good... jacket! who knew",
        "the cat sat\non the good jacket",
        "the ｃａｔ sat on thé good jacket",
        SAID[1],
        "听说我昨天晚上在楼下的小店买了两个",
    ],
)
def test_six_words_in_a_row_are_a_copy(guard: Guard, text: str) -> None:
    """Also in capitals, with other punctuation, accents or line breaks; in Chinese twelve characters."""
    assert guard.check(text) == "copy"


@pytest.mark.parametrize(
    "text",
    [
        "the cat sat on the nice jacket again",
        "see you there",
        "我昨天晚上在楼下的小店",
        "",
        "🙃🙃🙃",
        "no cats here at all today ok",
    ],
)
def test_shorter_runs_and_other_words_may_be_said(guard: Guard, text: str) -> None:
    """Five words are anybody's."""
    assert guard.check(text) == ""


@pytest.mark.parametrize("text", ["0612345678", "it is 61 23 45!", "61234"])
def test_five_digits_of_a_number_are_too_many(guard: Guard, text: str) -> None:
    """However they are written, and with other words around them."""
    assert guard.check(text) == "number"


@pytest.mark.parametrize("text", ["6123", "in 2021 it was 7 degrees", "a run of 98765"])
def test_other_numbers_may_be_said(guard: Guard, text: str) -> None:
    """Four digits, years, and numbers nobody trained on."""
    assert guard.check(text) == ""


def test_blocked_words_are_whole_words_except_where_none_are_written(guard: Guard) -> None:
    """ "Herons" are not blocked with "heron"; Chinese has no blanks to go by."""
    assert guard.check("a HERON!") == "blocked word"
    assert guard.check("the herons") == ""
    assert guard.check("这是秘密啊") == "blocked word"


def test_what_is_private_is_named() -> None:
    """By whoever knows what personal data looks like."""
    guard = Guard(private=lambda text: "e-mail" if "@" in text else "")
    assert guard.check("mail me at a@b.example") == "e-mail"
    assert guard.check("no") == ""


@given(st.lists(st.text(alphabet="abc déЖ 我 1,.'\n", max_size=80), max_size=8), st.integers(0, 7))
def test_every_shingle_of_a_training_text_is_caught(texts: list[str], pick: int) -> None:
    """Whatever the script: a text that has a shingle is never said again."""
    guard = Guard(build(texts, KEY))
    for text in texts[pick : pick + 1]:
        caught = guard.check(text.upper())
        assert bool(caught) == bool([*shingles(text), *numbers(text)])


def test_a_mixture_of_scripts_counts_both() -> None:
    """Three words and six characters weigh as much as six words."""
    assert list(shingles("i want 饺子和面条吧 now")) == ["i want 饺 子 和 面 条 吧 now"]
    assert word_tokens("Don't 吃饭 naïve_x") == ["dont", "吃", "饭", "naive", "x"]


def test_a_saved_guard_says_the_same_and_holds_no_text(tmp_path: Path, guard: Guard) -> None:
    """Nobody but the owner reads it; no word of the messages is in it, and another key gives other hashes."""
    path = tmp_path / "guard.bin"
    guard.seen.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Guard(load(path))
    assert [again.check(text) for text in SAID] == ["copy", "copy", "copy", ""]
    content = path.read_bytes()
    assert not any(word.encode() in content for text in SAID for word in text.split() if len(word) > 2)
    assert set(build(SAID, secrets.token_bytes(16)).hashes).isdisjoint(guard.seen.hashes)


@pytest.mark.parametrize("content", [b"", b"alterego guard 1short", b"another file altogether, and quite a long one"])
def test_what_is_no_guard_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """A damaged one must not let everything pass."""
    (tmp_path / "guard.bin").write_bytes(content)
    with pytest.raises(PermanentError, match=r"guard\.bin was not written by this version"):
        load(tmp_path / "guard.bin")


def test_a_hundred_thousand_shingles_take_under_a_megabyte(tmp_path: Path) -> None:
    """Eight bytes each, in memory as on disk."""
    rng = random.Random(0)
    texts = [" ".join(str(rng.random())[:9] for _ in range(25)) for _ in range(5000)]
    build(texts, KEY).save(tmp_path / "guard.bin")
    tracemalloc.start()
    seen = load(tmp_path / "guard.bin")
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen.hashes) >= 100_000
    assert now < 9 * len(seen.hashes) + 10_000
