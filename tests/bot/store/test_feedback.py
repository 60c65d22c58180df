"""Corrections and votes: kept with what an answer was made of, one a person, and forgotten with whoever is in them."""

import pytest

from bot.store import Answer, BotStore
from tests.bot.store.conftest import ACCOUNT, CHANNEL, Clock, commit, heard
from tests.bot.store.test_store import PARTS

MADE = Answer("# group\n\nBOB:\nhi\n", "a\nb", "MARA 2026", ("u",))


async def said(store: BotStore, number: int, answer: Answer | None = MADE) -> str:
    """An answer that was posted as message 70 + number; returns its origin."""
    await commit(store, heard(number, trigger="mention"))
    waiting = (await store.inbox.waiting(ACCOUNT))[-1]
    (post, second) = await store.inbox.settle(waiting, "answered", "mention", PARTS, answer=answer)
    await store.outbox.sent(post, str(70 + number), "MARA", "3")
    await store.outbox.sent(second, str(170 + number), "MARA", "3")
    return str(await store.outbox.origin_of(ACCOUNT, CHANNEL, str(70 + number)))


async def test_a_second_correction_replaces_the_first_and_a_vote(store: BotStore, clock: Clock) -> None:
    """One judgement a person and answer: votes before, words after, or a bare refusal."""
    place = (ACCOUNT, CHANNEL, await said(store, 1), "71")
    await store.people.rate(*place, "owner", 1)
    assert await store.feedback.correct(*place, "owner", "I'd not") is True
    clock.now += 1
    await store.people.rate(*place, "v", 1)
    assert await store.feedback.correct(*place, "owner", "nope") is True
    first, second = await store.feedback.judgements()
    assert (first.score, first.right, first.author_id, first.authors) == (1, "", "v", ("u",))
    assert (second.score, second.completion, second.right, second.adapter) == (-1, "a\nb", "nope", "MARA 2026")
    assert first.post == second.post
    assert await store.feedback.correct(*place, "owner", "") is True
    assert sorted((each.score, each.right) for each in await store.feedback.judgements()) == [(-1, ""), (1, "")]
    await store.people.rate(*place, "owner", 0)  # taken back
    assert [each.author_id for each in await store.feedback.judgements()] == ["v"]


async def test_a_correction_replaces_a_vote_on_any_post_of_the_answer(store: BotStore) -> None:
    """A 👍 below its second message would else outweigh the refusal. Others' votes stay."""
    origin = await said(store, 1)
    await store.people.rate(ACCOUNT, CHANNEL, origin, "171", "owner", 1)
    await store.people.rate(ACCOUNT, CHANNEL, origin, "171", "v", 1)
    assert await store.feedback.correct(ACCOUNT, CHANNEL, origin, "71", "owner", "") is True
    judged = {(each.author_id, each.score) for each in await store.feedback.judgements()}
    assert judged == {("v", 1), ("owner", -1)}


async def test_votes_of_one_person_below_all_posts_of_an_answer_are_one(store: BotStore, clock: Clock) -> None:
    """Else whoever taps thrice outvotes two friends; the last one holds."""
    origin = await said(store, 1)
    for message_id, score in (("71", -1), ("171", 1)):
        await store.people.rate(ACCOUNT, CHANNEL, origin, message_id, "v", score)
        clock.now += 1
    await store.people.rate(ACCOUNT, CHANNEL, origin, "71", "w", -1)
    assert [(each.author_id, each.score) for each in await store.feedback.judgements()] == [("v", 1), ("w", -1)]


async def test_an_answer_of_which_nothing_is_kept_cannot_be_corrected(store: BotStore) -> None:
    """Posted while [talk] feedback was off, or known to nobody."""
    assert await store.feedback.correct(ACCOUNT, CHANNEL, await said(store, 1, None), "71", "owner", "no") is None
    assert await store.feedback.correct(ACCOUNT, CHANNEL, "inbox:9", "79", "owner", "no") is None
    assert await store.feedback.judgements() == []


@pytest.mark.parametrize("who", ["u", "owner"])
async def test_corrections_are_forgotten_with_whoever_is_in_them(store: BotStore, who: str) -> None:
    """Whose words stand in the prompt, and who corrected."""
    await store.feedback.correct(ACCOUNT, CHANNEL, await said(store, 1), "71", "owner", "no")
    assert (await store.people.forget("discord", who)).feedback >= 1
    assert await store.feedback.judgements() == []


async def test_what_is_taken_back_loses_its_corrections(store: BotStore) -> None:
    """As it loses its votes."""
    await store.feedback.correct(ACCOUNT, CHANNEL, await said(store, 1), "71", "owner", "no")
    answer = await store.outbox.answer_with(ACCOUNT, CHANNEL, "71")
    assert answer
    await store.outbox.forget_answer(ACCOUNT, CHANNEL, answer)
    assert await store.feedback.judgements() == []


async def test_a_post_knows_which_version_said_it(store: BotStore) -> None:
    """And none is named where nothing was posted."""
    await said(store, 1)
    assert await store.outbox.adapter_of(ACCOUNT, CHANNEL, "71") == "3"
    assert await store.outbox.adapter_of(ACCOUNT, CHANNEL, "99") == ""


async def test_an_answer_said_elsewhere_can_be_corrected(store: BotStore) -> None:
    """As the studio's are."""
    assert await store.feedback.correct_answer("studio:page", "studio:dm", "x1", "owner", MADE, "hm") is False
    (kept,) = await store.feedback.judgements()
    assert (kept.account, kept.right, kept.authors) == ("studio:page", "hm", ("u",))
