"""What comes to mind is little, fits, and stands in the order in which it was said."""

from pathlib import Path

import pytest

from persona.archive.index import Archive
from persona.archive.passages import Passage
from persona.archive.ranking import Cue, ScoredPassage
from persona.archive.recall import choose, recall, recall_passages, token_budget
from persona.encoding import Encoding
from persona.transcript import Turn
from tests import tokenizers
from tests.persona.archive.talk import about, archive, indexed, talk

ENCODING = Encoding(*tokenizers.byte_level_bpe())
CUE = Cue(about("do you know a place with eels?"))


def scored(score: float, text: str = "eels", ended: float = 0.0) -> ScoredPassage:
    return ScoredPassage(score, Passage((Turn("A", (text,)),), "group", ended=ended))


def test_the_best_three_in_the_order_in_which_they_were_said() -> None:
    """Nothing half as good as the best, nothing twice."""
    five = [scored(10, "a", 5.0), scored(9, "b", 1.0), scored(9, "b", 3.0), scored(8, "c", 2.0), scored(7, "d")]
    assert [each.passage.turns[0].text for each in choose(five, ENCODING, 4096)] == ["b", "c", "a"]
    assert [each.score for each in choose([scored(10), scored(4.9, "b")], ENCODING, 4096)] == [10]
    assert choose([], ENCODING, 4096) == []


@pytest.mark.parametrize(("max_length", "tokens"), [(4096, 300), (1024, 256), (64, 16)])
def test_they_take_little_of_a_prompt(max_length: int, tokens: int) -> None:
    """Three hundred tokens, and a quarter of it at most; a long one makes room for a short one."""
    assert token_budget(max_length) == tokens
    many = [scored(10 - number / 10, "eel " * (4**number)) for number in range(5, 0, -1)]
    memories = [each.passage.excerpt for each in choose(many, ENCODING, max_length)]
    assert 0 < ENCODING.memory_length(memories) <= tokens or max_length == 64


def test_one_function_asks_the_archive_and_what_was_heard_here(tmp_path: Path) -> None:
    """As a prompt takes it, and as the studio shows it."""
    old = talk("PRIYA: the place with the eels\nMARA: korenlei", id="old", day=1)
    (here,) = talk("JONAS: another place with eels\nMARA: oh no", id="", day=9)
    heard = indexed([here])
    found = archive(tmp_path, old, talk("BRAM: hi\nMARA: ho", id="x", day=2))
    assert recall(found, CUE, ENCODING, 4096) == (old[0].excerpt,)
    assert recall(found, CUE, ENCODING, 4096, heard) == (old[0].excerpt, here.excerpt)
    assert [each.passage for each in recall_passages(found, CUE, ENCODING, 4096, heard)] == [*old, here]
    assert recall(Archive.empty(), CUE, ENCODING, 4096) == ()
