"""The lines of a message in imessage-exporter's text."""

import pytest

from trainer.sources.parsing.imessage_body import parse_body


@pytest.mark.parametrize(
    ("lines", "kind", "text", "media"),
    [
        (
            ["https://example.org/bread", "How to bake a brick", "Ten bakers explain."],
            "message",
            "https://example.org/bread",
            (),
        ),
        (["https://example.org/bread"], "message", "https://example.org/bread", ()),
        (["look: https://example.org/bread", "and this"], "message", "look: https://example.org/bread\nand this", ()),
        (
            ["Song of the Mill", "The Album", "The Band", "https://music.apple.com/x"],
            "message",
            "https://music.apple.com/x",
            (),
        ),
        (
            ["Oven", "Bake better", "iOS", "Food", "https://apps.apple.com/app/x"],
            "message",
            "https://apps.apple.com/app/x",
            (),
        ),
        (["Mill", "https://maps.apple.com/?q=mill", "Mill", "12 Long Lane", "Noord"], "message", "", ("location",)),
        (["GamePigeon message:", "8 Ball", "Your turn"], "message", "", ("app",)),
        (["com.example.app.extension message:", "caption"], "message", "", ("app",)),
        (["Fitness message: Bo closed all three rings"], "message", "", ("app",)),
        (["Unable to format app message: No payload"], "message", "", ("app",)),
        (["Apple Cash transaction: Sent $20"], "service", None, ()),
        (["Check In: Home", "Expected at Mar 01, 2026 11:00:00 AM"], "service", None, ()),
        (["Heimweg", "Checked in at Mar 01, 2026 11:00:00 AM"], "service", None, ()),
        (["Photo album: Bread https://example.org/a"], "message", "", ("photo",)),
        (["This message was deleted from the conversation!", "see you at ten"], "deleted", None, ()),
        (["Handwritten messages are not yet supported!"], "unsupported", None, ()),
        (["attachments/12/Audio Message.caf", "Transcription: hello it is me"], "message", "", ("voice",)),
        (["my last message: is this", "and more"], "message", "my last message: is this\nand more", ()),
        (["i have to check in", "expected at ten"], "message", "i have to check in\nexpected at ten", ()),
    ],
)
def test_balloons_are_not_words(lines: list[str], kind: str, text: str | None, media: tuple[str, ...]) -> None:
    """Previews, cards, money; and words that only look like them."""
    said = parse_body(lines)
    assert (said.kind, said.media) == (kind, media)
    assert text is None or said.text == text


def test_tapbacks_have_their_authors() -> None:
    """By their words in English, or an emoji."""
    said = parse_body(
        ["lovely", "Tapbacks:", "Loved by Me", "🥨 by Bo van Dam", "", "This message responded to an earlier message."]
    )
    assert said.reactions == (("❤️", "Me"), ("🥨", "Bo van Dam"))
    assert (said.text, said.replies) == ("lovely", True)


def test_a_translated_message_is_what_was_sent() -> None:
    """The phone's translation stands before it; a line of those words is a line like another."""
    said = parse_body(
        [
            "Hola amigo",
            "Translated from:",
            "Hello friend",
            "how are you",
            "This message responded to an earlier message.",
        ]
    )
    assert (said.text, said.replies) == ("Hello friend\nhow are you", True)
    assert parse_body(["Translated from:", "the Latin"]).text == "Translated from:\nthe Latin"
