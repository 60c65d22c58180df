"""What adapters make of real talk, by the weight of the loss on headers: turns, quotes, what is not words, and skew.

    python -m bench.real_talk FOLDER --plays PATH/tinyshakespeare.txt [--base scratch] [--weight 0 --weight .1 …] [--write FILE]

Real is what plays give: words and an order of speakers that nobody here made up (see bench/plays_chat.py). One base, an adapter
for each weight. FOLDER keeps each step's outcome: a run that was cut short goes on where it ended.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import reading, skew
from bench.plays_chat import LEAD, write_exports
from bench.real_base import write_between
from engine.backends.transformers_engine import open_bundle_model
from engine.choose import encoding_of, open_voice_of
from engine.dequantise import located_base
from persona.bundle import open_bundle
from persona.config import Settings, load
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.likelihood import LikelihoodScorer, bits_per_character
from trainer.evaluate.reply_context import evenly_spaced, reply_contexts

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = (0.0, 0.05, 0.1, 0.3)
REPLIES = 400  # held-out ones and places of each measurement
RESULT = "result.json"
MARKS = ("<!-- real talk, made by `python -m bench.real_talk` -->", "<!-- end of real talk -->")
_TRAIN = """
import runpy, sys
import trainer.loop.loss as loss
loss.HEADER_WEIGHT = float(sys.argv.pop(1))
runpy.run_module('trainer', run_name='__main__', alter_sys=True)
"""

Figures = dict[str, list[float] | None]  # value, low, high


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    chosen = _arguments()
    _make(chosen)
    measured = {weight: _measured(chosen.folder, weight, chosen.n) for weight in chosen.weight or WEIGHTS}
    table = table_of(measured)
    print(table)
    if chosen.write:
        write_between(chosen.write, table, MARKS)


def _make(chosen: argparse.Namespace) -> None:
    """Write the export and the settings, and import it."""
    folder: Path = chosen.folder
    if (folder / "corpus").exists():
        return
    write_exports(folder / "exports" / "result.json", chosen.plays)
    text = f"""[persona]
name = "{LEAD}"
[data]
sources = ["exports"]
others = "context"
pseudonyms = false
[base]
model = {json.dumps(chosen.base)}
minutes = {chosen.minutes}
[train]
limit = {chosen.limit}
"""
    (folder / "persona.toml").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "trainer", "import", "--config", str(folder / "persona.toml")], check=True)


def _measured(folder: Path, weight: float, count: int) -> Figures:
    path = folder / f"{weight}-{RESULT}"
    result: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    settings = load(folder / "persona.toml")
    if "bundle" not in result:
        print(f"{time.strftime('%H:%M:%S')} weight {weight}", file=sys.stderr, flush=True)
        words = [sys.executable, "-c", _TRAIN, str(weight), "train", "--force", "--json"]
        words += ["--config", str(folder / "persona.toml")]
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        result["bundle"] = json.loads(done.stdout)["bundle"]
        path.write_text(json.dumps(result), encoding="utf-8")
    if "figures" not in result:
        result["figures"] = _figures(settings, Path(result["bundle"]), count)
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    figures: Figures = result["figures"]
    return figures


def _figures(settings: Settings, folder: Path, count: int) -> Figures:
    bundle, corpus = open_bundle(folder), load_corpus(settings)
    me = bundle.seal.speaker
    voice = open_voice_of(settings, bundle)
    scorer = LikelihoodScorer(
        open_bundle_model(bundle, str(located_base(settings)), merge=False), encoding_of(bundle), bundle.seal
    )
    contexts = reply_contexts(corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT), me)
    scored = [(context, context.real) for context in evenly_spaced(contexts, 2 * count)]
    found: reading.Figures = {"bits a character": bits_per_character(scorer.bits(scored))}
    found |= reading.turns(voice, corpus, 5 * count)
    found |= reading.quotes(scorer, contexts)
    found |= reading.not_words(voice, corpus, contexts, 4 * count)
    asked = evenly_spaced(list(skew.contexts(settings, corpus, bundle.seal)), 2 * count)
    found |= skew.figures(asked, scorer)
    return {name: figure.plain if figure else None for name, figure in found.items()}


def table_of(measured: Mapping[float, Figures]) -> str:
    """Return the figures as a table in Markdown, a column a weight, each with its interval."""
    names = list(dict.fromkeys(name for figures in measured.values() for name in figures))
    rows = [["", *(f"weight {weight:g}" for weight in measured)], ["---"] * (1 + len(measured))]
    rows += [[name, *(_cell(figures.get(name)) for figures in measured.values())] for name in names]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def _cell(figure: list[float] | None) -> str:
    return "{:.4f} ({:.4f} to {:.4f})".format(*figure) if figure else ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where everything is kept; remove it to measure anew")
    parser.add_argument("--plays", type=Path, required=True, help="tinyshakespeare.txt")
    parser.add_argument("--base", default="scratch")
    parser.add_argument("--minutes", type=float, default=4.0, help="to grow a base")
    parser.add_argument("--limit", type=int, default=0, help="newest messages of hers to train on; 0 = all")
    parser.add_argument("--weight", type=float, action="append", help="of the loss on headers")
    parser.add_argument("-n", type=int, default=REPLIES, help="replies and places, evenly spaced")
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
