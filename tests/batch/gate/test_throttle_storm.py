"""
Simulated storms: many concurrent calls against a service that allows fewer, in virtual time.

The aim: at most 5% more calls than items, all calls counted, and at most a quarter more time than the service's
allowance demands. Where a case is left more, the reason stands beside it.
"""

import asyncio

import pytest

from support.storms import FixedWindow, Service, TokenBucket, storm


@pytest.mark.parametrize("hint", ["one", "seconds", "ms", "none", "date"])
@pytest.mark.parametrize("latency", [0.1, 0.005])
async def test_a_storm_costs_few_calls_and_little_time_whatever_the_hint(latency: float, hint: str) -> None:
    bucket = TokenBucket(200, 50)

    result = await storm(Service(bucket, latency, hint))

    assert result.is_within(0.01, 1.15, bucket)


@pytest.mark.parametrize("concurrency", [1, 20, 100, 5000])
async def test_whatever_the_concurrency(concurrency: int) -> None:
    bucket = TokenBucket(200, 50)
    best = max(1.0, 0.1 / concurrency * bucket.rate)

    result = await storm(Service(bucket, 0.1), concurrency=concurrency)

    assert result.is_within(0.01, 1.15 * best, bucket)


@pytest.mark.parametrize(
    ("rate", "burst"),
    [(20, 10), (10, 100), (50, 1), (200, 2000), (200, 10), (500, 50)],
)
async def test_whatever_the_allowance(rate: float, burst: float) -> None:
    bucket = TokenBucket(rate, burst)

    result = await storm(Service(bucket, 0.1))

    assert result.is_within(0.05, 1.25, bucket)


async def test_a_run_of_ten_seconds_is_mostly_search() -> None:
    bucket = TokenBucket(2000, 200)

    result = await storm(Service(bucket, 0.05))

    assert result.is_within(0.05, 1.5, bucket)  # two rests of a second, in ten


@pytest.mark.parametrize("hint", ["one", "seconds", "ms", "none"])
@pytest.mark.parametrize(("count", "per"), [(200, 1.0), (600, 60.0), (3000, 60.0)])
async def test_windows_of_the_clock(count: int, per: float, hint: str) -> None:
    window = FixedWindow(count, per)

    result = await storm(Service(window, 0.1, hint))

    assert result.is_within(0.05, 1.25, window)


@pytest.mark.parametrize("latency", [1.0, 2.0])
async def test_slow_answers_are_learnt_from_later(latency: float) -> None:
    bucket = TokenBucket(200, 50)

    result = await storm(Service(bucket, latency))

    assert result.is_within(0.05, 1.35, bucket)  # the first answer, and each consequence, takes as long


async def test_quick_refusals_of_slow_calls() -> None:
    bucket = TokenBucket(50, 10)

    result = await storm(Service(bucket, 5.0, refusal=0.05), concurrency=1000)

    assert result.is_within(0.05, 1.25, bucket)


async def test_an_allowance_of_a_few_a_minute_costs_the_first_hundred_calls_and_hardly_more() -> None:
    result = await storm(Service(FixedWindow(3, 60.0), 0.5, "seconds"), items=100)

    assert result.refused <= 97 + 15
    assert result.seconds <= 1.05 * 100 / 3 * 60


async def test_a_limit_that_rises_is_found_again() -> None:
    bucket = TokenBucket(50, 10)
    service = Service(bucket, 0.05)
    asyncio.get_running_loop().call_later(100, setattr, bucket, "rate", 500)

    result = await storm(service, items=35_000)

    assert result.seconds < 100 + 60 + 30_000 / 500
    assert result.refused < 0.05 * 35_000


async def test_a_limit_that_falls_is_met_with_few_refusals() -> None:
    bucket = TokenBucket(500, 50)
    service = Service(bucket, 0.05)
    answered_before = 0

    def fall() -> None:
        nonlocal answered_before
        answered_before = service.calls - len(service.refused_at)
        bucket.rate = 50

    asyncio.get_running_loop().call_later(20, fall)

    result = await storm(service, items=15_000)

    assert result.seconds < 1.1 * (20 + (15_000 - answered_before) / 50)
    assert len([at for at in service.refused_at if at > 20]) < 100


async def test_each_refusal_is_counted_in_one_rest() -> None:
    result = await storm(Service(TokenBucket(200, 50), 0.1))

    assert sum(rest.refused for rest in result.rests) == result.refused
    assert len(result.rests) < 15
    assert all(rest.error is None for rest in result.rests)
