"""
The caller is cancelled after each possible number of turns of the loop, and nothing may be lost.

The ground truth is a log that the job itself appends to.
"""

import asyncio
from itertools import count

import pytest

from unlost._core import map, partial, settle, stream  # noqa: A004

ITEMS = 6


class Job:
    """Takes some turns for each item; items fail, return, cancel themselves, clean up slowly or fail to."""

    def __init__(self):
        self.started = []
        self.ended = []

    async def __call__(self, item):
        self.started.append(item)
        try:
            for _ in range(item % 3 + 1):
                await asyncio.sleep(0)
            if item == 1:
                raise ValueError(item)
            if item == 2:
                asyncio.current_task().cancel()
                await asyncio.sleep(0)
            return item
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            if item == 4:
                raise OSError("cleanup failed") from None
            raise
        finally:
            self.ended.append(item)


async def async_items(closed):
    try:
        for item in range(ITEMS):
            await asyncio.sleep(0)
            yield item
    finally:
        closed.append(True)
        await asyncio.sleep(0)


def sync_items(closed):
    closed.append(True)
    return range(ITEMS)


async def by_map(job, items, seen, **options):
    seen.extend(await map(job, items, **options))


async def by_stream(job, items, seen, **options):
    async with stream(job, items, buffer=1, **options) as outcomes:
        async for outcome in outcomes:
            seen.append(outcome)
            await asyncio.sleep(0)


async def by_ordered_stream(job, items, seen, **options):
    async with stream(job, items, ordered=True, **options) as outcomes:
        async for outcome in outcomes:
            seen.append(outcome)


async def by_settle(job, items, seen, **options):
    seen.extend(await settle(*(job(item) for item in items)))


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def error_of(task):
    try:
        await task
    except asyncio.CancelledError as error:  # gather would make a new one, with nothing attached
        return error


async def run_and_cancel_after(number_of_turns, way, source, options):
    """Return whether the call had ended by then."""
    job, seen, closed = Job(), [], []
    calling = asyncio.create_task(way(job, source(closed), seen, **options))
    await turns(number_of_turns)
    done = calling.done()
    calling.cancel("from outside")
    error = await error_of(calling)

    attached = partial(error) or [] if error else []
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something is still pending"
    assert job.started == sorted(job.ended) == sorted(job.started)
    assert sorted(outcome.index for outcome in [*seen, *attached]) == job.started, "each started item has one outcome"
    if not done:
        assert isinstance(error, asyncio.CancelledError)
        assert error.args == ("from outside",)
        assert calling.cancelling() == 1
    if job.started:
        assert closed == [True]
    return done


async def test_nothing_is_lost_wherever_the_caller_of_settle_is_cancelled():
    for number in count():
        if await run_and_cancel_after(number, by_settle, sync_items, {}):
            break

    assert number > 3


@pytest.mark.parametrize("way", [by_map, by_stream, by_ordered_stream])
@pytest.mark.parametrize("source", [sync_items, async_items])
@pytest.mark.parametrize("limit", [1, 2, 4])
@pytest.mark.parametrize("isolate", ["worker", "task"])
async def test_nothing_is_lost_wherever_the_caller_is_cancelled(way, source, limit, isolate):
    for number in count():
        if await run_and_cancel_after(number, way, source, {"limit": limit, "isolate": isolate}):
            break

    assert number > 3


class Stop(Job):
    """Raises ``SystemExit`` for one item, at one of its turns."""

    def __init__(self, at, turn):
        super().__init__()
        self.at, self.turn = at, turn

    async def __call__(self, item):
        if item != self.at:
            return await super().__call__(item)
        await turns(self.turn)
        raise SystemExit(item)


@pytest.mark.parametrize("way", [by_map, by_stream, by_ordered_stream])
@pytest.mark.parametrize("source", [sync_items, async_items])
@pytest.mark.parametrize("at", range(ITEMS))
@pytest.mark.parametrize("turn", range(4))
async def test_nothing_is_lost_whichever_item_stops_everything(way, source, at, turn, capfd):
    job, seen, closed = Stop(at, turn), [], []

    with pytest.raises(SystemExit) as caught:
        await way(job, source(closed), seen, limit=3)

    attached = partial(caught.value) or []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert job.started == sorted(job.ended)
    assert sorted(outcome.index for outcome in [*seen, *attached]) == job.started
    assert closed == [True]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("source", [sync_items, async_items])
@pytest.mark.parametrize("act", ["stop", "cancel", "leave"])
async def test_nothing_is_lost_whenever_a_stream_is_stopped_cancelled_or_left(ordered, source, act):
    for number in range(40):
        job, seen, closed = Job(), [], []
        error = None
        try:
            async with stream(job, source(closed), limit=2, ordered=ordered) as outcomes:
                await turns(number)
                if act != "leave":
                    getattr(outcomes, act)()
                    seen = [outcome async for outcome in outcomes]
                else:
                    raise KeyError("body")
        except KeyError as body_error:
            error = body_error

        attached = (error and partial(error)) or []
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert job.started == sorted(job.ended)
        assert sorted(outcome.index for outcome in [*seen, *attached]) == job.started
        assert closed == [True] or not job.started
