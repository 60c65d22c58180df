"""What commands print keeps its words on narrow terminals."""

from collections.abc import Sequence

import pytest

from trainer.console import print_table

IMPORT = (
    ("source", "speaker", "read", "dropped"),
    ("X archive", "Mara Voss", "2,800", "near_duplicates 221, retweets 185"),
)
BASES = ("base", "billions", "trains", "licence"), ("HuggingFaceTB/SmolLM2-360M-Base", "0.36", "a night", "Apache-2.0")


@pytest.mark.parametrize("width", ["30", "40", "60"])
@pytest.mark.parametrize("rows", [IMPORT, BASES])
def test_a_narrow_table_hides_nothing(
    rows: tuple[Sequence[str], Sequence[str]],
    width: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every cell and the name of its column is there, and no line is longer than the terminal."""
    monkeypatch.setenv("COLUMNS", width)
    print_table(rows[0], rows[1:])
    printed = capsys.readouterr().out
    letters = printed.replace("\n", "").replace(" ", "")
    assert all(word in letters for cell in (*rows[0][1:], *rows[1]) for word in cell.split())
    assert all(len(line) <= int(width) for line in printed.splitlines())


def test_no_word_is_cut_where_there_is_no_room_for_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row is a paragraph then, below its first cell; the sum too."""
    monkeypatch.setenv("COLUMNS", "38")
    print_table(IMPORT[0], [IMPORT[1]], total=("all", "", "2,800", "406"))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "X archive",
        "  speaker Mara Voss, read 2,800,",
        "  dropped near_duplicates 221,",
        "  retweets 185",
        "all",
        "  read 2,800, dropped 406",
    ]


def test_names_stay_whole_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be typed again is on one line; cells with blanks give way."""
    monkeypatch.setenv("COLUMNS", "66")
    print_table(BASES[0], [BASES[1]])
    assert BASES[1][0] in capsys.readouterr().out
