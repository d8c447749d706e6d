"""
Other libraries, each used as its documentation has it for an async function.

What a library logs about each retry by itself is left on, with a handler that drops it; so it is with this library's
events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from _policies_frame import Call, Contenders

CONTENDERS = Contenders()
add = CONTENDERS.add


def of_tenacity() -> None:
    import tenacity

    @add("retry", "tenacity")
    def retry(operation: Call) -> Call:
        return tenacity.retry(
            retry=tenacity.retry_if_exception_type(ConnectionError),
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_none(),
            reraise=True,
        )(operation)

    @add("fallback", "tenacity, retry_error_callback=")
    def fallback(operation: Call) -> Call:
        async def another(_state: tenacity.RetryCallState) -> int:
            return 1

        return tenacity.retry(stop=tenacity.stop_after_attempt(1), retry_error_callback=another)(operation)


def of_stamina() -> None:
    import stamina

    logging.getLogger("stamina").addHandler(logging.NullHandler())

    @add("retry", "stamina")
    def retry(operation: Call) -> Call:
        return stamina.retry(on=ConnectionError, attempts=3, wait_initial=0, wait_max=0, wait_jitter=0)(operation)


def of_backoff() -> None:
    import backoff

    @add("retry", "backoff")
    def retry(operation: Call) -> Call:
        return backoff.on_exception(backoff.constant, ConnectionError, max_tries=3, interval=0, jitter=None)(operation)


def of_nopanic() -> None:
    import nopanic

    def retries() -> nopanic.retry:
        return nopanic.retry(3, on=ConnectionError, backoff=0.0)

    def breaker() -> nopanic.CircuitBreaker:
        return nopanic.circuit_breaker(failure_threshold=0.5, min_calls=20)

    add("retry", "nopanic")(lambda operation: retries()(operation))
    add("breaker", "nopanic")(lambda operation: breaker()(operation))
    add("timeout", "nopanic")(lambda operation: nopanic.timeout(60)(operation))
    add("bulkhead", "nopanic")(lambda operation: nopanic.bulkhead(10)(operation))
    add("rate", "nopanic")(lambda operation: nopanic.rate_limit(1e9)(operation))
    add("hedge", "nopanic")(lambda operation: nopanic.hedge(delay=60)(operation))
    add("fallback", "nopanic")(lambda operation: nopanic.fallback(_another)(operation))

    @add("pipeline", "nopanic, compose")
    def pipeline(operation: Call) -> Call:
        return nopanic.compose(nopanic.timeout(60), retries(), breaker())(operation)


def of_resilix() -> None:
    from resilix import CircuitBreaker, protect

    add("retry", "resilix")(lambda operation: protect.when(ConnectionError, retry=3)(operation))
    add("breaker", "resilix")(lambda operation: CircuitBreaker(failures=5)(operation))
    add("timeout", "resilix")(lambda operation: protect.timeout(60)(operation))
    add("bulkhead", "resilix")(lambda operation: protect.bulkhead(10)(operation))
    add("fallback", "resilix")(lambda operation: protect.when(ConnectionError, fallback=_alternative)(operation))

    @add("pipeline", "resilix")
    def pipeline(operation: Call) -> Call:
        guarded = CircuitBreaker(failures=5)(operation)
        return protect.limits(deadline=60)(protect.when(ConnectionError, retry=3)(guarded))


def of_pyresilience() -> None:
    from pyresilience import (
        BulkheadConfig,
        CircuitBreakerConfig,
        FallbackConfig,
        RateLimiterConfig,
        RetryConfig,
        TimeoutConfig,
        resilient,
    )

    at_once = RetryConfig(max_attempts=3, delay=0, jitter=False, retry_on=(ConnectionError,))
    breaker = CircuitBreakerConfig(failure_threshold=5)
    add("retry", "pyresilience")(lambda operation: resilient(retry=at_once)(operation))
    add("breaker", "pyresilience")(lambda operation: resilient(circuit_breaker=breaker)(operation))
    add("timeout", "pyresilience")(lambda operation: resilient(timeout=TimeoutConfig(60))(operation))
    add("bulkhead", "pyresilience")(lambda operation: resilient(bulkhead=BulkheadConfig(10))(operation))
    add("rate", "pyresilience")(lambda operation: resilient(rate_limiter=RateLimiterConfig(10**9))(operation))
    add("fallback", "pyresilience")(lambda operation: resilient(fallback=FallbackConfig(_another))(operation))

    @add("pipeline", "pyresilience")
    def pipeline(operation: Call) -> Call:
        return resilient(
            timeout=TimeoutConfig(60, per_attempt=False), retry=at_once, circuit_breaker=breaker
        )(operation)  # fmt: skip


def of_purgatory() -> None:
    import purgatory

    @add("breaker", "purgatory")
    def breaker(operation: Call) -> Call:
        return purgatory.AsyncCircuitBreakerFactory(default_threshold=5)("circuit")(operation)


def of_pybreaker() -> None:
    import pybreaker

    @add("breaker", "pybreaker, calling()")
    def breaker(operation: Call) -> Call:
        # its call_async is for Tornado
        circuit = pybreaker.CircuitBreaker(fail_max=5)

        async def call() -> int:
            with circuit.calling():
                return await operation()

        return call


def of_aiolimiter() -> None:
    import aiolimiter

    @add("rate", "aiolimiter")
    def rate(operation: Call) -> Call:
        limiter = aiolimiter.AsyncLimiter(1e9, 1)

        async def call() -> int:
            async with limiter:
                return await operation()

        return call


async def _another(_error: BaseException) -> int:
    return 1


async def _alternative() -> int:
    return 1


PEERS: Final[dict[str, Callable[[], None]]] = {
    "tenacity": of_tenacity,
    "stamina": of_stamina,
    "backoff": of_backoff,
    "nopanic": of_nopanic,
    "resilix": of_resilix,
    "pyresilience": of_pyresilience,
    "purgatory": of_purgatory,
    "pybreaker": of_pybreaker,
    "aiolimiter": of_aiolimiter,
}


def missing_peers() -> list[str]:
    """Let all libraries that are installed take part, and return those that are not."""
    missing = []
    for name, take_part in PEERS.items():
        try:
            take_part()
        except ImportError:  # named in the output
            missing.append(name)
    return missing
