"""One chat in two exports is kept once."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from trainer.corpus.row import Row
from trainer.ingest.copies import without_copies
from trainer.people.identities import KnownPerson

ANA = KnownPerson("ANA", "Ana", consent=True, persona=True)
BO, CY = KnownPerson("HERON", "Heron", pseudonymous=True), KnownPerson("WREN", "Wren", pseudonymous=True)
NEW = KnownPerson("OTTER", "Otter", pseudonymous=True)
PEOPLE = {"t:1": ANA, "t:=ANA": ANA, "t:2": BO, "t:=BO": BO, "t:3": CY, "t:=CY": CY, "t:=+316": NEW}
TALK = (
    ("ANA", "who bakes tonight?"),
    ("BO", "me, rye as always"),
    ("ANA", "ok"),
    ("CY", "bring butter please"),
    ("BO", "ok"),
    ("BO", "sure thing, at ten"),
)
IDS = {"ANA": "t:1", "BO": "t:2", "CY": "t:3"}


def chat(
    source: str,
    channel: str,
    talk: tuple[tuple[str, str], ...] = TALK,
    shift: float = 0.0,
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[Row]:
    """Messages a minute apart. names: identity keys of those who are known by others than their names."""
    return [
        Row(
            "t",
            source,
            channel,
            "group",
            f"{source}{place}",
            names.get(who, f"t:={who}"),
            3600.0 + 60 * place + shift,
            (text,),
        )
        for place, (who, text) in enumerate(talk)
    ]


def test_of_two_formats_the_one_that_knows_more_stays() -> None:
    """Whichever is read first; markup and capitals don't matter."""
    plain = chat("HTML", "a", tuple((who, f"*{text.upper()}*") for who, text in TALK))
    known = chat("JSON", "b", names=IDS)
    found = without_copies([*plain, *known], PEOPLE)
    assert list(found.rows) == known
    assert found.dropped == frozenset(range(len(TALK)))
    assert found.overlaps == Counter({("HTML", "JSON"): len(TALK)})


def test_what_earlier_imports_kept_stays() -> None:
    """What only the new one holds moves to the same chat; so it is one conversation."""
    old = chat("HTML", "a")
    new = chat("JSON", "renamed", (*TALK, ("CY", "late to the party")), names=IDS)
    found = without_copies([*old, *new], PEOPLE, len(old))
    assert list(found.rows[:-1]) == old
    assert (found.rows[-1].channel, found.rows[-1].lines) == ("a", ("late to the party",))


def test_phones_in_two_time_zones_export_the_same_chat() -> None:
    """A whole number of quarters of an hour apart."""
    old = chat("WhatsApp", "a")
    assert len(without_copies([*old, *chat("WhatsApp", "b", shift=5.75 * 3600)], PEOPLE).rows) == len(TALK)
    assert len(without_copies([*old, *chat("WhatsApp", "b", shift=5.75 * 3600 + 300)], PEOPLE).rows) == 2 * len(TALK)


def test_chats_that_share_announcements_are_two() -> None:
    """Somebody says the same in many groups at once; most of what is said there differs."""
    told = tuple(("ANA", f"the {word} boat leaves at ten") for word in ("first", "second", "third"))
    one = chat("WhatsApp", "a", (*told, *(("BO", f"number {place} of this group") for place in range(9))))
    two = chat("WhatsApp", "b", (*told, *(("CY", f"another thing, {place}") for place in range(9))))
    assert len(without_copies([*one, *two], PEOPLE).rows) == len(one) + len(two)


def test_a_contact_saved_meanwhile_is_the_same_person() -> None:
    """Known by a number in the old export and by a name in the new one, of a chat with one name or two."""
    old = chat("WhatsApp", "a", names={"BO": "t:=+316"})
    for channel in ("a", "renamed"):
        new = chat("WhatsApp", channel, (*TALK, ("BO", "good morning all")))
        rows = without_copies([*old, *new], PEOPLE, len(old)).rows
        said = Counter(text for row in rows for text in row.lines)
        assert said["me, rye as always"] == said["good morning all"] == 1
        assert rows[-1].sender == "t:=+316"


def test_the_one_who_may_be_imitated_stays() -> None:
    """A name that [people] or [persona] knows, where the older export had a number."""
    old = chat("WhatsApp", "a", names={"ANA": "t:=+316"})
    rows = without_copies([*old, *chat("WhatsApp", "a")], PEOPLE, len(old)).rows
    assert [row.sender for row in rows if row.lines == ("who bakes tonight?",)] == ["t:=ANA"]


def test_a_message_edited_meanwhile_is_there_once() -> None:
    """By one speaker in one second."""
    old = chat("HTML", "a", shift=7)
    new = chat("JSON", "b", (*TALK[:-1], ("BO", "sure thing, at eleven")), shift=7, names=IDS)
    assert len(without_copies([*old, *new], PEOPLE).rows) == len(TALK)


def test_talk_that_resembles_other_talk_of_a_year_is_its_own() -> None:
    """A transcript knows the year alone: that two conversations stand in it at one time says nothing."""
    again = (("ANA", "did you see the rain?"), *TALK[:2], TALK[3], ("CY", "the oven is broken"), ("BO", "not again!"))
    talks = [
        [replace(row, at=3600.0) for row in chat("text", name, talk)] for name, talk in (("a", TALK), ("b", again))
    ]
    assert not without_copies([*talks[0], *talks[1]], PEOPLE).dropped
    copy = [replace(row, channel="c", message_id=f"c{row.message_id}") for row in talks[0]]
    assert len(without_copies([*talks[0], *copy], PEOPLE).dropped) == len(TALK)
