"""The seam: what is trained on and what is prompted with are the same ids, under every kind of tokenizer."""

import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from persona.encoding import Encoding, TextStream
from persona.errors import UserError
from persona.transcript import Conversation, Excerpt, Quote, Turn, render
from tests import tokenizers
from tests.persona.strategies import CONVERSATIONS

Make = Callable[[], tuple[Tokenizer, int, int | None]]
KINDS = [tokenizers.byte_level_bpe, tokenizers.unigram, tokenizers.bpe_with_fallback]
TALK = Conversation(
    "group",
    (
        Turn("ALICE", ("did you sleep", " not, really </s> <|endoftext|> <think>  !")),
        Turn("CHIHIRO", ("no", "the cat disagreed")),
        Turn("ALICE", ("CHIHIRO:", "# group")),
    ),
    2021,
)


@cache
def encoding_of(make: Make) -> Encoding:
    """The encoding over one of the tokenizers."""
    return Encoding(*make())


@pytest.mark.parametrize("make", KINDS)
def test_a_prompt_is_a_prefix_of_prompt_and_reply(make: Make) -> None:
    """For every turn of the conversation as the reply."""
    encoding = encoding_of(make)
    for count, turn in enumerate(TALK.turns):
        prompt = encoding.prompt(TALK.scene, TALK.turns[:count], turn.speaker, year=TALK.year)
        (whole,) = encoding.conversations([Conversation(TALK.scene, TALK.turns[: count + 1], TALK.year)], ())
        assert whole.ids[: len(prompt)] == prompt
        assert whole.ids[len(prompt) :] == [*encoding.encode("\n".join(_written(turn))), encoding.end_of_turn]


@pytest.mark.parametrize("make", KINDS)
@given(conversation=CONVERSATIONS.filter(lambda conversation: bool(conversation.turns)))
@settings(max_examples=100, deadline=None)
def test_the_prompt_of_any_turn_is_a_prefix_of_the_whole(make: Make, conversation: Conversation) -> None:
    """With what the turn answers, and with what comes to mind before it."""
    encoding = encoding_of(make)
    *before, last = conversation.turns
    scene, year, memories = conversation.scene, conversation.year, conversation.memories
    prompt = encoding.prompt(scene, before, last.speaker, quote=last.quote, memories=memories, year=year)
    (whole,) = encoding.conversations([conversation], ())
    assert whole.ids[: len(prompt)] == prompt
    assert whole.ids[len(prompt) :] == [*encoding.encode("\n".join(_written(last))), encoding.end_of_turn]


@pytest.mark.parametrize("make", [tokenizers.byte_level_bpe, tokenizers.bpe_with_fallback])
@given(conversation=CONVERSATIONS)
@settings(max_examples=150, deadline=None)
def test_the_text_comes_back_from_the_ids(make: Make, conversation: Conversation) -> None:
    """Tokenizers that know every byte give back every character."""
    encoding = encoding_of(make)
    (encoded,) = encoding.conversations([conversation], ())
    assert encoding.text(encoded.ids) == render(conversation)
    assert encoding.read(encoded.ids) == conversation


def test_unigram_gives_the_text_back_up_to_its_normaliser() -> None:
    """NFKC and folded blanks are Unigram's; unknown characters are left out."""
    encoding = encoding_of(tokenizers.unigram)
    talk = Conversation("dm", (Turn("ALICE", ("ﬁne  weather", "no")), Turn("BOB", ("hello",))))
    (encoded,) = encoding.conversations([talk], ())
    assert _folded(encoding.text(encoded.ids)) == _folded(unicodedata.normalize("NFKC", render(talk)))


@pytest.mark.parametrize("make", KINDS)
@given(conversation=CONVERSATIONS)
@settings(max_examples=150, deadline=None)
def test_nothing_typed_becomes_a_special_or_added_id(make: Make, conversation: Conversation) -> None:
    """Only begin-of-text and one end-of-turn a turn are special."""
    encoding = encoding_of(make)
    (encoded,) = encoding.conversations([conversation], ())
    added = set(encoding.tokenizer.get_added_tokens_decoder())
    special = [i for i in encoded.ids if i in added]
    begin = [] if encoding.bos is None else [encoding.bos]
    turns = len(conversation.turns) + sum(len(memory.turns) for memory in conversation.memories)
    assert special == begin + [encoding.end_of_turn] * turns


@pytest.mark.parametrize("make", KINDS)
def test_loss_lies_on_a_speaker_s_lines_and_the_end_of_the_turn(make: Make) -> None:
    """By position: also where the end of the turn is the padding id, and in the turns of nobody else."""
    encoding = encoding_of(make)
    (encoded,) = encoding.conversations([TALK], {"CHIHIRO"})
    targets = [i for i, target in zip(encoded.ids, encoded.loss_mask, strict=True) if target]
    assert targets == [*encoding.encode("no\nthe cat disagreed"), encoding.end_of_turn]


@pytest.mark.parametrize("make", KINDS)
def test_headers_are_marked_and_quotes_and_memories_carry_no_loss(make: Make) -> None:
    """Who speaks is learned of everybody; what is answered or remembered is only read."""
    encoding = encoding_of(make)
    memory = Excerpt((Turn("CHIHIRO", ("never again",)),), 2019)
    last = Turn("CHIHIRO", ("no",), Quote("ALICE", "did you sleep"))
    (encoded,) = encoding.conversations([Conversation("group", (*TALK.turns[:1], last), 2021, (memory,))], {"CHIHIRO"})
    heads = [i for i, header in zip(encoded.ids, encoded.header_mask, strict=True) if header]
    targets = [i for i, target in zip(encoded.ids, encoded.loss_mask, strict=True) if target]
    assert heads == [*encoding.header("ALICE"), *encoding.header("CHIHIRO")]
    assert targets == [*encoding.encode("no"), encoding.end_of_turn]


@pytest.mark.parametrize("make", KINDS)
def test_a_long_prompt_keeps_its_beginning_and_its_latest_turns(make: Make) -> None:
    """The oldest turns go first; the scene line stays."""
    encoding = encoding_of(make)
    turns = [Turn("ALICE", (f"number {number}",)) for number in range(50)]
    whole = encoding.prompt("group", turns, "CHIHIRO", year=2021)
    short = encoding.prompt("group", turns, "CHIHIRO", year=2021, limit=120)
    bare = encoding.prompt("group", [], "CHIHIRO", year=2021)
    start = len(bare) - len(encoding.encode("CHIHIRO:\n"))
    assert len(short) <= 120 < len(whole)
    assert short[:start] == whole[:start]
    assert whole[-(len(short) - start) :] == short[start:]


@pytest.mark.parametrize("make", KINDS)
def test_a_completion_ends_with_the_turn(make: Make) -> None:
    """What stands behind the end of the turn is not part of it."""
    encoding = encoding_of(make)
    ids = [*encoding.encode("no\nthe cat"), encoding.end_of_turn, *encoding.encode("ALICE:\n")]
    assert encoding.completion(ids) == "no\nthe cat"


def test_a_tokenizer_that_loses_text_is_refused_by_name() -> None:
    """WordPiece loses line breaks and case."""
    with pytest.raises(UserError, match=r"WordPiece\) loses line breaks"):
        Encoding(*tokenizers.word_piece())


def _written(turn: Turn) -> list[str]:
    text = render(Conversation("group", (turn,)))
    lines = text.split("\n\n", 1)[1].removesuffix("\n").split("\n")
    return lines[2:] if turn.quote else lines[1:]


def _folded(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize("make", [tokenizers.byte_level_bpe, tokenizers.bpe_with_fallback])
@given(line=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_stream_tells_the_same_text_as_the_whole(make: Make, line: str) -> None:
    """Ids one by one; no piece ends in the middle of a character."""
    encoding = encoding_of(make)
    stream = TextStream(encoding)
    pieces = [stream.push(token) for token in encoding.encode(line)]
    assert "".join(pieces) == line
    assert "\ufffd" in line or not any("\ufffd" in piece for piece in pieces)


def test_a_stream_goes_on_after_bytes_that_make_no_character() -> None:
    """A model may sample any ids."""
    encoding = encoding_of(tokenizers.bpe_with_fallback)
    broken = [encoding.tokenizer.token_to_id(f"<0x{byte:02X}>") or 0 for byte in (0xF0, 0x9F, 0xC3)]
    assert 0 not in broken
    stream = TextStream(encoding)
    text = "".join(stream.push(token) for token in [*broken, *encoding.encode("hello there")])
    assert text.replace("\ufffd", "").strip() == "hello there"
