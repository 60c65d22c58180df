"""What a persona learns on real base models: bits, voice, ends, other people's headers, assistant-speak, and its export.

    python -m bench.real_base FOLDER --base smollm2 --base path/to/model.gguf --corpus EXPORTS:NAME

Every pair of a base and a corpus has a folder of its own, and each step's outcome is kept there: a run that was cut short goes
on where it ended, and `--table` prints what there is. The models come from packages; nothing is fetched here.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.real_export import exported
from bench.real_rival import against_rival, rival_table
from engine.base import Request, complete
from engine.base_source import PACKAGED
from engine.choose import open_voice
from engine.voice import Voice
from persona.config import Settings, Train, load
from persona.transcript import reads_as_header
from persona.turn_lines import completion_lines
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.copying import training_grams
from trainer.evaluate.figures import text_figures
from trainer.evaluate.generation import prompt_ids
from trainer.evaluate.reference_set import ReferenceSet, reference_set
from trainer.evaluate.reply_context import ReplyContext, evenly_spaced, reply_contexts, texts_by_speaker

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = 500  # of the persona's newest
REPLIES = 500  # sampled for ends, headers and assistant-speak
RIVAL = 60  # held-out contexts that are put to the instruct model itself
AT_ONCE = 50  # replies between two writes
SHOWN = 8
ASSISTANT = re.compile(
    r"\bas an ai\b|\blanguage model\b|i'm here to help|here to assist|feel free to|how can i (?:help|assist)|happy to help"
    r"|let me know if you|i (?:can|cannot|can't) assist",
    re.IGNORECASE,
)
BLANK_LINE = re.compile(r"(?<=\S)[^\S\n]*\n[^\S\n]*\n")
RESULT = "result.json"
REPLIES_FILE = "replies.jsonl"
FIGURES = ("voice_ratio", "two_sample", "distinct_2", "duplicates", "copy8", "full")
MARKS = ("<!-- real bases, made by `make check-real` -->", "<!-- end of real bases -->")

Result = dict[str, Any]


def main() -> None:
    """Measure what is not measured yet, and print the tables."""
    arguments = _arguments()
    pairs = [(base, corpus) for corpus in arguments.corpus for base in arguments.base]
    for base, corpus in [] if arguments.table else pairs:
        _measure(_folder(arguments.folder, base, corpus), base, corpus, arguments)
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.folder.glob(f"*/{RESULT}"))]
    made = (learned_table(results), spoken_table(results), exported_table(results), rival_table(results))
    tables = "\n\n".join(table for table in made if table)
    print(tables)
    if arguments.write:
        write_between(arguments.write, tables)


def learned_table(results: Sequence[Result]) -> str:
    """Return base, half-way and final bits a character of each pair that was trained."""
    rows = [result for result in results if "train" in result]
    heads = ("base", "corpus", "steps", "minutes", "base", "half way", "end", "gain")
    return _table(heads, [_learned_row(row, row["train"]) for row in rows]) if rows else ""


def _learned_row(result: Result, train: Result) -> list[str]:
    before, after = train["bits_per_character_base"], train["bits_per_character"]
    bits = f"{before:.3f}", f"{train['half']:.3f}" if train["half"] else "", f"{after:.3f}", f"{before - after:.3f}"
    return [result["base"], result["corpus"], str(train["steps"]), f"{train['minutes']:.1f}", *bits]


def spoken_table(results: Sequence[Result]) -> str:
    """Return what each pair said: shares of its replies, and the likeness of those that the guard lets pass."""
    rows = [result for result in results if "figures" in result]
    heads = ("base", "corpus", "replies", "end", "others' headers", "assistant (person)", "held back")
    likeness = ("voice ratio", "C2ST", "distinct-2 over person's", "duplicates (person's)", "copy8", "full")
    return _table([*heads, *likeness], [_spoken_row(row, row["figures"]) for row in rows]) if rows else ""


def _spoken_row(result: Result, figures: Result) -> list[str]:
    tuned, human = figures["tuned"], figures["human"]
    value, low, high = tuned["voice_ratio"] or (float("nan"),) * 3
    return [
        result["base"],
        result["corpus"],
        str(figures["replies"]),
        f"{figures['ended']:.1%}",
        str(figures["with_header"]),
        f"{figures['assistant']} ({figures['person_assistant']})",
        f"{figures['held_back']:.1%}",
        f"{value:.2f} ({low:.2f} to {high:.2f})",
        f"{tuned['two_sample'][0]:.2f}",
        f"{tuned['distinct_2'][0] / human['distinct_2'][0]:.2f}",
        f"{tuned['duplicates'][0]:.2f} ({human['duplicates'][0]:.2f})",
        f"{tuned['copy8'][0]:.3f}",
        f"{tuned['full'][0]:.3f}",
    ]


def exported_table(results: Sequence[Result]) -> str:
    """Return what became of each pair's export."""
    rows = [result for result in results if "export" in result]
    heads = ("base", "corpus", "exported as", "MB", "seconds", "read back, it says the same")
    return _table(heads, [_exported_row(row, row["export"]) for row in rows]) if rows else ""


def _exported_row(result: Result, export: Result) -> list[str]:
    says = {True: "yes", False: "no", None: "no probe"}[export["speaks"]]
    return [
        result["base"],
        result["corpus"],
        export["as"],
        f"{export['megabytes']:,}",
        f"{export['seconds']:.0f}",
        says,
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *rows))


def write_between(page: Path, text: str, marks: tuple[str, str] = MARKS) -> None:
    """Replace what stands between the two marks of a page."""
    before, rest = page.read_text(encoding="utf-8").split(marks[0])
    page.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{rest.split(marks[1])[1]}", encoding="utf-8")


def _folder(parent: Path, base: str, corpus: str) -> Path:
    exports, _, name = corpus.rpartition(":")
    words = f"{Path(exports).stem} {name} {Path(base).stem}".lower()
    folder = parent / re.sub(r"[^a-z0-9]+", "-", words)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _measure(folder: Path, base: str, corpus: str, arguments: argparse.Namespace) -> None:
    exports, _, name = corpus.rpartition(":")
    result = _kept(folder) or {"base": Path(base).stem, "corpus": name, "messages": arguments.messages}
    config = folder / "persona.toml"
    if not config.is_file():
        _write_settings(config, name, Path(exports), base, arguments)

    def measure(step: str, outcome: Callable[[], Any]) -> None:
        if step in result:
            return
        print(f"{time.strftime('%H:%M:%S')} {result['base']} on {name}: {step}", file=sys.stderr, flush=True)
        result[step] = outcome()
        _keep(folder, result)

    measure("import", lambda: {"total": _trainer("import", config)["total"]})
    measure("train", lambda: _trained(config))
    settings = load(config)
    corpus_ = load_corpus(settings)
    if result.get("figures", {}).get("replies", 0) < arguments.replies:
        result.pop("figures", None)
    measure("figures", lambda: _figures(settings, corpus_, _replies(folder, settings, corpus_, arguments.replies)))
    result["shown"] = [f"{reply['to']!r} -> {reply['text']!r}" for reply in _kept_replies(folder)[:SHOWN]]
    measure("export", lambda: exported(config))
    if base in PACKAGED and arguments.rival:
        measure("rival", lambda: against_rival(config, arguments.rival))
    print(json.dumps(result, ensure_ascii=False, indent=1), flush=True)


def _write_settings(config: Path, name: str, exports: Path, base: str, arguments: argparse.Namespace) -> None:
    model = base if "." not in base else str(Path(base).resolve())
    config.write_text(
        f"[persona]\nname = {json.dumps(name)}\n[data]\nsources = [{json.dumps(str(exports.resolve()))}]\n"
        f"[base]\nmodel = {json.dumps(model)}\n[train]\nlimit = {arguments.messages}\nseed = {arguments.seed}\n"
        f"epochs = {arguments.epochs}\n",
        encoding="utf-8",
    )


def _trained(config: Path) -> Result:
    """Train with the recipe's settings; return the figures, the held-out bits half way among them."""
    began = time.monotonic()
    bundle = _trainer("train", config, "--force", "--if-changed")[
        "bundle"
    ]  # done already where a run was cut short then
    seal = json.loads((Path(bundle) / "persona.json").read_text(encoding="utf-8"))
    metrics = {name: value for name, value in seal["metrics"].items() if name != "loss_history"}
    on_the_way = [
        row["eval_bits_per_character"] for row in seal["metrics"]["loss_history"] if "eval_bits_per_character" in row
    ]
    half = on_the_way[(len(on_the_way) - 1) // 2] if on_the_way else None
    return {
        **metrics,
        "half": half,
        "on_the_way": on_the_way,
        "sampling": seal["sampling"],
        "whole_minutes": round((time.monotonic() - began) / 60, 1),
    }


def _trainer(command: str, config: Path, *more: str) -> Result:
    words = [sys.executable, "-m", "trainer", command, "--config", str(config), "--json", *more]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: Result = json.loads(done.stdout)
    return result


def _replies(folder: Path, settings: Settings, corpus: Corpus, count: int) -> list[Result]:
    """Ask for replies to held-out contexts that were not asked for yet, before any guard; return all of them."""
    path, replies = folder / REPLIES_FILE, _kept_replies(folder)
    contexts = reply_contexts(corpus.in_split(TEST_SPLIT), settings.persona.key)
    spaced = evenly_spaced(contexts, count)
    missing = [(seed, spaced[seed % len(spaced)]) for seed in range(len(replies), count)]
    with path.open("a", encoding="utf-8") as file:
        for some in sampled_batches(settings, contexts, missing):
            file.writelines(json.dumps(reply, ensure_ascii=False) + "\n" for reply in some)
            file.flush()
            replies += some
    return replies


def _kept_replies(folder: Path) -> list[Result]:
    path = folder / REPLIES_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def sampled_batches(
    settings: Settings, contexts: Sequence[ReplyContext], asked: Sequence[tuple[int, ReplyContext]]
) -> Iterator[list[Result]]:
    """Yield the replies a batch at a time, each at most twice as long as the person's longest in a hundred."""
    if not asked:
        return
    voice = open_voice(settings)
    lengths = sorted(len(voice.encoding.encode(context.text)) for context in contexts)
    longest = 2 * lengths[int(len(lengths) * 0.99)]
    with asyncio.Runner() as runner:
        runner.run(voice.engine.start())
        try:
            for begin in range(0, len(asked), AT_ONCE):
                yield runner.run(_batch(voice, asked[begin : begin + AT_ONCE], longest))
        finally:
            runner.run(voice.engine.close())


async def _batch(voice: Voice, asked: Sequence[tuple[int, ReplyContext]], longest: int) -> list[Result]:
    return await asyncio.gather(*(_reply(voice, context, seed, longest) for seed, context in asked))


async def _reply(voice: Voice, context: ReplyContext, seed: int, longest: int) -> Result:
    sampling = replace(voice.sampling, max_new_tokens=longest)
    ids = prompt_ids(replace(voice, sampling=sampling), context)
    text, finish = await complete(voice.engine, Request(ids, sampling, seed), ended=_before_blank_line)
    to = context.before[-1].text if context.before else ""
    return {"to": to, "text": text, "finish": finish, "blocked": voice.guard.check("\n".join(completion_lines(text)))}


def _before_blank_line(text: str) -> str | None:
    """End a completion at a blank line, as the voice does; not at a header, since those are counted."""
    blank = BLANK_LINE.search(text)
    return text[: blank.start()] if blank else None


def _figures(settings: Settings, corpus: Corpus, replies: Sequence[Result]) -> Result:
    """Return shares of the replies, and the likeness of those that the guard lets pass."""
    test, calibration = _references(settings, corpus, TEST_SPLIT), _references(settings, corpus, CALIBRATION_SPLIT)
    said = [
        "\n".join(lines) for reply in replies if not reply["blocked"] and (lines := completion_lines(reply["text"]))
    ]
    rows = text_figures(test, {"tuned": said, "human": calibration.real})
    names = {turn.speaker for record in corpus.conversations for turn in record.conversation.turns}
    real = [*test.real, *calibration.real]
    return {
        "replies": len(replies),
        "ended": sum(reply["finish"] == "stop" for reply in replies) / len(replies),
        "with_header": sum(has_header(reply["text"], names) for reply in replies),
        "assistant": sum(bool(ASSISTANT.search(reply["text"])) for reply in replies),
        "person_assistant": sum(bool(ASSISTANT.search(text)) for text in real),
        "held_back": sum(bool(reply["blocked"]) for reply in replies) / len(replies),
        **{
            name: {key: figure.plain if (figure := row[key]) else None for key in FIGURES} for name, row in rows.items()
        },
    }


def has_header(text: str, names: set[str]) -> bool:
    """Return whether a line of a reply is a header, or names a speaker of the corpus before a colon."""
    headers = (
        line.rstrip().removesuffix(":").upper() in names for line in text.splitlines() if line.rstrip().endswith(":")
    )
    return any(map(reads_as_header, text.splitlines())) or any(headers)


def _references(settings: Settings, corpus: Corpus, split: str) -> ReferenceSet:
    said = texts_by_speaker(corpus.in_split(TRAIN))
    grams = training_grams(text for texts in said.values() for text in texts)
    return reference_set(corpus.in_split(split), settings.persona.key, grams, full=False)


def _kept(folder: Path) -> Result | None:
    path = folder / RESULT
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _keep(folder: Path, result: Result) -> None:
    fresh = folder / f".{RESULT}"
    fresh.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(folder / RESULT)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where bundles and outcomes go; remove it to measure anew")
    parser.add_argument("--base", action="append", default=[], help="smollm2, or the path of a .gguf file")
    parser.add_argument("--corpus", action="append", default=[], help="EXPORTS:NAME, a path and whose voice")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="the persona's newest to learn from")
    parser.add_argument("--epochs", type=float, default=Train().epochs, help="the recipe's, or fewer for a quick look")
    parser.add_argument("--replies", type=int, default=REPLIES, help="sampled for each pair")
    parser.add_argument("--rival", type=int, default=RIVAL, help="contexts put to smollm2 as it comes; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="print what was measured, measure nothing")
    parser.add_argument("--write", type=Path, help="the page whose tables are replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
