"""What `make check-real` counts and writes: headers of others, an assistant's phrases, and tables between two marks."""

from pathlib import Path

import pytest

from bench.real_base import ASSISTANT, MARKS, exported_table, has_header, learned_table, spoken_table, write_between

NAMES = {"ALICE", "BRAM DE WIT"}
ROW = {"voice_ratio": [0.9, 0.5, 1.3], "two_sample": [0.6, 0.5, 0.7], "distinct_2": [0.8, 0.7, 0.9]} | {
    key: [0.0, 0.0, 0.0] for key in ("duplicates", "copy8", "full")
}
RESULT = {
    "base": "small",
    "corpus": "Alice",
    "train": {"bits_per_character_base": 1.5, "half": 1.45, "bits_per_character": 1.4, "steps": 9, "minutes": 2.0},
    "figures": {
        "replies": 200,
        "ended": 0.985,
        "with_header": 1,
        "assistant": 0,
        "person_assistant": 2,
        "held_back": 0.01,
    }
    | {"tuned": ROW, "human": ROW},
}


@pytest.mark.parametrize(
    ("text", "is_header"),
    [
        ("yes\nALICE:\nno", True),
        ("yes\n# group", True),
        ("yes\nBram de Wit:", True),
        ("look:\nthere", False),
        ("at 12:30", False),
        ("alice said so", False),
    ],
)
def test_headers_of_others_are_counted(text: str, is_header: bool) -> None:
    """As the transcript writes them, and as people of the corpus are called."""
    assert has_header(text, NAMES) is is_header


def test_an_assistant_is_known_by_its_phrases() -> None:
    """And not a person who helps."""
    assert ASSISTANT.search("Of course! I'm here to help you work through this.")
    assert ASSISTANT.search("As an AI language model")
    assert not ASSISTANT.search("i can help you move on saturday")


def test_tables_hold_what_was_measured() -> None:
    """A pair without figures yet is left out of the second."""
    trained = {key: value for key, value in RESULT.items() if key != "figures"}
    assert learned_table([trained]).splitlines()[2] == "| small | Alice | 9 | 2.0 | 1.500 | 1.450 | 1.400 | 0.100 |"
    assert spoken_table([trained]) == exported_table([trained]) == ""
    assert "| 98.5% | 1 | 0 (2) | 1.0% | 0.90 (0.50 to 1.30) | 0.60 | 1.00 |" in spoken_table([RESULT])
    exported = RESULT | {"export": {"as": "gguf", "megabytes": 1270, "seconds": 8.4, "speaks": True}}
    assert exported_table([exported]).splitlines()[2] == "| small | Alice | gguf | 1,270 | 8 | yes |"


def test_tables_are_written_between_their_marks(tmp_path: Path) -> None:
    """What stands around them stays."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n", encoding="utf-8")
    write_between(page, "new")
    assert page.read_text(encoding="utf-8") == f"before\n{MARKS[0]}\nnew\n{MARKS[1]}\nafter\n"
