"""Whether the model knows when the persona speaks."""

import math
import random
from dataclasses import replace

import pytest

from engine.base import EngineError, Request
from persona.speaking_up import STEPS, SpeakingUp, speaking_up
from persona.transcript import Conversation, Turn
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_encoding, small_voice
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus
from trainer.evaluate.next_speaker import bigrams, calibrated, held_out_talk, positions, scored, speaking_rate


def talk(number: int, *turns: tuple[str, str], scene: str = "group") -> ConversationRecord:
    said = tuple(Turn(speaker, tuple(lines.split("/"))) for speaker, lines in turns)
    return ConversationRecord(f"{number:016}", Conversation(scene, said), (None,) * len(said), "x")


def talks(count: int, seed: int = 0) -> list[ConversationRecord]:
    """In which the persona answers whatever ends with a question mark, and little else."""
    rng = random.Random(seed)
    made: list[ConversationRecord] = []
    for number in range(count):
        turns: list[tuple[str, str]] = []
        for _ in range(8):
            asks = rng.random() < 0.4
            turns.append((rng.choice(("JONAS", "PRIYA")), "where to?" if asks else "on the tram/again"))
            if rng.random() < (0.9 if asks else 0.1):
                turns.append((SPEAKER, "no idea"))
        made.append(talk(number + 1000 * seed, *turns))
    return made


def knowing(request: Request) -> dict[int, float]:
    """Finds the persona likely after a question: the first id of its header; the others follow by themselves."""
    encoding = small_encoding()
    if request.ids[-1] != encoding.end_of_turn:
        return {0: 0.0}
    return {0: -0.2 if "?" in encoding.decode(request.ids[-12:]) else -2.0}


def test_it_is_asked_after_each_message_of_others() -> None:
    """Also in the middle of what they say in a row; never after its own words, and not in private."""
    record = talk(1, ("JONAS", "hi/all"), (SPEAKER, "hi"), ("PRIYA", "so"), ("JONAS", "yes"))
    (asked,) = positions([record, talk(2, ("JONAS", "psst"), scene="dm")], SPEAKER)
    assert [(position.before[-1].lines, position.spoke, position.ends_turn) for position in asked] == [
        (("hi",), False, False),
        (("hi", "all"), True, True),
        (("so",), False, True),
        (("yes",), False, False),
    ]
    assert speaking_rate([record, talk(2, ("JONAS", "psst"), (SPEAKER, "yes"), scene="dm")], SPEAKER) == 0.25
    assert bigrams([record], SPEAKER)("JONAS") == 1.0


def test_its_share_of_turns_is_the_persons() -> None:
    """Within a tenth, on talk by which nothing was calibrated; half as many with a share of one half."""
    voice = small_voice(FakeEngine())
    rng = random.Random(1)
    noisy = FakeEngine()
    noisy.next_ids = lambda request: {0: knowing(request)[0] + rng.gauss(0, 0.1)}
    voice = replace(voice, engine=noisy)
    bigram = bigrams(talks(60, seed=3), SPEAKER)
    learned = calibrated(scored(voice, talks(100), bigram), speaking_rate(talks(60, seed=3), SPEAKER))
    held_out = scored(voice, talks(100, seed=1), bigram)
    assert learned is not None
    assert held_out is not None
    whole, half = held_out.share(learned.threshold(1.0)), held_out.share(learned.threshold(0.5))
    assert whole is not None
    assert half is not None
    assert whole.value == pytest.approx(1, abs=0.1)
    assert half.value == pytest.approx(0.5, abs=0.1)
    model, table = held_out.auc(held_out.log_probs), held_out.auc(held_out.bigrams)
    assert model is not None
    assert table is not None
    assert model.value > 0.8
    assert table.value == pytest.approx(0.5, abs=0.1)


def test_with_little_talk_nothing_is_calibrated() -> None:
    """A persona of thirty messages only answers."""
    voice = small_voice(FakeEngine())
    bigram = bigrams([], SPEAKER)
    assert calibrated(scored(voice, talks(3), bigram), 0.3) is None
    assert scored(voice, [], bigram) is None
    silent = [talk(number, ("JONAS", "hi"), ("PRIYA", "hi")) for number in range(200)]
    assert calibrated(scored(voice, silent, bigram), 0.0) is None


def test_an_engine_that_tells_nothing_calibrates_nothing() -> None:
    """Its sentence is the server's own; and when the time is up nothing more is asked."""
    engine = FakeEngine()

    def refuse(_: Request) -> dict[int, float]:
        raise EngineError("tells no probabilities")

    engine.next_ids = refuse
    assert scored(small_voice(engine), talks(3), bigrams([], SPEAKER)) is None
    assert scored(small_voice(FakeEngine()), talks(3), bigrams([], SPEAKER), until=0.0) is None
    few = scored(small_voice(FakeEngine()), talks(100), bigrams([], SPEAKER), most=50)
    assert few is not None
    assert len(few.spoke) < 80


def test_a_smaller_share_asks_for_more() -> None:
    """Thresholds fall with the share; none is passed for a share of 0."""
    learned = speaking_up([math.log(number / 100) for number in range(1, 101)], rate=0.5)
    assert len(learned.thresholds) == STEPS
    assert learned.threshold(0.0) == math.inf
    shares = [0.01, 0.05, 0.3, 0.33, 1.0]
    thresholds = [learned.threshold(share) for share in shares]
    assert thresholds == sorted(thresholds, reverse=True)
    assert learned.threshold(1.0) == pytest.approx(math.log(0.505), abs=0.01)
    assert SpeakingUp.model_validate(learned.model_dump(mode="json")) == learned


def test_talk_in_which_the_persona_is_silent_counts_as_much_as_it_is_heard() -> None:
    """None of it is held out, since nothing of the persona's stands in it: a tenth of it goes with a tenth of the rest, and
    none with both."""
    spoken = [talk(number, ("JONAS", "hi"), (SPEAKER, "hi")) for number in range(100)]
    silent = [talk(1000 + number, ("JONAS", "so"), ("PRIYA", "so")) for number in range(60)]
    private = [talk(2000, ("JONAS", "psst"), scene="dm")]
    splits = {
        record.id: "a" if number < 10 else "b" if number < 20 else "train" for number, record in enumerate(spoken)
    }
    corpus = Corpus(
        conversations=[*spoken, *silent, *private],
        splits=splits | {record.id: "train" for record in (*silent, *private)},
    )
    first, second = (held_out_talk(corpus, split, SPEAKER) for split in ("a", "b"))
    assert [len(first), len(second)] == [16, 16]
    assert not {record.id for record in first} & {record.id for record in second}
    assert speaking_rate(first, SPEAKER) == pytest.approx(speaking_rate(corpus.conversations, SPEAKER))
