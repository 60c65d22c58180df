"""Names in texts, found once over the text."""

from trainer.people.name_finder import NameFinder


def test_a_number_for_a_name_takes_its_plus_along() -> None:
    """So WhatsApp names, and mentions, who is in nobody's contacts."""
    finder = NameFinder({"49 170 7654321", "zelda"})
    assert finder.replaced("ask @+49 170 7654321, not +Zelda", lambda *_: "Curlew") == "ask @Curlew, not +Curlew"
