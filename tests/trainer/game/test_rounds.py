"""The Turing game: fair rounds, honest tallies, and a page that plays by itself."""

import io
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from persona.errors import UserError
from persona.transcript import UNKNOWN, Turn
from tests.conftest import Home, run_here
from tests.trainer.evaluate.voices import ANNA, BORIS, said
from trainer.__main__ import app as trainer
from trainer.commands.game import ask_player
from trainer.evaluate.generation import GeneratedReply
from trainer.evaluate.reply_context import ReplyContext, context_key
from trainer.game.game_page import game_page
from trainer.game.playing import play
from trainer.game.rounds import (
    FRIEND,
    STRANGER,
    GameResult,
    Round,
    candidates,
    read_results,
    render_round,
    result,
    rounds_of,
    tally,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def context(number: int, text: str) -> ReplyContext:
    return ReplyContext(f"{number}", "group", None, (Turn("BORIS", ("and you?",)),), Turn("ANNA", (text,)), None)


@pytest.fixture
def rounds() -> list[Round]:
    """Ten rounds between Anna and an imitation that is Boris."""
    pairs = zip(said(ANNA, 10, seed=1), said(BORIS, 10, seed=2), strict=True)
    replies = [GeneratedReply(context(k, real), (fake,), (fake,)) for k, (real, fake) in enumerate(pairs)]
    return rounds_of(replies, {"BORIS": "Boris"}, seed=5)


def test_the_real_answer_stands_on_either_side_as_often(rounds: list[Round]) -> None:
    """Five times each, in an order that the seed draws."""
    assert len(rounds) == 10
    assert sum(one.real for one in rounds) == 5
    assert {one.answers[one.real] for one in rounds} == set(said(ANNA, 10, seed=1))


def test_silence_and_copies_are_no_rounds() -> None:
    """Nothing to choose between."""
    mute = GeneratedReply(context(1, "hello there"), (), ("copied",))
    same = GeneratedReply(context(2, "hello there"), ("hello there",), ("hello there",))
    assert rounds_of([mute, same], {}, seed=1) == []
    assert candidates([context(1, "k"), context(2, "[photo]"), context(3, "fine thanks")])[0].text == "fine thanks"


def test_rounds_follow_words_that_are_known() -> None:
    """Where there are enough of them; else a lost parent is better than no game."""
    lost = [replace(context(k, "that is how it is"), before=(Turn("SOMEONE", (UNKNOWN,)),)) for k in range(9)]
    heard = [context(k, "fine, and where is the swan?") for k in range(9, 30)]
    assert {one.before[0].text for one in candidates([*lost, *heard])} == {"and you?"}
    assert len(candidates([*lost, *heard[:3]])) == 12


def test_a_game_is_played_in_the_terminal(rounds: list[Round]) -> None:
    """Who always says 1 is right half of the time; a word that is no answer is asked again."""
    shown: list[str] = []
    answers = iter(["what", *"1" * 10])
    digits = play(rounds, lambda _: next(answers), shown.append)
    assert (digits.count("1"), digits.count("0")) == (5, 5)
    assert "type 1 or 2" in shown
    assert all(text in render_round(rounds[0], 1, 10) for text in ("Boris: and you?", *rounds[0].answers))


def test_a_game_without_a_player_is_a_sentence(rounds: list[Round]) -> None:
    """A closed stdin."""

    def nobody(_: str) -> str:
        raise EOFError

    with pytest.raises(UserError, match="--export"):
        play(rounds, nobody, lambda sentence: None)


def test_ctrl_d_leaves_a_game_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal somebody was there to play; without one nobody is."""
    keyboard, seat = os.openpty()
    with os.fdopen(seat, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        os.write(keyboard, b"\x04")
        with pytest.raises(typer.Abort):
            ask_player("which one is real? ")
    os.close(keyboard)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(EOFError):
        ask_player("which one is real? ")


def test_results_are_found_in_any_text_and_counted_once() -> None:
    """Pasted from a chat; two friends with the same answers are two."""
    one, other = (result("0000002a", player, "100") for player in ("aaaaaaaa", "bbbbbbbb"))
    found = read_results(f"Sue: I got {one}! was fun\nTom: {other} and again {one}")
    assert list(found) == [one, other]
    counted = tally(list(found.values()))
    assert (counted.games, counted.rounds, counted.fooled) == (2, 6, 4)
    assert "4 of 6 rounds (67%)" in counted.sentence
    assert "44%" in counted.sentence


def test_the_command_exports_and_tallies(trained: Home, tmp_path: Path) -> None:
    """A page of rounds from the session's adapter, and a result string that comes back."""
    home = Home(tmp_path)
    home.config.write_bytes(trained.config.read_bytes())
    (tmp_path / "corpus").symlink_to(trained.folder / "corpus")
    shutil.copytree(trained.folder / "adapters", tmp_path / "adapters", symlinks=True)
    target = tmp_path / "game.html"

    def game(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run_here(trainer, "python -m trainer", "game", *arguments, "--config", str(home.config))

    made = game("--export", str(target), "--seed", "7", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["rounds"] >= 4
    page = target.read_text(encoding="utf-8")
    assert 'data-game="00000007"' in page
    assert not re.search(r"(src|href)=|https?://", page)
    rounds = tmp_path / "game.json"
    assert game("--export", str(rounds), "--seed", "7").returncode == 0
    plain = json.loads(rounds.read_text(encoding="utf-8"))
    assert all(len(one["answers"]) == 2 and one["real"] in (0, 1) and one["before"] for one in plain["rounds"])
    assert list(read_results(plain["result"] + "011").values()) == [GameResult("011")]
    for _ in range(2):  # the second time the same result is known
        counted = game("--tally", result("00000007", "abcdef01", "1100"), "--json")
        assert json.loads(counted.stdout)["rounds"] == 4, counted.stderr
    assert game("--tally", "nothing here", "--json").returncode == 0


def test_a_tally_of_nothing_says_what_a_result_looks_like(home: Home) -> None:
    """One sentence."""
    done = run_here(trainer, "python -m trainer", "game", "--tally", "hello", "--config", str(home.config))
    assert done.returncode == 1
    assert "alterego-0a1b2c3d" in done.stderr


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to open the page with")
def test_the_page_plays_by_itself(rounds: list[Round], tmp_path: Path) -> None:
    """In headless Chromium: the first button of each round is clicked, and the result is shown to be sent back."""
    page = game_page("Anna <b>", "0000002a", rounds)
    clicking = "<script>for(let k=0;k<11;k++)document.querySelector('button').click()</script></body>"
    (tmp_path / "game.html").write_text(page.replace("</body>", clicking), encoding="utf-8")
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--dump-dom", (tmp_path / "game.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "You found the real one in 5 of 10." in done.stdout
    assert "<b>" not in done.stdout
    (found,) = read_results(done.stdout.split("<code")[1]).values()
    assert found == GameResult("".join("1" if one.real == 0 else "0" for one in rounds), FRIEND)


def test_only_the_first_result_of_a_player_counts() -> None:
    """Whoever plays again knows the answers; another game is another matter."""
    first, second = (result("0000002a", "aaaaaaaa", digits) for digits in ("10", "11"))
    other = result("0000002b", "aaaaaaaa", "11")
    assert list(read_results(f"{first} {second} {other}")) == [first, other]


def of_three(count: int = 12) -> list[Round]:
    """Rounds in which a rival answers, too."""
    pairs = zip(said(ANNA, count, seed=1), said(BORIS, count, seed=2), strict=True)
    replies = [GeneratedReply(context(k, real), (fake,), (fake,)) for k, (real, fake) in enumerate(pairs)]
    rival = {context_key(reply.context): f"As an assistant, {number}." for number, reply in enumerate(replies)}
    return rounds_of(replies, {}, seed=5, rounds=count, rival=rival)


def test_three_answer_where_a_rival_did() -> None:
    """Each in every place as often as it comes; a choice is one of three digits."""
    rounds = of_three()
    assert [sum(one.real == side for one in rounds) for side in range(3)] == [4, 4, 4]
    for one in rounds:
        assert one.rival is not None
        assert one.answers[one.rival].startswith("As an assistant")
        imitation = ({0, 1, 2} - {one.real, one.rival}).pop()
        assert [one.digit(side) for side in (one.real, imitation, one.rival)] == ["3", "4", "5"]
    assert {one.rival for one in rounds} == {0, 1, 2}


def test_friends_and_strangers_are_tallied_apart() -> None:
    """And the rival beside the imitation; games of two answers and of three are one tally."""
    games = [result("0000002a", "aaaaaaaa", "345345", FRIEND), result("0000002a", "bbbbbbbb", "4444", STRANGER)]
    counted = tally(list(read_results(f"{' '.join(games)} {result('0000002b', 'cccccccc', '01')}").values()))
    assert (counted.rounds, counted.fooled, counted.three, counted.three_fooled, counted.rival) == (12, 7, 10, 6, 2)
    assert (counted.friends, counted.strangers) == ((2, 6), (4, 4))
    assert "the imitation was taken in 6 and the rival in 2 of 10 rounds" in counted.sentence
    assert "friends were fooled in 2 of 6, strangers were fooled in 4 of 4" in counted.sentence
    assert counted.plain["friends"] == {"fooled": 2, "rounds": 6}


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to open the page with")
def test_the_page_plays_with_three(tmp_path: Path) -> None:
    """A stranger who always takes the first answer: the page writes the digits that the trainer reads."""
    rounds = of_three(6)
    page = game_page("Anna", "0000002a", rounds)
    clicking = (
        "<script>document.querySelectorAll('button')[1].click();"
        "for(let k=0;k<6;k++)document.querySelector('button').click()</script></body>"
    )
    (tmp_path / "game.html").write_text(page.replace("</body>", clicking), encoding="utf-8")
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--dump-dom", (tmp_path / "game.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    (found,) = read_results(done.stdout.split("<code")[1]).values()
    assert found == GameResult("".join(one.digit(0) for one in rounds), STRANGER)
    assert "Guessing would find 2." in done.stdout
    assert "three answers" in done.stdout
    assert "the large model, which you chose" in done.stdout
