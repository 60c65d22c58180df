"""What an emoji is."""

from persona.emoji import emoji_of, ends_with_emoji


def test_an_emoji_is_what_one_sees() -> None:
    """Flags, families, skin tones and keycaps are one each; digits and letters are none."""
    assert emoji_of("🇳🇱👨‍👩‍👧👍🏽1️⃣❤️ ok 12 #") == ["🇳🇱", "👨‍👩‍👧", "👍🏽", "1⃣", "❤"]
    england = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert emoji_of(f"{england}🏴 ‼️™️") == [england, "🏴", "‼", "™"]


def test_a_sign_of_text_is_none() -> None:
    """Unless it is asked to look like one."""
    assert emoji_of("Acme™ © 2024 ‼ 〰") == []


def test_a_text_ends_with_an_emoji_or_not() -> None:
    """Skin tones and joined ones count as the emoji that they are part of."""
    assert [ends_with_emoji(text) for text in ("ok 👍🏽", "👨‍👩‍👧", "👍 ok", "ok", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
