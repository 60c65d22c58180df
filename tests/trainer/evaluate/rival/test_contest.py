"""A contest whole: what is asked, what is kept, what is told before, and its row beside ours."""

import io
import os
import signal
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from persona.bundle import Bundle
from persona.config import Settings, load
from persona.errors import UserError
from tests.conftest import Home, run_here
from tests.fakes.fake_chat import Body, FakeChat, Trouble
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_voice
from tests.trainer.evaluate.voices import ANNA, BORIS, said, talks
from trainer.__main__ import app as trainer
from trainer.commands.evaluate import show_evaluation
from trainer.corpus.store import Corpus
from trainer.evaluate.evaluation import EvaluationRun, Scope
from trainer.evaluate.reply_context import context_key, reply_contexts
from trainer.evaluate.report.plain_figures import plain_figures
from trainer.evaluate.report.report_page import page
from trainer.evaluate.rival.chat_client import ChatServer, chat_server
from trainer.evaluate.rival.contest import Contest, RivalReplies, ask, open_contest
from trainer.evaluate.rival.kept_answers import rival_answers
from trainer.progress import Bars

HELD_OUT = 40


@pytest.fixture
def server() -> Iterator[FakeChat]:
    anna = said(ANNA, 400, seed=7)
    fake = FakeChat(lambda body: f"<think>hm</think>{anna[len(fake.asked) % 400]}")
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    splits = {
        "train": talks({"BORIS": BORIS, SPEAKER: ANNA}, 60, seed=1),
        "a": talks({"BORIS": BORIS, SPEAKER: ANNA}, 40, seed=2),
    }
    splits["b"] = talks({"BORIS": BORIS, SPEAKER: ANNA}, HELD_OUT, seed=3)
    records = [record for part in splits.values() for record in part]
    return Corpus(conversations=records, splits={record.id: name for name, part in splits.items() for record in part})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(Home(tmp_path).settings('[persona]\nname = "Mara Voss"\n').config, {})


def opened(settings: Settings, corpus: Corpus, server: FakeChat, limit: int = 0) -> Contest:
    return open_contest(settings, corpus, chat_server(server.url, ""), "", limit)


def asked(contest: Contest) -> tuple[RivalReplies, str]:
    with redirect_stderr(io.StringIO()) as told, Bars() as bars:
        return ask(contest, bars), told.getvalue()


def test_every_held_out_context_is_asked_with_examples_of_the_train_part(
    settings: Settings, corpus: Corpus, server: FakeChat
) -> None:
    """Thirty of the person's own; no held-out answer stands in any prompt."""
    replies, _ = asked(opened(settings, corpus, server))
    assert len(server.asked) == HELD_OUT == len(replies.replies)
    prompts = ["\n".join(message["content"] for message in body["messages"]) for body in server.asked]
    assert {prompt.count(f"{SPEAKER}:\n") for prompt in prompts} == {30}
    assert all(
        reply.reply.context.before[-1].text in prompt for reply, prompt in zip(replies.replies, prompts, strict=True)
    )
    trained = {turn.text for record in corpus.in_split("train") for turn in record.conversation.turns}
    assert all(
        reply.reply.context.text in trained or f"{SPEAKER}:\n{reply.reply.context.text}\n" not in prompt
        for reply, prompt in zip(replies.replies, prompts, strict=True)
    )
    assert all("hm" not in reply.reply.text.split() for reply in replies.replies)


def test_what_was_answered_is_not_asked_again(settings: Settings, corpus: Corpus, server: FakeChat) -> None:
    """After a server that died half way, or a line that a crash cut off; only its owner can read it."""
    contest = opened(settings, corpus, server)

    def words(_: Body) -> str:
        if len(server.asked) == 26:
            server.troubles = [Trouble(500, headers={"Retry-After": "0"}) for _ in range(9)]
        return "no"

    server.words = words
    with pytest.raises(UserError, match="busy or failing"):
        asked(contest)
    assert len(server.asked) == 26
    (path,) = (settings.adapters / "rivals").iterdir()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_bytes(path.read_bytes()[:-5])
    server.troubles.clear()
    again = opened(settings, corpus, server)
    assert len(again.left) == HELD_OUT - 25
    replies, _ = asked(again)
    assert (len(server.asked), len(replies.replies)) == (26 + 15, HELD_OUT)
    done = opened(settings, corpus, server)
    assert "nothing is asked" in done.disclosure
    asked(done)
    assert len(server.asked) == 41


def test_the_game_finds_the_answers_of_whoever_was_asked_last(
    settings: Settings, corpus: Corpus, server: FakeChat
) -> None:
    """By the held-out message, whatever the prompt was; silences are left out."""
    contexts = reply_contexts(corpus.in_split("b"), SPEAKER)
    assert rival_answers(settings.adapters) == {}
    server.words = lambda _: "" if len(server.asked) == 1 else f"answer {len(server.asked)}"
    asked(opened(settings, corpus, server))
    answers = rival_answers(settings.adapters)
    assert answers == {
        context_key(context): f"answer {number}" for number, context in enumerate(contexts, start=1) if number > 1
    }


def test_an_interruption_says_what_is_kept(settings: Settings, corpus: Corpus, server: FakeChat) -> None:
    """Ctrl-C in the middle: the command ends, and the answers stay."""

    def words(_: Body) -> str:
        if len(server.asked) == 6:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return "no"

    server.words = words
    told = io.StringIO()
    with pytest.raises(KeyboardInterrupt), redirect_stderr(told), Bars() as bars:
        ask(opened(settings, corpus, server), bars)
    assert "5 answers of big-one are kept; the same command goes on after them" in told.getvalue()
    assert len(opened(settings, corpus, server).left) == HELD_OUT - 5


def test_a_limit_asks_that_many_evenly(settings: Settings, corpus: Corpus, server: FakeChat) -> None:
    """A slow server need not answer all."""
    contest = opened(settings, corpus, server, limit=10)
    everything = opened(settings, corpus, server)
    assert [question.context for question in contest.questions] == [q.context for q in everything.questions][::4]


def test_a_short_context_gets_fewer_examples(settings: Settings, corpus: Corpus, server: FakeChat) -> None:
    """It is learned once, and told."""
    server.holds = 2500
    replies, _ = asked(opened(settings, corpus, server))
    assert len(replies.replies) == HELD_OUT
    assert any(
        "context holds 15 of 30 messages only" in warning or "context holds 7" in warning
        for warning in replies.warnings
    )
    assert len(server.tries) < HELD_OUT + 4
    server.holds = 10
    with pytest.raises(UserError, match="not even the conversation fits"):
        asked(_fresh(settings, corpus, server))


def _fresh(settings: Settings, corpus: Corpus, server: FakeChat) -> Contest:
    """A contest of a model that answered nothing yet."""
    server.models = ["another"]
    return opened(settings, corpus, server)


def test_a_model_that_thinks_long_gets_room(settings: Settings, corpus: Corpus, server: FakeChat) -> None:
    """Nothing but thoughts within the limit: asked again with a larger one."""
    server.finish = "length"
    server.words = lambda body: "<think>so" if body["max_tokens"] < 8000 else "no"
    replies, _ = asked(opened(settings, corpus, server))
    assert {reply.reply.text for reply in replies.replies} == {"no"}
    assert len(server.asked) == HELD_OUT + 1


def test_rubbish_now_and_then_is_left_out_and_ends_it_in_a_row(
    settings: Settings, corpus: Corpus, server: FakeChat
) -> None:
    """Three in a row are no accident."""
    server.troubles = [Trouble(200, "?"), Trouble(200, "?")]
    replies, _ = asked(opened(settings, corpus, server))
    assert len(replies.replies) == HELD_OUT - 2
    assert any("2 answers of big-one could not be read" in warning for warning in replies.warnings)
    server.troubles = [Trouble(200, "?") for _ in range(3)]
    with pytest.raises(UserError, match="no chat completion"):
        asked(_fresh(settings, corpus, server))


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "http://127.0.0.1:8080/v1"])
def test_what_leaves_is_said_first(settings: Settings, corpus: Corpus, url: str) -> None:
    """How much, whose, under which names, and where it goes."""
    contest = open_contest(settings, corpus, chat_server(url, ""), "big-one")
    assert contest.disclosure.startswith("nothing leaves this machine" if "127" in url else "words leave this machine")
    for words in (
        f"{HELD_OUT} held-out messages",
        "30 of MARA VOSS's own",
        "tokens of people's words",
        contest.server.host,
    ):
        assert words in contest.disclosure


def test_nothing_held_out_is_a_sentence(settings: Settings) -> None:
    with pytest.raises(UserError, match="nothing to ask a rival"):
        open_contest(settings, Corpus(), ChatServer("http://127.0.0.1:1/v1"), "big-one")


def test_it_stands_beside_ours(settings: Settings, corpus: Corpus, server: FakeChat, tmp_path: Path) -> None:
    """In the table, in JSON and on the page: voice ratio, C2ST, copying, fit, seconds and tokens."""
    rival, _ = asked(opened(settings, corpus, server))
    boris = said(BORIS, 400, seed=9)
    voice = small_voice(FakeEngine(lambda request: boris[(request.seed or 0) % 400]))
    run = EvaluationRun("Mara", corpus, voice, lambda: None, Scope(60.0), time.monotonic(), lambda *_: None, rival)
    evaluation = run.evaluation()
    plain = plain_figures(evaluation)
    assert plain["rows"]["rival"]["voice_ratio"][0] > 0.8 > plain["rows"]["tuned"]["voice_ratio"][0]
    assert {"two_sample", "copy8"} <= plain["rows"]["rival"].keys()
    assert plain["rival"] == {"model": "big-one", "host": "127.0.0.1", "asked": HELD_OUT, "answered": HELD_OUT}
    assert plain["replies"]["rival"]["prompt_tokens"] == [700, 700, 700]
    assert plain["replies"]["rival"]["seconds"][0] > 0 < plain["replies"]["tuned"]["seconds"][0]
    assert plain["replies"]["human"]["seconds"] is None
    with redirect_stdout(io.StringIO()) as shown:
        show_evaluation(tmp_path / "report.html", plain | {"canaries": []})
    assert "the rival is big-one at 127.0.0.1: 40 of 40 answered" in shown.getvalue()
    assert "tokens read" in shown.getvalue()
    html = page("Mara", Bundle(tmp_path, voice.seal), corpus, evaluation)
    for words in ("Against a large model", "big-one", "the rival", "tokens written"):
        assert words in html


def test_nobody_s_words_leave_without_a_yes(trained: Home, server: FakeChat) -> None:
    """A script says --yes; a terminal is asked. Nothing is measured before."""
    far = "https://rival.invalid/v1"
    words = ("evaluate", "--against", far, "--model", "big-one", "--config", str(trained.config))
    done = run_here(trainer, "python -m trainer", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "words leave this machine and go to rival.invalid (big-one)" in done.stderr
    assert "nobody is there to agree to that, so nothing was sent; --yes agrees" in done.stderr
    gone = run_here(trainer, "python -m trainer", *words, "--yes")
    assert gone.returncode == 1
    assert "can't be reached" in gone.stderr
