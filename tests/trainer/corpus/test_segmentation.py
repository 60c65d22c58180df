"""Messages to conversations: threads and replies in feeds, gaps in chats."""

from msgspec.structs import replace

from persona.transcript import Conversation, Quote, Turn
from trainer.corpus.conversation_records import ConversationRecord, conversation_records
from trainer.corpus.row import QuotedLines, Row
from trainer.corpus.segmentation import in_order, segment
from trainer.people.identities import KnownPerson

PEOPLE = {
    "me": KnownPerson("MARA", "Mara", consent=True, persona=True),
    "bob": KnownPerson("BOB", "Bob", consent=True),
    "eve": KnownPerson("HERON", "Heron", pseudonymous=True),
    "out": KnownPerson("OUT", "Out", dropped=True),
}
DAY = 86400.0


def tweet(number: str, at: float | None, text: str, sender: str = "me", reply_to: str = "") -> Row:
    return Row("x", "X archive", "timeline", "feed", number, sender, at, (text,), reply_to)


def message(
    number: int, at: float | None, sender: str, text: str = "hi", channel: str = "c", reply_to: str = ""
) -> Row:
    return Row("discord", "D", channel, "group", str(number), sender, at, (text,), reply_to)


def said(found: list[ConversationRecord]) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    return [(one.conversation.scene, [(turn.speaker, turn.lines) for turn in one.conversation.turns]) for one in found]


def test_tweets_threads_and_replies_become_scenes() -> None:
    """A thread is one timeline; a reply finds its parent in a friend's archive, or stands under […]."""
    rows = [
        tweet("1", DAY, "alone"),
        tweet("2", 2 * DAY, "one"),
        tweet("3", 2 * DAY + 60, "two", reply_to="2"),
        tweet("4", 3 * DAY, "sure", reply_to="99"),
        tweet("5", 4 * DAY, "question", sender="bob"),
        tweet("6", 4 * DAY + 9, "answer", reply_to="5"),
    ]
    assert said(list(conversation_records(rows, PEOPLE, others="context"))) == [
        ("timeline", [("MARA", ("alone",))]),
        ("timeline", [("MARA", ("one",)), ("MARA", ("two",))]),
        ("reply", [("SOMEONE", ("[…]",)), ("MARA", ("sure",))]),
        ("reply", [("BOB", ("question",)), ("MARA", ("answer",))]),
    ]


def test_a_chat_is_parted_at_its_own_silences() -> None:
    """Gaps of seconds inside, of hours between; bursts are one turn."""
    rows = []
    for session in range(6):
        start = session * 8 * 3600.0
        rows += [
            message(session * 10 + k, start + 20 * k, "me" if k < 2 else "bob", f"{session}.{k}") for k in range(4)
        ]
    found = list(conversation_records(rows, PEOPLE, others="context"))
    assert len(found) == 6
    assert said(found)[0] == ("group", [("MARA", ("0.0", "0.1")), ("BOB", ("0.2", "0.3"))])
    assert found[1].timestamps == (8 * 3600.0, 8 * 3600.0 + 40)


def test_a_reply_holds_a_conversation_together_over_a_gap() -> None:
    """Reply links come before gaps; max_gap_minutes overrides what is learned."""
    rows = [message(1, 0, "me"), message(2, 7200, "bob", reply_to="1"), message(3, 14400, "me")]
    assert len(list(conversation_records(rows, PEOPLE, others="context", gap=3600))) == 2
    assert len(list(conversation_records(rows, PEOPLE, others="context", gap=9000))) == 1


def test_undated_text_is_parted_by_length() -> None:
    """There are no gaps to see."""
    rows = [message(number, None, "me" if number % 2 else "bob") for number in range(100)]
    lengths = [len(one.conversation.turns) for one in conversation_records(rows, PEOPLE, others="context")]
    assert lengths == [32, 32, 32, 4]


def test_others_are_context_masked_or_left_out() -> None:
    """Whoever did not consent; whoever is dropped is never there."""
    rows = [message(1, 0, "eve", "secret"), message(2, 5, "me", "yes"), message(3, 9, "out", "no")]
    by_setting = {
        others: said(list(conversation_records(rows, PEOPLE, others=others))) for others in ("context", "mask", "drop")
    }
    assert by_setting == {
        "context": [("group", [("HERON", ("secret",)), ("MARA", ("yes",))])],
        "mask": [("group", [("HERON", ("[…]",)), ("MARA", ("yes",))])],
        "drop": [("group", [("MARA", ("yes",))])],
    }


def test_ids_stay_when_more_is_imported() -> None:
    """A conversation is known by its first message, so that what was held out stays held out."""
    rows = [message(1, 0, "me"), message(2, 5, "bob")]
    later = [*rows, message(9, 30 * DAY, "me"), message(5, 0, "me", channel="other")]
    ids = {one.id for one in conversation_records(later, PEOPLE, others="context", gap=3600)}
    assert {one.id for one in conversation_records(rows, PEOPLE, others="context", gap=3600)} <= ids


def test_a_reply_joins_the_conversation_it_answers_however_it_is_interleaved() -> None:
    """Reply links come before the time gap; what follows without a link stays where its sender was speaking."""
    rows = [
        message(1, 0, "me", "cake?"),
        message(2, 30, "bob", "yes"),
        message(3, 9000, "eve", "who has my bike"),
        message(4, 9010, "bob", "lemon please", reply_to="1"),
        message(5, 9020, "bob", "or plum"),
        message(6, 9400, "me", "not me", reply_to="3"),
    ]
    found = said(list(conversation_records(rows, PEOPLE, others="context", gap=1800)))
    assert found == [
        ("group", [("MARA", ("cake?",)), ("BOB", ("yes", "lemon please", "or plum"))]),
        ("group", [("HERON", ("who has my bike",)), ("MARA", ("not me",))]),
    ]


def test_a_mention_goes_to_where_the_mentioned_one_spoke() -> None:
    """Also over a silence that would part the talk, up to four times as long; then it starts a new one."""

    def talk(answered_at: float) -> int:
        rows = [
            message(1, 0, "bob", "who is in?"),
            replace(message(2, answered_at, "me", "@bob me"), mentions=("bob",)),
        ]
        return len(list(conversation_records(rows, PEOPLE, others="context", gap=1000)))

    assert [talk(3500), talk(4500)] == [1, 2]


def test_an_old_message_is_answered_in_a_new_conversation() -> None:
    """A reply link reaches a week back, not a year."""
    year = 365 * DAY
    rows = [message(1, 0, "bob", "first!"), message(2, year, "me", "memories", reply_to="1")]
    assert len(list(conversation_records(rows, PEOPLE, others="context"))) == 2


def test_quoted_words_stand_in_for_a_parent_that_is_not_there() -> None:
    """Under whoever said them, as far as that one may be heard; a parent in the corpus is not quoted again."""
    quoting = replace(tweet("9", DAY, "so true"), quoted=QuotedLines(("cats are liquid",), "eve"))
    by_setting = {
        others: [record.conversation for record in conversation_records([quoting], PEOPLE, others=others)]
        for others in ("context", "mask")
    }
    assert by_setting == {
        "context": [Conversation("reply", (Turn("MARA", ("so true",), Quote("HERON", "cats are liquid")),), 1970)],
        "mask": [Conversation("reply", (Turn("MARA", ("so true",), Quote("HERON", "[…]")),), 1970)],
    }
    parent = message(1, 0, "bob", "cake?")
    answer = replace(message(2, 9, "me", "yes", reply_to="1"), quoted=QuotedLines(("cake?",), "bob"))
    assert said(list(conversation_records([parent, answer], PEOPLE, others="context"))) == [
        ("group", [("BOB", ("cake?",)), ("MARA", ("yes",))])
    ]


def turns_of(*rows: Row, others: str = "context") -> list[Turn]:
    """The turns of the one conversation that these messages make."""
    (record,) = conversation_records(rows, PEOPLE, others=others, gap=1800)
    assert len(record.timestamps) == len(record.conversation.turns)
    return list(record.conversation.turns)


def test_an_answer_to_something_older_quotes_it() -> None:
    """What stands right before needs no quote, nor what the same turn answers already."""
    assert turns_of(
        message(1, 0, "me", "cake?"),
        message(2, 10, "bob", "tea?"),
        message(3, 20, "me", "yes", reply_to="2"),
        message(4, 30, "me", "please", reply_to="2"),
        message(5, 40, "bob", "lemon", reply_to="1"),
        message(6, 50, "bob", "or plum"),
    ) == [
        Turn("MARA", ("cake?",)),
        Turn("BOB", ("tea?",)),
        Turn("MARA", ("yes", "please")),
        Turn("BOB", ("lemon", "or plum"), Quote("MARA", "cake?")),
    ]


def test_reactions_are_turns_after_what_they_answer() -> None:
    """Of everybody who may be imitated, and of two others; one to the middle of a turn says to what."""
    first = replace(message(1, 0, "bob", "cake"), reactions=(("😂", "me"), ("❤", "eve")))
    second = message(2, 10, "bob", "now")
    third = replace(
        message(3, 20, "me", "yes"), reactions=(("👍", "eve"), ("👍", "eve"), ("👍", "eve"), ("👍", "nobody"))
    )
    mine, heron = (
        Turn("MARA", ("[react 😂]",), Quote("BOB", "cake")),
        Turn("HERON", ("[react ❤]",), Quote("BOB", "cake")),
    )
    assert turns_of(first, second, third) == [
        Turn("BOB", ("cake", "now")),
        mine,
        heron,
        Turn("MARA", ("yes",)),
        Turn("HERON", ("[react 👍]",)),
        Turn("HERON", ("[react 👍]",)),
    ]
    assert turns_of(first, second, others="mask") == [Turn("BOB", ("cake", "now")), mine]


def test_what_is_passed_on_stands_under_its_author() -> None:
    """Never in the mouth of whoever passed it on; who may be imitated isn't by what others said."""
    known = replace(message(2, 10, "eve", "works until june"), forwarded_from="bob")
    unknown = replace(message(3, 20, "eve", "free cake"), forwarded_from="?")
    dropped = replace(message(4, 30, "eve", "free tea"), forwarded_from="out")
    mine = replace(message(5, 40, "me", "free cake"), forwarded_from="eve")
    talk = (message(1, 0, "me", "ghent?"), known, unknown, dropped, mine, message(6, 50, "me", "ok"))
    passed_on = (
        "[forwarded from BOB] works until june",
        "[forwarded from […]] free cake",
        "[forwarded from […]] […]",
    )
    assert turns_of(*talk) == [Turn("MARA", ("ghent?",)), Turn("HERON", passed_on), Turn("MARA", ("ok",))]
    masked = ("[forwarded from BOB] […]", "[forwarded from […]] […]", "[forwarded from […]] […]")
    assert turns_of(*talk, others="mask")[1] == Turn("HERON", masked)


def test_a_full_conversation_goes_on_in_another() -> None:
    """However many replies point into it."""
    rows = [message(k, k * 10.0, "me" if k % 2 else "bob", reply_to=str(k - 1)) for k in range(1, 1000)]
    lengths = [len(one.conversation.turns) for one in conversation_records(rows, PEOPLE, others="context")]
    assert lengths == [400, 400, 199]


def test_of_two_messages_with_one_id_the_later_in_the_exports_is_quoted() -> None:
    """Whichever was said first: a chat that stands in two exports under other ids may have such."""
    rows = [
        message(1, 100.0, "bob", "of the first export"),
        message(2, 120.0, "bob", "something else"),
        message(1, 50.0, "eve", "of the second export"),
        message(3, 140.0, "me", "yes", reply_to="1"),
    ]
    turns = [
        turn for record in conversation_records(rows, PEOPLE, others="context") for turn in record.conversation.turns
    ]
    assert [turn.quote.words for turn in turns if turn.quote] == ["of the second export"]


def test_what_is_still_to_come_is_not_quoted() -> None:
    """By clocks that differ an answer may stand before what it answers: its quote would tell the reply that is learned."""
    rows = [
        message(1, 0, "bob", "tea or coffee?"),
        message(2, 10, "eve", "milk with it?", reply_to="3"),
        message(3, 20, "me", "tea", reply_to="1"),
    ]
    (record,) = conversation_records(rows, PEOPLE, others="context")
    quotes = [turn.quote and turn.quote.words for turn in record.conversation.turns]
    assert quotes == [None, None, "tea or coffee?"]


def test_undated_messages_stay_beside_their_neighbours() -> None:
    """In the file's order, also where a clock went back and the channel's gaps are measured."""
    rows = [
        message(1, 100.0, "me", "a"),
        message(2, 0.0, "bob", "b"),
        message(3, None, "eve", "c"),
        message(4, 9000.0, "me", "d"),
        message(5, None, "bob", "e"),
        message(6, 9060.0, "eve", "f"),
    ]
    found = said(list(conversation_records(rows, PEOPLE, others="context", gap=3600)))
    assert [[line for _, lines in turns for line in lines] for _, turns in found] == [["b", "c", "a"], ["d", "e", "f"]]
    assert list(conversation_records(rows, PEOPLE, others="context"))
    first = [message(0, None, "me", "first"), *rows]
    assert [row.message_id for row in in_order(first)[0]][:3] == ["2", "3", "0"]


def test_interleaved_talk_is_told_apart_where_people_say_whom_they_mean() -> None:
    """Address by address; in a channel where nobody does, the same messages are one conversation."""

    def talks(mentions: bool) -> list[list[str]]:
        rows = []
        for number in range(0, 80, 4):
            start = number * 30.0
            rows += [
                message(number, start, "me", f"bike {number}"),
                message(number + 1, start + 10, "eve", f"cake {number}"),
                replace(message(number + 2, start + 20, "bob", f"b {number}"), mentions=("me",) if mentions else ()),
                replace(message(number + 3, start + 30, "bob", f"c {number}"), mentions=("eve",) if mentions else ()),
            ]
        groups = segment(rows, PEOPLE, gap=600)
        return [[row.lines[0][0] for row in group.rows] for group in groups]

    assert talks(mentions=True) == [["b"] * 40, ["c"] * 40]
    assert len(talks(mentions=False)) == 1


def test_what_a_message_answers_goes_along() -> None:
    """Unless it is the message before it; also where it stands in another conversation, and whether a link says so."""
    rows = [
        message(1, 0, "me", "cake?"),
        message(2, 30, "bob", "yes", reply_to="1"),
        message(3, 60, "eve", "my bike is gone"),
        message(4, 90, "bob", "lemon", reply_to="1"),
        replace(message(5, 99, "me", "@eve where was it"), mentions=("eve",)),
        message(6, 30 * DAY, "bob", "that cake", reply_to="1"),
        message(7, 31 * DAY, "bob", "no idea", reply_to="?"),
        replace(message(8, 110, "me", "the blue one, @eve"), mentions=("eve",)),
    ]
    answers = {
        name: (answered.row.message_id, answered.explicit)
        for group in segment(rows, PEOPLE, gap=600)
        for name, answered in group.answers.items()
    }
    assert answers == {"4": ("1", True), "6": ("1", True), "8": ("3", False)}
