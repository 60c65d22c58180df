"""Conversations of any constructible shape, for hypothesis."""

from hypothesis import strategies as st

from persona.names import normalise
from persona.transcript import SCENES, Conversation, Turn

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
TURNS = st.builds(Turn, KEYS, st.lists(LINES, min_size=1, max_size=4).map(tuple))
CONVERSATIONS = st.builds(
    Conversation,
    st.sampled_from(SCENES),
    st.lists(TURNS, max_size=5).map(tuple),
    st.one_of(st.none(), st.integers(1, 9999)),
)
