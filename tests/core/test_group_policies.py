import asyncio

import pytest

from unlost._core import Cancelled, Failure, TaskGroup, Value, collect, partial, quorum, receipt, tolerate
from unlost.errors import UsageError


async def value(result, after=0):
    await asyncio.sleep(after)
    return result


async def failing(error, after=0):
    await asyncio.sleep(after)
    raise error


async def run(policy, *children):
    async with TaskGroup(policy) as group:
        for func, *args in children:
            group.start_soon(func, *args)
    return group


async def test_collect_raises_nothing_and_its_result_is_all_outcomes():
    error = OSError()

    group = await run(collect(), (failing, error), (value, 2, 1))

    assert group.result == group.outcomes
    assert [type(outcome) for outcome in group.result] == [Failure, Value]


async def test_collect_lets_the_bodys_own_error_out_with_the_outcomes():
    error = OSError()

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup(collect()) as group:
            group.start_soon(failing, error)
            await asyncio.sleep(1)
            raise KeyError("body")

    assert [type(found) for found in caught.value.exceptions] == [KeyError]
    assert partial(caught.value)[0].error is error


async def test_as_many_failures_as_are_tolerated_are_in_the_receipt():
    first, second = OSError(1), OSError(2)

    with receipt() as survived:
        group = await run(tolerate(failures=2), (failing, first), (failing, second), (value, 3, 1))

    assert group.result == [3]
    assert survived.errors == (first, second)


async def test_one_failure_more_than_tolerated_stops_the_group():
    errors = [OSError(n) for n in range(3)]

    with pytest.raises(ExceptionGroup, match="2 of 3 failed, more than is tolerated") as caught:
        await run(tolerate(failures=1), (failing, errors[0]), (failing, errors[1], 1), (value, 3, 1000))

    assert caught.value.exceptions == tuple(errors[:2])
    assert isinstance(partial(caught.value)[2], Cancelled)


async def test_a_ratio_stops_only_when_enough_have_ended():
    group = await run(tolerate(ratio=0.5, minimum=4), (failing, OSError()), (value, 1, 1), (value, 2, 2))

    assert group.result == [1, 2]


async def test_a_ratio_that_is_exceeded_at_the_end_raises_whatever_the_number():
    with pytest.raises(ExceptionGroup, match="2 of 3 failed"):
        await run(tolerate(ratio=0.5, minimum=100), (failing, OSError()), (failing, OSError()), (value, 2, 2))


async def test_a_quorum_stops_when_it_is_reached_with_the_values_in_the_order_of_their_ends():
    early = OSError("early")

    with receipt() as survived:
        group = await run(quorum(2), (value, "slow", 2), (failing, early), (value, "fast", 1), (value, "never", 1000))

    assert group.result == ["fast", "slow"]
    assert survived.errors == (early,)
    assert isinstance(group.outcomes[3], Cancelled)


async def test_a_quorum_that_is_not_reached_raises_all_failures():
    error = OSError()

    with pytest.raises(ExceptionGroup, match="1 of the 2 values that were needed came in") as caught:
        await run(quorum(2), (value, 1), (failing, error))

    assert caught.value.exceptions == (error,)


async def test_a_quorum_of_more_than_were_started_is_a_mistake_and_says_so():
    with pytest.raises(UsageError, match="only 1 were started"):
        await run(quorum(2), (value, 1))


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: tolerate(), r"tolerate\(failures=3\)"),
        (lambda: tolerate(failures=-1), "0 or more"),
        (lambda: tolerate(failures=True), "0 or more"),
        (lambda: tolerate(ratio=2), "from 0 to 1"),
        (lambda: quorum(0), "at least 1"),
        (lambda: quorum("2"), "at least 1"),
    ],
)
def test_limits_that_cannot_be_right_are_refused(make, hint):
    with pytest.raises(UsageError, match=hint):
        make()
