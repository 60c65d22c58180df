"""What is not words is heard as what it is, and never as if somebody had called: on both platforms."""

from typing import Any

import pytest

from tests.bot.test_discord_bot import on_discord
from tests.bot.test_memory import prompts
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, StartDaemon
from tests.fakes import fake_telegram
from tests.fakes.fake_discord import BEN, FakeDiscord
from tests.fakes.fake_telegram import FakeTelegram

PHOTO = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]
FILE = {"file_id": "f", "file_unique_id": "f"}
POLL: dict[str, Any] = {
    "id": "1",
    "question": "when?",
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
}
POLL |= {"type": "regular", "allows_multiple_answers": False, "allows_revoting": True, "members_only": False}
POLL |= {"options": [{"text": text, "voter_count": 0, "persistent_id": text} for text in ("now", "later")]}
PLACE = {"longitude": 3.7, "latitude": 51.0}
STICKER = {**FILE, "width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular", "emoji": "😀"}
HIDDEN = {"type": "hidden_user", "date": 1, "sender_user_name": "Jo"}
USER = {"type": "user", "date": 1, "sender_user": {**fake_telegram.ALICE, "id": 9, "first_name": "Priya"}}
CHANNEL = {"type": "channel", "date": 1, "message_id": 2, "chat": {"id": -1008, "type": "channel", "title": "De Lijn"}}
OWN = {"type": "user", "date": 1, "sender_user": fake_telegram.BOT}


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"photo": PHOTO, "caption": "the swan"}, "[photo: the swan]"),
        ({"voice": {**FILE, "duration": 2}}, "[voice]"),
        ({"video_note": {**FILE, "duration": 2, "length": 9}}, "[video]"),
        ({"document": FILE}, "[file]"),
        ({"sticker": STICKER}, "[sticker 😀]"),
        ({"poll": POLL}, "[poll: when? | now | later]"),
        ({"location": PLACE}, "[location]"),
        (
            {"location": PLACE, "venue": {"location": PLACE, "title": "Korenmarkt", "address": "1"}},
            "[location: Korenmarkt]",
        ),
        ({"contact": {"phone_number": "1", "first_name": "Secret"}}, "[contact]"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "[dice: 🎲 4]"),
        ({"story": {"chat": fake_telegram.PRIVATE, "id": 3}}, "[video]"),
        ({"text": "works until june", "forward_origin": CHANNEL}, "[forwarded from DE LIJN] works until june"),
        ({"text": "hello\nthere", "forward_origin": USER}, "[forwarded from PRIYA 2] hello\nthere"),
        ({"photo": PHOTO, "caption": "look", "forward_origin": HIDDEN}, "[forwarded from JO] [photo: look]"),
        ({"text": "I confess", "forward_origin": OWN}, "[forwarded from MARA VOSS] I confess"),
    ],
)
async def test_on_telegram(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon, fields: dict[str, Any], lines: str
) -> None:
    """Each alone, before somebody asks."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    message = telegram._message(telegram.groups[0], fake_telegram.ALICE, "")
    del message["text"]
    telegram.push({"message": message | fields})
    telegram.say("and?", author={**fake_telegram.ALICE, "id": 7, "first_name": "Ben"}, mention=True)
    await telegram.wait_sent(1)
    assert prompts(daemon)[0] == [f"ALICE:\n{lines}", "BEN:\nand?"]


def attachment(content_type: str, **more: Any) -> dict[str, Any]:
    return {"id": "1", "filename": "a", "size": 1, "url": "u", "proxy_url": "p", "content_type": content_type, **more}


MEDIA = {"text": "when?"}
DISCORD_POLL = {
    "question": MEDIA,
    "answers": [{"answer_id": number, "poll_media": {"text": text}} for number, text in enumerate(("now", "later"), 1)],
    "expiry": "2030-01-01T00:00:00+00:00",
    "allow_multiselect": False,
    "layout_type": 1,
}
BUTTON = {"type": 2, "style": 5, "label": "more", "url": "https://x.org"}
PANEL = {
    "type": 17,
    "components": [
        {"type": 10, "content": "Rain"},
        {"type": 9, "components": [{"type": 10, "content": "at nine"}], "accessory": BUTTON},
        {"type": 1, "components": [BUTTON]},
    ],
}


@pytest.mark.parametrize(
    ("text", "fields", "lines"),
    [
        ("the swan", {"attachments": [attachment("image/png")]}, "[photo: the swan]"),
        ("", {"attachments": [attachment("audio/ogg", duration_secs=2.0, waveform="AAA=")]}, "[voice]"),
        ("", {"attachments": [attachment("application/pdf")]}, "[file]"),
        ("", {"poll": DISCORD_POLL}, "[poll: when? | now | later]"),
        ("see x.org", {"embeds": [{"type": "link", "title": "X", "url": "u"}]}, "see x.org"),
        ("", {"embeds": [{"type": "rich", "title": "Rain", "description": "at nine"}]}, "[embed: Rain: at nine]"),
        ("", {"embeds": [{"type": "rich", "fields": [{"name": "when", "value": "at nine"}]}]}, "[embed: when at nine]"),
        ("", {"flags": 1 << 15, "components": [PANEL]}, "[embed: Rain at nine]"),
        ("hm <a:pepe_sad:123456789012345678>", {}, "hm :pepe_sad:"),
        ("", {"sticker_items": [{"id": "1", "name": "swan", "format_type": 1}]}, "[sticker swan]"),
    ],
)
async def test_on_discord(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon, text: str, fields: dict[str, Any], lines: str
) -> None:
    """Each alone, before somebody asks."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.say(text, **fields)
    await discord.say("and?", author=BEN, mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == [f"ALICE:\n{lines}", "BEN:\nand?"]


async def test_a_forward_on_discord_is_nobodys_own_words(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Discord doesn't tell whose; it neither calls the bot nor answers anything."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    await discord.forward(f"hey <@{discord._bot()['id']}> look", attachments=[attachment("image/png")])
    await discord.say("and?", author=BEN, mention=True)
    await discord.wait_posts(1)
    assert prompts(daemon)[0] == ["ALICE:\n[forwarded from […]] [photo: hey @persona look]", "BEN:\nand?"]
    assert len(discord.posts) == 1


async def test_a_forwarded_mention_on_telegram_is_no_call(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """Somebody else called, somewhere else."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    telegram.say("do you like soup?", mention=True, forward_origin=USER)
    telegram.say("/quiet 2h", forward_origin=USER)
    telegram.say("and?", mention=True)
    await telegram.wait_sent(1)
    assert len(daemon.engine.asked) == 1
    assert prompts(daemon)[0] == [
        "ALICE:\n[forwarded from PRIYA 2] do you like soup?\n[forwarded from PRIYA 2] /quiet 2h\nand?"
    ]
