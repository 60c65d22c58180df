"""The voice asks the guard: nothing is said that was said before, and silence is counted."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.base import Finish, Piece, Request
from engine.choose import encoding_of, guard_of, open_engine
from engine.voice import MAX_ATTEMPTS, Voice
from persona.bundle import Bundle, current
from persona.config import load
from persona.guard import Guard, build
from persona.prompt import reply_prompt
from persona.sampling import SamplingParams
from persona.transcript import Conversation, Turn
from persona.word_tokens import word_tokens
from tests.conftest import Home
from tests.fakes.fake_engine import FakeEngine
from tests.trainer.overfitted import overfitted
from trainer.bundle.gguf_file import write_gguf
from trainer.corpus.store import load as load_corpus

KEY = b"k" * 16


@pytest.fixture(scope="module")
def bundle(trained: Home) -> Bundle:
    return current(load(trained.config, {}).adapters)


def voice_of(bundle: Bundle, engine: FakeEngine, *said: str) -> Voice:
    return Voice(engine, encoding_of(bundle), bundle.seal, SamplingParams(), Guard(build(said, KEY)))


@dataclass
class Hesitant(FakeEngine):
    """Says its words a few characters at a time; each text after the last one is its next. pieces: how many it said."""

    texts: tuple[str, ...]
    finish: Finish = "stop"
    pieces: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    async def generate(self, request: Request) -> AsyncGenerator[Piece]:
        self.asked.append(request)
        text = self.texts[len(self.asked) - 1]
        for start in range(0, len(text), 3):
            self.pieces += 1
            yield Piece(text[start : start + 3])
        yield Piece("", self.finish)


async def test_a_copy_is_sampled_again(bundle: Bundle) -> None:
    """With another seed; the next sample is said."""
    copy, fresh = "the canal took my other bike", "the canal gave it back"
    engine = FakeEngine()
    engine.words = lambda _: copy if len(engine.asked) < 3 else fresh
    voice = voice_of(bundle, engine, copy)
    rejections: list[str] = []
    assert await voice.reply("group", (Turn("JONAS", ("and?",)),), 1, rejections=rejections) == (fresh,)
    assert len({request.seed for request in engine.asked}) == 3
    assert rejections == ["copy"] * 2


async def test_what_goes_on_as_somebody_else_is_sampled_again(bundle: Bundle) -> None:
    """A header on a line of its own is where a turn is cut; one behind other words shows that the turn never ended."""
    engine = FakeEngine()
    engine.words = lambda _: "paid a}PRIYA:\nomg with oat milk??" if len(engine.asked) < 2 else "fine\nPRIYA:\nomg"
    rejections: list[str] = []
    said = await voice_of(bundle, engine).reply("group", (Turn("JONAS", ("and?",)),), 1, rejections=rejections)
    assert (said, rejections) == (("fine",), ["header"])


async def test_what_goes_round_in_circles_is_sampled_again(bundle: Bundle) -> None:
    """A model that is too sure of itself says the same until its tokens are spent."""
    engine = FakeEngine()
    engine.words = lambda _: "and that man is man, " * 20 if len(engine.asked) < 2 else "fine"
    rejections: list[str] = []
    said = await voice_of(bundle, engine).reply("group", (Turn("JONAS", ("and?",)),), 1, rejections=rejections)
    assert (said, rejections) == (("fine",), ["loop"])


@pytest.mark.parametrize("behind", ["\n\nand so on ", "\nTILT:\nand so on "])
async def test_a_blank_line_or_a_header_ends_a_reply(bundle: Bundle, behind: str) -> None:
    """What a base writes behind it is nobody's, and isn't waited for."""
    engine = Hesitant(("the canal again" + behind * 500,))
    assert await voice_of(bundle, engine).reply("group", (Turn("JONAS", ("and?",)),), 1) == ("the canal again",)
    assert engine.pieces < 20


async def test_a_reply_that_ran_out_of_tokens_ends_with_a_sentence(bundle: Bundle) -> None:
    """Not in the middle of a word."""
    engine = Hesitant(("no. the canal gave it back. then it to",), "length")
    said = await voice_of(bundle, engine).reply("group", (Turn("JONAS", ("and?",)),), 1)
    assert said == ("no. the canal gave it back.",)


async def test_silence_follows_three_more_tries(bundle: Bundle) -> None:
    """And is counted; so it is for tweets."""
    copy = "the canal took my other bike"
    engine = FakeEngine(lambda _: f"so...\n{copy.upper()}!")
    voice = voice_of(bundle, engine, copy)
    rejections: list[str] = []
    assert await voice.tweet(1, rejections=rejections) == ()
    assert len(engine.asked) == MAX_ATTEMPTS == 4
    assert rejections == ["copy"] * MAX_ATTEMPTS


async def test_who_listens_hears_whole_words_that_the_guard_lets_pass(bundle: Bundle) -> None:
    """As they come; what the guard objects to is never heard to its end, and taken back."""
    copy, fresh = "the canal took my other bike again", "no.\nthe canal gave it back"
    engine = Hesitant((copy, fresh))
    heard: list[tuple[str, ...]] = []
    voice = voice_of(bundle, engine, copy)
    assert await voice.reply("group", (Turn("JONAS", ("and?",)),), 1, on_text=heard.append) == tuple(fresh.split("\n"))
    assert heard[0] == ("the",)
    assert ("the canal took my other",) in heard
    assert not any("again" in line or "my other bike" in line for lines in heard for line in lines)
    after = heard[heard.index(()) + 1 :]
    assert after[0] == ("no.",)
    assert after[-1] == ("no.", "the canal gave it")


async def test_the_sealed_guard_knows_the_training_messages(trained: Home, bundle: Bundle) -> None:
    """The trainer builds it from everybody's messages; the bot's own voice refuses them."""
    settings = load(trained.config, {})
    assert "private/guard.bin" in bundle.seal.files
    sealed = guard_of(settings, bundle)
    turns = [turn for one in load_corpus(settings).in_split("train") for turn in one.conversation.turns]
    long = [turn.text for turn in turns if len(word_tokens(turn.text)) >= 12]
    assert len(long) > 30
    assert all(sealed.check(text) == "copy" for text in long)


def test_a_bundle_without_its_private_part_speaks_and_says_so(
    trained: Home, bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What came from the Hub has no guard."""
    bare = Bundle(tmp_path, bundle.seal)
    assert guard_of(load(trained.config, {}), bare).check("anything at all that one might say") == ""
    assert "no copy guard" in caplog.text


async def test_an_overfitted_adapter_repeats_nothing(trained: Home, bundle: Bundle, tmp_path: Path) -> None:
    """It knows its messages by heart; with the guard none of six words or more gets out."""
    shown = await told_by_heart(trained, bundle, tmp_path, messages=16, epochs=160, count=60)
    assert shown.without > 20
    assert shown.guarded == 0


@pytest.mark.slow
async def test_five_thousand_texts_of_an_overfitted_adapter_repeat_nothing(
    trained: Home, bundle: Bundle, tmp_path: Path
) -> None:
    """The same at the size of the promise."""
    shown = await told_by_heart(trained, bundle, tmp_path, messages=32, epochs=320, count=5000)
    assert shown.without > 500
    assert shown.guarded == 0


@dataclass(frozen=True)
class Told:
    """How many texts were training messages of six words or more, word for word; guarded: with the guard asked.
    silent: how often nothing was left to say."""

    without: int
    guarded: int
    silent: int


async def told_by_heart(trained: Home, bundle: Bundle, folder: Path, *, messages: int, epochs: int, count: int) -> Told:
    """What an adapter overfitted on so many long messages says on the engine that speaks."""
    settings = load(trained.config, {})
    corpus, me = load_corpus(settings), bundle.seal.speaker
    turns = [turn for one in corpus.in_split("train") for turn in one.conversation.turns if turn.speaker == me]
    learned = [turn for turn in turns if 7 <= len(word_tokens(turn.text)) <= 25][:messages]
    encoding = encoding_of(bundle)
    model = overfitted(encoding, [Conversation("timeline", (turn,)) for turn in learned], me, epochs=epochs)
    write_gguf(model.merge_and_unload(), encoding, folder / "model.gguf")
    shutil.copy(bundle.folder / "tokenizer.json", folder)
    unproved = bundle.seal.model_copy(update={"probe": None})  # it was sealed for the session's own model
    engine = open_engine(settings, Bundle(folder, unproved), encoding)
    known = {tuple(word_tokens(turn.text)) for turn in turns if len(word_tokens(turn.text)) >= 6}
    bare = Voice(engine, encoding, bundle.seal.model_copy(update={"year": None}), SamplingParams(1.0, 1.0, min_p=0.0))
    await engine.start()
    voices = (bare, replace(bare, guard=guard_of(settings, bundle)))
    texts = [await asyncio.gather(*(voice.tweet(seed * 7919) for seed in range(count))) for voice in voices]
    await engine.close()
    without, guarded = (sum(tuple(word_tokens("\n".join(lines))) in known for lines in said) for said in texts)
    return Told(without, guarded, texts[1].count(()))


async def test_how_likely_the_persona_speaks_next_is_how_likely_its_header_is(bundle: Bundle) -> None:
    """As far as it takes to tell it from others', after all that was said, in the channel's own cache."""
    engine = FakeEngine()
    voice = voice_of(bundle, engine, "")
    turns = (Turn(f"{voice.seal.speaker}X", ("and?",)),)
    header = voice.encoding.header(voice.seal.speaker)
    engine.next_ids = lambda request: {header[len(engine.looked_at) - 1]: -0.5, 0: -9.0}
    shared = [a == b for a, b in zip(header, voice.encoding.header(turns[0].speaker), strict=False)].index(False)
    assert shared > 1
    assert await voice.next_speaker("group", turns, channel="discord:1") == pytest.approx(-0.5 * (shared + 1))
    prompt = reply_prompt(voice.encoding, voice.seal, "group", turns, room=64)
    asked = [request.ids for request in engine.looked_at]
    assert asked == [prompt[: len(prompt) - len(header) + place] for place in range(shared + 1)]
    assert {request.channel for request in engine.looked_at} == {"discord:1"}
