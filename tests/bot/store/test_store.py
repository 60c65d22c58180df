"""The store: what is committed is there, once, and in order; on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.claims import Claims
from bot.store import DAY, EVERYWHERE, Answer, BotStore, OutgoingPart, Participant, PolicyContext, Recent
from bot.store.schema import metadata
from persona.errors import PermanentError, SettingsError, UserError
from tests.bot.store.conftest import ACCOUNT, CHANNEL, Clock, commit, heard

PARTS = [OutgoingPart("a", ("a",)), OutgoingPart("b", ("b",))]


async def test_a_message_told_twice_is_kept_once(store: BotStore) -> None:
    """Duplicate events are Discord's habit."""
    assert len(await commit(store, heard(1, trigger="mention"))) == 1
    assert await commit(store, heard(1, trigger="mention")) == []
    assert [one.message_id for one in await store.inbox.waiting(ACCOUNT)] == ["1"]
    assert await store.channels.watermarks(ACCOUNT) == {CHANNEL: "1"}


async def test_the_watermark_never_goes_back(store: BotStore) -> None:
    """What is told again, out of order or during a catch-up, moves nothing back; ids are numbers, not words."""
    await commit(store, heard(9), heard(10))
    await commit(store, heard(9))
    assert await store.channels.watermarks(ACCOUNT) == {CHANNEL: "10"}


async def test_memory_ends_with_the_message_that_called(store: BotStore) -> None:
    """What came later is asked for apart."""
    await commit(store, *(heard(number) for number in range(5)))
    remembered = await store.memory.remembered(ACCOUNT, CHANNEL, "3", 3)
    assert [one.lines for one in remembered] == [("line 1",), ("line 2",), ("line 3",)]
    assert [one.message_id for one in await store.memory.following(ACCOUNT, CHANNEL, "3", 9)] == ["4"]
    assert await store.memory.remembered(ACCOUNT, "discord:other", "3", 3) == []


async def test_history_comes_before_what_was_heard(store: BotStore) -> None:
    """It is asked for at the first contact, when something was heard already."""
    await commit(store, heard(7))
    await store.memory.fill(ACCOUNT, CHANNEL, [heard(5), heard(6)])
    assert [one.message_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == ["5", "6", "7"]
    assert await store.memory.is_filled(ACCOUNT, CHANNEL)
    await commit(store, heard(8))
    assert [one.message_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 2)] == ["7", "8"]


async def test_a_verdict_and_its_posts_are_one_step(store: BotStore) -> None:
    """Settling twice makes no second posts."""
    await commit(store, heard(1, trigger="mention"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    posts = await store.inbox.settle(waiting, "answered", "mention", PARTS)
    assert [(post.part, post.reply_to, post.after) for post in posts] == [(0, "1", "1"), (1, "", "1")]
    assert await store.inbox.settle(waiting, "answered", "mention", PARTS) == []
    assert not (await store.inbox.policy_context(waiting)).open
    assert [post.said for post in await store.outbox.unsent(ACCOUNT)] == [("a",), ("b",)]
    await store.outbox.sent(posts[0], "77", "MARA")
    assert [post.part for post in await store.outbox.unsent(ACCOUNT)] == [1]
    assert (await store.memory.own(ACCOUNT, CHANNEL, 1))[0].lines == ("a",)
    assert not await store.outbox.begin(posts[0])


async def test_what_was_sent_is_erased_from_the_outbox(store: BotStore) -> None:
    """Memory keeps it, for `keep_days`; what is still to be sent stays."""
    (post, _) = await store.outbox.put(ACCOUNT, CHANNEL, "tweet:1", PARTS)
    await store.outbox.sent(post, "77", "MARA")
    texts = sa.text("select state, text, said from outbox order by part")
    sent, ready = await store.database.read(lambda read: read.execute(texts).all())
    assert tuple(sent) == ("sent", "", "")
    assert ready.state == "ready"
    assert ready.text
    assert ready.said


async def test_a_verdict_is_reached_once(store: BotStore) -> None:
    """Whoever comes second with another one changes nothing: no verdict, no posts, no merged messages."""
    await commit(store, heard(1, trigger="mention"), heard(2, trigger="mention"))
    first, second = await store.inbox.waiting(ACCOUNT)
    assert len(await store.inbox.settle(first, "answered", "mention", PARTS[:1])) == 1
    assert await store.inbox.settle(first, "declined", "loop", PARTS, merged=("2",)) == []
    assert await store.inbox.settle(first, "silenced", "guard") == []
    assert await store.inbox.verdicts() == {"answered": 1, "waiting": 1}
    assert (await store.inbox.policy_context(second)).open
    assert len(await store.outbox.unsent(ACCOUNT)) == 1


async def test_a_post_that_was_begun_is_doubtful_whoever_comes(store: BotStore) -> None:
    """Its state is read from the store, not from whoever holds an older copy of the row."""
    (post, _) = await store.outbox.put(ACCOUNT, CHANNEL, "tweet:1", PARTS)
    states = [row.state for _ in range(2) if (row := await store.outbox.begin(post))]
    assert states == ["ready", "sending"]
    await store.outbox.sent(post, "77", "MARA")
    assert await store.outbox.begin(post) is None


async def test_a_post_that_was_not_made_is_ready_again_at_its_time(store: BotStore, clock: Clock) -> None:
    """One that has met its fate stays so."""
    (post, other) = await store.outbox.put(ACCOUNT, CHANNEL, "tweet:1", PARTS)
    await store.outbox.begin(post)
    await store.outbox.release(post, 30.0)
    (row, _) = await store.outbox.unsent(ACCOUNT)
    assert (row.state, row.not_before) == ("ready", clock.now + 30)
    await store.outbox.sent(other, "78", "MARA")
    await store.outbox.release(other, 30.0)
    assert [row.id for row in await store.outbox.unsent(ACCOUNT)] == [post.id]


async def test_an_uncertain_part_gives_up_those_behind_it(store: BotStore) -> None:
    """A second half must not stand alone; another answer in the channel goes on."""
    await commit(store, heard(1, trigger="mention"), heard(2, trigger="mention"))
    first, second = await store.inbox.waiting(ACCOUNT)
    (post, _) = await store.inbox.settle(first, "answered", "mention", PARTS)
    await store.inbox.settle(second, "answered", "mention", PARTS)
    await store.outbox.begin(post)
    await store.outbox.mark_uncertain(post)
    assert await store.inbox.verdicts() == {"uncertain": 1, "answered": 1}
    assert {row.origin for row in await store.outbox.unsent(ACCOUNT)} == {"inbox:2"}
    assert await store.outbox.unsent_answer(first) == []
    assert len(await store.outbox.unsent_answer(second)) == 2


async def test_several_messages_are_merged_into_one_verdict(store: BotStore) -> None:
    """Only those of the same author that still wait."""
    await commit(store, heard(1, trigger="mention"), heard(2, trigger="mention"), heard(3, "other", trigger="mention"))
    first, *_ = await store.inbox.waiting(ACCOUNT)
    await store.inbox.settle(first, "answered", "mention", PARTS, merged=("2", "3"))
    assert await store.inbox.verdicts() == {"answered": 1, "merged": 1, "waiting": 1}


async def test_an_answer_of_which_nothing_could_be_said_was_none(store: BotStore) -> None:
    """Its verdict says so, and its other parts are not sent; a part that fails later leaves it answered."""
    await commit(store, heard(1, trigger="mention"), heard(2, trigger="mention"))
    first, second = await store.inbox.waiting(ACCOUNT)
    early = await store.inbox.settle(first, "answered", "mention", PARTS)
    late = await store.inbox.settle(second, "answered", "mention", PARTS)
    await store.outbox.fail(early[0], "declined", "undeliverable")
    await store.outbox.sent(late[0], "9", "MARA")
    await store.outbox.fail(late[1], "declined", "undeliverable")
    assert await store.inbox.verdicts() == {"declined": 1, "answered": 1}
    assert await store.outbox.unsent(ACCOUNT) == []


async def test_a_deleted_message_is_forgotten_and_not_answered(store: BotStore) -> None:
    """An edited one is remembered as it reads now; of an unknown one nothing is kept."""
    await commit(store, heard(1, trigger="mention"), heard(2, trigger="mention"))
    assert await store.memory.edit(ACCOUNT, CHANNEL, "2", ["better"])
    assert not await store.memory.edit(ACCOUNT, CHANNEL, "99", ["who?"])
    await store.memory.delete(ACCOUNT, CHANNEL, ["1", "98"])
    assert [one.lines for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == [("better",)]
    assert await store.inbox.verdicts() == {"declined": 1, "waiting": 1}


async def test_what_was_answered_lately_is_counted(store: BotStore, clock: Clock) -> None:
    """In the channel, to the author, within a minute and within an hour."""
    for number, (author, at) in enumerate([("u", 3000), ("u", 50), ("v", 10), ("u", 4000)]):
        clock.now = 1_000_000 - at
        await commit(store, heard(number, author, trigger="mention"))
        (waiting,) = await store.inbox.waiting(ACCOUNT)
        await store.inbox.settle(waiting, "answered", "mention")
    clock.now = 1_000_000.0
    await commit(store, heard(9, trigger="mention"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    await store.channels.silence(ACCOUNT, EVERYWHERE, None)
    assert await store.inbox.policy_context(waiting) == PolicyContext(True, True, 0.0, Recent(3, 2, 1, 999_950.0))
    assert await store.inbox.oldest() == 9.0


async def test_old_rows_are_purged_but_nothing_that_is_still_to_do(store: BotStore) -> None:
    """keep_days is for memory, not for work."""
    await commit(store, heard(1, trigger="mention", name="Bob"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    store.database.clock.now += 31 * DAY  # type: ignore[attr-defined]
    assert await store.purge(30) == 3  # the message, the name and the watermark
    assert await store.people.in_channel(ACCOUNT, CHANNEL, ["u"]) == {}
    assert await store.inbox.waiting(ACCOUNT) == [waiting]


async def test_a_post_that_is_still_to_be_made_outlives_keep_days(store: BotStore) -> None:
    """A bot that was away for a month decides about it when it is back; what was made goes."""
    (made, waiting) = await store.outbox.put(ACCOUNT, CHANNEL, "tweet:1", PARTS)
    await store.outbox.sent(made, "77", "MARA")
    store.database.clock.now += 31 * DAY  # type: ignore[attr-defined]
    await store.purge(30)
    assert [post.id for post in await store.outbox.unsent(ACCOUNT)] == [waiting.id]
    assert await store.outbox.origin_of(ACCOUNT, CHANNEL, "77") is None


async def test_what_is_known_of_a_channel_goes_once_nothing_of_it_is_remembered(store: BotStore) -> None:
    """Watermarks, fillings, moves and silences that ended; not the move of a chat that the settings still name."""
    await commit(store, heard(1))
    await store.memory.fill(ACCOUNT, CHANNEL, [])
    for old in ("discord:kept", "discord:old"):
        await store.channels.move(ACCOUNT, old, f"{old}-new")
    await store.channels.silence(ACCOUNT, CHANNEL, 5.0)
    assert await store.purge(30, {"discord:kept"}) == 0
    store.database.clock.now += 31 * DAY  # type: ignore[attr-defined]
    assert await store.purge(30, {"discord:kept"}) == 5
    assert await store.channels.watermarks(ACCOUNT) == {}
    assert not await store.memory.is_filled(ACCOUNT, CHANNEL)
    assert await store.channels.moves(ACCOUNT) == {"discord:kept": "discord:kept-new"}


async def test_after_forgetting_or_purging_new_messages_are_answered_as_ever(store: BotStore) -> None:
    """SQLite numbers rows from the start again once the last one is gone: an answer must not pass for an old one."""
    for number in range(1, 4):
        await commit(store, heard(number, trigger="mention"))
        (waiting,) = await store.inbox.waiting(ACCOUNT)
        (post, _) = await store.inbox.settle(waiting, "answered", "mention", PARTS)
        await store.outbox.sent(post, f"9{number}", "MARA")
        await store.people.forget("discord", "u")


async def test_two_accounts_of_one_person_may_share_a_key(store: BotStore) -> None:
    """[people] may name both; and the same person may be called otherwise elsewhere."""
    for author in ("5", "6"):
        told = heard(int(author), author, account="a", channel="c", speaker="JONAS", name="Jo")
        await store.inbox.commit("a", [told], {})
    both = {"5": Participant("JONAS", "Jo"), "6": Participant("JONAS", "Jo")}
    assert await store.people.in_channel("a", "c", ["5", "6"]) == both
    assert await store.people.in_channel("a", "d", ["5", "6"]) == {}


async def test_only_keys_that_look_alike_are_read_for_a_new_name(store: BotStore) -> None:
    """Of twenty thousand in a channel hardly any: a look-alike, and those told apart by a number."""
    for number, key in enumerate(("BOB", "B0B", "BOB 2", "BOBBY", "EVE", "BOB%")):
        await commit(store, heard(number + 1, str(number), speaker=key, name=key))
    await commit(store, heard(9, "9", speaker="BOB", channel="discord:other", name="Bob"))
    assert await store.people.alike(ACCOUNT, CHANNEL, "bob") == {"BOB", "B0B", "BOB 2"}
    assert await store.people.alike(ACCOUNT, CHANNEL, "bob%") == {"BOB%"}
    assert await store.people.alike(ACCOUNT, CHANNEL, "\u200b") == set()


async def test_steps_that_wait_together_share_a_transaction_and_no_fault(store: BotStore) -> None:
    """One that fails changes nothing, and nothing of the others is lost; each is committed when it is told."""
    commits = []
    sa.event.listen(store.database.engine, "commit", lambda _: commits.append(1))

    def fail(write: sa.Connection) -> None:
        write.execute(sa.text("insert into optouts values ('x', 'y', 1)"))
        raise KeyError("no")

    def put(number: int) -> Coroutine[Any, Any, None]:
        return store.timetable.keep(f"number {number}")

    await asyncio.gather(*(put(number) for number in range(50)))
    assert len(commits) < 10
    results = await asyncio.gather(*map(put, range(50, 60)), store.database.write(fail), return_exceptions=True)
    assert [type(result) for result in results] == [*[type(None)] * 10, KeyError]
    assert len(await store.timetable.tweeted()) == 60
    assert await store.people.opted_out("x", ["y"]) == set()


async def test_participants_are_known_by_channel_and_without_those_who_opted_out(store: BotStore) -> None:
    """In one question, for messages of several channels; nobody was seen in a new one yet."""
    await commit(store, heard(1, "5", name="Bob"), heard(2, "6", speaker="EVE", channel="discord:d", name="Eve"))
    await store.people.opt_out("discord", "7")
    participants = await store.people.participants(ACCOUNT, {"5", "6", "7"}, {CHANNEL, "discord:d", "discord:new"})
    assert participants.opted_out == {"7"}
    bob, eve = Participant("BOB", "Bob"), Participant("EVE", "Eve")
    assert participants.by_channel == {CHANNEL: {"5": bob}, "discord:d": {"6": eve}, "discord:new": {}}


async def test_forgetting_leaves_no_trace_of_a_person_and_all_of_the_others(store: BotStore, tmp_path: Path) -> None:
    """Messages, names, prompts that quote them, quarantined updates; counted in a receipt, gone from the file."""
    secret = "the words of author 4711"
    await commit(store, heard(1, "4711", trigger="mention", speaker="ZOE", name="Zoe"), heard(2, "47"))
    await store.memory.edit(ACCOUNT, CHANNEL, "1", [secret])
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    answer = Answer(secret, "ok", "1", ("47", "4711"))
    await store.inbox.settle(waiting, "answered", "mention", PARTS, answer=answer)
    assert await store.people.rate(ACCOUNT, CHANNEL, "inbox:1", "77", "47", 1)
    await store.channels.quarantine(ACCOUNT, '{"from": 4711}', "KeyError")
    receipt = await store.people.forget("discord", "4711")
    assert (receipt.messages, receipt.verdicts, receipt.names, receipt.feedback, receipt.updates) == (1, 1, 1, 2, 1)
    assert await store.outbox.unsent(ACCOUNT) == []
    assert [one.author_id for one in await store.memory.latest(ACCOUNT, CHANNEL, 9)] == ["47"]
    assert (await store.people.forget("discord", "4711")).rows == 0
    if store.database.is_sqlite:
        assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


async def test_forgetting_leaves_no_id_in_any_table(store: BotStore) -> None:
    """Telegram's private channels bear the id of the person; Discord's are known by what was said in them."""
    for account, private in (("telegram:1", "telegram:4711"), ("discord:1", "discord:dm")):
        told = heard(1, "4711", account=account, channel=private, trigger="dm", is_dm=True, name="Zoe")
        await store.inbox.commit(account, [told], {private: "1"})
        (waiting,) = await store.inbox.waiting(account)
        answer = Answer("p", "c", "1", ("4711",))
        (post, _) = await store.inbox.settle(waiting, "answered", "dm", PARTS, answer=answer)
        await store.outbox.sent(post, "77", "MARA")
        await store.memory.fill(account, private, [])
        await store.channels.silence(account, private, None)
        await store.channels.disable_target(account, private, "403")
        await store.outbox.put(account, f"{private}:8", "tweet:1", PARTS)
        await store.people.rate(account, private, "inbox:1", "77", "4711", 1)
        await store.people.access_requested(account, "user:4711")
    for platform in ("telegram", "discord"):
        receipt = await store.people.forget(platform, "4711")
        assert receipt.replies >= 3
        assert receipt.marks >= 4
        assert (await store.people.forget(platform, "4711")).rows == 0
    left = {
        name: [tuple(row) for row in rows]
        for name, table in metadata.tables.items()
        if (rows := await store.database.read(lambda read, table=table: read.execute(table.select()).all()))  # type: ignore[misc]
    }
    assert left.keys() <= {"outbox"}
    assert "4711" not in str(left)
    assert all(row[2] == "discord:dm:8" for row in left["outbox"])  # no channel of theirs


async def test_opting_out_holds_on_one_platform_until_taken_back(store: BotStore) -> None:
    """And forgets what there was."""
    await commit(store, heard(1, "5"))
    assert (await store.people.opt_out("discord", "5")).messages == 1
    assert await store.people.opted_out("discord", ["5", "6"]) == {"5"}
    assert await store.people.opted_out("telegram", ["5"]) == set()
    assert await store.people.opt_in("discord", "5")
    assert not await store.people.opt_in("discord", "5")
    assert await store.people.opted_out("discord", ["5"]) == set()


async def test_a_rating_keeps_what_was_rated_and_can_be_taken_back(store: BotStore) -> None:
    """One a person; of an answer that isn't known nothing is kept."""
    await commit(store, heard(1, trigger="mention"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    (post, _) = await store.inbox.settle(
        waiting, "answered", "mention", PARTS, answer=Answer("prompt", "a\nb", "mara 3", ("u",))
    )
    await store.outbox.sent(post, "77", "MARA")
    origin = await store.outbox.origin_of(ACCOUNT, CHANNEL, "77")
    assert origin == "inbox:1"
    place = (ACCOUNT, CHANNEL, origin, "77", "v")
    assert await store.people.rate(*place, 1)
    assert await store.people.rate(*place, -1)
    kept = sa.text("select score, prompt, completion, adapter from feedback")
    assert await store.database.read(lambda read: read.execute(kept).all()) == [(-1, "prompt", "a\nb", "mara 3")]
    assert await store.people.rate(*place, 0)
    assert await store.database.read(lambda read: read.execute(kept).all()) == []
    assert not await store.people.rate(ACCOUNT, CHANNEL, "inbox:99", "78", "v", 1)


async def test_silences_end_by_themselves_or_when_told(store: BotStore, clock: Clock) -> None:
    """In one channel or everywhere."""
    await store.channels.silence(ACCOUNT, CHANNEL, clock.now + 10)
    assert await store.channels.is_silent(ACCOUNT, CHANNEL)
    assert not await store.channels.is_silent(ACCOUNT, "discord:other")
    clock.now += 11
    assert not await store.channels.is_silent(ACCOUNT, CHANNEL)
    await store.channels.silence(ACCOUNT, EVERYWHERE, None)
    assert await store.channels.is_silent(ACCOUNT, "discord:other")
    assert await store.channels.unsilence(ACCOUNT, EVERYWHERE)
    assert not await store.channels.is_silent(ACCOUNT, "discord:other")


async def test_a_group_that_moves_takes_everything_along(store: BotStore) -> None:
    """Ids begin anew there: a new message with an old number is no duplicate, and the move may be told twice."""
    await commit(store, heard(1, trigger="mention", name="Bob"))
    for _ in range(2):
        await store.channels.move(ACCOUNT, CHANNEL, "discord:new")
    assert len(await store.inbox.commit(ACCOUNT, [heard(1, channel="discord:new", trigger="mention")], {})) == 1
    assert [one.channel for one in await store.inbox.waiting(ACCOUNT)] == ["discord:new"] * 2
    assert await store.channels.moves(ACCOUNT) == {CHANNEL: "discord:new"}
    assert list(await store.people.in_channel(ACCOUNT, "discord:new", ["u", "v"])) == ["u"]


async def test_the_last_tweets_are_kept_and_no_more(store: BotStore) -> None:
    """Two hundred, newest first; tweet and due time are one step."""
    for number in range(203):
        await store.timetable.keep(f"tweet {number}")
    parts = {(ACCOUNT, CHANNEL): PARTS[:1]}
    assert len(await store.timetable.tweet("tweets", 5.0, "the last", parts, "tweet:1")) == 1
    assert await store.timetable.tweet("tweets", 6.0, "the last", parts, "tweet:1") == []
    kept = await store.timetable.tweeted()
    assert (len(kept), kept[0], kept[-1]) == (200, "the last", "tweet 5")
    assert await store.timetable.due_at("tweets") == 6.0


async def test_whatever_anybody_types_can_be_stored(store: BotStore) -> None:
    """Lone surrogates and NULs break databases; the store writes lines as ASCII, and takes no other outside text raw."""
    await store.channels.quarantine(ACCOUNT, "\ud83d \x00 update", "KeyError")
    await commit(store, heard(1))
    await store.memory.edit(ACCOUNT, CHANNEL, "1", ["\ud83d\x00"])
    assert (await store.memory.latest(ACCOUNT, CHANNEL, 1))[0].lines == ("\ud83d\x00",)


async def test_many_writers_at_once_lose_nothing(store: BotStore) -> None:
    """They take turns."""
    await asyncio.gather(*(commit(store, heard(number, trigger="mention")) for number in range(40)))
    assert len(await store.inbox.waiting(ACCOUNT)) == 40


async def test_migrations_make_what_the_code_expects(store: BotStore) -> None:
    """Tables, columns and their order of keys, on both databases."""

    def found(read: sa.Connection) -> dict[str, set[str]]:
        seen = sa.inspect(read)
        return {table: {column["name"] for column in seen.get_columns(table)} for table in seen.get_table_names()}

    assert {name: {column.name for column in table.c} for name, table in metadata.tables.items()} == {
        name: columns for name, columns in (await store.database.read(found)).items() if name != "alembic_version"
    }


async def test_one_account_has_one_process(store: BotStore, tmp_path: Path) -> None:
    """Also from two machines with one PostgreSQL store, whose lock files lie apart."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    first = Claims(store.database, here)
    second = Claims(store.database, here if store.database.is_sqlite else there)
    await first.claim("discord:1")
    with pytest.raises(PermanentError, match="already speaks for discord:1"):
        await second.claim("discord:1")
    await second.claim("discord:2")
    await first.close()
    await second.close()
    third = Claims(store.database, here)
    await third.claim("discord:1")
    await third.close()


@pytest.mark.parametrize(
    "url", ["mysql://x:secret@y/z", "nonsense", "sqlite://", "postgresql://a:secret@127.0.0.1:1/x"]
)
async def test_a_store_that_cannot_be_opened_is_a_sentence_without_its_password(tmp_path: Path, url: str) -> None:
    """With where to look."""
    with pytest.raises((SettingsError, UserError)) as fault:
        await BotStore.open(url, tmp_path)
    assert "store" in str(fault.value)
    assert "secret" not in str(fault.value)


async def test_a_file_that_is_no_store_is_a_sentence(tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "store.db").write_text("my diary, " * 100)
    with pytest.raises(UserError, match="can't be opened \\(file is not a database\\)"):
        await BotStore.open("sqlite:///store.db", tmp_path)
    assert (tmp_path / "store.db").read_text() == "my diary, " * 100


async def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """SQLite makes no folders."""
    with pytest.raises(UserError, match="is no folder; make it"):
        await BotStore.open("sqlite:///no/such/store.db", tmp_path)


async def test_a_store_of_a_newer_alterego_is_left_alone(tmp_path: Path) -> None:
    """A restart can't mend that."""
    await (await BotStore.open("sqlite:///store.db", tmp_path)).close()
    with sqlite3.connect(tmp_path / "store.db") as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(PermanentError, match="newer alterego"):
        await BotStore.open("sqlite:///store.db", tmp_path)


async def test_a_cooldown_of_hours_knows_the_last_answer(store: BotStore, clock: Clock) -> None:
    """An hour's answers are counted; the last one to somebody counts however long ago it was."""
    await commit(store, heard(1, trigger="mention"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    await store.inbox.settle(waiting, "answered", "mention")
    answered_at, clock.now = clock.now, clock.now + 7 * 3600
    assert (await store.inbox.policy_context(waiting)).recent == Recent(0, 0, 0, answered_at)


async def test_what_is_asked_of_every_message_follows_an_index(store: BotStore) -> None:
    """With thousands that wait or were answered, a query that reads them all makes a burst take its square."""
    if not store.database.is_sqlite:
        pytest.skip("PostgreSQL decides by what the tables hold")
    asked: list[tuple[str, Any]] = []
    sa.event.listen(
        store.database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])), named=False
    )
    await commit(store, heard(1, trigger="mention"))
    (waiting,) = await store.inbox.waiting(ACCOUNT)
    asked.clear()
    await store.inbox.policy_context(waiting)
    await store.memory.remembered(ACCOUNT, CHANNEL, "1", 3)
    await store.memory.own(ACCOUNT, CHANNEL, 3)

    def plans(read: sa.Connection) -> list[str]:
        plan = [
            row for query in list(asked) for row in read.exec_driver_sql(f"explain query plan {query[0]}", query[1])
        ]
        return [str(row[-1]) for row in plan]

    steps = await store.database.read(plans)
    assert not [step for step in steps if step.startswith(("SCAN inbox", "SCAN memory"))]
    keys = [step for step in steps if "inbox_channel" in step or "inbox_author" in step]
    assert [
        step for step in keys if "verdict=? AND settled_at" not in step and "author_id=? AND verdict=?" not in step
    ] == []
    assert len(keys) == 5
    assert len([step for step in steps if "memory_own" in step]) == 2
