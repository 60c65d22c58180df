"""What comes to mind live: of the archive, of notes, of that very channel, and never of a DM elsewhere."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.gateway import Command, IncomingMessage
from bot.store import DAY
from bot.talk.channel_index import PAUSE_SECONDS
from engine.voice import Voice
from persona.archive.index import Archive, build
from persona.archive.passages import Passage, passages_of
from persona.speaking_up import SpeakingUp
from persona.transcript import Conversation, Turn
from tests.bot.rooms import QUICK, Clock, Inhabited, inhabited
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.small_voice import SPEAKER, small_encoding, small_voice

PEOPLE = '[people.PRIYA]\ndiscord = ["55"]\n'
SECRET = "the safe at the office opens with a spoon"


def passages() -> Iterator[Passage]:
    """A group's words about eels, other words about nothing, and a DM about a safe."""
    talk = (Turn("PRIYA", ("where was that place with the eels",)), Turn(SPEAKER, ("korenlei, never again",)))
    yield from passages_of(Conversation("group", talk, 2019), (1.0, 2.0), id="eels")
    for number in range(40):
        said = (Turn("JONAS", (f"tram {number} is late",)), Turn(SPEAKER, (f"as ever, number {number}",)))
        yield from passages_of(Conversation("group", said, 2019), (3.0 + number, 3.5 + number), id=f"tram {number}")
    private = (Turn("PRIYA", ("how do i open the safe",)), Turn(SPEAKER, (SECRET,)))
    yield from passages_of(Conversation("dm", private, 2020), (60.0, 61.0), id="safe", dm="PRIYA")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    path = tmp_path / "archive.sqlite"
    build(path, passages())
    with closing(Archive.open(path)) as opened:
        yield opened


def reminded_by(archive: Archive) -> Callable[[FakeEngine], Voice]:
    """A voice with this archive."""
    return lambda engine: replace(small_voice(engine), archive=archive)


async def prompt_of(at: Inhabited, text: str, number: int, **more: object) -> str:
    """The prompt with which a mention was answered."""
    before = len(at.engine.asked)
    await at.say(text, number, **more)
    async with asyncio.timeout(20):
        while len(at.engine.asked) == before:
            await asyncio.sleep(0.005)
    await at.posted(len(at.room.posted) + 1) if not at.room.posted else None
    return small_encoding().text(at.engine.asked[-1].ids)


async def test_what_fits_is_remembered_with_its_year(tmp_path: Path, archive: Archive) -> None:
    """Immediately before the persona's own header; what fits nothing reminds of nothing."""
    async with inhabited(tmp_path, voice=reminded_by(archive)) as at:
        prompt = await prompt_of(at, "were the eels good?", 1)
        assert prompt.endswith(
            "# memory 1970\n\nPRIYA:\nwhere was that place with the eels\n\nMARA VOSS:\nkorenlei, never again\n\n"
            "# now\n\nMARA VOSS:\n\n"
        )
        assert "# memory" not in await prompt_of(at, "hello?", 2, channel="discord:8")


async def test_a_dm_comes_to_mind_in_that_very_dm(tmp_path: Path, archive: Archive) -> None:
    """With the same person, known by their id; neither in a group, nor with somebody of the same name."""
    async with inhabited(tmp_path, QUICK + PEOPLE, voice=reminded_by(archive)) as at:
        question, priya = "how did one open the safe", {"author_id": "55", "author_name": "Priya"}
        assert SECRET in await prompt_of(at, question, 1, channel="discord:d1", is_dm=True, **priya)
        assert SECRET not in await prompt_of(at, question, 2, channel="discord:7", **priya)
        stranger = {"author_id": "56", "author_name": "PRIYA"}
        assert SECRET not in await prompt_of(at, question, 3, channel="discord:d2", is_dm=True, **stranger)


async def test_a_channel_is_remembered_beyond_its_last_turns(tmp_path: Path, archive: Archive) -> None:
    """What was said there alone, whoever said it; once a message is deleted it is gone."""
    clock = Clock()
    async with inhabited(tmp_path, QUICK + "context_turns = 2\n", clock=clock, voice=reminded_by(archive)) as at:
        await at.say("the parcel with the zither lies at the neighbour's", 1, mention=False)
        await at.say("my zither is a secret of this channel", 2, mention=False, channel="discord:8")
        for number in range(3, 90):
            clock.now += 60
            await at.say(f"filler {number}", number, mention=False, author_id=str(number % 7 + 10), author_name="N")
        clock.now += 2 * PAUSE_SECONDS
        prompt = await prompt_of(at, "where is the zither again", 91)
        assert "# memory 2023\n\nBOB:\nthe parcel with the zither lies at the neighbour's\n" in prompt
        assert "a secret of this channel" not in prompt
        await at.room.intake.deleted("discord:7", ["1"])
        assert "neighbour's" not in await prompt_of(at, "where is the zither", 92)


async def test_what_is_shown_is_no_memory(tmp_path: Path, archive: Archive) -> None:
    """The last turns stand in the prompt once."""
    async with inhabited(tmp_path, voice=reminded_by(archive)) as at:
        await at.say("the zither has arrived", 1, mention=False)
        assert (await prompt_of(at, "where is the zither", 2)).count("the zither has arrived") == 1


async def test_notes_need_no_archive_and_come_first(tmp_path: Path, archive: Archive) -> None:
    """The persona's own words, from the next message on."""
    async with inhabited(tmp_path) as at:
        await at.store.notes.add("I moved to Graz in May")
        assert "MARA VOSS:\nI moved to Graz in May\n\n# now" in await prompt_of(at, "do you like graz?", 1)
    async with inhabited(tmp_path, voice=reminded_by(archive)) as at:
        await at.store.notes.add("eels make me ill since graz")
        prompt = await prompt_of(at, "would you eat eels again?", 2)
        assert "eels make me ill since graz" in prompt


async def test_it_can_be_switched_off_for_a_place(tmp_path: Path, archive: Archive) -> None:
    """[talk] memory, and [[place]] with it."""
    place = '[[place]]\nmatch = "discord:8"\nmemory = false\n'
    async with inhabited(tmp_path, QUICK + place, voice=reminded_by(archive)) as at:
        await at.store.notes.add("eels make me ill")
        assert "# memory" not in await prompt_of(at, "eels?", 1, channel="discord:8")
        assert "# memory" in await prompt_of(at, "eels?", 2)


async def test_a_remembered_line_is_not_said_again(tmp_path: Path, archive: Archive) -> None:
    """Word for word it would be a copy of whoever said it; a note may be said."""
    said = "the parcel with the zither lies at the neighbour's"
    async with inhabited(tmp_path, QUICK + "context_turns = 2\n", voice=reminded_by(archive)) as at:
        await at.say(said, 1, mention=False)
        at.clock.now += 2 * PAUSE_SECONDS  # type: ignore[attr-defined]
        for number in range(2, 60):
            await at.say(f"filler {number}", number, mention=False, author_id=str(number % 7 + 10), author_name="N")
        at.engine.words = lambda _: said
        await at.say("where is the zither again", 91)
        assert (await at.verdicts(1)) == {"silenced": 1}


async def test_a_damaged_archive_costs_memories_not_answers(tmp_path: Path, archive: Archive) -> None:
    """The answer comes, without."""
    archive.close()
    async with inhabited(tmp_path, voice=reminded_by(archive)) as at:
        assert "# memory" not in await prompt_of(at, "were the eels good?", 1)


async def test_a_person_who_is_forgotten_comes_to_mind_no_more(tmp_path: Path, archive: Archive) -> None:
    """Though their words were looked through a moment ago; so with an edit, and with what is older than keep_days."""
    clock = Clock()
    async with inhabited(tmp_path, QUICK + "context_turns = 2\n", clock=clock, voice=reminded_by(archive)) as at:
        await at.say("the zither lies at the neighbour's", 1, mention=False, author_id="8", author_name="Ann")
        await at.say("the kayak lies in the attic", 2, mention=False, author_id="9", author_name="Ben")
        await at.say("the tuba lies in the shed", 3, mention=False, author_id="10", author_name="Cy")
        clock.now += 2 * PAUSE_SECONDS
        for number in range(4, 60):
            await at.say(f"filler {number}", number, mention=False, author_id=str(number % 7 + 20), author_name="N")
        asked = "where are zither and kayak and tuba"
        assert "neighbour's" in (prompt := await prompt_of(at, asked, 90)) and "tuba lies" in prompt
        await at.store.people.forget("discord", "8")
        edited = IncomingMessage("discord:7", "2", "9", "Ben", "the kayak was sold", at=clock.now)
        await at.room.intake.edited(edited)
        prompt = await prompt_of(at, asked, 91)
        assert "neighbour's" not in prompt and "in the attic" not in prompt and "kayak was sold" in prompt
        clock.now += 31 * DAY
        await at.store.purge(30)
        assert "tuba lies" not in await prompt_of(at, asked, 92)


async def test_what_it_says_unasked_is_reminded_too(tmp_path: Path, archive: Archive) -> None:
    """/say, by the words that were said there last; without any, and in a tweet, nothing comes to mind."""
    async with inhabited(tmp_path, voice=reminded_by(archive)) as at:
        say = Command("discord:7", "1", "say", "group", "owner", id="1")
        assert await at.room.intake.commanded(say) == "Said."
        await at.say("were the eels good?", 1, mention=False)
        for number, argument in ((2, "group"), (3, "timeline")):
            assert await at.room.intake.commanded(replace(say, argument=argument, id=f"{number}")) == "Said."
        before, said, tweeted = (small_encoding().text(request.ids) for request in at.engine.asked)
        assert "korenlei, never again\n\n# now\n\nMARA VOSS:\n\n" in said
        assert "# memory" not in before + tweeted


async def test_when_it_speaks_up_it_is_reminded(tmp_path: Path, archive: Archive) -> None:
    """As by a mention."""

    def voice(engine: FakeEngine) -> Voice:
        speaking_up = SpeakingUp(rate=0.3, thresholds=(-0.5, -1.0))
        small = small_voice(engine)
        return replace(small, archive=archive, seal=small.seal.model_copy(update={"speaking_up": speaking_up}))

    async with inhabited(tmp_path, QUICK + "unprompted = 1.0\n", voice=voice) as at:
        at.engine.next_ids = lambda _: {0: -0.1}  # it is likely that the persona is next
        assert "korenlei" in await prompt_of(at, "were the eels good?", 1, mention=False)
