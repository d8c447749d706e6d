"""pyresilience: one decorator."""

from __future__ import annotations

import asyncio
import time

from _loss_attempts import Attempts, cancelled_while_it_waits, the_place_is_taken, the_refusal, two_in_a_group
from _loss_cells import Cells, Operations, got
from _loss_record import raise_
from pyresilience import (
    BulkheadConfig,
    CircuitBreakerConfig,
    CircuitOpenError,
    FallbackConfig,
    JsonEventLogger,
    RateLimiterConfig,
    RetryConfig,
    TimeoutConfig,
    resilient,
)

CELLS = Cells()
do = Operations(asyncio.sleep)
SHORT = {"delay": 0.001, "jitter": False}


@CELLS.cell("timeout_cleanup", "resilient(timeout=)")
async def timeout_cleanup() -> None:
    await resilient(timeout=TimeoutConfig(seconds=0.01))(do.fail_when_stopped)("cleanup")


@CELLS.cell("timeout_group", "resilient(timeout=), asyncio.TaskGroup")
async def timeout_group() -> None:
    @resilient(timeout=TimeoutConfig(seconds=0.01))
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(do.fail_when_stopped("first"))
            group.create_task(do.fail_when_stopped("second"))

    await work()


@CELLS.cell("thread_outlives", "resilient(timeout=) of a sync function")
async def thread_outlives() -> None:
    @resilient(timeout=TimeoutConfig(seconds=0.1))
    def slow() -> None:
        try:
            time.sleep(0.3)
        finally:  # it interrupts the thread; what fails is the cleanup
            raise_("thread")

    try:
        slow()
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.5)


@CELLS.cell("retry_fails", "resilient(retry=)")
async def retry_fails() -> object:
    return await resilient(retry=RetryConfig(max_attempts=3, **SHORT))(Attempts(3).call)()


@CELLS.cell("retry_fails_listening", "resilient(retry=, listeners=[JsonEventLogger()])")
async def retry_fails_listening() -> object:
    logged = resilient(retry=RetryConfig(max_attempts=3, **SHORT), listeners=[JsonEventLogger()])
    return await logged(Attempts(3).call)()


@CELLS.cell("retry_survives", "resilient(retry=, listeners=[JsonEventLogger()])")
async def retry_survives() -> object:
    logged = resilient(retry=RetryConfig(max_attempts=3, **SHORT), listeners=[JsonEventLogger()])
    return await logged(Attempts(2).call)()


@CELLS.cell("retry_in_group", "resilient(retry=), asyncio.TaskGroup")
async def retry_in_group() -> None:
    await two_in_a_group(resilient(retry=RetryConfig(max_attempts=2, **SHORT)))


@CELLS.cell("retry_cancelled", "resilient(retry=)")
async def retry_cancelled() -> None:
    slow = resilient(retry=RetryConfig(max_attempts=3, delay=30, jitter=False))
    await cancelled_while_it_waits(slow(Attempts(3).call))


@CELLS.cell("total_runs_out", "resilient(timeout=TimeoutConfig(per_attempt=False), retry=)")
async def total_runs_out() -> object:
    growing = RetryConfig(max_attempts=3, delay=0.01, backoff_factor=3000, jitter=False)
    total = TimeoutConfig(seconds=0.1, per_attempt=False)
    return await resilient(timeout=total, retry=growing)(Attempts(3).call)()


@CELLS.cell("pipeline_fails", "resilient(timeout=, retry=, circuit_breaker=)")
async def pipeline_fails() -> object:
    return await resilient(
        timeout=TimeoutConfig(seconds=60, per_attempt=False),
        retry=RetryConfig(max_attempts=3, **SHORT),
        circuit_breaker=CircuitBreakerConfig(),
    )(Attempts(3).call)()


@CELLS.cell("breaker_refuses_retry", "resilient(retry=, circuit_breaker=)")
async def breaker_refuses_retry() -> object:
    breaker = CircuitBreakerConfig(failure_threshold=2, recovery_timeout=30)
    guarded = resilient(circuit_breaker=breaker)(Attempts(3).call)
    return await resilient(retry=RetryConfig(max_attempts=3, **SHORT))(guarded)()


@CELLS.cell("bulkhead_refuses_retry", "resilient(bulkhead=), resilient(retry=)")
async def bulkhead_refuses_retry() -> object:
    twice = RetryConfig(max_attempts=2, delay=0.05, jitter=False)
    return await the_place_is_taken(resilient(bulkhead=BulkheadConfig(1)), resilient(retry=twice))


@CELLS.cell("rate_refuses_retry", "resilient(rate_limiter=), resilient(retry=)")
async def rate_refuses_retry() -> object:
    limited = resilient(rate_limiter=RateLimiterConfig(max_calls=1, period=60))(Attempts(2).call)
    return await resilient(retry=RetryConfig(max_attempts=2, **SHORT))(limited)()


@CELLS.cell("fallback_survives", "resilient(fallback=, listeners=[JsonEventLogger()])")
async def fallback_survives() -> object:
    async def other(_error: BaseException) -> str:
        return "value"

    return await resilient(fallback=FallbackConfig(handler=other), listeners=[JsonEventLogger()])(do.fail)("operation")


@CELLS.cell("fallback_fails", "resilient(fallback=), twice")
async def fallback_fails() -> object:
    async def first(_error: BaseException) -> None:
        raise_("fallback")

    async def second(_error: BaseException) -> None:
        raise_("next fallback")

    inner = resilient(fallback=FallbackConfig(handler=first))(do.fail)
    return await resilient(fallback=FallbackConfig(handler=second))(inner)("operation")


@CELLS.cell("breaker_open", "resilient(circuit_breaker=)")
async def breaker_open() -> object:
    breaker = CircuitBreakerConfig(failure_threshold=2, recovery_timeout=30)
    return await the_refusal(resilient(circuit_breaker=breaker)(Attempts(2).call), CircuitOpenError)
