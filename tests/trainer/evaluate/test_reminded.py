"""What came to mind stands before held-out replies too, in prompts and in losses, as it does when the bot speaks."""

from pathlib import Path
from typing import Any, cast

from persona.archive.index import Archive
from persona.transcript import Turn
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from tests.persona.archive.talk import DAY, archive, talk
from trainer.evaluate.generation import generate
from trainer.evaluate.likelihood import LikelihoodScorer
from trainer.evaluate.reply_context import ReplyContext, reminded, unreminded

EARLIER = talk("JONAS: where was that place with the eels\nMARA VOSS: korenlei, never again", id="eels", day=1)
LATER = talk("JONAS: the eels were great\nMARA VOSS: told you", id="later", day=3)
ASKED = ReplyContext(
    "judged", "group", None, (Turn("JONAS", ("eels again?",)),), Turn("MARA VOSS", ("never",)), 2 * DAY
)
TWEET = ReplyContext("tweet", "timeline", None, (), Turn("MARA VOSS", ("eels",)), 2 * DAY)
VOICE = small_voice(FakeEngine())


def remembering(folder: Path, *contexts: ReplyContext) -> list[ReplyContext]:
    return reminded(contexts, archive(folder, EARLIER, LATER), VOICE.encoding, VOICE.seal)


def test_what_was_said_later_is_not_known_before(tmp_path: Path) -> None:
    """And a tweet answers nothing, so nothing comes to mind."""
    asked, tweet = remembering(tmp_path, ASKED, TWEET)
    assert asked.memories == (EARLIER[0].excerpt,)
    assert unreminded(asked) == ASKED
    assert tweet == TWEET
    assert reminded([ASKED], Archive.empty(), VOICE.encoding, VOICE.seal) == [ASKED]


def test_the_voice_that_is_measured_is_reminded(tmp_path: Path) -> None:
    """Its prompt holds what the context does."""
    engine = FakeEngine(lambda _: "no")
    generate(small_voice(engine), remembering(tmp_path, ASKED))
    assert "# memory 1970" in VOICE.encoding.text(engine.asked[0].ids)
    assert "korenlei" in VOICE.encoding.text(engine.asked[0].ids)


def test_losses_are_taken_after_what_came_to_mind(tmp_path: Path) -> None:
    """The reply alone is the target."""
    scorer = LikelihoodScorer(cast(Any, None), VOICE.encoding, VOICE.seal)
    (asked,) = remembering(tmp_path, ASKED)
    window = scorer._window(asked, asked.real)
    read = VOICE.encoding.read(window.ids)
    assert read.memories == asked.memories
    assert read.turns == (*ASKED.before, ASKED.real)
    labelled = [i for i, has_loss in zip(window.ids, window.loss_mask, strict=True) if has_loss]
    assert VOICE.encoding.completion(labelled) == "never"
