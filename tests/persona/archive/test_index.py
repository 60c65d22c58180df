"""The archive finds what was said by its words; nothing later, of the same talk, or of another DM; and no query breaks it."""

import sqlite3
from pathlib import Path

import pytest

from persona.archive.index import FILE, Archive, archive_of, build
from persona.archive.passages import Passage
from persona.archive.ranking import Cue
from persona.bundle import BaseModelSeal, Bundle, Seal
from persona.errors import PermanentError
from persona.transcript import Quote, Turn
from tests.persona.archive.talk import DAY, about, archive, indexed, talk

EELS = talk("PRIYA: where was that place with the eels\nMARA: korenlei, never again", id="eels", day=1)
TRAM = talk("BRAM: the tram leaves at 9:40 now\nMARA: from the other side", id="tram", day=2)
CHINESE = talk("小雨: 我们周六去根特吃鳗鱼\nMARA: 不去", id="zh", day=3)


@pytest.fixture
def talks(tmp_path: Path) -> Archive:
    return archive(tmp_path, EELS, TRAM, CHINESE)


def best(archive: Archive, cue: Cue) -> str:
    """The conversation of what answers it best, "" if nothing does."""
    matches = archive.search(cue)
    return matches[0].passage.conversation if matches else ""


def test_what_was_said_is_found_by_its_words(talks: Archive) -> None:
    """In any script, by the last turn first, by the quote, and whole."""
    assert best(talks, Cue(about("who wants eels?"))) == "eels"
    assert best(talks, Cue(about("鳗鱼好吃吗"))) == "zh"
    assert best(talks, Cue((*about("a tram"), *about("eels")))) == "eels"
    assert best(talks, Cue(about("sure"), Quote("BRAM", "the tram leaves…"))) == "tram"
    assert talks.search(Cue(about("who wants eels?")))[0].passage == EELS[0]
    assert len(talks) == 3
    assert list(talks.passages()) == [*EELS, *TRAM, *CHINESE]


HOSTILE = (
    *("", '"', '""" OR eels"', "NEAR(eels tram, 2)", "eels*", "-eels", "said:eels", "^eels AND NOT (tram", "NOT", "\\"),
    *("'; DROP TABLE passages; --", "eels " * 2000, "x" * 10_000, "😂😂", "[react 😂]"),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_query_breaks_it(talks: Archive, text: str) -> None:
    """Whatever is typed is words, or nothing."""
    cue = Cue((Turn("JONAS", (text,)),) if text else ())
    assert best(talks, cue) == ("eels" if "eels" in text else "")
    assert len(talks.rank(cue, indexed(EELS))) == ("eels" in text)


def test_only_what_was_said_before_comes_to_mind(talks: Archive) -> None:
    """To the second."""
    assert best(talks, Cue(about("eels"), at=1 * DAY + 2)) == "eels"
    assert best(talks, Cue(about("eels"), at=1 * DAY + 1)) == ""
    assert best(talks, Cue(about("根特"), at=2.5 * DAY)) == ""


def test_a_talk_doesn_t_come_to_its_own_mind(talks: Archive) -> None:
    """Its beginning stands in the prompt already."""
    assert best(talks, Cue(about("eels"), conversation="eels")) == ""
    assert best(talks, Cue(about("eels"), conversation="tram")) == "eels"


def test_without_dates_what_stands_before_is_earlier(tmp_path: Path) -> None:
    """As in a play; what is not in the archive knows all of it."""
    first, second, third = (talk(f"A: the crown of number {n}\nB: aye {n}", id=f"{n}") for n in (1, 2, 3))
    plays = archive(tmp_path, first, second, third)
    cue = Cue(about("crown"), conversation="2")
    assert [match.passage.conversation for match in plays.search(cue)] == ["1"]
    assert {match.passage.conversation for match in plays.search(Cue(about("crown")))} == {"1", "2", "3"}


def test_a_dm_comes_to_mind_in_that_very_dm_alone(tmp_path: Path) -> None:
    """Not in a group, nor in another DM; not by its words, at random, or from elsewhere."""
    secret = talk("PRIYA: the surprise is a canoe\nMARA: ssh", id="dm1", day=1, dm="PRIYA")
    other = talk("BRAM: a canoe trip?\nMARA: yes", id="dm2", day=1, dm="BRAM")
    both = archive(tmp_path, EELS, secret, other)
    assert [match.passage.conversation for match in both.search(Cue(about("canoe")))] == []
    assert [match.passage.conversation for match in both.search(Cue(about("canoe"), dm="PRIYA"))] == ["dm1"]
    assert [match.passage.conversation for match in both.search(Cue(about("canoe"), dm="BRAM"))] == ["dm2"]
    assert best(both, Cue(about("eels"), dm="BRAM")) == "eels"
    assert both.rank(Cue(about("canoe")), indexed(secret)) == []
    assert len(both.rank(Cue(about("canoe"), dm="PRIYA"), indexed(secret))) == 1
    drawn = {passage.dm for number in range(50) if (passage := both.draw(Cue(()), number))}
    assert drawn == {""}


def test_a_random_passage_is_an_earlier_one(talks: Archive) -> None:
    """Of another talk."""
    cue = Cue(about("x"), at=2.5 * DAY, conversation="eels")
    drawn = [talks.draw(cue, number) for number in range(40)]
    assert {passage.conversation for passage in drawn if passage} == {"tram"}
    assert talks.draw(Cue(about("x"), at=0.5 * DAY), 7) is None


def test_common_words_remind_of_nothing(tmp_path: Path) -> None:
    """What a tenth of all passages holds is no reason to think of one of them."""
    many = [talk(f"A: well the word{n} is here\nB: yes", id=f"{n}", day=n) for n in range(60)]
    everyday = archive(tmp_path, *many)
    assert everyday.search(Cue(about("well is the here"))) == []
    assert best(everyday, Cue(about("well word17"))) == "17"


def test_passages_from_elsewhere_are_scored_alike(talks: Archive) -> None:
    """What a channel said goes among what the archive holds; without an archive too."""
    here = talk("JONAS: eels again on friday\nMARA: fine", id="", day=9)
    (match,) = talks.rank(Cue(about("eels?")), indexed([*here, *TRAM]))
    assert match.passage == here[0]
    assert match.score == pytest.approx(talks.search(Cue(about("eels?")))[0].score, rel=0.6)
    assert len(Archive.empty().rank(Cue(about("eels?")), indexed(here))) == 1
    assert Archive.empty().search(Cue(about("eels?"))) == []


def test_a_missing_foreign_or_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    """Before it is asked, and while it is."""
    with pytest.raises(PermanentError, match="is missing; bring the bundle again"):
        Archive.open(tmp_path / FILE)
    for content in (b"", b"no database", b"SQLite format 3\0" + b"x" * 5000):
        (tmp_path / "x.sqlite").write_bytes(content)
        with pytest.raises(PermanentError, match=r"is damaged|is no archive"):
            Archive.open(tmp_path / "x.sqlite")
    build(tmp_path / FILE, EELS)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(PermanentError, match="has format 2, this alterego reads format 1"):
        Archive.open(tmp_path / FILE)
    build(tmp_path / FILE, EELS)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("UPDATE passages SET text = 'nothing'")
    with pytest.raises(PermanentError, match="is damaged"):
        list(Archive.open(tmp_path / FILE).passages())


def test_it_is_for_the_owner_s_eyes_and_never_half_there(tmp_path: Path) -> None:
    """Mode 0600; who is interrupted leaves nothing."""

    def interrupted() -> "list[Passage]":
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / FILE, (passage for part in (lambda: EELS, interrupted) for passage in part()))
    assert list(tmp_path.iterdir()) == []
    build(tmp_path / FILE, EELS)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_bundle_without_an_archive_remembers_nothing(tmp_path: Path) -> None:
    """Nor with one that its seal doesn't know."""
    base = BaseModelSeal(model="scratch", weights="abc", architecture="qwen3")
    seal = Seal(speaker="MARA", speakers={}, end_of_turn=0, stops=(0,), max_length=64, base=base)
    (tmp_path / "private").mkdir()
    assert len(archive_of(Bundle(tmp_path, seal))) == 0
    build(tmp_path / "private" / FILE, EELS)
    assert len(archive_of(Bundle(tmp_path, seal))) == 1
    assert len(archive_of(Bundle(tmp_path, seal.signed({"README.md": "0"})))) == 0
