"""Plays as a group's chat: words that nobody here wrote, in an order of speakers that nobody here drew.

Six actors share the parts of tinyshakespeare; whoever leads a scene is Thea, so that she has some 2,000 messages. What a chat
has besides is derived by rule: an answer that comes after somebody else's next message and links to what it answers; short
assent as a reaction; a short exclamation as a sticker, an emoji behind some longer ones; a fifth of the scenes, without her,
go on beside the scene before.
"""

import itertools
import json
import random
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LEAD = "Thea Lamb"
ACTORS = ("Odo Finch", "Ruth Vane", "Piet Marsh", "Ines Hale", "Karl Wren")
ASSENT = {
    "ay": "👍",
    "yes": "👍",
    "amen": "👍",
    "well": "👍",
    "good": "👍",
    "no": "👎",
    "nay": "👎",
    "alas": "😢",
    "o": "😢",
}
EMOJI, IN_SO_MANY = {"?": "🤔", "!": "🔥"}, 3  # behind a question or an exclamation, by its last word
STICKERS = ("🎉", "🔥", "😱")
SCENE = 20  # speeches, at most
SHORT = 6  # words of what becomes a reaction or a sticker
LONGEST = 160  # characters of a message: whole sentences
LATE, LINKED, BESIDE = (
    0.2,
    0.3,
    0.2,
)  # shares of speeches that come late, of answers that link, of scenes beside another
BEGIN = datetime(2022, 1, 3, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Speech:
    """A message. key: unique. answers: the key of what it links to. reaction, sticker: an emoji instead of words."""

    key: int
    who: str
    text: str
    at: datetime = BEGIN
    answers: int | None = None
    reaction: str = ""
    sticker: str = ""


def write_exports(path: Path, plays: Path, seed: int = 0) -> None:
    """Write a Telegram Desktop result.json of the plays."""
    said = sorted(chat(plays.read_text(encoding="utf-8"), random.Random(seed)), key=lambda one: (one.at, one.key))
    rows: dict[int, dict[str, Any]] = {}
    for one in said:
        if one.reaction and one.answers in rows:
            rows[one.answers].setdefault("reactions", []).append(_reaction(one))
        elif not one.reaction:
            rows[one.key] = _row(one)
    export = {"name": "the stage", "type": "private_supergroup", "id": 4300000001, "messages": list(rows.values())}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(export, ensure_ascii=False, indent=1), encoding="utf-8")


def chat(text: str, rng: random.Random) -> Iterator[Speech]:
    """Yield what the actors say, scene by scene."""
    keys = itertools.count(2)
    begins = BEGIN
    before: list[Speech] = []
    for scene in scenes(text):
        is_beside = bool(before) and rng.random() < BESIDE
        cast = _cast(scene, without_lead=is_beside)
        speeches = [Speech(next(keys), cast[role], _shortened(words)) for role, words in scene]
        start = before[0].at + timedelta(seconds=15) if is_beside else begins
        before = _timed(_like_chat(speeches, rng), start, rng)
        yield from before
        begins = max(begins, before[-1].at) + timedelta(hours=rng.uniform(3, 9))
        before = [] if is_beside else before


def scenes(text: str) -> Iterator[list[tuple[str, str]]]:
    """Yield stretches of speeches, each a role and its words: until nobody of the last twelve is among the next six."""
    speeches = re.findall(r"(?m)^([A-Z][^\n:]{0,40}):\n(.+(?:\n.+)*)", text)
    scene: list[tuple[str, str]] = []
    for place, speech in enumerate(speeches):
        coming = {role for role, _ in speeches[place : place + 6]}
        if scene and (len(scene) == SCENE or not coming & {role for role, _ in scene[-12:]}):
            yield scene
            scene = []
        scene.append(speech)
    yield scene


def _cast(scene: Sequence[tuple[str, str]], *, without_lead: bool) -> Mapping[str, str]:
    roles = [role for role, _ in Counter(role for role, _ in scene).most_common()]
    first = zlib.crc32(roles[0].encode()) % len(ACTORS)
    others = [ACTORS[(first + place) % len(ACTORS)] for place in range(len(roles))]
    return dict(zip(roles, others if without_lead else [LEAD, *others], strict=False))


def _shortened(words: str) -> str:
    sentences = re.split(r"(?<=[.!?;:]) ", " ".join(words.split()))
    kept = sentences[0][:LONGEST]
    for sentence in sentences[1:]:
        if len(kept) + len(sentence) >= LONGEST:
            break
        kept += f" {sentence}"
    return kept


def _like_chat(speeches: Sequence[Speech], rng: random.Random) -> list[Speech]:
    """Return a scene with late answers, links, reactions and stickers. A late one stands behind somebody else's next
    message, which says nothing to it."""
    answered = {one.key: before for before, one in itertools.pairwise(speeches) if before.who != one.who}
    made: list[Speech] = []
    for one in speeches:
        parent, words = answered.get(one.key), re.findall(r"\w+", one.text.lower())
        emoji = ASSENT.get(words[0]) if words and len(words) <= SHORT else None
        if emoji and parent:
            made.append(replace(one, answers=parent.key, reaction=emoji))
        elif one.text.endswith("!") and 0 < len(words) <= SHORT:
            made.append(replace(one, sticker=STICKERS[zlib.crc32(words[0].encode()) % len(STICKERS)]))
        else:
            emoji = EMOJI.get(one.text[-1:], "") if words and zlib.crc32(words[-1].encode()) % IN_SO_MANY == 0 else ""
            links = parent.key if parent and rng.random() < LINKED else None
            made.append(replace(one, text=f"{one.text} {emoji}".strip(), answers=links))
    place = 1
    while place + 1 < len(made):
        late, following = made[place], made[place + 1]
        words_only = not (late.reaction or late.sticker or following.reaction)
        if words_only and late.key in answered and following.who != late.who and rng.random() < LATE:
            unlinked = replace(following, answers=None) if following.answers == late.key else following
            made[place : place + 2] = [unlinked, replace(late, answers=answered[late.key].key)]
            place += 1
        place += 1
    return made


def _timed(speeches: Sequence[Speech], start: datetime, rng: random.Random) -> list[Speech]:
    at, timed = start, []
    for one in speeches:
        at += timedelta(seconds=rng.randint(20, 60))
        timed.append(replace(one, at=at))
    return timed


def _row(one: Speech) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.key, "type": "message", **_person(one), "date_unixtime": _seconds(one)}
    row["date"] = one.at.strftime("%Y-%m-%dT%H:%M:%S")
    row |= {"reply_to_message_id": one.answers} if one.answers else {}
    if one.sticker:
        row |= {"file": "(File not included.)", "media_type": "sticker", "sticker_emoji": one.sticker}
    text = "" if one.sticker else one.text
    return row | {"text": text, "text_entities": [{"type": "plain", "text": text}] if text else []}


def _reaction(one: Speech) -> dict[str, Any]:
    by = {**_person(one), "date": one.at.strftime("%Y-%m-%dT%H:%M:%S")}
    return {"type": "emoji", "count": 1, "emoji": one.reaction, "recent": [by]}


def _person(one: Speech) -> dict[str, str]:
    return {"from": one.who, "from_id": f"user{zlib.crc32(one.who.encode())}"}


def _seconds(one: Speech) -> str:
    return str(int(one.at.timestamp()))
