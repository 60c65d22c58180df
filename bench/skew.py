"""What the bot reads before it answers against what it was trained on, in bits a character of the persona's held-out replies.

    python -m bench.skew [--config persona.toml] [-n 400]

Each held-out reply of a chat is scored by the current adapter in four contexts: the training rows' (its conversation so far),
the bot's (its channel as the bot remembers it, up to the message before it in its conversation, through the bot's own threads
and turns), the raw channel, and none. Skew is the bot's less the training rows'; 0 is none, and less than 0 means that what the
bot reads besides helps.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bot.store import HistoryMessage
from bot.talk.channel_threads import ChannelThreads
from bot.talk.drafting import LINES_A_TURN, TALKS_AT_ONCE
from bot.talk.history import ThreadContext, turns_of
from engine.backends.transformers_engine import open_bundle_model
from engine.choose import encoding_of
from engine.dequantise import located_base
from persona.bundle import Seal, current
from persona.config import Settings, load
from trainer.corpus.conversation_records import conversation_records
from trainer.corpus.row import Row
from trainer.corpus.segmentation import MessageGroup, in_order, segment
from trainer.corpus.splits import CALIBRATION_SPLIT, TEST_SPLIT
from trainer.corpus.store import Corpus
from trainer.corpus.store import load as load_corpus
from trainer.evaluate.intervals import Figure, bootstrap
from trainer.evaluate.likelihood import LikelihoodScorer, bits_per_character
from trainer.evaluate.reply_context import CONTEXT_TURNS, ReplyContext, evenly_spaced, reply_contexts

Contexts = Mapping[str, ReplyContext]
WAYS = ("training rows", "bot", "raw channel", "nothing")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("persona.toml"))
    parser.add_argument("-n", type=int, default=400, help="replies, evenly spaced")
    chosen = parser.parse_args()
    settings = load(chosen.config)
    corpus, bundle = load_corpus(settings), current(settings.adapters)
    model = open_bundle_model(bundle, str(located_base(settings)), merge=False)
    scorer = LikelihoodScorer(model, encoding_of(bundle), bundle.seal)
    asked = evenly_spaced(list(contexts(settings, corpus, bundle.seal)), chosen.n)
    show(asked, scorer)


def show(asked: Sequence[Contexts], scorer: LikelihoodScorer) -> None:
    """The table."""
    print(f"{len(asked)} replies; {other_talk(asked):.0%} of the messages before them in the channel are other talk")
    for name, figure in figures(asked, scorer).items():
        print(f"{name:40} {figure.value:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})")


def figures(asked: Sequence[Contexts], scorer: LikelihoodScorer) -> dict[str, Figure]:
    """Bits a character in the training rows' context, and how many more they are in each other one."""
    bits = {way: scorer.bits([(each[way], each[way].real) for each in asked]) for way in WAYS}
    rows = bits[WAYS[0]]
    found = {f"bits a character, {WAYS[0]}": bits_per_character(rows)}
    for way in WAYS[1:]:
        more = np.column_stack([bits[way][:, 0] - rows[:, 0], rows[:, 1]])
        found[f"more bits, {way}"] = bootstrap(lambda some: float(some[:, 0].sum() / some[:, 1].sum()), more)
    return found


def contexts(settings: Settings, corpus: Corpus, seal: Seal) -> Iterator[Contexts]:
    """Every held-out reply of a chat in each way."""
    persona, tokens = settings.persona.key, seal.max_length // 2
    held_out = {record.id for record in corpus.in_split(CALIBRATION_SPLIT, TEST_SPLIT)}
    gap = settings.data.max_gap_minutes * 60
    groups = segment(corpus.rows, corpus.people, gap)
    records = conversation_records(corpus.rows, corpus.people, others=settings.data.others, gap=gap)
    channels = {key: in_order(rows)[0] for key, rows in by_channel(corpus.rows).items()}
    places = {id(row): place for rows in channels.values() for place, row in enumerate(rows)}
    for group, record in zip(groups, records, strict=True):
        if record.id not in held_out or group.scene not in ("group", "dm"):
            continue
        for context in reply_contexts([record], persona):
            row, before = said_in(group, context, corpus)
            if before is None:
                continue
            channel = channels[channel_of(row)][: places[id(before)] + 1]
            remembered = [
                heard(each, corpus, persona) for each in channel[-CONTEXT_TURNS * LINES_A_TURN * TALKS_AT_ONCE :]
            ]
            threads = ChannelThreads(persona, is_grown=seal.base.from_scratch)
            shown = threads.context("", remembered, before.message_id, {})
            yield {
                "training rows": context,
                "bot": replace(context, before=turns_of(shown, CONTEXT_TURNS, tokens)),
                "raw channel": replace(context, before=turns_of(ThreadContext(remembered), CONTEXT_TURNS, tokens)),
                "nothing": replace(context, before=()),
            }


def said_in(group: MessageGroup, context: ReplyContext, corpus: Corpus) -> tuple[Row, Row | None]:
    """The first message of a reply, and the one before it in its conversation; None if it begins it."""
    for before, row in zip([None, *group.rows], group.rows, strict=False):
        if row.at == context.at and corpus.people[row.sender].key == context.real.speaker:
            return row, before
    raise LookupError(f"no message of {context.conversation_id} is the reply")


def by_channel(rows: Sequence[Row]) -> Mapping[tuple[str, ...], list[Row]]:
    """Messages by channel."""
    channels: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        channels[channel_of(row)].append(row)
    return channels


def channel_of(row: Row) -> tuple[str, ...]:
    """Where a message was said."""
    return row.platform, row.channel, row.thread


def heard(row: Row, corpus: Corpus, persona: str) -> HistoryMessage:
    """A message as the bot remembers it."""
    speaker = corpus.people[row.sender].key
    to_persona = any(corpus.people[key].key == persona for key in row.mentions if key in corpus.people)
    author = "" if speaker == persona else row.sender
    return HistoryMessage(
        row.message_id, author, speaker, row.lines, row.at or 0.0, row.reply_to.strip("?"), to_persona
    )


def other_talk(asked: Sequence[Contexts]) -> float:
    """Share of the turns of the raw channel that are not in the training rows."""
    real = [set(each["training rows"].before) for each in asked]
    raw = [each["raw channel"].before for each in asked]
    other = [turn not in own for own, turns in zip(real, raw, strict=True) for turn in turns]
    return float(np.mean(other))


if __name__ == "__main__":
    main()
