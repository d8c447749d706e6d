"""Every policy, and a pipeline of all, cancelled at each await: the cancellation comes out, and nothing is kept."""

import asyncio

import pytest

from unlost import (
    AdaptiveLimit,
    Breaker,
    Bulkhead,
    Cooldown,
    Fallback,
    Hedge,
    RateLimit,
    Retry,
    RetryBudget,
    TransientError,
    constant,
    deadline,
    timeout,
)

TURNS = 14


class Work:
    """Suspends three times; fails as often as asked before it returns."""

    def __init__(self, failures):
        self.failures = failures
        self.running = 0

    async def __call__(self):
        self.running += 1
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.failures:
                self.failures -= 1
                raise TransientError("again")
            return "value"
        finally:
            self.running -= 1


async def alternative():
    await asyncio.sleep(0)
    return "value"


BULKHEAD, RATE, ADAPTIVE = (lambda: Bulkhead(1)), (lambda: RateLimit(1000, burst=50)), (lambda: AdaptiveLimit(2))
LAYERS = {
    "timeout": lambda: timeout(60),
    "Retry": lambda: Retry(3, backoff=constant(0)),
    "Retry, shared": lambda: Retry(3, backoff=constant(0), budget=RetryBudget(), cooldown=Cooldown(0.001)["host"]),
    "Breaker": Breaker,
    "Bulkhead": BULKHEAD,
    "RateLimit": RATE,
    "AdaptiveLimit": ADAPTIVE,
    "Hedge": lambda: Hedge(0, idempotent=True),
    "Fallback": lambda: Fallback(alternative),
    "pipeline": lambda: (
        deadline(60)
        | Fallback(alternative)
        | Retry(2, backoff=constant(0))
        | Breaker()
        | Bulkhead(1)
        | RATE()
        | timeout(9)
    ),
}


@pytest.mark.parametrize("failures", [0, 1])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("name", LAYERS)
async def test_a_cancellation_at_any_await_comes_out_and_leaves_nothing(name, twice, failures):
    ended = set()
    for turn in range(TURNS):
        layer, work = LAYERS[name](), Work(failures)
        others = asyncio.all_tasks()
        calling = asyncio.create_task(layer.call(work))
        for _ in range(turn):
            await asyncio.sleep(0)

        asked = calling.cancel("outside")
        if twice:
            await asyncio.sleep(0)
            calling.cancel("outside, again")
        await asyncio.wait([calling])

        if asked and not calling.cancelled():
            assert calling.result() == "value"  # it had come to its end in that very turn
        ended.add("cancelled" if calling.cancelled() else "value")
        assert work.running == 0
        assert asyncio.all_tasks() == others
        for part in getattr(layer, "layers", (layer,)):
            assert getattr(part, "running", 0) == 0
            assert getattr(part, "waiting", 0) == 0
        assert await layer.call(Work(0)) == "value"

    assert "cancelled" in ended


@pytest.mark.parametrize("make", [BULKHEAD, ADAPTIVE, RATE], ids=["Bulkhead", "AdaptiveLimit", "RateLimit"])
@pytest.mark.parametrize("victim", range(4))
async def test_a_waiter_cancelled_at_any_turn_leaks_no_permit(make, victim):
    for turn in range(2 * TURNS):
        limit = make()
        calls = [asyncio.create_task(limit.call(Work(0))) for _ in range(4)]
        for _ in range(turn):
            await asyncio.sleep(0)
        calls[victim].cancel()
        await asyncio.wait(calls)

        assert getattr(limit, "running", 0) == 0
        assert limit.waiting == 0
        assert await limit.call(Work(0)) == "value"
