"""Conversations of any constructible shape, for hypothesis."""

from hypothesis import strategies as st

from persona.names import normalise
from persona.transcript import SCENES, Conversation, Excerpt, Quote, Turn

NASTY = st.sampled_from(
    [
        "ALICE:",
        "\\",
        "\\ALICE:",
        "# group",
        "# timeline 2021",
        "MARA VOSS:",
        ":",
        " ",
        "小雨:",
        "<|endoftext|>",
        "</s>",
        "<s>",
        "[…]",
        "#",
        "a: b",
        "> ALICE: no",
        "> […]: no",
        ">",
        "# memory 2019",
        "# memory",
        "# now",
    ]
)
LINES = st.one_of(
    NASTY,
    st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")),
        min_size=1,
        max_size=30,
    ),
)
KEYS = (
    st.one_of(st.sampled_from(["ALICE", "BOB", "小雨", "MARA VOSS", "😀"]), st.text(max_size=20))
    .map(normalise)
    .filter(bool)
)
YEARS = st.one_of(st.none(), st.integers(1, 9999))
QUOTES = st.builds(
    Quote,
    st.one_of(st.just(""), KEYS).filter(lambda key: ": " not in key),
    LINES.filter(lambda line: bool(line.strip())),
)
TURNS = st.builds(Turn, KEYS, st.lists(LINES, min_size=1, max_size=4).map(tuple), st.one_of(st.none(), QUOTES))
MEMORIES = st.builds(Excerpt, st.lists(TURNS, min_size=1, max_size=3).map(tuple), YEARS)
SPOKEN = st.builds(Conversation, st.sampled_from(SCENES), st.lists(TURNS, max_size=5).map(tuple), YEARS)
REMEMBERING = st.builds(
    Conversation,
    st.sampled_from(SCENES),
    st.lists(TURNS, min_size=1, max_size=3).map(tuple),
    YEARS,
    st.lists(MEMORIES, min_size=1, max_size=2).map(tuple),
)
CONVERSATIONS = st.one_of(SPOKEN, REMEMBERING)
