"""From lines to posts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway import Expressions, Limits
from bot.talk.delivery import escaped, length, pause, posts, sayable, split

DISCORD = Limits(2000, True, "markdown")
TELEGRAM = Limits(4096, False, "plain")
RAW = re.compile(r"\[(react|sticker|photo|poll|link|…|forwarded from)\b[^\[\]\n]*\]")


EMOJI = {"pepe_sad": "<:pepe_sad:123456789012345678>"}
SAYS_ALL = Expressions(EMOJI, {":pepe_sad:": "pepe_sad:123456789012345678"}, True, {"swan": "555"})
PIECES = [
    "[react 😂]",
    "[react x]",
    "[react ",
    "[sticker swan]",
    "[sticker]",
    "[photo]",
    "[pho",
    "to]",
    "[photo: hi]",
    "[link]",
]
PIECES += [
    "[forwarded from A]",
    "[forwarded from ",
    "[poll: a | b]",
    "[…]",
    ":nobody:",
    ":pepe_sad:",
    "hi",
    " ",
    "]",
    "[",
    "`",
    ":",
]


def texts(lines: list[str], *, bursts: bool, limits: Limits = DISCORD) -> list[str]:
    return [part.text for part in posts(lines, limits, bursts=bursts)]


def test_lines_are_posts_of_their_own_or_one() -> None:
    """Bursts are a setting."""
    assert texts(["no", "the cat disagreed"], bursts=True) == ["no", "the cat disagreed"]
    assert texts(["no", "the cat disagreed"], bursts=False) == ["no\nthe cat disagreed"]
    assert texts([], bursts=False) == []


def test_what_stands_for_media_is_not_posted() -> None:
    """Neither alone nor inside a line."""
    assert texts(["[photo]", "see [link] now", "[sticker 😀]", "[…]"], bursts=True) == ["see now"]
    assert sayable(("[photo]", "see [link] now")) == ("see now",)
    assert sayable(("[link] [photo]",)) == ()


@pytest.mark.parametrize(
    ("lines", "made"),
    [
        (["[react 😂]"], [("reaction", "😂")]),
        (["[react :pepe_sad:]"], [("reaction", "pepe_sad:123456789012345678")]),
        (["[react 😂]", "[react 👍]"], [("reaction", "😂")]),
        (["[react 😂]", "haha"], [("text", "haha")]),
        (["[react 😂😂]"], []),
        (["[react :nobody:]"], []),
        (["[sticker swan]", "[sticker dog]", "hi"], [("sticker", "555"), ("text", "hi")]),
        (["hi :pepe_sad:", ":nobody:"], [("text", "hi <:pepe_sad:123456789012345678>")]),
        (["```", ":nobody:", "```"], [("text", "```\n:nobody:\n```")]),
        (["```", "[sticker nobody]", "1", "```"], [("text", "```\n1\n```")]),
        (["[pho[…]to] [react [photo]] hi"], [("text", "hi")]),
        (["[forwarded from ANN] I confess", "[photo: the swan]"], [("text", "the swan")]),
    ],
)
def test_what_is_not_words_becomes_what_it_is_or_nothing(lines: list[str], made: list[tuple[str, str]]) -> None:
    """A reaction alone, the stickers and emoji that there are; captions are words."""
    parts = posts(lines, DISCORD, bursts=True, expressions=SAYS_ALL)
    assert [(part.post_type, part.text) for part in parts] == made


@given(
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join), max_size=4),
    st.booleans(),
    st.sampled_from([SAYS_ALL, Expressions()]),
    st.sampled_from([DISCORD, TELEGRAM]),
)
def test_nothing_but_words_is_posted_as_text(
    lines: list[str], bursts: bool, expressions: Expressions, limits: Limits
) -> None:
    """Neither a whole mark, nor one that comes to be when another is taken out; nor an emoji that nobody has."""
    parts = posts(lines, limits, bursts=bursts, expressions=expressions)
    said = [part.text.replace("\\", "") for part in parts if part.post_type == "text"]
    assert not any(RAW.search(text) for text in said)
    assert not any(":nobody:" in re.sub(r"`.*?`", "", text, flags=re.DOTALL).split() for text in said)
    assert all(
        part.text in (*EMOJI.values(), "😂", "555", "pepe_sad:123456789012345678") or part.post_type == "text"
        for part in parts
    )


def test_a_cut_does_not_part_an_emoji() -> None:
    """Half of one would be read as text."""
    token = EMOJI["pepe_sad"]
    assert split(f"ab{token}cd", 20) == ["ab", token, "cd"]


def test_a_line_said_twice_in_a_row_is_posted_once() -> None:
    """A model's stutter."""
    assert texts(["no", "no", "yes", "no"], bursts=True) == ["no", "yes", "no"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b_c *hi* ~~no~~ ||s||", r"a\_b\_c \*hi\* \~\~no\~\~ \|\|s\|\|"),
        ("# big", r"\# big"),
        ("> said\n- item\n1. one", "\\> said\n\\- item\n1\\. one"),
        ("#tag 1.5 a-b x > y", "#tag 1.5 a-b x > y"),
        ("¯\\_(ツ)_/¯", "¯\\\\\\_(ツ)\\_/¯"),
        ("see https://a.b/c_d_e ok_", "see https://a.b/c_d_e ok\\_"),
        ("`a_b` and ```x_y``` _", "`a_b` and ```x_y``` \\_"),
        ("```open", "\\`\\`\\`open"),
        ("<@123> <#5> <:x:1> </go:1> <3", "<\u2060@123> <\u2060#5> <\u2060:x:1> <\u2060/go:1> <3"),
    ],
)
def test_discord_shows_it_as_it_was_written(text: str, shown: str) -> None:
    """Markdown behind backslashes, code and addresses as they stand, mentions taken apart."""
    assert escaped(text, "markdown") == shown


def test_telegram_calls_nobody() -> None:
    """Names are taken apart by a character nobody sees; nothing else is read in plain text."""
    assert escaped("ask @maravoss *now* a@b.c @ 5", "plain") == "ask @\u2060maravoss *now* a@\u2060b.c @ 5"
    assert escaped("@x", "none") == "@x"


def test_what_is_remembered_is_what_was_said() -> None:
    """Without escapes, once, with the first part."""
    (part,) = posts(["a_b"], DISCORD, bursts=True)
    assert (part.text, part.said) == (r"a\_b", ("a_b",))
    first, second = posts(["x" * 1500, "y" * 1500], DISCORD, bursts=False)
    assert (len(first.said), second.said) == (2, ())


@pytest.mark.parametrize(("text", "units"), [("a" * 2000, 2000), ("😀" * 1000, 2000), ("", 2000)])
def test_what_fits_is_left_whole(text: str, units: int) -> None:
    """To the last code unit."""
    assert split(text, units) == ([text] if text else [])


def test_a_cut_comes_at_a_blank_or_a_line_break() -> None:
    """Where there is one in the second half."""
    assert split("aaaa bbbb cccc", 10) == ["aaaa bbbb", "cccc"]
    assert split("aaaa\nbbbb cccc", 12) == ["aaaa\nbbbb", "cccc"]
    assert split("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_no_character_is_cut_in_two() -> None:
    """Emoji with skin tones, joiners and marks stay whole; so does an escape."""
    family = "👩‍👩‍👧"
    assert split(family * 3, 10) == [family] * 3
    assert split("👍🏽" * 4, 6) == ["👍🏽"] * 4
    assert split("abc\\_defg", 4) == ["abc", "\\_de", "fg"]


def test_a_fenced_block_stays_one_in_a_burst() -> None:
    """Each line alone would break it."""
    assert texts(["look", "```py", "a = 1", "b = 2", "```", "see?"], bursts=True) == [
        "look",
        "```py\na = 1\nb = 2\n```",
        "see?",
    ]


def test_a_cut_inside_a_fenced_block_closes_it_and_opens_it_again() -> None:
    """With its language; each piece reads as code."""
    code = "```py\n" + "\n".join(f"line_{number} = {number}" for number in range(40)) + "\n```"
    pieces = split(code, 120)
    assert all(piece.startswith("```py\n") and piece.endswith("\n```") for piece in pieces)
    assert all(length(piece) <= 120 for piece in pieces)
    inside = "\n".join(piece.removeprefix("```py\n").removesuffix("\n```") for piece in pieces)
    assert inside == code.removeprefix("```py\n").removesuffix("\n```")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`\\"), max_size=300), st.integers(12, 60))
def test_pieces_fit_and_lose_nothing_but_blanks(text: str, units: int) -> None:
    """Whatever the text."""
    pieces = split(text, units)
    assert all(piece and length(piece) <= units for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(st.text(st.sampled_from("`a \n\\x"), max_size=200), st.integers(40, 80))
def test_pieces_fit_whatever_fences_there_are(text: str, units: int) -> None:
    """Unfinished, nested or empty ones; and splitting ends."""
    assert all(piece and length(piece) <= units for piece in split(text, units))


@given(st.text(st.sampled_from("*_`~|\\<@#> -1.ab\n:/"), max_size=60))
def test_an_escaped_text_holds_the_text(text: str) -> None:
    """Nothing is lost but what is invisible."""
    bare = escaped(text, "markdown").replace("\u2060", "")
    assert bare.replace("\\", "") == text.replace("\\", "")


def test_a_pause_grows_with_the_text_up_to_a_readers_patience() -> None:
    """Like a person's."""
    assert 0 < pause("ok") < pause("a longer sentence than that") < pause("x" * 500) == pause("x" * 5000)
