"""Names in texts, found once over the text."""

from trainer.people.name_finder import NameFinder, words_of


def test_a_number_for_a_name_takes_its_plus_along() -> None:
    """So WhatsApp names, and mentions, who is in nobody's contacts."""
    finder = NameFinder({"49 170 7654321", "zelda"})
    assert finder.replaced("ask @+49 170 7654321, not +Zelda", lambda *_: "Curlew") == "ask @Curlew, not +Curlew"


def test_a_vowel_sign_is_part_of_a_word() -> None:
    """A name does not end before one, nor lose the one it ends with."""
    finder = NameFinder({"राम", "आशा", "zoe"})
    texts = ("राम, कहाँ हो?", "रामा कहाँ है", "हाँ आशा जी", "ask Zoe\u0301!", "Zoe")
    assert [finder.replaced(text, lambda *_: "Curlew") for text in texts] == [
        "Curlew, कहाँ हो?",
        "रामा कहाँ है",
        "हाँ Curlew जी",
        "ask Zoe\u0301!",
        "Curlew",
    ]
    assert words_of("आशा जी") == ["आशा", "जी"]
