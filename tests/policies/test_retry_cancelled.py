"""The caller of a retry is cancelled after each possible number of turns of the loop, and nothing may be lost."""

import asyncio
from itertools import count

import pytest

from unlost._core import constant, receipt
from unlost.errors import TransientError, attempts
from unlost.policies import Retry
from unlost.policies._budget import RetryBudget
from unlost.policies._cooldown import Cooldown


class Job:
    """Takes two turns for each attempt; fails twice, and logs what it raised."""

    def __init__(self) -> None:
        self.raised: list[BaseException] = []
        self.running = 0

    async def __call__(self) -> str:
        self.running += 1
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if len(self.raised) < 2:
                error = TransientError(len(self.raised))
                error.headers = {"Retry-After": "0"}
                self.raised.append(error)
                raise error
        finally:
            self.running -= 1
        return "value"


async def by_call(retry: Retry, job: Job) -> object:
    return await retry.call(job)


async def by_outcome(retry: Retry, job: Job) -> object:
    return (await retry.outcome(job)).unwrap()


async def by_decorator(retry: Retry, job: Job) -> object:
    return await retry(job)()


async def by_block(retry: Retry, job: Job) -> object:
    async for attempt in retry:
        with attempt:
            value = await job()
    return value


RETRIES = {
    "plain": {},
    "total": {"total": 60},
    "budget": {"budget": RetryBudget(1000)},
    "cooldown": {"cooldown": Cooldown(ramp=0.1)["key"]},
    "cooldown without ramp": {"cooldown": Cooldown(ramp=0)["key"]},
}


@pytest.mark.parametrize("options", RETRIES.values(), ids=RETRIES)
@pytest.mark.parametrize("act", [by_call, by_outcome, by_decorator, by_block])
async def test_cancelled_at_each_await_it_comes_out_with_all_that_failed_so_far(act, options) -> None:
    for turns in count():
        job = Job()
        with receipt() as survived:
            task = asyncio.create_task(act(Retry(5, backoff=constant(0), **options), job))
            for _ in range(turns):
                await asyncio.sleep(0)
            was_cancelled = task.cancel()
            await asyncio.wait([task])

        assert job.running == 0
        if not was_cancelled:
            break
        if task.cancelled():
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            known = (*attempts(caught.value), *survived.errors)
            assert set(job.raised) <= set(known), f"after {turns} turns"
        assert task.cancelling() == 1
        await asyncio.sleep(5)  # the next one meets no cool-down
    assert turns >= 6
    assert task.result() == "value"
