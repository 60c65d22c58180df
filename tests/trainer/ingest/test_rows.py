"""Rows of the corpus: who reacted to them."""

import pytest

from trainer.corpus.row import Row
from trainer.ingest.rows import with_reactors
from trainer.people.identities import Identity, register_mentioned


@pytest.mark.parametrize(
    ("reaction", "key"),
    [
        (("🥨", "2", "Alex"), "discord:2"),  # one of two of this name, who may speak or not
        (("🥨", "3", "Alex"), "discord:3"),
        (("🥨", "4", ""), "discord:4"),
        (("🥨", "", "Bo"), "discord:=BO"),
        (("🥨", "Bo"), "discord:=BO"),
        (("🥨", "1"), "discord:1"),
    ],
)
def test_who_reacted_is_known_by_an_id_where_there_is_one(reaction: tuple[str, ...], key: str) -> None:
    """A name is anybody's."""
    identities: dict[str, Identity] = {}
    for number in ("1", "2"):
        register_mentioned(identities, "discord", number, "Alex")
    row = Row("discord", "D", "c", "group", "9", "discord:1", 0.0, ("bread",), reactions=(reaction,))  # type: ignore[arg-type]
    assert with_reactors(row, identities).reactions == (("🥨", key),)
    assert key in identities


def test_a_reaction_without_an_author_is_none() -> None:
    """As a count of strangers is."""
    row = Row("discord", "D", "c", "group", "9", "discord:1", 0.0, ("bread",), reactions=(("🥨", "", ""),))  # type: ignore[arg-type]
    assert with_reactors(row, {}).reactions == ()
