"""
A service that refuses some calls at random, however slowly they come, in virtual time.

The aim: at most a tenth more time than the calls themselves and the rests take.
"""

import pytest

from support.storms import ByChance, Result, Service, TokenBucket, storm

FEW = [0.003, 0.007, 0.02]
RESTS = [0.025, 0.2, 1.0]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("share", FEW)
async def test_calls_that_are_refused_at_random_do_not_lower_the_pace(share: float, rest: float, seed: int) -> None:
    result = await storm(Service(ByChance(share, rest, seed=seed), 0.25, "ms"), items=20_000, concurrency=50)

    assert took(result) <= 1.1 * (20_000 / 200 + rested(result))


@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("share", FEW)
async def test_nor_do_they_where_few_are_under_way(share: float, rest: float) -> None:
    result = await storm(Service(ByChance(share, rest, seed=2), 0.5, "ms"), items=10_000, concurrency=10)

    assert took(result) <= 1.1 * (10_000 / 20 + rested(result))


@pytest.mark.parametrize("rest", [0.025, 0.2])
async def test_a_limit_is_respected_all_the_same(rest: float) -> None:
    service = Service(ByChance(0.003, rest, TokenBucket(200, 50)), 0.1, "ms")

    result = await storm(service)

    assert result.refused <= 0.05 * 20_000
    assert took(result) <= 2 * 20_000 / 200  # it was ten times as much, and grew with the number of items


def took(result: Result) -> float:
    print(f"{result.refused} refused, {result.seconds:.1f} s, of which {rested(result):.1f} s rests")
    return result.seconds


def rested(result: Result) -> float:
    return sum(rest.ended - rest.since for rest in result.rests if rest.ended is not None)
