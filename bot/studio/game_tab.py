"""The Game tab: real or imitation? Ten held-out prompts, two answers each; and the tally of all games."""

import json
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from bot.studio.markup import quiet, turns
from bot.studio.nothing_yet import NothingYet
from bot.studio.sentences import sentences
from bot.studio.studio import Studio

NOTHING_YET = "Nothing is trained yet; once it is, this is a game: real or imitation?"
RULES = (
    "Something that was really said, and two answers: one is real, one the imitation's (or three: one is a rival's). Which is "
    "real? The model never saw these messages."
)


@dataclass(frozen=True, slots=True)
class Game:
    """A game as `python -m trainer game --export game.json` wrote it. choices: for each round so far, which answer was
    chosen. result: how the line begins that is counted."""

    rounds: tuple[Mapping[str, Any], ...]
    result: str
    choices: tuple[int, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether every round was played."""
        return len(self.right) == len(self.rounds)

    def chosen(self, side: int) -> "Game":
        """Return the game after a choice; one that is over stays as it is, for somebody clicks twice."""
        if self.is_over:
            return self
        return replace(self, choices=(*self.choices, side))

    @property
    def right(self) -> tuple[bool, ...]:
        """For each round so far, whether the real answer was found."""
        return tuple(side == round_["real"] for side, round_ in zip(self.choices, self.rounds, strict=False))

    @property
    def rival(self) -> tuple[bool, ...]:
        """For each round so far, whether a rival's answer was taken."""
        return tuple(side == round_.get("rival") for side, round_ in zip(self.choices, self.rounds, strict=False))

    @property
    def line(self) -> str:
        """What is counted: a digit a round, as the trainer's Round.digit has it."""
        digits = (
            "5" if is_rival else ("13" if is_right else "04")[round_.get("rival") is not None]
            for is_right, is_rival, round_ in zip(self.right, self.rival, self.rounds, strict=False)
        )
        return self.result + "".join(digits)


class GameTab:
    """Builds the tab inside the page that is open."""

    def __init__(self, studio: Studio, tabs: gr.Tabs) -> None:
        self._studio = studio
        with gr.Tab("Game", id="game") as tab:
            self._nothing_yet = NothingYet(studio, tabs, NOTHING_YET)
            with self._nothing_yet.content():
                gr.Markdown(RULES)
                begin = gr.Button("New game", variant="primary", elem_id="game-begin")
                status = gr.HTML(elem_id="game-told")
                with gr.Row(visible=False, equal_height=True) as answers:
                    sides = [gr.Button("", elem_classes="answer", elem_id=f"game-{side}") for side in (1, 2, 3)]
                game = gr.State(None)
        tab.select(self._fill, None, self._nothing_yet.columns)
        shown = [game, status, answers, *sides]
        begin.click(self._begin, None, shown)
        for number, side in enumerate(sides):
            side.click(_choose(number), game, shown).then(self._count, game, status)

    async def _fill(self) -> list[Any]:
        with sentences():
            return self._nothing_yet.now()

    async def _begin(self) -> AsyncGenerator[tuple[Any, ...]]:
        with sentences(), tempfile.TemporaryDirectory(prefix="alterego-") as folder:
            yield _shown(None, quiet("The imitation answers what the real one answered …"))
            file = Path(folder) / "game.json"
            run = await self._studio.run("game", "--export", str(file))
            await run.result()
            written = json.loads(file.read_text(encoding="utf-8"))
            yield _shown(Game(tuple(written["rounds"]), written["result"]))

    async def _count(self, game: Game | None) -> AsyncGenerator[str]:
        """At the end of a game, add it to the others."""
        if game is None or not game.is_over:
            yield gr.skip()
            return
        with sentences():
            yield _ended(game)
            run = await self._studio.run("game", "--tally", game.line)
            tally = await run.result()
            yield _ended(game) + quiet(
                f"In all games the imitation was taken for the real one in {tally['fooled']} of {tally['rounds']} rounds, "
                f"{tally['percent']:.0f}%; a coin would make it 50%."
            )


def _choose(side: int) -> Any:
    async def chosen(game: Game) -> tuple[Any, ...]:
        after = game.chosen(side)
        wrong = "No, that was the rival." if after.rival[-1] else "No, that was the imitation."
        verdict = "Yes." if after.right[-1] else wrong
        return _shown(after, "" if after.is_over else quiet(verdict))

    return chosen


def _shown(game: Game | None, remark: str = "") -> tuple[Any, ...]:
    """Return the round that is to be played: what was said before, and two answers."""
    if game is None or game.is_over:
        return game, remark, gr.Row(visible=False), gr.Button(), gr.Button(), gr.Button()
    number = len(game.right)
    round_ = game.rounds[number]
    before = turns((name, text.split("\n"), False) for name, text in round_["before"])
    status = f"{remark}<h2>{number + 1} of {len(game.rounds)}</h2>{before}"
    texts = [*round_["answers"], ""][:3]
    return game, status, gr.Row(visible=True), *(gr.Button(text, visible=bool(text)) for text in texts)


def _ended(game: Game) -> str:
    """The score, and what was wrong: both answers under their names."""
    score = f"<h2>You found the real one in {sum(game.right)} of {len(game.rounds)}.</h2>"
    played = zip(game.rounds, game.choices, game.right, strict=True)
    wrong = [(round_, choice) for round_, choice, is_right in played if not is_right]
    if not wrong:
        return score + quiet("Nothing fooled you.")
    return f"{score}<h3>What fooled you</h3>{'<hr>'.join(_mistake(*each) for each in wrong)}"


def _mistake(round_: Mapping[str, Any], choice: int) -> str:
    real, imitated = (round_["answers"][side].split("\n") for side in (round_["real"], choice))
    before = [(name, text.split("\n"), False) for name, text in round_["before"]]
    who = "the rival" if choice == round_.get("rival") else "the imitation"
    return turns([*before, ("the real one", real, False), (f"{who}, which you chose", imitated, True)])
