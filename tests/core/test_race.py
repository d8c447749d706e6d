import asyncio

import pytest

from unlost._core import Failure, Survived, Value, listen, partial, race, race_outcome, receipt, take_unheard
from unlost.errors import UsageError


async def value(result, after=0):
    await asyncio.sleep(after)
    return result


async def failing(error, after=0):
    await asyncio.sleep(after)
    raise error


async def fails_when_cancelled(error):
    try:
        await asyncio.sleep(1000)
    finally:
        raise error


async def returns_when_cancelled(result):
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        return result


@pytest.fixture(autouse=True)
def nothing_counted_before():
    take_unheard()
    yield
    take_unheard()


async def test_the_first_value_wins_and_the_others_have_ended():
    ended = []

    async def loser():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("loser")

    assert await race(loser(), value("won", after=1)) == "won"
    assert ended == ["loser"]
    assert take_unheard() == []


async def test_a_failure_before_the_first_value_is_in_the_receipt():
    early, late = OSError("early"), ValueError("late")

    with receipt() as survived:
        won = await race(failing(early), fails_when_cancelled(late), value("won", after=1))

    assert won == "won"
    assert survived.entries == [Survived("unlost.race", (early, late))]


async def test_without_a_receipt_what_was_survived_is_counted():
    await race(failing(OSError("early")), value("won", after=1))

    (line,) = take_unheard()
    assert line == "survived without a listener: unlost.race: 1 error in 1 call (last: OSError: early)"


async def test_a_listener_is_told_what_was_survived():
    early, told = OSError("early"), []

    with listen(told.append):
        await race(failing(early), value("won", after=1))

    assert told == [Survived("unlost.race", (early,))]
    assert take_unheard() == []


async def test_a_value_that_comes_too_late_is_in_the_receipt():
    with receipt() as survived:
        await race(returns_when_cancelled("a connection"), value("won", after=1))

    assert survived.entries == [Survived("unlost.race", (), ("a connection",))]


async def test_if_all_fail_one_group_has_all():
    first, second = OSError(1), ValueError(2)

    with pytest.raises(ExceptionGroup, match="all 2 failed") as caught:
        await race(failing(first, after=1), failing(second))

    assert caught.value.exceptions == (first, second)
    assert len(partial(caught.value)) == 2


async def test_the_outcome_has_what_it_survived():
    early, late = OSError("early"), ValueError("late")

    outcome = await race_outcome(failing(early), fails_when_cancelled(late), value("won", after=1))

    assert isinstance(outcome, Value)
    assert (outcome.value, outcome.index, outcome.survived) == ("won", 2, (early, late))
    assert take_unheard() == []


async def test_the_outcome_of_a_race_that_all_lost_is_their_group():
    first, second = OSError(1), ValueError(2)

    outcome = await race_outcome(failing(first), failing(second, after=2))

    assert isinstance(outcome, Failure)
    assert outcome.error.exceptions == (first, second)
    assert outcome.duration >= 2


async def test_the_callers_cancellation_comes_out_with_what_there_was():
    early = OSError("early")
    calling = asyncio.create_task(race(failing(early), value("never", after=1000)))
    await asyncio.sleep(1)

    calling.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await calling

    assert partial(caught.value)[0].error is early


async def test_what_stops_the_program_is_no_winner():
    with pytest.raises(SystemExit):
        await race(failing(SystemExit(3), after=1), value("never", after=1000))


async def test_a_race_of_nobody_is_refused():
    with pytest.raises(UsageError, match="nothing to run"):
        await race()


async def test_a_cancelled_child_is_no_winner():
    task = asyncio.create_task(value(1, after=1000))
    asyncio.get_running_loop().call_later(1, task.cancel)

    assert await race(task, value("won", after=2)) == "won"
