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
    """Every letter of the head and the row is there, and no column is squeezed away."""
    monkeypatch.setenv("COLUMNS", width)
    print_table(rows[0], rows[1:])
    printed = capsys.readouterr().out
    letters = "".join("".join(cells) for cells in rows)
    assert sorted(printed.replace("\n", "").replace(" ", "")) == sorted(letters.replace(" ", ""))
    assert all(len(line) <= int(width) for line in printed.splitlines())


def test_names_stay_whole_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be typed again is on one line; cells with blanks give way."""
    monkeypatch.setenv("COLUMNS", "66")
    print_table(BASES[0], [BASES[1]])
    assert BASES[1][0] in capsys.readouterr().out
