"""What closes a training: the sampling it seals, the gate, and the report that a person reads."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from engine.choose import open_voice_of
from engine.voice import Voice
from persona.bundle import Bundle, current
from persona.config import Persona, load
from persona.sampling import SamplingParams
from tests.conftest import Home
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, CLEO, said, talks
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.calibration import Trial
from trainer.evaluate.copying import training_grams
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.figures import text_figures
from trainer.evaluate.finalize import Finalized, time_shares
from trainer.evaluate.gate import GateVerdict, compare, judge_bundle, unprobed, worse
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.intervals import Figure
from trainer.evaluate.reading_budget import FEWEST_REPLIES
from trainer.evaluate.reference_set import reference_set
from trainer.evaluate.reply_context import ReplyContext, reply_contexts
from trainer.evaluate.report.files import write_report
from trainer.evaluate.report.plain_figures import plain_figures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PEOPLE = {"ANNA": ANNA, "BORIS": BORIS, "CLEO": CLEO}
TALKS = talks(PEOPLE, 150)


@pytest.fixture(scope="module")
def bundle(trained: Home) -> Bundle:
    return current(load(trained.config, {}).adapters)


@pytest.fixture(scope="module")
def voice(trained: Home, bundle: Bundle) -> Voice:
    return open_voice_of(load(trained.config, {}), unprobed(bundle))


def answered(asked: list[ReplyContext], texts: list[str]) -> list[GeneratedReply]:
    return [GeneratedReply(one, (text,), (text,)) for one, text in zip(asked, texts, strict=True)]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """An evaluation of an imitation of Anna that is Anna herself on another day."""
    references = reference_set(TALKS, "ANNA", training_grams(said(ANNA, 100, seed=9)))
    replies = answered(list(references.contexts), said(ANNA, 150, seed=2))
    texts = [one.text for one in replies]
    voices = {"tuned": texts, "human": said(ANNA, 150, seed=3), "another human": said(BORIS, 150, seed=4)}
    assert references.judge is not None
    trial = Trial(SamplingParams(0.9, 0.95, min_p=0.02), 150, 0.98, 0.55, 1.0, 1.1)
    return Evaluation(
        text_figures(references, voices),
        {},
        references.judge.decisions(texts),
        replies,
        [trial],
        ["few messages <b>"],
        1.0,
    )


def test_what_was_calibrated_is_sealed(evaluation: Evaluation, bundle: Bundle) -> None:
    """With the figures and the verdict, and without a word of anybody's."""
    sealed = Finalized(evaluation, GateVerdict(["it copies"]), forced=True).sealed(bundle.seal)
    assert sealed.sampling["temperature"] == 0.9
    assert "max_new_tokens" not in sealed.sampling
    assert sealed.metrics["gate"]["forced"] is True
    assert sealed.metrics["gate"]["reasons"] == ["it copies"]
    assert sealed.metrics["likeness"]["rows"]["tuned"]["voice_ratio"][0] == pytest.approx(1, abs=0.1)
    told = json.dumps(sealed.metrics["likeness"])
    assert not any(one.text in told for one in evaluation.replies if len(one.text) > 8)


def test_a_worse_voice_is_kept_off_the_air() -> None:
    """Anna's adapter is not replaced by one that sounds like Boris; the other way round it is."""
    asked = reply_contexts(TALKS, "ANNA")
    corpus = Corpus(conversations=TALKS, splits={one.id: "b" for one in TALKS})
    anna, boris = answered(asked, said(ANNA, 150, seed=2)), answered(asked, said(BORIS, 150, seed=3))
    differences = compare(asked, corpus, "ANNA", boris, anna)
    assert differences["voice_ratio"].high < 0
    assert differences["two_sample"].low > 0
    assert len(worse(differences)) == 2
    assert worse(compare(asked, corpus, "ANNA", anna, boris)) == []
    again = answered(asked, said(ANNA, 150, seed=5))
    assert worse(compare(asked, corpus, "ANNA", again, anna)) == []


def test_a_persona_that_talks_alone_is_compared_without_judges() -> None:
    """Judges tell the persona from other people, never from the persona's own messages."""
    alone = talks({"ANNA": ANNA}, 60)
    asked = reply_contexts(alone, "ANNA")
    corpus = Corpus(conversations=alone, splits={record.id: "b" for record in alone})
    replies = answered(asked, said(ANNA, 60, seed=2))
    assert set(compare(asked, corpus, "ANNA", replies, replies)) == {"two_sample"}


def test_a_first_bundle_that_fails_speaks_only_if_forced(
    trained: Home, bundle: Bundle, voice: Voice, evaluation: Evaluation
) -> None:
    """Nobody wants to meet it, though there is nothing better: what copies, and what says gibberish."""
    settings = load(trained.config, {})
    tuned = evaluation.rows["tuned"]
    copies = {**evaluation.rows, "tuned": {**tuned, "copy8": replace(tuned["copy8"], value=0.5, low=0.4, high=0.6)}}  # type: ignore[type-var]
    leaking = replace(evaluation, rows=copies)
    fine = {**evaluation.rows, "tuned": {**tuned, "copy8": Figure(0, 0, 0), "full": Figure(0, 0, 0)}}
    evaluation = replace(evaluation, rows=fine)
    assert judge_bundle(settings, load_corpus(settings), bundle, voice, None, evaluation, 0.0) == GateVerdict([], [])
    mute = replace(evaluation, rows={"human": evaluation.rows["human"]})
    (note,) = judge_bundle(settings, load_corpus(settings), bundle, voice, None, mute, 0.0).notes
    assert "too little to tell whether it copies" in note
    verdict = judge_bundle(settings, load_corpus(settings), bundle, voice, None, leaking, 0.0)
    assert any("it copies" in reason for reason in verdict.reasons)
    bits = {"bits_per_character": Figure(2.29, 2.2, 2.4), "bits_per_character_trivial": Figure(2.19, 2.1, 2.3)}
    salad = judge_bundle(settings, load_corpus(settings), bundle, voice, None, replace(evaluation, figures=bits), 0.0)
    assert [reason[:9] for reason in salad.reasons] == ["gibberish"]
    later = judge_bundle(settings, load_corpus(settings), bundle, voice, bundle, leaking, 0.0)
    assert not later.passes
    assert Finalized(evaluation, later, forced=True).becomes_current
    assert not Finalized(evaluation, later).becomes_current


def test_the_old_adapter_is_asked_what_the_new_one_was_however_little_time_there_is(
    trained: Home, bundle: Bundle, voice: Voice, evaluation: Evaluation
) -> None:
    """As many as can be compared, and with as much before each; what either was trained on is left out."""
    settings = load(trained.config, {}).model_copy(update={"persona": Persona(name="Anna")})
    corpus = Corpus(conversations=TALKS, splits={record.id: "b" for record in TALKS})
    verdict = judge_bundle(settings, corpus, bundle, voice, bundle, replace(evaluation, turns=1), 0.0)
    assert not verdict.notes
    assert "two_sample" in verdict.differences
    for seal in (
        bundle.seal.model_copy(update={"data": {"refit_on": [record.id for record in TALKS]}}),
        bundle.seal.model_copy(update={"data": {"refit_on": [record.id for record in TALKS[5:]]}}),
    ):
        (note,) = judge_bundle(settings, corpus, Bundle(bundle.folder, seal), voice, bundle, evaluation, 0.0).notes
        assert "messages that neither adapter was trained on are too few to compare them" in note


def test_what_was_asked_in_short_is_not_asked_again(trained: Home, bundle: Bundle) -> None:
    """Of long talk the evaluation read the last turn alone: the old adapter reads no more, and the new one's replies count."""
    talk = talks({"BORIS": BORIS, "CLEO": CLEO, "ANNA": ANNA}, 40)
    short = [replace(context, before=context.before[-1:]) for context in reply_contexts(talk, "ANNA")]
    settings = load(trained.config, {}).model_copy(update={"persona": Persona(name="Anna")})
    corpus = Corpus(conversations=talk, splits={record.id: "b" for record in talk})
    evaluation = Evaluation(replies=answered(short, said(ANNA, 40, seed=2)), turns=1)
    engine = FakeEngine()
    verdict = judge_bundle(settings, corpus, unprobed(bundle), small_voice(engine), bundle, evaluation, 0.0)
    assert "two_sample" in verdict.differences
    assert not engine.asked


def test_what_the_new_one_was_not_asked_both_are_where_nothing_else_is_unseen(
    trained: Home, bundle: Bundle, voice: Voice, evaluation: Evaluation
) -> None:
    """After a refit few of the messages that were answered are."""
    settings = load(trained.config, {}).model_copy(update={"persona": Persona(name="Anna")})
    corpus = Corpus(conversations=TALKS, splits={record.id: "b" for record in TALKS})
    seal = bundle.seal.model_copy(update={"data": {"refit_on": [record.id for record in TALKS[:100]]}})
    first = replace(evaluation, replies=evaluation.replies[:110])
    verdict = judge_bundle(settings, corpus, Bundle(bundle.folder, seal), voice, bundle, first, 0.0)
    assert not verdict.notes
    assert "two_sample" in verdict.differences


@pytest.mark.parametrize(("said", "notes", "reasons"), [(19, 1, 0), (5, 0, 1)])
def test_a_few_silences_are_no_reason_against_it_and_many_are(
    trained: Home, bundle: Bundle, voice: Voice, evaluation: Evaluation, said: int, notes: int, reasons: int
) -> None:
    """Of so few replies chance decides how many are reactions."""
    settings = load(trained.config, {}).model_copy(update={"persona": Persona(name="Anna")})
    corpus = Corpus(conversations=TALKS, splits={record.id: "b" for record in TALKS})
    replies = [
        replace(reply, lines=reply.lines if place < said else ())
        for place, reply in enumerate(evaluation.replies[:FEWEST_REPLIES])
    ]
    asked = replace(evaluation, replies=replies, rows={})
    verdict = judge_bundle(settings, corpus, bundle, voice, bundle, asked, 0.0)
    assert [len(verdict.notes), len(verdict.reasons)] == [notes, reasons]
    assert any(f"{said}" in sentence for sentence in (*verdict.notes, *verdict.reasons))


def test_an_evaluation_takes_a_fifth_of_the_training_s_time() -> None:
    """And leaves a fifth of that to the adapter it is compared with; with none it has all."""
    assert time_shares(1000.0, compares=True) == pytest.approx((160.0, 40.0))
    assert time_shares(1000.0, compares=False) == (200.0, 0.0)
    assert sum(time_shares(1.0, compares=True)) == 30.0


def test_the_report_is_one_page_without_requests(
    trained: Home, bundle: Bundle, evaluation: Evaluation, tmp_path: Path
) -> None:
    """Everything in it, for its owner alone; text is text."""
    settings = load(trained.config, {})
    page = write_report(settings, load_corpus(settings), bundle, evaluation, tmp_path / "private", tally="two of three")
    html = page.read_text(encoding="utf-8")
    assert "of 100 judge decisions" in html
    assert "few messages &lt;b&gt;" in html
    assert "two of three" in html
    assert not re.search(r"(src|href)=|@import|url\(|https?://(?!www\.w3)", html)
    assert page.stat().st_mode & 0o777 == 0o600
    figures = json.loads((tmp_path / "private" / "report.json").read_text(encoding="utf-8"))
    assert figures["rows"] == plain_figures(evaluation)["rows"]


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to look at the page with")
@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (390, "dark")])
def test_the_report_fits_its_window(
    trained: Home, bundle: Bundle, evaluation: Evaluation, tmp_path: Path, width: int, scheme: str
) -> None:
    """On a desk and on a phone, in light and in dark: a screenshot that is no blank page, and nothing to scroll sideways."""
    settings = load(trained.config, {})
    page = write_report(settings, load_corpus(settings), bundle, evaluation, tmp_path)
    measuring = (
        "<script>document.title=[document.documentElement.scrollWidth,"
        "getComputedStyle(document.body).backgroundColor].join('|')</script></body>"
    )
    open_page = page.read_text(encoding="utf-8").replace("style-src", "script-src 'unsafe-inline'; style-src")
    framed = tmp_path / "inner.html"
    framed.write_text(open_page.replace("</body>", measuring), encoding="utf-8")
    shot = tmp_path / "shot.png"
    common = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={max(width, 500)},900",
        *(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []),
    ]  # fmt: skip
    subprocess.run([*common, f"--screenshot={shot}", framed.as_uri()], capture_output=True, timeout=120, check=True)
    assert shot.stat().st_size > 10_000
    dom = subprocess.run([*common, "--dump-dom", framed.as_uri()], capture_output=True, text=True, timeout=120).stdout
    scrolled, background = re.findall(r"<title>(\d+)\|(.*?)</title>", dom)[0]
    assert int(scrolled) <= max(width, 500)
    assert background == ("rgb(20, 23, 29)" if scheme == "dark" else "rgb(251, 250, 247)")
