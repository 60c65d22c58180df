"""An evaluation end to end on an engine whose words are given, and its rules in numbers worked out by hand."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.base import Request
from persona.bundle import Seal
from persona.sampling import SamplingParams
from persona.transcript import Conversation, Turn
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_encoding, small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, CLEO, said, talks
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus
from trainer.evaluate.calibration import MIN_CONTEXTS, ROUNDS, Trial, calibrate, grid, rounds_for
from trainer.evaluate.copying import training_grams
from trainer.evaluate.evaluation import Evaluation, EvaluationRun, Scope
from trainer.evaluate.finalize import Finalized
from trainer.evaluate.gate import COPY_BOUND, GateVerdict, copy_violation
from trainer.evaluate.generation import BATCH, FIRST_BATCH, batch_size
from trainer.evaluate.intervals import Figure, Numbers, bootstrap, difference
from trainer.evaluate.likelihood import relevance
from trainer.evaluate.reading_budget import FEWEST_REPLIES
from trainer.evaluate.reference_set import reference_set
from trainer.evaluate.reply_context import ReplyContext
from trainer.evaluate.voice_ratio import Decisions, PersonaJudge, ratio, voice_ratio


def exactly(value: float) -> Figure:
    return Figure(value, value, value)


def hits(share: float, count: int = 100) -> Numbers:
    """So many decisions, of which a share is for the persona."""
    return (np.arange(count) < round(share * count)).astype(float)


@pytest.mark.parametrize(
    ("generated", "real", "others", "expected"),
    [
        (0.6, 0.8, 0.2, 2 / 3),
        (0.6, 0.8, 0.0, 0.75),
        (0.2, 0.8, 0.2, 0.0),
        (0.1, 0.9, 0.2, -1 / 7),
        (0.9, 0.7, 0.3, 1.5),
    ],
)
def test_false_positives_count_against_the_voice_ratio(
    generated: float, real: float, others: float, expected: float
) -> None:
    """(hit_gen - fa) / (hit_real - fa): a judge that takes everybody for the persona proves nothing."""
    assert ratio(hits(generated), hits(real), hits(others)) == pytest.approx(expected)
    decisions = Decisions(hits(generated), hits(real), hits(others))
    assert voice_ratio(decisions).value == pytest.approx(expected)


def test_judges_report_the_false_positives_they_make() -> None:
    """Somebody else who writes like the persona is taken for them about half of the time; that is the zero of the ratio."""
    mine, double, other = said(ANNA, 150, seed=1), said(ANNA, 150, seed=2), said(BORIS, 150, seed=3)
    alike = PersonaJudge(mine, {"DOUBLE": double}).decisions(other)
    apart = PersonaJudge(mine, {"BORIS": other}).decisions(double)
    assert alike.others.mean() > 0.2
    assert apart.others.mean() == 0
    assert apart.generated.mean() == 1


def test_an_interval_covers_ninety_five_of_a_hundred() -> None:
    """The mean of 400 coins: 1.96 standard errors of .025 to either side; at 90% it would be 1.64."""
    coins = (np.arange(400) % 2).astype(float)
    figure = bootstrap(lambda sample: float(sample.mean()), coins, times=4000)
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * 0.025, rel=0.05)
    steps = difference(np.arange(1001.0), np.zeros(1001))
    assert (steps.value, steps.low, steps.high) == pytest.approx((500, 25, 975))


class Knows:
    """A scorer to which the right answer to a question is likelier by so many nats."""

    def __init__(self, gain: float) -> None:
        self.gain = gain

    def nats(self, asked: Sequence[tuple[ReplyContext, Turn]], *, tuned: bool = True) -> Numbers:
        fits = [bool(context.before) and turn.text == f"re {context.before[-1].text}" for context, turn in asked]
        loss: Numbers = 10 - self.gain * np.array(fits, dtype=float)
        return loss


def test_relevance_finds_the_answer_among_ten_by_its_question() -> None:
    """All of them, though every answer was given twice; none where the question makes it less likely or changes nothing."""
    questions = [f"question {number % 15}" for number in range(30)]
    asked = [
        ReplyContext("", "group", None, (Turn("BORIS", (text,)),), Turn("ANNA", (f"re {text}",)), None)
        for text in questions
    ]
    shares = [relevance(Knows(gain), asked, time.monotonic() + 60) for gain in (1.0, 0.0, -1.0)]
    assert [share.value for share in shares if share] == [1, 0, 0]
    assert relevance(Knows(1), asked[:9], time.monotonic() + 60) is None


def copying(tuned: Figure, human: float, full: float = 0.0) -> Evaluation:
    return Evaluation({"tuned": {"copy8": tuned, "full": exactly(full)}, "human": {"copy8": exactly(human)}})


def test_it_may_copy_half_a_point_more_than_the_person() -> None:
    """Beyond its interval; a whole training message is one too many."""
    assert COPY_BOUND == 0.005
    assert copy_violation(copying(exactly(0.0149), human=0.01)) == ""
    assert "it copies: 1.5%" in copy_violation(copying(exactly(0.0151), human=0.01))
    assert copy_violation(copying(Figure(0.02, 0.0149, 0.03), human=0.01)) == ""
    assert "it copies" in copy_violation(copying(exactly(0.01), human=0.01, full=0.001))


def trial(temperature: float, voice: float, c2st: float = 0.6) -> Trial:
    return Trial(SamplingParams(temperature), 100, voice, c2st, 1.0, 1.0)


def test_trials_are_ranked_by_bounds_then_by_voice() -> None:
    """A caricature is no better than the person."""
    outside, low, high, caricature = trial(0.6, 1.1, c2st=0.9), trial(0.7, 0.5), trial(0.8, 0.9), trial(0.9, 1.4)
    assert sorted([outside, low, high], key=lambda one: one.rank) == [high, low, outside]
    assert outside.violation == pytest.approx(0.2)
    assert caricature.rank == trial(0.9, 1.15).rank


def test_the_best_trial_is_sealed(seal: Seal) -> None:
    """Not the last one."""
    evaluation = Evaluation(trials=[trial(0.8, 0.9), trial(0.7, 0.5), trial(0.6, 0.1)])
    assert Finalized(evaluation, GateVerdict()).sealed(seal).sampling["temperature"] == 0.8


@pytest.fixture
def seal() -> Seal:
    return small_voice(FakeEngine()).seal


def sounds_like_anna_at(temperature: float) -> FakeEngine:
    """At that temperature alone, and whole: elsewhere it is Boris."""
    anna, boris = said(ANNA, 400, seed=5), said(BORIS, 400, seed=6)

    def words(request: Request) -> str:
        sampling = request.sampling
        right = (sampling.temperature, sampling.top_p, sampling.min_p) == (temperature, 1.0, 0.0)
        return (anna if right else boris)[(request.seed or 0) % 400]

    return FakeEngine(words)


def test_calibration_finds_the_setting_that_sounds_like_the_person() -> None:
    """One of twenty-four; it comes first, and the rest after it in order."""
    records = talks({SPEAKER: ANNA, "BORIS": BORIS}, 120)
    references = reference_set(records, SPEAKER, training_grams([]), full=False)
    voice = small_voice(sounds_like_anna_at(0.8))
    trials = calibrate(voice, references, said(ANNA, 120, seed=8), replies=math.inf, until=time.monotonic() + 600)
    assert trials[0].sampling == replace(grid(voice.sampling)[0], temperature=0.8, top_p=1.0, min_p=0.0)
    assert trials[0].voice_ratio > 0.9
    assert all(other.voice_ratio < 0.3 for other in trials[1:])
    assert [other.rank for other in trials] == sorted(other.rank for other in trials)


def test_where_nothing_tells_settings_apart_the_voices_own_stay() -> None:
    """A slow model has time for a few replies at each, and the luckiest of many is none to change to."""
    references = reference_set(talks({SPEAKER: ANNA, "BORIS": BORIS}, 120), SPEAKER, training_grams([]), full=False)
    anna = said(ANNA, 400, seed=5)
    voice = small_voice(FakeEngine(lambda request: anna[(request.seed or 0) % 400]))
    trials = calibrate(voice, references, said(ANNA, 120, seed=8), replies=math.inf, until=time.monotonic() + 600)
    assert trials[0].sampling == voice.sampling
    assert len({trial.rank for trial in trials}) == 1


@pytest.mark.parametrize("replies", [0, 30, 100, 1_000, 3_000, 10_000, 10**9])
def test_a_calibration_fits_its_time(replies: int) -> None:
    """A slow model tries fewer settings on fewer contexts, one setting at least; a fast one all of them."""
    rounds = rounds_for(500, replies)
    assert sum(part.settings * part.contexts for part in rounds) <= max(replies, MIN_CONTEXTS)
    assert all(part.contexts >= MIN_CONTEXTS for part in rounds)
    assert [part.settings for part in rounds] == sorted((part.settings for part in rounds), reverse=True)
    if replies >= 10_000:
        assert [(part.settings, part.contexts) for part in rounds] == [(keep, 500 * share) for keep, share in ROUNDS]


def test_the_first_settings_tried_are_spread() -> None:
    """With time for four of them they are of several temperatures and cuts, the voice's own first, then the plain one."""
    own = small_voice(FakeEngine()).sampling
    settings = grid(own)
    assert (settings[0].temperature, settings[0].top_p, settings[0].min_p) == (own.temperature, own.top_p, own.min_p)
    assert (settings[1].temperature, settings[1].top_p, settings[1].min_p) == (1.0, 1.0, 0.0)
    assert len({setting.temperature for setting in settings[:4]}) > 1
    assert len({(setting.top_p, setting.min_p) for setting in settings[:4]}) > 1
    assert len(set(settings)) == 24


def test_without_replies_for_two_settings_no_reply_is_asked_for() -> None:
    """To find out how long one takes would cost as much as the figures."""
    references = reference_set(talks({SPEAKER: ANNA, "BORIS": BORIS}, 120), SPEAKER, training_grams([]), full=False)
    engine = FakeEngine()
    arguments = (references, said(ANNA, 120, seed=8), 2 * MIN_CONTEXTS - 1, time.monotonic() + 600)
    assert calibrate(small_voice(engine), *arguments) == []
    assert not engine.asked
    many = replace(small_voice(FakeEngine(lambda _: "ok so the cat left me")))
    assert len(calibrate(many, references, said(ANNA, 120, seed=8), 2 * MIN_CONTEXTS, time.monotonic() + 600)) == 2


@pytest.mark.parametrize(
    ("done", "spent", "left", "size"),
    [
        (0, 0.0, 60.0, FIRST_BATCH),
        (0, 0.0, -1.0, FIRST_BATCH),
        (0, 0.0, float("inf"), BATCH),
        (16, 4.0, 60.0, BATCH),
        (16, 16.0, 5.0, 5),
        (16, 16.0, 0.5, 0),
        (16, 4.0, -1.0, 0),
    ],
)
def test_replies_are_asked_for_as_long_as_they_fit(done: int, spent: float, left: float, size: int) -> None:
    """A first few are asked whatever the clock says; those after them at the pace of the first."""
    assert batch_size(done, spent, left) == size


def test_sampling_is_chosen_on_one_split_and_measured_on_the_other() -> None:
    """The engine is asked in contexts of split a while it is calibrated, then in those of b, and all of these are reported."""
    first = talks({"BORIS": BORIS, SPEAKER: ANNA}, 110, seed=1)
    second = talks({"CLEO": ANNA, SPEAKER: ANNA}, 40, seed=2)
    third = talks({SPEAKER: ANNA}, 40, seed=3)
    by_split = {"a": first, "b": second, "train": third}
    splits = {record.id: split for split, records in by_split.items() for record in records}
    engine = FakeEngine()
    voice, scope = small_voice(engine), Scope(600.0, calibrating=True, full=False)
    corpus = Corpus(conversations=[*first, *second, *third], splits=splits)
    run = EvaluationRun("Mara", corpus, voice, lambda: None, scope, time.monotonic(), lambda *_: None)
    evaluation = run.evaluation()
    asked = [small_encoding().tokenizer.decode(request.ids, skip_special_tokens=False) for request in engine.asked]
    assert evaluation.trials
    assert {"BORIS:" in prompt for prompt in asked[: -len(second)]} == {True}
    assert [reply.context.text for reply in evaluation.replies] == texts(second)
    assert {"CLEO:" in prompt for prompt in asked[-len(second) :]} == {True}
    assert evaluation.rows["human"]["two_sample"] is not None


def evaluated_within(tokens: float) -> tuple[Evaluation, list[str]]:
    """Evaluate on long group talk in which so many tokens may be read; and return the prompts."""
    records = talks({"BORIS": BORIS, "CLEO": CLEO, SPEAKER: ANNA}, 120, seed=1)
    turns = [turn for record in records for turn in record.conversation.turns]
    long = [
        ConversationRecord(f"{start:016}", Conversation("group", tuple(turns[start : start + 60])), (None,) * 60, "x")
        for start in range(0, len(turns), 60)
    ]
    others, trained = (talks({"BORIS": BORIS, "CLEO": CLEO, SPEAKER: ANNA}, 60, seed=seed) for seed in (2, 3))
    engine = FakeEngine(lambda _: "ok so the cat left me")
    by_split = {"train": trained, "a": others, "b": long}
    splits = {record.id: split for split, records in by_split.items() for record in records}
    corpus = Corpus(conversations=[*trained, *others, *long], splits=splits)
    scope = Scope(600.0, tokens, calibrating=True, full=False)
    run = EvaluationRun("Mara", corpus, small_voice(engine), lambda: None, scope, time.monotonic(), lambda *_: None)
    evaluation = run.evaluation()
    return evaluation, [small_encoding().text(request.ids) for request in engine.asked]


def test_a_short_training_is_measured_on_short_prompts_of_few_messages() -> None:
    """All over the held-out talk, and it is said; without a limit each is asked about, with twenty turns before it."""
    whole, prompts = evaluated_within(math.inf)
    assert len(whole.replies) == 120
    assert max(prompt.count("BORIS:") for prompt in prompts) >= 6
    assert (whole.turns, [words for words in whole.warnings if "time" in words]) == (20, [])
    assert "turn_auc" in whole.figures
    hurried, prompts = evaluated_within(3_000)
    assert "turn_auc" not in hurried.figures
    assert len(hurried.replies) == FEWEST_REPLIES
    assert hurried.turns < 20
    assert max(prompt.count("BORIS:") for prompt in prompts) < 4
    assert len({reply.context.conversation_id for reply in hurried.replies}) == 6
    said_of_it = " ".join(hurried.warnings)
    assert hurried.turns == 1
    assert "only the last turn before each held-out message and no memories were read" in said_of_it
    assert "28 of 120 held-out messages were answered" in said_of_it
    assert "too little time was left to learn when to speak unasked" in said_of_it


def test_its_progress_is_told_by_the_clock_where_little_is_done() -> None:
    """So that the time left is never put above the limit; and in all it is whole."""
    told: list[float] = []
    records = talks({SPEAKER: ANNA, "BORIS": BORIS}, 30, seed=2)
    corpus = Corpus(conversations=records, splits={record.id: "b" for record in records})
    voice = small_voice(FakeEngine())

    def run(began: float) -> float:
        told.clear()
        scope = Scope(600.0, full=False)
        EvaluationRun(
            "Mara", corpus, voice, lambda: None, scope, began, lambda share, _=None: told.append(share)
        ).evaluation()
        return told[0]

    assert run(time.monotonic()) == pytest.approx(0.1, abs=0.05)
    assert run(time.monotonic() - 300) == pytest.approx(0.5, abs=0.05)
    assert all(share >= 0 for share in told)
    assert sum(told) <= 1


def texts(records: list[ConversationRecord]) -> list[str]:
    return [turn.text for record in records for turn in record.conversation.turns if turn.speaker == SPEAKER]
