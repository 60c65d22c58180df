"""Every rule of cleaning: what it does, and that its switch switches it off."""

from typing import Any

import pytest

from persona.config import Cleaning, Data
from trainer.ingest.cleaning import DroppedMessage, Kept, clean
from trainer.sources.message import Message


def message(text: str = "hi", **more: Any) -> Message:
    base: dict[str, Any] = {
        "platform": "discord",
        "conversation_id": "c",
        "conversation_type": "group",
        "message_id": "1",
        "sender_id": "7",
        "sender_name": "Zed",
        "text": text,
    }
    return Message(**(base | more))


def tweet(text: str, **more: Any) -> Message:
    return message(text, **({"platform": "x", "conversation_type": "feed", "conversation_id": "timeline"} | more))


def kept(found: Kept | DroppedMessage) -> Kept:
    assert isinstance(found, Kept), found
    return found


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        ("retweets", tweet("RT @x: so true", forwarded_from="@x")),
        ("forwards", tweet("so true", platform="mastodon", forwarded_from="somebody")),
        ("quoted_only", tweet("https://x.com/zed/status/123456")),
        ("quoted_only", message("> you said\n> so")),
        ("via_bot", message("beep", is_bot=True)),
        ("service", message("Zed joined", kind="service")),
        ("service", message("missed call", kind="call")),
        ("commands", message("/play some song")),
        ("bare_links", message("https://example.org/a?b=c www.example.org")),
    ],
)
def test_a_rule_drops_under_its_own_name_until_it_is_switched_off(rule: str, one: Message) -> None:
    """The reason is the name of the switch; off, the message stays."""
    assert clean(one, Data()) == DroppedMessage(rule)
    off = {rule: False} | ({"bare_links": False} if rule == "quoted_only" else {})
    assert isinstance(clean(one, Data(cleaning=Cleaning(**off))), Kept)


def test_what_nobody_said_in_words_can_not_be_kept() -> None:
    """Whatever the switches say."""
    assert clean(message("", kind="unsupported"), Data()) == DroppedMessage("unsupported")
    assert clean(message("  \u200b\n"), Data()) == DroppedMessage("empty")
    assert clean(message("hi", sender_id="", sender_name=""), Data()) == DroppedMessage("nobody")
    assert isinstance(clean(message("hi", sender_id="", sender_name="", is_self=True), Data()), Kept)


def test_private_messages_need_to_be_asked_for() -> None:
    """[data] dms."""
    private = message(conversation_type="dm")
    assert clean(private, Data()) == DroppedMessage("private")
    assert isinstance(clean(private, Data(dms=True)), Kept)


def test_blocked_words_are_words() -> None:
    """In any case, and not inside others."""
    settings = Data(blocked_words=("Ham",))
    assert clean(message("no ham!"), settings) == DroppedMessage("blocked_words")
    assert isinstance(clean(message("in a hamlet"), settings), Kept)


def test_links_and_media_become_placeholders() -> None:
    """Each with its switch."""
    one = message("look https://example.org/x (www.a.org)", attachments=("photo", "sticker 😀", "voice"))
    found = kept(clean(one, Data()))
    assert found.lines == ("look [link] ([link])", "[photo]", "[sticker 😀]", "[voice]")
    assert found.rewritten == ("links", "media")
    off = Data(cleaning=Cleaning(links=False, media=False))
    assert kept(clean(one, off)).lines == ("look https://example.org/x (www.a.org)",)
    assert clean(message("", attachments=("photo",)), off) == DroppedMessage("empty")


def test_leading_handles_are_whom_a_post_answers() -> None:
    """They leave the text; in a chat they are said aloud."""
    found = kept(clean(tweet("@bob @eve.x sure, @mia too", mentions=(("12", "bob"),)), Data()))
    assert (found.lines, found.answers) == (("sure, @mia too",), True)
    assert found.mentions == (("12", "bob"), ("", "eve.x"))
    assert kept(clean(message("@bob sure"), Data())).lines == ("@bob sure",)
    off = kept(clean(tweet("@bob sure"), Data(cleaning=Cleaning(handles=False))))
    assert (off.lines, off.answers) == (("@bob sure",), False)


@pytest.mark.parametrize(
    "text",
    ["so true RT @zelda: cats are\nliquid", "“@zelda: cats are\nliquid” so true", "so true MT @zelda cats are\nliquid"],
)
def test_a_quotation_by_hand_becomes_what_is_answered(text: str) -> None:
    """The comment is the persona's, the words are not."""
    found = kept(clean(tweet(text), Data()))
    assert (found.lines, found.quoted, found.author) == (("so true",), ("cats are", "liquid"), "zelda")
    assert found.answers
    off = kept(clean(tweet(text), Data(cleaning=Cleaning(quotes=False))))
    assert off.quoted == ()


@pytest.mark.parametrize(
    ("text", "own", "quoted"),
    [
        ("> cats are\n> liquid\nso true", ("so true",), ("cats are", "liquid")),
        ("so true\n> cats are\nreally", ("so true", "really"), ("cats are",)),
        ("so true\n>>> cats\nare", ("so true",), ("cats", "are")),
        ("5 > 4\n>_> hm", ("5 > 4", ">_> hm"), ()),
    ],
)
def test_lines_marked_as_quoted_are_what_is_answered(text: str, own: tuple[str, ...], quoted: tuple[str, ...]) -> None:
    """As Discord, Slack and WhatsApp mark them; in a transcript every line is somebody's."""
    answer = kept(clean(message(text), Data()))
    assert (answer.lines, answer.quoted, answer.answers) == (own, quoted, bool(quoted))
    assert kept(clean(message(text), Data(cleaning=Cleaning(quotes=False)))).quoted == ()
    assert kept(clean(message(text, platform="text"), Data())).quoted == ()


def test_runs_of_a_character_fold_to_eight() -> None:
    """Eight stay eight: that much is voice."""
    assert kept(clean(message("n" + "o" * 40 + "!" * 9 + " " + "a" * 8), Data())).lines == (
        "n" + "o" * 8 + "!" * 8 + " " + "a" * 8,
    )
    off = Data(cleaning=Cleaning(runs=False))
    assert kept(clean(message("o" * 40), off)).lines == ("o" * 40,)


def test_what_a_message_repeats_of_its_parent_is_no_words_of_its_own() -> None:
    """It is kept apart, cleaned alike, under the name the export gives."""
    found = kept(clean(message("yes", quoted_text="see https://example.org ?", reply_to_name="Eve"), Data()))
    assert (found.lines, found.quoted, found.author) == (("yes",), ("see [link] ?",), "Eve")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("see (https://example.org/x) now", "see ([link]) now"),
        ("go to https://example.org/x, then stop.", "go to [link], then stop."),
        ("read https://example.org/x.", "read [link]."),
        ("「https://example.org/x」と。https://example.org/y。はい", "「[link]」と。[link]。はい"),
        ("https://en.example.org/wiki/A_(b) fine", "[link] fine"),
        ("[https://example.org/a?b=(c)]", "[[link]]"),
    ],
)
def test_a_link_ends_before_the_sentence_around_it(text: str, folded: str) -> None:
    """Brackets that open before an address close behind it."""
    assert kept(clean(message(text), Data())).lines == (folded,)


def test_a_group_dm_is_private_only_if_the_settings_say_so() -> None:
    """A group of friends outside any server."""
    friends = message(is_group_dm=True)
    assert isinstance(clean(friends, Data()), Kept)
    assert clean(friends, Data(group_dms=False)) == DroppedMessage("private")
    assert isinstance(clean(friends, Data(group_dms=False, dms=True)), Kept)


def test_what_is_passed_on_in_a_chat_keeps_its_author() -> None:
    """A rule with a switch: off, it is as if the sender had said it."""
    assert kept(clean(message("so true", forwarded_from="Zed"), Data())).forwarded_from == "Zed"
    assert kept(clean(message("so true", forwarded_from="somebody"), Data())).forwarded_from == "?"
    off = Data(cleaning=Cleaning(forwards=False))
    assert kept(clean(message("so true", forwarded_from="Zed"), off)).forwarded_from == ""


def test_nobody_types_a_reaction_or_somebody_elses_words() -> None:
    """Lines that read so are written with another bracket; transcripts of our own say what they mean."""
    assert kept(clean(message("[react 😂]"), Data())).lines == ("(react 😂)",)
    assert kept(clean(message("[forwarded from BO] hi"), Data())).lines == ("(forwarded from BO] hi",)
    assert kept(clean(message("[react 😂]", platform="text"), Data())).lines == ("[react 😂]",)


def test_captions_stand_with_their_pictures_and_options_with_their_poll() -> None:
    """The one spelling that is heard live too."""
    assert kept(clean(message("the cat", attachments=("photo",)), Data())).lines == ("[photo: the cat]",)
    poll = message("where?\nghent\nhome", attachments=("poll",))
    assert kept(clean(poll, Data())).lines == ("[poll: where? | ghent | home]",)
