"""What goes into a bundle: the seal, and the files it covers."""

import itertools
import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from peft import PeftModel

from persona import guard, reply_timing
from persona.bundle import BaseModelSeal, Seal, Speaker
from persona.config import Settings
from persona.errors import UserError
from persona.markers import words_of
from persona.openings import multiplicities
from persona.repeats import neighbour_counts
from persona.transcript import Conversation
from trainer.adapter.setup import learned_conversations
from trainer.base.loading import LoadedBase
from trainer.bundle.config_hash import config_hash
from trainer.bundle.gguf_file import PRECISIONS, rotary_scaling, write_gguf
from trainer.bundle.model_card import model_card
from trainer.bundle.plots import plot_losses
from trainer.corpus import reply_times
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.stand_ins import stand_ins_of
from trainer.corpus.store import Corpus, count_messages
from trainer.ingest.languages import languages_of
from trainer.loop.trainer import Trained
from trainer.people.word_lists import SOMEBODY
from trainer.progress import Bars

SPEAKERS_SEALED = 200
STAND_INS_SEALED = 1000
YEAR_MESSAGES, YEAR_SHARE = 50, 0.05  # what makes a year one that the persona can sound like
LARGEST_GGUF = 2_000_000_000  # parameters; a larger merged model is written only when asked for
LARGE = 100_000_000  # parameters; of so many, eight bits are said twice as fast as sixteen, and hardly anything else is said


def initial_seal(settings: Settings, corpus: Corpus, base: LoadedBase, speakers: frozenset[str]) -> Seal:
    """Return the seal of a training that begins, without figures and probe. speakers: whose voices it learns."""
    me = settings.persona.key
    turn_counts = Counter(turn.speaker for record in corpus.conversations for turn in record.conversation.turns)
    names = {person.key: person.name for person in corpus.people.values()}
    tweets = tweets_of(corpus.conversations, me)
    scenes = Counter(
        record.conversation.scene
        for record in corpus.conversations
        if any(turn.speaker == me for turn in record.conversation.turns)
    )
    return Seal(
        speaker=me,
        speakers={
            key: Speaker(name=names.get(key, key.title()), tuned=key in speakers)
            for key, _ in turn_counts.most_common(SPEAKERS_SEALED)
        }
        | {me: Speaker(name=settings.persona.name, tuned=True)},
        turn_taking=turn_taking([record.conversation for record in corpus.in_split("train")], me),
        end_of_turn=base.encoding.end_of_turn,
        stops=base.stops,
        bos=base.encoding.bos,
        max_length=base.max_length,
        year=latest_year(corpus.conversations, me),
        base=BaseModelSeal.model_validate(base.seal.model_dump()),
        data={
            "fingerprint": corpus.fingerprint,
            "recipe": config_hash(settings),
            "messages": count_messages(learned_conversations(settings, corpus), me),
            "limit": settings.train.limit,
            "scenes": dict(scenes.most_common()),
            "regions": list(corpus.regions),
            "stand_ins": sealed_stand_ins(corpus),
            "somebody": somebody_of(corpus),
            "tweet_openings": multiplicities(tweets),
            "tweet_neighbours": neighbour_counts(list(filter(None, map(_words_in, tweets)))),
        },
    )


def sealed_stand_ins(corpus: Corpus) -> list[str]:
    """Return the stand-ins that the model may say, those of who wrote most first: the bot says "somebody" instead."""
    return list(stand_ins_of(corpus))[:STAND_INS_SEALED]


def somebody_of(corpus: Corpus) -> str:
    """Return "somebody" in the language that is spoken most."""
    languages = languages_of([line for row in corpus.rows for line in row.lines])
    return SOMEBODY.get(languages[0], SOMEBODY["en"]) if languages else SOMEBODY["en"]


def tweets_of(records: Sequence[ConversationRecord], speaker: str) -> list[str]:
    """Return what a speaker wrote into the timeline that answers nobody."""
    return [
        "\n".join(turn.lines)
        for record in records
        if record.conversation.scene == "timeline"
        for turn in record.conversation.turns
        if turn.speaker == speaker
    ]


def _words_in(text: str) -> str:
    """Return a text without what is not words, as the bot would post it."""
    return "\n".join(filter(None, map(words_of, text.split("\n"))))


def latest_year(records: Sequence[ConversationRecord], speaker: str) -> int | None:
    """Return the newest year with enough of `speaker`'s messages to sound like it: 50, or 5% of them. A handful with a
    wrong clock is no era."""
    said: Counter[int] = Counter()
    for record in records:
        if year := record.conversation.year:
            said[year] += sum(len(turn.lines) for turn in record.conversation.turns if turn.speaker == speaker)
    enough = [year for year, count in said.items() if count >= min(YEAR_MESSAGES, YEAR_SHARE * said.total())]
    return max((year for year in enough if said[year]), default=None)


def turn_taking(conversations: Sequence[Conversation], persona: str, most: int = 12) -> dict[str, dict[str, float]]:
    """Return how often each of the most talkative speakers follows each: rows sum to one. From group scenes alone; "" is
    the start of a conversation."""
    groups = [conversation for conversation in conversations if conversation.scene == "group"]
    talk = Counter(turn.speaker for conversation in groups for turn in conversation.turns)
    kept = {speaker for speaker, _ in talk.most_common(most)} | ({persona} & talk.keys())
    follows: dict[str, Counter[str]] = {}
    for conversation in groups:
        speakers = ["", *(turn.speaker for turn in conversation.turns if turn.speaker in kept)]
        for before, after in itertools.pairwise(speakers):
            if before != after:
                follows.setdefault(before, Counter())[after] += 1
    return {
        before: {after: round(count / counts.total(), 4) for after, count in counts.most_common()}
        for before, counts in follows.items()
    }


def write_bundle_files(
    folder: Path,
    model: PeftModel,
    base: LoadedBase,
    settings: Settings,
    trained: Trained,
    seal: Seal,
    records: Sequence[ConversationRecord],
    bars: Bars,
) -> Seal:
    """Write every file that the seal is to cover; returns the seal, with the precision of the merged model. records: what was
    learned, so must not be repeated: everybody's messages, since a grown base learned from all of them. Merging is the
    model's end."""
    model.peft_config["default"].base_model_name_or_path = base.seal.model  # no path of this machine goes into a bundle
    model.save_pretrained(str(folder), save_embedding_layers=False)
    base.tokenizer.save_pretrained(str(folder))
    if base.from_scratch and base.folder:
        shutil.copytree(base.folder, folder / "base")
    plot_losses(trained.history, folder / "private" / "loss.png")
    (folder / "README.md").write_text(model_card(seal), encoding="utf-8")
    said = (turn.text for record in records for turn in record.conversation.turns)
    guard.build(said, secrets.token_bytes(guard.KEY_BYTES)).save(folder / "private" / guard.FILE)
    if timing := reply_times.reply_timing(records, seal.speaker, settings.tweets.timezone):
        (folder / "private" / reply_timing.FILE).write_text(timing.model_dump_json(), encoding="utf-8")
    return seal.model_copy(update={"precision": _add_gguf(folder, model, base, settings, bars)})


def _add_gguf(folder: Path, model: PeftModel, base: LoadedBase, settings: Settings, bars: Bars) -> str:
    """Write the merged model for engines without torch; returns its precision, empty if the model's shape or size
    doesn't allow it. Merging changes the model for good."""
    learned = sum(weight.numel() for name, weight in model.named_parameters() if "lora_" in name)
    parameters = model.num_parameters() - learned  # which knows what a tensor of 4 bits stands for
    precision = gguf_precision(settings.engine.precision, parameters)
    if parameters > LARGEST_GGUF:
        bars.say("the base is large: run 'python -m trainer export --gguf FILE --precision q8_0' to run it on a CPU")
        return ""
    if kind := rotary_scaling(model.config):
        bars.say(
            f"no model.gguf: OpenVINO takes {kind!r} rotary scaling for none, so torch answers (llama.cpp: export --gguf)"
        )
        return ""
    try:
        write_gguf(model.merge_and_unload(), base.encoding, folder / "model.gguf", precision)
    except UserError as reason:
        (folder / "model.gguf").unlink(missing_ok=True)
        bars.say(f"no model.gguf: {reason}")
        return ""
    return precision


def gguf_precision(precision: str, parameters: int) -> str:
    """Return the precision of model.gguf. precision: [engine] precision, which may be for another engine or "auto"."""
    return precision if precision in PRECISIONS else "q8_0" if parameters >= LARGE else "f16"
