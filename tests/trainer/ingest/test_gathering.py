"""What exports hold as rows: plain messages are made rows of as all others are."""

from dataclasses import asdict
from functools import partial

import pytest

from persona.config import Settings
from tests.trainer.sources.reading import FIXTURES
from trainer.ingest.cleaning import DroppedMessage, Kept, clean
from trainer.ingest.export_stream import made
from trainer.ingest.plain_messages import clean_all
from trainer.ingest.rows import PlainRows, row_of
from trainer.people.identities import Identity, register_sender
from trainer.sources.message import Message
from trainer.sources.registry import find


@pytest.mark.parametrize("name", ["telegram", "x_2023", "discord", "slack", "mastodon"])
def test_a_plain_message_makes_the_row_that_any_other_way_makes(name: str) -> None:
    """With the same people, their names counted alike."""
    settings = Settings.model_validate({"persona": {"name": "Ines"}, "data": {"dms": True}})
    quick, slow = dict[str, Identity](), dict[str, Identity]()
    plain, count = PlainRows("source", quick), 0
    for export in find(FIXTURES / name):
        for batch in made(export, partial(clean_all, settings=settings.data), lambda _: None):
            for message, cleaned in zip(batch.messages, batch.made, strict=True):
                if cleaned is None:
                    count += 1
                    assert plain.row_of(message) == _any_row(message, settings, slow)
    assert list(map(asdict, quick.values())) == list(map(asdict, slow.values()))
    assert count > 0


def _any_row(message: Message, settings: Settings, identities: dict[str, Identity]) -> object:
    cleaned: Kept | DroppedMessage = clean(message, settings.data)
    assert isinstance(cleaned, Kept)
    return row_of(message, register_sender(identities, message), "source", cleaned, identities)
