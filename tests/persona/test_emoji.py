"""What an emoji is."""

from persona.emoji import emoji_of, ends_with_emoji


def test_an_emoji_is_what_one_sees() -> None:
    """Flags, families, skin tones and keycaps are one each; digits and letters are none."""
    assert emoji_of("🇳🇱👨‍👩‍👧👍🏽1️⃣❤️ ok 12 #") == ["🇳🇱", "👨‍👩‍👧", "👍🏽", "1⃣", "❤"]


def test_a_text_ends_with_an_emoji_or_not() -> None:
    """Skin tones and joined ones count as the emoji that they are part of."""
    assert [ends_with_emoji(text) for text in ("ok 👍🏽", "👨‍👩‍👧", "👍 ok", "ok", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
