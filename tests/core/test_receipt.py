import asyncio

import pytest

from unlost._core import race, receipt, take_unheard
from unlost._core._receipt import survive


async def value(result, after=0):
    await asyncio.sleep(after)
    return result


async def failing(error):
    raise error


@pytest.fixture(autouse=True)
def nothing_counted():
    take_unheard()
    yield
    take_unheard()


def test_a_receipt_is_false_while_nothing_was_survived():
    with receipt() as survived:
        survive("fetch", ())

    assert not survived
    assert survived.errors == ()
    assert repr(survived) == "<Receipt of 0 entries, 0 errors>"


async def test_tasks_that_were_started_inside_write_into_it():
    error = OSError()

    with receipt() as survived:
        await asyncio.create_task(race(failing(error), value(1, after=1)))

    assert survived.errors == (error,)


async def test_the_innermost_receipt_takes_it():
    error = OSError()

    with receipt() as outer, receipt() as inner:
        await race(failing(error), value(1, after=1))

    assert inner.errors == (error,)
    assert not outer


async def test_what_a_task_survives_after_the_block_goes_to_the_receipt_around_it():
    error = OSError()

    with receipt() as outer:
        with receipt() as inner:
            task = asyncio.create_task(race(failing(error), value(1, after=1)))
        await task

    assert not inner
    assert outer.errors == (error,)


async def test_what_a_task_survives_when_every_receipt_is_closed_is_counted():
    with receipt() as survived:
        task = asyncio.create_task(race(failing(OSError("late")), value(1, after=1)))
    await task

    assert not survived
    (line,) = take_unheard()
    assert "unlost.race: 1 error in 1 call (last: OSError: late)" in line


async def test_receipts_of_other_tasks_do_not_mix():
    async def job(error):
        with receipt() as survived:
            await race(failing(error), value(1, after=1))
        return survived.errors

    first, second = OSError(1), OSError(2)

    assert await asyncio.gather(job(first), job(second)) == [(first,), (second,)]
