"""The invented sample: one group's talk in three real export formats, the same bytes for the same arguments.

Nobody in it exists. `python examples/make_sample.py` rebuilds examples/exports; `--tweets 50000` makes a large archive
for benchmarks. What each of the six says is in voices.toml; this file only draws, dates and writes it down.
"""

import argparse
import json
import random
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
BOOK: Mapping[str, Any] = tomllib.loads((HERE / "voices.toml").read_text(encoding="utf-8"))
PERSONA = "mara"
CHINESE = "xiaoyu"
TELEGRAM_IDS = {
    "mara": 100000001,
    "jonas": 100000002,
    "xiaoyu": 100000003,
    "priya": 100000004,
    "bram": 100000005,
    "noor": 100000006,
}
DISCORD_NAMES = {
    "mara": "maravoss",
    "jonas": "jonas_l",
    "xiaoyu": "xiaoyu",
    "priya": "priyaaa",
    "bram": "bramdw",
    "noor": "noorh",
}
CUSTOMERS = ("wheelsofdoom", "anna_on_two", "kettlebell_k", "late_tram_lou", "mx_pedal", "jonas_l")
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class SampleMessage:
    """One message of the simulated group. answers: index of the message it replies to, in the same list."""

    who: str
    text: str
    at: datetime
    answers: int | None = None


class Draw:
    """All of the sample's luck. Uses random() alone, whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def one(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self._random.random() * len(choices))]

    def weighted(self, weights: Mapping[Choice, float]) -> Choice:
        *most, last = weights
        left = self._random.random() * sum(weights.values())
        for choice in most:
            left -= weights[choice]
            if left < 0:
                return choice
        return last


class Phrases:
    """Fills a template of voices.toml. The slots are bound when it is made, the [parts] are drawn at each use."""

    def __init__(self, draw: Draw, chinese: bool = False) -> None:
        self._draw = draw
        side = 1 if chinese else 0
        self.bound = {slot: draw.one(values).split("|") for slot, values in BOOK["slots"].items()}
        self._side = side

    def seen_by(self, who: str) -> Mapping[str, str]:
        """The bound slots in that person's language."""
        return {slot: words[1 if who == CHINESE else 0] for slot, words in self.bound.items()}

    def fill(self, template: str, words: Mapping[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            return self.fill(self._draw.one(BOOK["parts"][name]), words) if name in BOOK["parts"] else words[name]

        chosen = re.sub(r"\[([^\]]*)\]", lambda found: self._draw.one(found[1].split("|")), template)
        return re.sub(r"\{(\w+)\}", value, chosen).strip()


def talk(draw: Draw, start: datetime, end: datetime, messages: int, people: Sequence[str]) -> list[SampleMessage]:
    """So many messages between `start` and `end`: sessions on one topic, each with its own few people and pace."""
    said: list[SampleMessage] = []
    now, mean_gap = start, (end - start) / (messages / 14)
    while len(said) < messages:
        now += mean_gap * draw.between(0.2, 1.8)
        said += _session(draw, now, people, base=len(said))
    return said[:messages]


def _session(draw: Draw, now: datetime, people: Sequence[str], base: int) -> list[SampleMessage]:
    phrases, topic = Phrases(draw), draw.one(list(BOOK["topics"]))
    weights = {who: BOOK["voices"][who]["talkative"] * draw.between(0.2, 1.6) for who in people}
    said: list[SampleMessage] = []
    last = ""
    for turn in range(int(draw.between(4, 14))):
        who = draw.weighted({name: weight for name, weight in weights.items() if name != last})
        text = _utterance(draw, phrases, who, topic, last or draw.one(people), opening=turn == 0)
        answers = base + len(said) - 1 if said and draw.chance(0.18) else None
        for part in text.split(" / "):
            now += timedelta(seconds=draw.between(2, 9) if said and said[-1].who == who else draw.between(8, 90))
            said.append(SampleMessage(who, part.strip(), now, answers))
            answers = None
        last = who
    return said


def _utterance(draw: Draw, phrases: Phrases, who: str, topic: str, last: str, opening: bool) -> str:
    voice, words = BOOK["voices"][who], phrases.seen_by(who)
    names = {"name": BOOK["voices"][last]["name"].split()[0], "topicword": words[draw.one(BOOK["topics"][topic])]}
    if who in ("mara", "bram", "noor", "priya"):
        names["name"] = names["name"].lower()
    intent = draw.weighted({"reply": 0.56, "react": 0.26, "ask": 0.09, "tease": 0.09})
    if opening:
        templates = voice["open"][topic]
    elif intent == "reply":
        templates = voice["reply"][topic]
    else:
        templates = voice["any"][intent]
    return phrases.fill(draw.one(templates), {**words, **names})


def write_telegram(
    path: Path, said: Sequence[SampleMessage], name: str = "kitchen table", number: int = 4200000001
) -> None:
    """A Telegram Desktop result.json of one group, with the service messages and media that such files hold."""
    rows: list[dict[str, Any]] = [
        {
            "id": 1,
            "type": "service",
            **_telegram_dates(said[0].at),
            "actor": "Mara Voss",
            "actor_id": "user100000001",
            "action": "create_group",
            "title": name,
            "members": ["Mara Voss"],
            "text": "",
            "text_entities": [],
        }
    ]
    for place, one in enumerate(said):
        row = {
            "id": place + 2,
            "type": "message",
            **_telegram_dates(one.at),
            "from": BOOK["voices"][one.who]["name"],
            "from_id": f"user{TELEGRAM_IDS[one.who]}",
        }
        if one.answers is not None:
            row["reply_to_message_id"] = one.answers + 2
        rows.append(row | {"text": one.text, "text_entities": [{"type": "plain", "text": one.text}]})
        if place % 400 == 399:
            rows[-1] |= {"photo": "(File not included.)", "width": 960, "height": 1280}
    chat = {"name": name, "type": "private_supergroup", "id": number, "messages": rows}
    _write(path, json.dumps(chat, ensure_ascii=False, indent=1))


def _telegram_dates(at: datetime) -> dict[str, str]:
    return {"date": at.strftime("%Y-%m-%dT%H:%M:%S"), "date_unixtime": str(int(at.timestamp()))}


def write_discord(path: Path, said: Sequence[SampleMessage]) -> None:
    """A DiscordChatExporter JSON of one channel, with pins and a bot."""
    first = 500000000000000000
    rows = []
    for number, one in enumerate(said):
        stamp = one.at.isoformat(timespec="milliseconds")
        row: dict[str, Any] = {
            "id": str(first + number),
            "type": "Default",
            "timestamp": stamp,
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": one.text,
            "author": _discord_author(one.who),
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
        }
        if one.answers is not None:
            row |= {
                "type": "Reply",
                "reference": {
                    "messageId": str(first + one.answers),
                    "channelId": "400000000000000002",
                    "guildId": "400000000000000001",
                },
            }
        rows.append(row)
        if number % 500 == 499:
            rows.append(
                row
                | {
                    "id": str(first + 10**6 + number),
                    "type": "Default",
                    "content": "Reminder: the tyre lever is still missing.",
                    "author": _discord_author("mara")
                    | {"id": "300000000000000099", "name": "reminders", "nickname": "reminders", "isBot": True},
                    "reference": None,
                }
            )
    guild = {"id": "400000000000000001", "name": "Spoke & Word", "iconUrl": ""}
    channel = {
        "id": "400000000000000002",
        "type": "GuildTextChat",
        "categoryId": None,
        "category": None,
        "name": "workbench",
        "topic": None,
    }
    export = {
        "guild": guild,
        "channel": channel,
        "dateRange": {"after": None, "before": None},
        "exportedAt": said[-1].at.isoformat(),
        "messages": rows,
        "messageCount": len(rows),
    }
    _write(path, json.dumps(export, ensure_ascii=False, indent=1))


def _discord_author(who: str) -> dict[str, Any]:
    return {
        "id": str(300000000000000000 + TELEGRAM_IDS[who]),
        "name": DISCORD_NAMES[who],
        "discriminator": "0000",
        "nickname": BOOK["voices"][who]["name"],
        "color": None,
        "isBot": False,
        "roles": [],
        "avatarUrl": "",
    }


def tweets(draw: Draw, count: int) -> Iterator[dict[str, Any]]:
    """So many entries of tweets.js over ten years: tweets, replies, threads, retweets, links, a long note now and then."""
    start, end = datetime(2015, 3, 2, 8, tzinfo=UTC), datetime(2025, 6, 30, 20, tzinfo=UTC)
    made, previous = 0, ""
    while made < count:
        at = start + (end - start) * (made / count) + timedelta(hours=draw.between(0, 11))
        at = at.replace(hour=7 + int(draw.between(0, 16)), microsecond=0)
        phrases = Phrases(draw)
        words = phrases.seen_by(PERSONA)
        kind = draw.weighted({"tweet": 0.66, "reply": 0.2, "thread": 0.02, "retweet": 0.07, "link": 0.04, "note": 0.01})
        era = "early" if draw.between(2015, 2021) > at.year else "late"
        text = phrases.fill(draw.one(BOOK["tweets"][era]), words)
        if kind == "thread":
            previous = ""
            for template in [
                draw.one(BOOK["tweets"]["thread"]),
                *(draw.one(BOOK["tweets"]["threaded"]) for _ in range(3)),
            ]:
                at += timedelta(seconds=40)
                entry = _tweet(
                    draw, at, phrases.fill(template, words), answers=("maravoss", previous) if previous else None
                )
                previous = entry["id"]
                made += 1
                yield entry
            continue
        made += 1
        yield _single(draw, kind, at, text, phrases, words)


def _single(
    draw: Draw, kind: str, at: datetime, text: str, phrases: Phrases, words: Mapping[str, str]
) -> dict[str, Any]:
    match kind:
        case "reply":
            handle = draw.one(CUSTOMERS)
            answer = phrases.fill(draw.one(BOOK["tweets"]["reply"]), words)
            return _tweet(
                draw, at, f"@{handle} {answer}", answers=(handle, str(_snowflake(draw, at - timedelta(minutes=9))))
            )
        case "retweet":
            return _tweet(
                draw, at, f"RT @{draw.one(CUSTOMERS)}: {phrases.fill(draw.one(BOOK['tweets']['asks']), words)}"[:140]
            )
        case "link":
            return _tweet(
                draw,
                at,
                f"{text} https://t.co/{int(draw.between(10**9, 9 * 10**9))}",
                link="https://spokeandword.example/opening-hours",
            )
        case "note":
            return _tweet(draw, at, phrases.fill(draw.one(BOOK["tweets"]["note"]), words))
    return _tweet(draw, at, text)


def _tweet(
    draw: Draw, at: datetime, text: str, answers: tuple[str, str] | None = None, link: str = ""
) -> dict[str, Any]:
    number = str(_snowflake(draw, at))
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    entry: dict[str, Any] = {
        "id": number,
        "id_str": number,
        "created_at": at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "full_text": escaped,
        "lang": "en",
        "truncated": False,
        "favorited": False,
        "retweeted": False,
        "favorite_count": str(int(draw.between(0, 40))),
        "retweet_count": "0",
        "source": '<a href="https://example.com">web</a>',
        "display_text_range": ["0", str(len(escaped))],
    }
    urls = []
    if link:
        short = escaped.rsplit(" ", 1)[1]
        urls = [
            {
                "url": short,
                "expanded_url": link,
                "display_url": link[8:],
                "indices": [str(len(escaped) - len(short)), str(len(escaped))],
            }
        ]
    mentions = [
        {
            "name": found[1],
            "screen_name": found[1],
            "indices": [str(found.start()), str(found.end())],
            "id_str": str(880000000 + len(found[1])),
            "id": str(880000000 + len(found[1])),
        }
        for found in re.finditer(r"@(\w+)", escaped)
    ]
    entry["entities"] = {"hashtags": [], "symbols": [], "user_mentions": mentions, "urls": urls}
    if answers:
        entry |= {
            "in_reply_to_screen_name": answers[0],
            "in_reply_to_status_id": answers[1],
            "in_reply_to_status_id_str": answers[1],
            "in_reply_to_user_id": "880000001",
        }
    return entry


def _snowflake(draw: Draw, at: datetime) -> int:
    return (int(at.timestamp() * 1000) - 1288834974657 << 22) + int(draw.between(0, 4_000_000))


def write_archive(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """An X archive of two parts with its manifest. Long tweets are cut with `…` and stand whole in note-tweet.js."""
    notes = []
    for entry in entries:
        if len(entry["full_text"]) > 280:
            text = entry["full_text"]
            notes.append(
                {
                    "noteTweet": {
                        "noteTweetId": str(int(entry["id"]) + 7),
                        "createdAt": _iso(entry["created_at"]),
                        "core": {"text": text, "mentions": [], "urls": [], "hashtags": []},
                    }
                }
            )
            entry["full_text"] = text[:275].rstrip() + "…"
    half = (len(entries) + 1) // 2
    parts = [
        ("tweets.js", "tweets", 0, entries[:half], "tweet"),
        ("tweets-part1.js", "tweets", 1, entries[half:], "tweet"),
        ("note-tweet.js", "note_tweet", 0, notes, ""),
    ]
    account = [
        {
            "account": {
                "email": "mara@spokeandword.example",
                "createdVia": "web",
                "username": "maravoss",
                "accountId": "770000001",
                "createdAt": "2015-03-01T09:00:00.000Z",
                "accountDisplayName": "Mara Voss",
            }
        }
    ]
    manifest: dict[str, Any] = {
        "userInfo": {"accountId": "770000001", "userName": "maravoss", "displayName": "Mara Voss"},
        "archiveInfo": {"sizeBytes": "0", "generationDate": "2025-07-01T00:00:00.000Z", "isPartialArchive": False},
        "dataTypes": {
            "account": {"files": [{"fileName": "data/account.js", "globalName": "YTD.account.part0", "count": "1"}]}
        },
    }
    for name, kind, part, rows, _ in parts:
        files = manifest["dataTypes"].setdefault("tweets" if kind == "tweets" else "noteTweet", {"files": []})["files"]
        files.append({"fileName": f"data/{name}", "globalName": f"YTD.{kind}.part{part}", "count": str(len(rows))})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # stored: compressors differ between machines
        _member(archive, "data/manifest.js", "window.__THAR_CONFIG = " + json.dumps(manifest, indent=2))
        _member(archive, "data/account.js", "window.YTD.account.part0 = " + json.dumps(account, indent=2))
        for name, kind, part, rows, wrapper in parts:
            wrapped = [{wrapper: row} for row in rows] if wrapper else rows
            _member(
                archive,
                f"data/{name}",
                f"window.YTD.{kind}.part{part} = " + json.dumps(wrapped, ensure_ascii=False, indent=2),
            )


def _iso(created: str) -> str:
    return datetime.strptime(created, "%a %b %d %H:%M:%S %z %Y").strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _member(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=(2025, 7, 1, 0, 0, 0)), text.encode())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def make(folder: Path, seed: int, tweet_count: int, chat_count: int) -> Mapping[str, int]:
    """Write the three exports into `folder`; returns the number of messages in each."""
    folder.mkdir(parents=True, exist_ok=True)
    everyone = list(TELEGRAM_IDS)
    entries = list(tweets(Draw(seed), tweet_count))
    kitchen = talk(
        Draw(seed + 1), datetime(2019, 1, 5, 9, tzinfo=UTC), datetime(2023, 5, 1, tzinfo=UTC), chat_count, everyone
    )
    workbench = talk(
        Draw(seed + 2), datetime(2022, 9, 1, 9, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC), chat_count, everyone
    )
    writers: list[tuple[Callable[[Path, Any], None], str, Sequence[Any]]] = [
        (write_archive, "twitter-maravoss.zip", entries),
        (write_telegram, "telegram-kitchen-table/result.json", kitchen),
        (write_discord, "discord-workbench.json", workbench),
    ]
    for write, name, rows in writers:
        write(folder / name, rows)
    return {name: len(rows) for _, name, rows in writers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=HERE / "exports", help="the folder to write into")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tweets", type=int, default=2800, help="how many tweets")
    parser.add_argument("--chat", type=int, default=6900, help="how many messages in each of the two chats")
    arguments = parser.parse_args()
    for name, count in make(arguments.to, arguments.seed, arguments.tweets, arguments.chat).items():
        print(f"{arguments.to / name}: {count} messages")


if __name__ == "__main__":
    main()
