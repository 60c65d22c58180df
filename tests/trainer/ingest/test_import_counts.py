"""What an import counts, and how much of it a table shows."""

from trainer.ingest.import_counts import ImportCounts, most_talkative


def test_a_table_shows_the_most_talkative_and_counts_the_others() -> None:
    """Over all sources; the others in one row a source, so that the sums stay."""
    counts = ImportCounts()
    for number in range(1480):
        for _ in range(3 if number < 20 else 1):
            counts.keep("X", f"x:{number}")
        counts.drop("X" if number % 2 else "Y", f"x:{number}", "empty")
    table = counts.table({f"x:{number}": f"Speaker {number}" for number in range(1480)})
    rows = most_talkative(table)
    assert [row["speaker"] for row in rows if row["speaker"].endswith("others")] == ["1,460 others", "730 others"]
    assert len({row["speaker"] for row in rows}) == 22
    for column in ("read", "kept"):
        assert sum(row[column] for row in rows) == sum(row[column] for row in table)
    assert sum(row["dropped"].get("empty", 0) for row in rows) == 1480
    assert most_talkative(table[:3]) == table[:3]
