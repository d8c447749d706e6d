"""This library."""

from __future__ import annotations

from functools import partial

from _policies_frame import Call, Contenders

import unlost
from unlost import AdaptiveLimit, Breaker, Bulkhead, Fallback, Hedge, RateLimit

CONTENDERS = Contenders()
add = CONTENDERS.add


def _at_once() -> unlost.Retry:
    return unlost.Retry(3, on=ConnectionError, base=0)


def _breaker() -> Breaker:
    return Breaker(on=ConnectionError)


@add("breaker", "unlost.Breaker")
def breaker_call(operation: Call) -> Call:
    return partial(_breaker().call, operation)


@add("bulkhead", "unlost.Bulkhead")
def bulkhead_call(operation: Call) -> Call:
    return partial(Bulkhead(10).call, operation)


@add("bulkhead", "unlost.AdaptiveLimit")
def adaptive_call(operation: Call) -> Call:
    return partial(AdaptiveLimit(10).call, operation)


@add("rate", "unlost.RateLimit")
def rate_call(operation: Call) -> Call:
    return partial(RateLimit(1e9).call, operation)


@add("hedge", "unlost.Hedge")
def hedge_call(operation: Call) -> Call:
    return partial(Hedge(60, idempotent=True, on=ConnectionError).call, operation)


@add("fallback", "unlost.Fallback")
def fallback_call(operation: Call) -> Call:
    async def another() -> int:
        return 1

    return partial(Fallback(another, on=ConnectionError).call, operation)


@add("pipeline", "unlost pipeline")
def pipeline_call(operation: Call) -> Call:
    return partial((unlost.deadline(60) | _at_once() | _breaker()).call, operation)


@add("pipeline", "unlost pipeline, decorator")
def pipeline_decorator(operation: Call) -> Call:
    return (unlost.deadline(60) | _at_once() | _breaker())(operation)


@add("timeout", "unlost.timeout(60).call")
def timeout_call(operation: Call) -> Call:
    return partial(unlost.timeout(60).call, operation)


@add("retry", "unlost.Retry.call")
def retry_call(operation: Call) -> Call:
    return partial(_at_once().call, operation)


@add("retry", "@unlost.retry")
def retry_decorator(operation: Call) -> Call:
    return _at_once()(operation)


@add("retry", "unlost.Retry.outcome")
def retry_outcome(operation: Call) -> Call:
    retry = partial(_at_once().outcome, operation)

    async def call() -> int:
        return (await retry()).unwrap()

    return call


@add("timeout", "unlost.timeout, async with")
def timeout_block(operation: Call) -> Call:
    async def call() -> int:
        async with unlost.timeout(60):
            return await operation()

    return call
