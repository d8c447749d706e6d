"""Something else in the place of what failed, and the failure stays known."""

import asyncio
import functools
import gc
import math
import weakref
from contextlib import suppress
from typing import ClassVar

import pytest

from unlost._core import Failure, Survived, Value, listen, receipt, take_unheard
from unlost.errors import TransientError, UsageError, attempts
from unlost.policies._cost import Cost
from unlost.policies._fallback import Fallback, FellBack
from unlost.policies._layer import Pipeline
from unlost.policies._retry import Retry
from unlost.policies._streaming import around


def failing(error):
    async def fail(*args):
        await asyncio.sleep(0)
        raise error

    return fail


async def echo(*args):
    await asyncio.sleep(0)
    return args


async def test_what_does_not_fail_needs_no_alternative():
    assert await Fallback(failing(OSError())).call(echo, 1) == (1,)
    assert take_unheard() == []


async def test_where_the_call_fails_the_alternative_has_the_same_arguments():
    assert await Fallback(echo).call(failing(OSError("down")), "a", 2) == ("a", 2)


async def test_a_plain_value_is_an_alternative():
    assert await Fallback(Fallback.value("cached")).call(failing(OSError("down"))) == "cached"


async def test_a_plain_function_is_an_alternative():
    assert await Fallback(lambda key: f"cached {key}").call(failing(OSError("down")), "a") == "cached a"


async def test_the_alternatives_are_tried_in_order():
    first, second = OSError(1), OSError(2)

    with receipt() as survived:
        assert await Fallback(failing(second), echo, failing(OSError("never"))).call(failing(first), 1) == (1,)

    assert survived.errors == (first, second)


async def test_what_was_survived_is_in_the_outcome():
    first = OSError(1)

    outcome = await Fallback(Fallback.value(2)).outcome(failing(first))

    assert isinstance(outcome, Value)
    assert (outcome.value, outcome.survived) == (2, (first,))
    assert take_unheard() == []


async def test_an_alternative_has_the_same_arguments_for_an_outcome():
    outcome = await Fallback(echo).outcome(failing(OSError(1)), "a")

    assert outcome.value == ("a",)


async def test_where_nobody_listens_what_was_survived_is_counted():
    await Fallback(Fallback.value(2), name="prices").call(failing(OSError("down")))

    assert take_unheard() == ["survived without a listener: prices: 1 error in 1 call (last: OSError: down)"]


async def test_where_all_fail_the_last_error_itself_comes_out_with_the_earlier_ones():
    first, second, third = OSError(1), OSError(2), ValueError(3)

    with pytest.raises(ValueError, match="3") as caught:
        await Fallback(failing(second), failing(third)).call(failing(first))

    assert caught.value is third
    assert attempts(third) == (first, second)
    assert third.__context__ is None


async def test_the_outcome_of_a_failure_has_the_earlier_errors():
    first, second = OSError(1), OSError(2)

    outcome = await Fallback(failing(second)).outcome(failing(first))

    assert isinstance(outcome, Failure)
    assert (outcome.error, outcome.survived) == (second, (first,))


async def test_an_error_that_is_not_wanted_comes_out_at_once():
    with pytest.raises(ValueError, match="mine"):
        await Fallback(echo, on=OSError).call(failing(ValueError("mine")))


async def test_an_alternatives_error_that_is_not_wanted_comes_out_with_the_earlier_ones():
    first, second = OSError(1), ValueError(2)

    with pytest.raises(ValueError, match="2") as caught:
        await Fallback(failing(second), echo, on=OSError).call(failing(first))

    assert attempts(caught.value) == (first,)


async def test_a_rule_that_fails_comes_out_with_the_error_that_it_was_asked_of():
    first = OSError(1)

    with pytest.raises(ZeroDivisionError) as caught:
        await Fallback(echo, on=lambda error: 1 / 0).call(failing(first))

    assert attempts(caught.value) == (first,)


async def test_listeners_are_told_of_each_step():
    first, second, told = OSError(1), OSError(2), []

    with listen(told.append):
        await Fallback(failing(second), Fallback.value("x" * 200), name="prices").call(failing(first))

    steps, (end,) = told[:-1], told[-1:]
    assert [(step.name, step.error) for step in steps] == [("prices", first), ("prices", second)]
    assert steps[0].to.endswith("fail")
    assert len(steps[1].to) == 100
    assert all(isinstance(step, FellBack) for step in steps)
    assert end == Survived("prices", (first, second))


async def test_an_error_that_a_listener_was_told_of_is_not_counted_as_unheard():
    async def slow():
        await asyncio.sleep(5)

    with listen(lambda event: None):
        calling = asyncio.create_task(Fallback(slow).call(failing(OSError("down"))))
        await asyncio.sleep(1)
    await calling

    assert take_unheard() == []


@pytest.mark.parametrize("stopping", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
async def test_what_asks_for_the_end_is_never_survived(stopping):
    first = OSError(1)

    async def stop(*args):
        raise stopping

    with pytest.raises(stopping) as caught:
        await Fallback(stop, echo, on=BaseException).call(failing(first))

    assert attempts(caught.value) == (first,)


async def test_the_callers_cancellation_comes_out_with_the_errors_so_far():
    first = OSError(1)
    calling = asyncio.create_task(Fallback(lambda: asyncio.sleep(1000), echo).call(failing(first)))
    await asyncio.sleep(1)

    calling.cancel("from outside")
    with pytest.raises(asyncio.CancelledError) as caught:
        await calling

    assert caught.value.args == ("from outside",)
    assert calling.cancelling() == 1
    assert attempts(caught.value) == (first,)


async def test_nothing_is_tried_after_a_cancellation_that_became_another_error():
    async def turns_it_into_an_error():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            raise OSError("connection lost") from None

    async def never():
        tried.append(True)

    tried = []
    calling = asyncio.create_task(Fallback(never).call(turns_it_into_an_error))
    await asyncio.sleep(1)
    calling.cancel()
    with pytest.raises(OSError, match="connection lost"):
        await calling

    assert tried == []
    assert calling.cancelling() == 1


async def test_around_a_retry_the_alternative_has_the_users_arguments():
    policy = Pipeline(Fallback(echo), Retry(2, base=0))

    assert await policy.call(failing(TransientError(1)), "a", 2) == ("a", 2)
    assert (await policy.outcome(failing(TransientError(1)), "a", 2)).value == ("a", 2)


async def test_as_a_decorator_it_passes_keywords_to_the_alternatives():
    async def mirror(url, *, timeout):
        return "mirror", url, timeout

    async def fetch(url, *, timeout):
        raise OSError("down")

    assert await around(Fallback(mirror), fetch)("a", timeout=3) == ("mirror", "a", 3)
    assert await around(Fallback(Fallback.value(None)), fetch)("a", timeout=3) is None


async def test_around_a_retry_it_passes_keywords_too_and_tells_the_functions_name():
    async def mirror(url, *, timeout):
        return "mirror", url, timeout

    async def fetch(url, *, timeout):
        raise TransientError("down")

    with receipt() as survived:
        decorated = around(Pipeline(Fallback(mirror), Retry(1)), fetch)
        assert await decorated("a", timeout=3) == ("mirror", "a", 3)

    assert [entry.name.rpartition(".")[2] for entry in survived.entries] == ["fetch"]


def test_an_alternative_is_named_without_its_partial():
    assert repr(Fallback(functools.partial(echo, 1), Fallback.value(3), name="x")) == "Fallback(echo, 3, name='x')"


@pytest.mark.parametrize(
    ("alternatives", "message"),
    [
        ((), "no alternative"),
        ((3,), r"cannot be called.\nWrite Fallback.value\(3\)"),
        ((None,), r"Write Fallback.value\(None\)"),
        ((Fallback.value(1), echo), "never fails: they cannot be reached"),
    ],
)
def test_what_cannot_work_is_refused(alternatives, message):
    with pytest.raises(UsageError, match=message):
        Fallback(*alternatives)


def test_a_coroutine_object_is_refused_and_closed():
    with pytest.raises(UsageError, match=r"Write Fallback\(echo\), without the call"):
        Fallback(echo())


def test_it_says_what_it_does_and_whether_it_can_fail():
    last = Fallback(echo, Fallback.value(None))

    assert last.phrase() == "fall back to echo, then to None"
    assert last.ends_in_value
    assert not Fallback(echo).ends_in_value


def test_it_cannot_fail_only_where_it_takes_every_exception():
    assert not Fallback(Fallback.value(None), on=OSError).ends_in_value


def test_nothing_bounds_how_long_a_function_takes():
    assert Fallback(echo).cost(Cost(3, 2)) == Cost(math.inf, 2)
    assert Fallback(Fallback.value(1)).cost(Cost(3, 2)) == Cost(3, 2)


class Local:
    alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def __init__(self):
        Local.alive.add(self)


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("last", [OSError, asyncio.CancelledError, SystemExit, None])
async def test_what_it_held_is_freed_without_the_collector(last):
    async def fail(error=OSError):
        local = Local()
        await asyncio.sleep(0)
        if error is not None:
            raise error(local)

    with suppress(OSError, asyncio.CancelledError, SystemExit):
        await Fallback(fail, functools.partial(fail, last)).call(fail)
    await asyncio.sleep(0)

    assert not Local.alive
