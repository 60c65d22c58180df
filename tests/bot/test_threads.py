"""Two topics at once in one channel: the prompt holds the one that the persona is asked about."""

from tests.bot.test_discord_bot import on_discord
from tests.bot.test_memory import prompts
from tests.bot.test_telegram_bot import on_telegram
from tests.conftest import Home, StartDaemon
from tests.fakes.fake_discord import ALICE, BEN, FakeDiscord
from tests.fakes.fake_telegram import ALICE as ALICE_THERE
from tests.fakes.fake_telegram import GROUP, FakeTelegram

CLEO = {**ALICE, "id": "400000000000000003", "username": "cleo", "global_name": "Cleo"}
DAN = {**ALICE, "id": "400000000000000004", "username": "dan", "global_name": "Dan"}
SOUP = ("lentil soup tonight?", "only with lemon", "and bread", "I bake", "rye?", "rye", "at eight", "eight is fine")
BIKE = ("my bike is gone", "which one", "the blue one", "from the yard?", "from the yard", "call them", "I did", "and?")


async def test_on_discord_the_prompt_is_the_thread(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Links tell the topics apart; who asks without one is answered in their own topic. A new one is filled up with the
    newest of the channel."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    last = ["", ""]
    for number, texts in enumerate(zip(SOUP, BIKE, strict=True)):
        for topic, text in enumerate(texts):
            author = ((ALICE, BEN), (CLEO, DAN))[topic][number % 2]
            last[topic] = await discord.say(text, author=author, reply_to=last[topic])
    await discord.say("are you coming?", author=ALICE, mention=True)
    await discord.wait_posts(1)
    soup = [f"{'BEN' if number % 2 else 'ALICE'}:" for number in range(8)]
    assert [turn.split("\n")[0] for turn in prompts(daemon)[0]] == [*soup, "ALICE:"]
    assert "bike" not in str(prompts(daemon)[0])
    await discord.say("and you, did you see it?", author=CLEO, reply_to=last[1], mention=True)
    await discord.wait_posts(2)
    assert "soup" not in str(prompts(daemon)[1])
    assert "blue one" in str(prompts(daemon)[1])


async def test_on_discord_the_personas_own_words_are_part_of_the_thread(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """Its answer stands where it was asked, and whoever goes on there without a link hears it."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    first = await discord.say("what is for dinner?", author=ALICE, mention=True)
    await discord.wait_posts(1)
    second = await discord.say("has anybody seen my keys", author=CLEO)
    for number in range(10):
        second = await discord.say(f"not in room {number}", author=(DAN, CLEO)[number % 2], reply_to=second)
    await discord.say("and for lunch?", author=ALICE, mention=True)
    await discord.wait_posts(2)
    turns = prompts(daemon)[1]
    assert turns[:1] == ["ALICE:\nwhat is for dinner?"]
    assert turns[1].startswith("MARA VOSS:")
    assert turns[-1].endswith("and for lunch?")
    assert "keys" not in str(turns)
    assert first


async def test_on_telegram_the_prompt_is_the_thread(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """The same, by Telegram's links."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    people = [{**ALICE_THERE, "id": 600 + k, "first_name": name} for k, name in enumerate(("Ben", "Cleo", "Dan"))]
    last: list[dict[str, object] | None] = [None, None]
    for number, texts in enumerate(zip(SOUP, BIKE, strict=True)):
        for topic, text in enumerate(texts):
            author = ((ALICE_THERE, people[0]), people[1:])[topic][number % 2]
            said = telegram.say(text, author=author, reply_to=last[topic])
            last[topic] = {"message_id": said, "date": 1, "chat": GROUP, "from": author, "text": text}
    telegram.say("are you coming?", author=ALICE_THERE, mention=True)
    await telegram.wait_sent(1)
    (turns,) = prompts(daemon)
    assert [turn.split("\n")[0] for turn in turns] == [f"{name}:" for name in ("ALICE", "BEN") * 4] + ["ALICE:"]
    assert "bike" not in str(turns)


async def test_on_discord_an_answer_to_an_old_message_quotes_it(
    bare_home: Home, discord: FakeDiscord, start_daemon: StartDaemon
) -> None:
    """To one of seventy messages ago, and to an old one of the persona's own."""
    daemon = await start_daemon(on_discord(bare_home, discord))
    await discord.wait_connected()
    lost = await discord.say("I lost my keys on the tram", author=ALICE)
    for number in range(70):
        await discord.say(f"it rains {number}", author=(BEN, CLEO)[number % 2])
    await discord.say("found them?", author=DAN, reply_to=lost, mention=True)
    own = (await discord.wait_posts(1))[0]
    assert prompts(daemon)[0][-1] == "DAN:\n> ALICE: I lost my keys on the tram\nfound them?"
    for number in range(70):
        await discord.say(f"it snows {number}", author=(BEN, CLEO)[number % 2])
    await discord.say("are you sure", author=ALICE, reply_to=own["id"])
    await discord.wait_posts(2)
    assert prompts(daemon)[1][-1] == f"ALICE:\n> MARA VOSS: {own['content']}\nare you sure"


async def test_on_telegram_an_answer_to_an_old_message_quotes_it(
    bare_home: Home, telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    """The same there."""
    daemon = await start_daemon(on_telegram(bare_home, telegram))
    people = [{**ALICE_THERE, "id": 600 + k, "first_name": name} for k, name in enumerate(("Ben", "Cleo", "Dan"))]
    lost = telegram.say("I lost my keys on the tram")
    for number in range(70):
        telegram.say(f"it rains {number}", author=people[number % 2])
    parent = {"message_id": lost, "date": 1, "chat": GROUP, "from": ALICE_THERE, "text": "I lost my keys on the tram"}
    telegram.say("found them?", author=people[2], reply_to=parent, mention=True)
    own = (await telegram.wait_sent(1))[0]["message"]
    assert prompts(daemon)[0][-1] == "DAN:\n> ALICE: I lost my keys on the tram\nfound them?"
    for number in range(70):
        telegram.say(f"it snows {number}", author=people[number % 2])
    telegram.say("are you sure", reply_to=own)
    await telegram.wait_sent(2)
    assert prompts(daemon)[1][-1] == f"ALICE:\n> MARA VOSS: {own['text']}\nare you sure"
