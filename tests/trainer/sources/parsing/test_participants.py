"""Names with separators in them, ids that are derived, and what a chat is."""

from trainer.sources.parsing.derived_id import DerivedIds
from trainer.sources.parsing.participants import SpeakerPrefixes, conversation_key, conversation_type


def test_a_name_is_as_long_as_everything_goes_on_alike() -> None:
    """Three times at least; a quotation is no name."""
    speakers = SpeakerPrefixes(": ", words=2)
    lines = ["Dr: No: hi", "Dr: No: you", "Dr: No: there", "Ana: note: this", "Ana: hi", 'Bo named it "x: y"']
    for line in lines:
        speakers.see(line)
    assert [speakers.split(line) for line in lines] == [
        ("Dr: No", "hi"),
        ("Dr: No", "you"),
        ("Dr: No", "there"),
        ("Ana", "note: this"),
        ("Ana", "hi"),
        None,
    ]
    assert speakers.names() == {"Dr: No", "Ana"}


def test_ids_are_the_same_in_every_export_and_tell_equals_apart() -> None:
    """They depend on the conversation, the time, the sender and the text."""
    ids, again = DerivedIds("c"), DerivedIds("c")
    first = [ids.next(1.0, "a", "x"), ids.next(1.0, "a", "x"), ids.next(1.0, "b", "x"), ids.next(2.0, "a", "x")]
    assert first == [
        again.next(1.0, "a", "x"),
        again.next(1.0, "a", "x"),
        again.next(1.0, "b", "x"),
        again.next(2.0, "a", "x"),
    ]
    assert len(set(first)) == 4
    assert DerivedIds("d").next(1.0, "a", "x") not in first


def test_two_people_are_a_dm_if_it_is_called_after_one() -> None:
    """In doubt it is private."""
    assert conversation_type("Ana Li", ["Ana Li", "Bo"]) == "dm"
    assert conversation_type("", ["Ana", "Bo"]) == "dm"
    assert conversation_type("與阿海的對話", ["阿海", "小舟"]) == "dm"
    assert conversation_type("Boat", ["Ana", "Bo"]) == "group"
    assert conversation_type("Boat", ["Ana", "Bo", "Cy"]) == "group"
    assert conversation_type("Ana", ["Ana", "Bo", "Cy"]) == "dm"


def test_a_chat_without_a_name_is_known_by_its_people() -> None:
    """In whatever order they speak."""
    assert conversation_key("", ["Bo", "Ana"]) == conversation_key("", ["Ana", "Bo"]) == "Ana + Bo"
