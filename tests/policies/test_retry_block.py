"""Trying a block again: ``async for attempt in retry: with attempt: ...``."""

import asyncio
import gc
import weakref

import pytest

from unlost._core import Survived, constant, listen, receipt, take_unheard
from unlost.errors import PermanentError, TransientError, UsageError, attempts
from unlost.policies import Retry
from unlost.policies._cooldown import Cooldown

EVERY_SECOND = Retry(3, backoff=constant(1))


def now() -> float:
    return asyncio.get_running_loop().time()


async def through(steps: list[object], retry: Retry = EVERY_SECOND) -> object:
    async for attempt in retry:
        with attempt:
            step = steps.pop(0)
            if isinstance(step, BaseException):
                raise step
            result = step
    return result


async def test_the_block_runs_until_it_works() -> None:
    assert await through([TransientError(), TransientError(), "value"]) == "value"
    assert now() == 2


async def test_a_block_that_works_runs_once() -> None:
    numbers = []
    async for attempt in EVERY_SECOND:
        with attempt:
            numbers.append(attempt.number)

    assert numbers == [1]
    assert take_unheard() == []


async def test_the_last_error_itself_comes_out_with_the_earlier_ones_attached() -> None:
    first, second, last = TransientError(1), TransientError(2), TransientError(3)

    with pytest.raises(TransientError) as caught:
        await through([first, second, last])

    assert caught.value is last
    assert attempts(last) == (first, second)
    assert last.__context__ is None


async def test_what_is_not_wanted_comes_out_at_once() -> None:
    first, last = TransientError(), PermanentError()

    with pytest.raises(PermanentError):
        await through([first, last, "value"])

    assert attempts(last) == (first,)
    assert now() == 1


async def test_an_attempt_knows_its_number_and_the_errors_so_far() -> None:
    errors, seen = [TransientError(1), TransientError(2)], []
    async for attempt in EVERY_SECOND:
        with attempt:
            seen.append((attempt.number, attempt.errors))
            if attempt.number < 3:
                raise errors[attempt.number - 1]

    assert seen == [(1, ()), (2, (errors[0],)), (3, tuple(errors))]


async def test_what_was_survived_goes_into_the_receipt() -> None:
    first = TransientError()

    with receipt() as survived:
        await through([first, "value"])

    assert survived.errors == (first,)
    assert survived.entries[0].name == "through"


async def returning() -> str:
    async for attempt in EVERY_SECOND:
        with attempt:
            if attempt.number == 1:
                raise TransientError
            return "value"
    return "never"


async def test_a_return_out_of_the_block_is_its_end_and_what_was_survived_is_told() -> None:
    with receipt() as survived:
        assert await returning() == "value"

    assert len(survived.errors) == 1


async def test_a_break_in_the_block_is_its_end_and_what_was_survived_is_told() -> None:
    with receipt() as survived:
        async for attempt in EVERY_SECOND:
            with attempt:
                if attempt.number == 1:
                    raise TransientError
                break

    assert len(survived.errors) == 1


async def test_a_break_between_two_attempts_tells_what_failed_so_far() -> None:
    first = TransientError()
    events = []
    with receipt() as survived, listen(events.append):
        async for attempt in EVERY_SECOND:
            with attempt:
                raise first
            break

    assert survived.errors == (first,)
    assert isinstance(events[-1], Survived)


async def raising_outside(error: Exception) -> None:
    async for attempt in EVERY_SECOND:
        if attempt.number == 2:
            raise error
        with attempt:
            raise TransientError


async def test_an_error_outside_of_with_passes_at_once_and_what_failed_so_far_is_told() -> None:
    outside = KeyError("outside")

    with receipt() as survived, pytest.raises(KeyError) as caught:
        await raising_outside(outside)

    assert caught.value is outside
    assert [type(error) for error in survived.errors] == [TransientError]
    assert now() == 1


async def test_a_loop_without_with_is_told_what_to_write() -> None:
    runs = 0
    with pytest.raises(UsageError, match="with attempt:"):
        async for _attempt in EVERY_SECOND:
            runs += 1

    assert runs == 1


async def test_a_loop_that_forgets_with_later_loses_no_error() -> None:
    first = TransientError()

    async def act() -> None:
        async for attempt in EVERY_SECOND:
            if attempt.number == 1:
                with attempt:
                    raise first

    with receipt() as survived, pytest.raises(UsageError) as caught:
        await act()

    assert survived.errors == (first,)
    assert caught.value.__traceback__ is not None  # told while the error lives, not when it goes


async def test_a_loop_that_goes_on_after_the_last_error_ends() -> None:
    last, seen = PermanentError(), []
    async for attempt in EVERY_SECOND:
        try:
            with attempt:
                raise TransientError if attempt.number == 1 else last
        except PermanentError:
            seen.append((attempt.number, attempt.errors))

    assert seen == [(2, ())]
    assert len(attempts(last)) == 1


async def test_an_attempt_is_entered_once() -> None:
    with pytest.raises(UsageError, match="is over"):
        async for attempt in EVERY_SECOND:
            with attempt:
                pass
            with attempt:
                pass


async def first_of(retry: Retry):
    async for attempt in retry:
        yield attempt
        return


async def test_an_attempt_is_not_entered_after_its_loop() -> None:
    kept = [attempt async for attempt in first_of(EVERY_SECOND)]

    with pytest.raises(UsageError, match="is over"):
        kept[0].__enter__()
    assert kept[0].errors == ()


@pytest.mark.parametrize("moment", [0.5, 1.5], ids=["in the block", "between two"])
async def test_a_cancellation_passes_with_the_errors_so_far(moment: float) -> None:
    first = TransientError()

    async def act() -> None:
        async for attempt in Retry(9, backoff=constant(1)):
            with attempt:
                await asyncio.sleep(1)
                raise first

    task = asyncio.create_task(act())
    await asyncio.sleep(2 + moment)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert attempts(caught.value) == (first,) * (1 if moment < 1 else 2)
    assert task.cancelling() == 1


@pytest.mark.parametrize("told", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_being_told_to_stop_passes_with_the_errors_so_far(told: type[BaseException]) -> None:
    first, stop = TransientError(), told()

    with pytest.raises(told) as caught:
        await through([first, stop], Retry(9, backoff=constant(0), on=BaseException))

    assert caught.value is stop
    assert attempts(stop) == (first,)


async def test_a_rule_that_raises_comes_out_with_what_it_was_asked_about() -> None:
    first = TransientError()

    def broken(_error: BaseException) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await through([first], Retry(on=broken))

    assert attempts(caught.value) == (first,)


async def test_a_nested_loop_keeps_its_own_attempts() -> None:
    seen = []
    async for outer in EVERY_SECOND:
        with outer:
            async for inner in Retry(2, backoff=constant(0)):
                with inner:
                    seen.append((outer.number, inner.number))
                    if outer.number == 1:
                        raise TransientError(seen[-1])

    assert seen == [(1, 1), (1, 2), (2, 1)]


async def test_one_policy_serves_many_loops_at_once() -> None:
    values = await asyncio.gather(*(through([TransientError()] * (n % 3) + [n]) for n in range(30)))

    assert values == list(range(30))


async def test_a_cool_down_of_one_key_is_waited_for() -> None:
    cooldown = Cooldown()
    cooldown["a"].cool(5)

    await through(["value"], Retry(cooldown=cooldown["a"]))

    assert now() == 5


async def test_what_needs_a_function_is_refused_with_what_to_write() -> None:
    with pytest.raises(UsageError, match="Raise in it instead"):
        await through([], Retry(on_result=bool))
    with pytest.raises(UsageError, match=r"Write Retry\(cooldown=cooldown"):
        await through([], Retry(cooldown=Cooldown(key=lambda url: url)))


class Weak(TransientError): ...


async def ended(coroutine) -> None:
    """Run it as a task of its own, and look at its error, so that nobody logs it."""
    task = asyncio.create_task(coroutine)
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


@pytest.mark.parametrize("ending", ["value", "failure", "break", "outside", "cancelled"])
async def test_no_error_waits_for_the_cyclic_collector(ending: str) -> None:
    gone: list[weakref.ref] = []

    def fail() -> None:
        error = Weak()
        gone.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    async def act() -> None:
        async for attempt in Retry(3, backoff=constant(0)):
            if attempt.number == 3 and ending == "outside":
                raise KeyError
            with attempt:
                if attempt.number < 3 or ending == "failure":
                    fail()
                if ending == "cancelled":
                    asyncio.current_task().cancel()
                    await asyncio.sleep(0)
            if attempt.number == 2 and ending == "break":
                break

    gc.collect()
    gc.disable()
    try:
        await ended(act())
        await asyncio.sleep(0)
        assert len(gone) >= 2
        assert [ref() for ref in gone] == [None] * len(gone)
    finally:
        gc.enable()
        take_unheard()
