"""Claims: a little ahead of need, nothing after stop, and an error that reaches who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from unlost.batch.journal._claims import MOST, Claims
from unlost.batch.journal._journal import Claimed
from unlost.batch.journal._writer import JournalError


class Journal:
    """A journal that has items up to ``known`` (exclusive), and a writer that commits when told to."""

    def __init__(self, known: int = 10**9, *, ended: bool = False) -> None:
        self.known = known
        self.ended = ended
        self.claimed = 0
        self.asked: list[int] = []
        self.puts: list[tuple[Any, Any, Callable[..., None], bool]] = []

    def claim(self, _connection: object, counts: list[int]) -> list[tuple[list[Claimed], bool]]:
        (count,) = counts
        self.asked.append(count)
        items = range(self.claimed, min(self.known, self.claimed + count))
        self.claimed += len(items)
        return [([Claimed(n, str(n), n, b"") for n in items], len(items) < count and self.ended)]

    def put(self, operation: Any, payload: object, done: Callable[..., None], *, urgent: bool = False) -> None:
        self.puts.append((operation, payload, done, urgent))

    async def commit(self, error: JournalError | None = None) -> bool:
        """Carry out what was put and let the loop hear of it; return whether there was anything."""
        puts, self.puts = self.puts, []
        for operation, payload, done, _urgent in puts:
            done(operation(None, [payload])[0] if error is None else None, error)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return bool(puts)


def start(journal: Journal, concurrency: int = 10) -> Claims:
    return Claims(journal, journal, concurrency, lambda: 0)


async def take(claims: Claims, count: int) -> list[int]:
    return [(await anext(claims)).item for _ in range(count)]


async def fed(journal: Journal, taking: asyncio.Task[Any]) -> Any:
    """Commit for as long as the taker waits; return what it takes."""
    while not taking.done():
        await journal.commit()
    return await taking


async def _next(claims: Claims) -> object:
    """Return the next item, or the end, which no task can raise."""
    try:
        return await anext(claims)
    except StopAsyncIteration as end:
        return end


async def slowly(journal: Journal, claims: Claims) -> int:
    """Take one, and let every claim be durable long before the next one."""
    await take(claims, 1)
    while await journal.commit():
        pass
    return 1


async def test_as_many_as_start_at_once_are_claimed_at_once() -> None:
    journal = Journal()
    claims = start(journal, 25)

    await journal.commit()

    assert journal.asked == [25]
    assert await take(claims, 25) == list(range(25))


async def test_every_item_is_handed_out_once_and_in_order() -> None:
    journal = Journal(known=1000, ended=True)
    claims = start(journal)

    async def take_all() -> list[int]:
        return [claimed.item async for claimed in claims]

    assert await fed(journal, asyncio.create_task(take_all())) == list(range(1000))


async def test_slow_jobs_have_about_one_claimed_ahead() -> None:
    journal = Journal()
    claims = start(journal, 10)
    await journal.commit()
    taken = len(await take(claims, 10))
    while await journal.commit():
        pass
    ahead = [journal.claimed - taken]

    for _ in range(50):
        taken += await slowly(journal, claims)
        ahead.append(journal.claimed - taken)

    assert max(ahead) <= 2


async def test_slow_jobs_that_end_together_have_no_more_ahead_than_start_together() -> None:
    journal = Journal()
    claims = start(journal, 10)
    taken, ahead = 0, []
    for _ in range(20):
        taken += len(await fed(journal, asyncio.create_task(take(claims, 10))))
        while await journal.commit():
            pass
        ahead.append(journal.claimed - taken)

    assert max(ahead) <= 16


async def test_claims_grow_while_slots_starve_and_shrink_when_they_do_not() -> None:
    journal = Journal()
    claims = start(journal, 100)

    await fed(journal, asyncio.create_task(take(claims, 20_000)))
    commits_when_fast = len(journal.asked)
    taken = 20_000 + len([await slowly(journal, claims) for _ in range(12_000)])

    assert commits_when_fast < 60
    assert max(journal.asked) <= MOST
    assert journal.claimed - taken <= 2


async def test_one_slot_of_a_fast_job_does_not_wait_for_a_commit_each_time() -> None:
    journal = Journal()
    claims = start(journal, 1)

    await fed(journal, asyncio.create_task(take(claims, 5000)))

    assert len(journal.asked) < 40


async def test_one_slot_of_a_slow_job_has_about_one_claimed_ahead() -> None:
    journal = Journal()
    claims = start(journal, 1)
    await journal.commit()
    taken, ahead = 0, []

    for _ in range(50):
        taken += await slowly(journal, claims)
        ahead.append(journal.claimed - taken)

    assert max(ahead) <= 2


async def test_as_many_are_claimed_as_slots_are_free() -> None:
    journal = Journal()
    claims = Claims(journal, journal, 10, lambda: 7)
    await journal.commit()

    await take(claims, 10)
    await journal.commit()

    assert journal.asked == [10, 7]


async def test_a_slot_that_waits_asks_urgently() -> None:
    journal = Journal()
    claims = start(journal, 1)
    await journal.commit()
    await take(claims, 1)
    await journal.commit()
    await take(claims, 1)
    await journal.commit()
    journal.known = journal.claimed
    await take(claims, 1)
    await journal.commit()

    waiting = asyncio.create_task(take(claims, 1))
    await asyncio.sleep(0)

    assert [urgent for *_, urgent in journal.puts] == [True]
    journal.known += 1
    assert await fed(journal, waiting) == [3]


@pytest.mark.parametrize(("burst", "most"), [(1, 10), (50, 100)])
async def test_what_the_journal_does_not_have_yet_is_not_asked_for_in_ever_greater_numbers(
    burst: int, most: int
) -> None:
    journal = Journal(known=0)
    claims = start(journal, 10)
    taking = asyncio.create_task(take(claims, 200 * burst))
    for _ in range(200):  # a source that is slower than the jobs
        journal.known += burst
        claims.wake()
        for _ in range(30):
            await asyncio.sleep(0)
            await journal.commit()

    await fed(journal, taking)

    assert max(journal.asked) <= most


async def test_who_waits_is_woken_when_the_journal_has_more() -> None:
    journal = Journal(known=0)
    claims = start(journal)
    taking = asyncio.create_task(take(claims, 1))
    while await journal.commit():
        pass
    journal.known = 1
    journal.ended = True

    claims.wake()
    await asyncio.sleep(0)

    assert await fed(journal, taking) == [0]
    assert isinstance(await fed(journal, asyncio.create_task(_next(claims))), StopAsyncIteration)


async def test_who_is_woken_while_a_claim_is_under_way_asks_again() -> None:
    journal = Journal(known=0)
    claims = start(journal)
    taking = asyncio.create_task(take(claims, 1))
    ((operation, payload, done, _urgent),) = journal.puts
    found_nothing = operation(None, [payload])[0]
    journal.known = 1

    claims.wake()
    await asyncio.sleep(0)
    done(found_nothing, None)
    for _ in range(3):
        await asyncio.sleep(0)

    assert len(journal.puts) == 2
    assert await fed(journal, taking) == [0]


async def test_who_was_woken_asks_once_and_then_waits() -> None:
    journal = Journal(known=0)
    claims = start(journal)
    waiting = asyncio.create_task(_next(claims))
    claims.wake()
    for _ in range(20):
        await journal.commit()

    assert len(journal.asked) == 2
    claims.stop()
    await waiting


async def test_nothing_is_handed_out_after_stop_and_left_has_all_that_was_not() -> None:
    journal = Journal()
    claims = start(journal, 10)
    await journal.commit()
    await take(claims, 3)

    claims.stop()

    with pytest.raises(StopAsyncIteration):
        await anext(claims)
    assert claims.left() == list(range(3, 10))
    assert claims.left() == []


async def test_left_has_what_was_committed_and_not_heard_of() -> None:
    journal = Journal()
    claims = start(journal, 2)
    ((operation, payload, done, _urgent),) = journal.puts
    claims.stop()

    done(operation(None, [payload])[0], None)

    assert claims.left() == [0, 1]


async def test_stop_ends_who_waits_and_asks_for_nothing_more() -> None:
    journal = Journal(known=0)
    claims = start(journal)
    await journal.commit()
    waiting = asyncio.create_task(_next(claims))
    await asyncio.sleep(0)
    await journal.commit()

    claims.stop()

    assert isinstance(await waiting, StopAsyncIteration)
    assert journal.puts == []


async def test_a_journal_error_reaches_who_waits_and_who_asks_next() -> None:
    journal = Journal()
    claims = start(journal)
    waiting = asyncio.create_task(take(claims, 1))
    await asyncio.sleep(0)
    error = JournalError("cannot write the journal: disk I/O error")

    await journal.commit(error)

    for taking in (waiting, asyncio.create_task(take(claims, 1))):
        with pytest.raises(JournalError) as raised:
            await taking
        assert raised.value is error
