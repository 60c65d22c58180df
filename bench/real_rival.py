"""The rival of `make check-real`: an instruct model that our own engine serves, handed the person's messages."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.chat_server import chat_server
from engine.dequantise import located_base
from persona.config import load

ROOT = Path(__file__).resolve().parent.parent
PORT = 8391  # answers are kept by the server's address: a run that was cut short goes on after them
MODEL = "SmolLM2-135M-Instruct"
VOICES = {"tuned": "adapter", "rival": MODEL, "human": "the person"}
FIGURES = ("voice_ratio", "two_sample", "distinct_2", "copy8", "full")
REPLY_FIGURES = ("reply_relevance", "seconds", "prompt_tokens", "answer_tokens")

Result = dict[str, Any]


def against_rival(config: Path, count: int) -> Result:
    """Put so many held-out contexts to the base of some settings as it comes; return its figures beside the adapter's."""
    settings = load(config)
    with chat_server(Path(located_base(settings)), MODEL, PORT) as url:
        words = [sys.executable, "-m", "trainer", "evaluate", "--config", str(config), "--json"]
        done = subprocess.run(
            [*words, "--against", url, "--limit", str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
    told = json.loads(done.stdout)
    rows = {voice: {key: told["rows"].get(voice, {}).get(key) for key in FIGURES} for voice in VOICES}
    replies = {voice: {key: told["replies"].get(voice, {}).get(key) for key in REPLY_FIGURES} for voice in VOICES}
    return {"asked": told["rival"]["asked"], "answered": told["rival"]["answered"]} | {
        voice: rows[voice] | replies[voice] for voice in VOICES
    }


def rival_table(results: Sequence[Result]) -> str:
    """Return what the rival said beside what the adapter and the person did; "" if none was asked."""
    asked = [result for result in results if "rival" in result]
    heads = ["base", "corpus", "who", "voice ratio", "C2ST", "distinct-2", "copy8", "verbatim", "R10@1 of a reply"]
    heads += ["seconds", "tokens read", "written"]
    rows = [heads, ["---"] * len(heads)]
    for result in asked:
        for voice, title in VOICES.items():
            figures = result["rival"][voice]
            cells = [_cell(figures[key]) for key in (*FIGURES, *REPLY_FIGURES)]
            rows.append([result["base"], result["corpus"], title, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) if asked else ""


def _cell(figure: Sequence[float] | None) -> str:
    if not figure:
        return ""
    value, low, high = figure
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
