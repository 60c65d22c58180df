"""The language of a conversation, and the countries its phone numbers are from."""

import pytest

from persona.errors import SettingsError
from trainer.corpus.row import Row
from trainer.corpus.segmentation import MessageGroup
from trainer.ingest.languages import foreign, language_of, languages_of, regions_of

ENGLISH = "did you see the match last night, it was really close until the end and then everybody left"
GERMAN = "hast du gestern das Spiel gesehen, bis zum Schluss war es knapp und dann sind alle gegangen"
CHINESE = "你昨天看比赛了吗,到最后都很接近,然后大家都走了"


def part(*texts: str) -> MessageGroup:
    return MessageGroup("group", [Row("x", "X", "c", "group", text, "me", 0.0, (text,)) for text in texts])


def test_a_conversation_is_judged_as_a_whole() -> None:
    """A short line in it says nothing; a short conversation is not judged."""
    assert [language_of(part("ok", text)) for text in (ENGLISH, GERMAN, CHINESE)] == ["en", "de", "zh"]
    assert language_of(part("ok", "lol")) == ""
    assert language_of(part("[photo]")) == ""


def test_other_languages_are_found_and_short_conversations_stay() -> None:
    """All rows of a foreign conversation, also those that could be in any language."""
    parts = [part("ok", GERMAN), part(ENGLISH), part("jawohl")]
    assert [row.lines[0] for row in foreign(parts, ("en",))] == ["ok", GERMAN]


def test_a_language_that_cannot_be_told_is_refused() -> None:
    """With the key and what it knows."""
    with pytest.raises(SettingsError, match=r"\[data\] languages: xx can't be told from others; it knows en, de"):
        list(foreign([], ("xx",)))


def test_countries_are_learned_from_numbers_and_from_languages() -> None:
    """International numbers in texts and names first, then where the language is spoken; what was learned stays."""
    texts = ["call +31 6 12345678", *[GERMAN] * 20]
    assert regions_of(texts, ["+46 70 123 45 67"], languages_of(texts)) == (
        "SE",
        "NL",
        "DE",
        "AT",
        "CH",
    )
    assert regions_of([CHINESE], [], languages_of([CHINESE]), ("US",))[:2] == ("US", "CN")
    assert regions_of([], [], languages_of([])) == ()
