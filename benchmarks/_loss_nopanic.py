"""nopanic: retry, breaker, timeout, fallback, hedge."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator

from _loss_attempts import Attempts, cancelled_while_it_waits, the_place_is_taken, the_refusal, two_in_a_group
from _loss_cells import Cells, Operations, got
from _loss_record import Boom, raise_
from nopanic import (
    CircuitOpen,
    bulkhead,
    circuit_breaker,
    compose,
    events,
    fallback,
    hedge,
    rate_limit,
    retry,
    timeout,
)
from nopanic.backoff import exponential, fixed

CELLS = Cells()
do = Operations(asyncio.sleep)
THREE = retry(attempts=3, on=Boom, backoff=fixed(0.001))


def _log_events() -> None:
    events.log_to(logging.getLogger("program"))


@CELLS.cell("race_losers", "hedge, events.log_to")
async def race_losers() -> object:
    _log_events()
    jobs = iter([do.fail_when_stopped("stopped"), do.fail("earlier"), do.succeed(0.02)])
    return await hedge(delay=0.01, max_hedges=2)(_next(jobs))()


@CELLS.cell("race_all_fail", "hedge, events.log_to")
async def race_all_fail() -> object:
    _log_events()
    jobs = iter([do.fail("first", 0.02), do.fail("second", 0.02), do.fail("third", 0.02)])
    return await hedge(delay=0.001, max_hedges=2)(_next(jobs))()


@CELLS.cell("hedge_survives", "hedge, events.log_to")
async def hedge_survives() -> object:
    _log_events()
    jobs = iter([do.fail("first", 0.02), do.succeed(0.04)])
    return await hedge(delay=0.01)(_next(jobs))()


@CELLS.cell("hedge_fails", "hedge, events.log_to")
async def hedge_fails() -> object:
    _log_events()
    jobs = iter([do.fail("first", 0.02), do.fail("second", 0.02)])
    return await hedge(delay=0.01)(_next(jobs))()


@CELLS.cell("hedge_cancelled", "hedge, events.log_to, Task.cancel")
async def hedge_cancelled() -> None:
    _log_events()
    jobs = iter([do.fail_when_stopped("first"), do.fail_when_stopped("second")])
    await cancelled_while_it_waits(hedge(delay=0.01)(_next(jobs)))


@CELLS.cell("timeout_cleanup", "timeout")
async def timeout_cleanup() -> None:
    await timeout(0.01)(do.fail_when_stopped)("cleanup")


@CELLS.cell("timeout_group", "timeout, asyncio.TaskGroup")
async def timeout_group() -> None:
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(do.fail_when_stopped("first"))
            group.create_task(do.fail_when_stopped("second"))

    await timeout(0.01)(work)()


@CELLS.cell("thread_outlives", "timeout of a sync function")
async def thread_outlives() -> None:
    @timeout(0.1)
    def slow() -> None:
        time.sleep(0.3)
        raise_("thread")

    try:
        slow()
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.5)


@CELLS.cell("retry_fails", "retry")
async def retry_fails() -> object:
    return await THREE(Attempts(3).call)()


@CELLS.cell("retry_fails_listening", "retry, events.log_to")
async def retry_fails_listening() -> object:
    _log_events()
    return await THREE(Attempts(3).call)()


@CELLS.cell("retry_survives", "retry, events.log_to")
async def retry_survives() -> object:
    _log_events()
    return await THREE(Attempts(2).call)()


@CELLS.cell("retry_in_group", "retry, asyncio.TaskGroup")
async def retry_in_group() -> None:
    await two_in_a_group(retry(attempts=2, on=Boom, backoff=fixed(0.001)))


@CELLS.cell("retry_cancelled", "retry")
async def retry_cancelled() -> None:
    await cancelled_while_it_waits(retry(attempts=3, on=Boom, backoff=fixed(30))(Attempts(3).call))


@CELLS.cell("total_runs_out", "timeout, retry")
async def total_runs_out() -> object:
    waits = retry(attempts=3, on=Boom, backoff=exponential(base=0.01, factor=3000))
    return await timeout(0.1)(waits(Attempts(3).call))()


@CELLS.cell("pipeline_fails", "compose of timeout, retry, circuit_breaker")
async def pipeline_fails() -> object:
    return await compose(timeout(60), THREE, circuit_breaker())(Attempts(3).call)()


@CELLS.cell("breaker_refuses_retry", "retry, circuit_breaker")
async def breaker_refuses_retry() -> object:
    opens = circuit_breaker(failure_threshold=0.5, min_calls=2)
    return await retry(attempts=3, backoff=fixed(0.001), honor_retry_after=False)(opens(Attempts(3).call))()


@CELLS.cell("bulkhead_refuses_retry", "retry, bulkhead")
async def bulkhead_refuses_retry() -> object:
    return await the_place_is_taken(bulkhead(1, max_wait=0), retry(attempts=2, backoff=fixed(0.05)))


@CELLS.cell("rate_refuses_retry", "retry, rate_limit")
async def rate_refuses_retry() -> object:
    rate = rate_limit(1, per=60, max_wait=0)
    return await retry(attempts=2, backoff=fixed(0.001), honor_retry_after=False)(rate(Attempts(2).call))()


@CELLS.cell("fallback_survives", "fallback, events.log_to")
async def fallback_survives() -> object:
    async def other(_error: BaseException) -> str:
        return "value"

    _log_events()
    return await fallback(other)(do.fail)("operation")


@CELLS.cell("fallback_fails", "fallback, twice")
async def fallback_fails() -> object:
    async def first(_error: BaseException) -> None:
        raise_("fallback")

    async def second(_error: BaseException) -> None:
        raise_("next fallback")

    return await fallback(second)(fallback(first)(do.fail))("operation")


@CELLS.cell("breaker_open", "circuit_breaker")
async def breaker_open() -> object:
    guarded = circuit_breaker(failure_threshold=0.5, min_calls=2, reset_timeout=30)(Attempts(2).call)
    return await the_refusal(guarded, CircuitOpen)


def _next(jobs: Iterator[Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    async def operation() -> object:
        return await next(jobs)

    return operation
