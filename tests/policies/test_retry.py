"""Trying again, with nothing lost."""

import asyncio
import functools
import gc
import inspect
import weakref
from itertools import pairwise
from types import SimpleNamespace

import pytest

from unlost._core import AttemptFailed, Cancelled, Failure, Survived, Value, constant, listen, receipt, take_unheard
from unlost.errors import Kind, PermanentError, TransientError, UsageError, attempts, classify
from unlost.policies import Retry, retry

at_once = functools.partial(Retry, backoff=constant(0))
EVERY_SECOND = constant(1)


class Script:
    """An operation that goes through its steps: an exception is raised, anything else returned."""

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.starts: list[float] = []

    async def __call__(self, *args):
        self.starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step


def hinting(seconds: str) -> Exception:
    error = TransientError("later")
    error.headers = {"Retry-After": seconds}
    return error


async def test_the_value_of_the_first_attempt_that_works_is_returned() -> None:
    operation = Script(TransientError(1), TransientError(2), "value")

    assert await at_once(3).call(operation) == "value"


async def test_an_outcome_carries_what_the_value_survived() -> None:
    first, second = TransientError(1), TransientError(2)

    outcome = await Retry(3, backoff=EVERY_SECOND).outcome(Script(first, second, "value"))

    assert isinstance(outcome, Value)
    assert (outcome.value, outcome.attempts, outcome.duration) == ("value", 3, 2.0)
    assert outcome.survived == (first, second)


async def test_an_outcome_of_one_attempt_survived_nothing() -> None:
    outcome = await Retry().outcome(Script("value"))

    assert (outcome.attempts, outcome.survived, outcome.index, outcome.key) == (1, (), -1, None)


async def test_the_last_error_itself_is_raised_with_the_earlier_ones_attached() -> None:
    first, second, last = TransientError(1), TransientError(2), TransientError(3)

    with pytest.raises(TransientError) as caught:
        await at_once(3).call(Script(first, second, last))

    assert caught.value is last
    assert attempts(last) == (first, second)
    assert last.__context__ is None


async def test_a_failed_outcome_carries_the_earlier_errors_and_so_does_its_error() -> None:
    first, last = TransientError(1), PermanentError(2)

    outcome = await at_once(5).outcome(Script(first, last))

    assert isinstance(outcome, Failure)
    assert outcome.error is last
    assert outcome.survived == attempts(last) == (first,)
    assert outcome.attempts == 2


async def test_the_same_object_raised_each_time_is_counted() -> None:
    error = TransientError()

    outcome = await at_once(4).outcome(Script(error, error, error, error))

    assert outcome.survived == (error,) * 3
    assert attempts(error) == (error,) * 3


async def test_arguments_are_passed_to_each_attempt() -> None:
    seen = []

    async def operation(a: int, b: str) -> None:
        seen.append((a, b))
        raise TransientError

    await at_once(2).outcome(operation, 1, "b")

    assert seen == [(1, "b"), (1, "b")]


async def test_each_attempt_is_announced_with_its_number() -> None:
    seen = []

    await at_once(3).outcome(Script(TransientError(), TransientError(), 1), on_attempt=seen.append)

    assert seen == [1, 2, 3]


async def test_waits_double_up_to_the_cap() -> None:
    operation = Script(*(TransientError() for _ in range(5)), "value")

    await Retry(6, base=1, cap=5, jitter=False).call(operation)

    assert operation.starts == [0, 1, 3, 7, 12, 17]


async def test_jitter_waits_a_part_of_each_wait() -> None:
    operation = Script(*(TransientError() for _ in range(20)), "value")

    await Retry(21, base=10, cap=10).call(operation)

    waits = [later - earlier for earlier, later in pairwise(operation.starts)]
    assert all(0 <= wait <= 10 for wait in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize(
    ("on", "error", "starts"),
    [
        (None, TransientError(), 2),
        (None, ConnectionError(), 2),
        (None, RuntimeError("unknown"), 1),
        (None, KeyError(), 1),
        (None, ExceptionGroup("g", [TransientError(), TimeoutError()]), 2),
        (None, ExceptionGroup("g", [TransientError(), KeyError()]), 1),
        (Kind.DEFECT, KeyError(), 2),
        (Kind.DEFECT, TransientError(), 1),
        (KeyError, KeyError(), 2),
        (LookupError, KeyError(), 2),
        ((Kind.TRANSIENT, KeyError), KeyError(), 2),
        (frozenset({Kind.TRANSIENT, KeyError}), TransientError(), 2),
        (lambda error: "again" in str(error), ValueError("again"), 2),
        (lambda error: "again" in str(error), ValueError("never"), 1),
        ((), TransientError(), 1),
    ],
)
async def test_on_says_what_is_tried_again(on, error: Exception, starts: int) -> None:
    operation = Script(error, "value")

    await at_once(on=on).outcome(operation)

    assert len(operation.starts) == starts


@pytest.mark.parametrize("told", [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit])
async def test_being_told_to_stop_is_never_tried_again(told: type[BaseException]) -> None:
    first, stop = TransientError(), told()
    operation = Script(first, stop, "value")

    with pytest.raises(told) as caught:
        await run_catching(at_once(5, on=BaseException).call(operation))

    assert caught.value is stop
    assert len(operation.starts) == 2
    assert attempts(stop) == (first,)


async def run_catching(coroutine):
    """Drive the coroutine here: a task would let KeyboardInterrupt and SystemExit out into the loop."""
    return await coroutine


async def test_a_group_that_holds_a_cancellation_is_never_tried_again() -> None:
    operation = Script(BaseExceptionGroup("g", [TransientError(), asyncio.CancelledError()]), "value")

    await at_once(on=BaseException).outcome(operation)

    assert len(operation.starts) == 1


async def test_a_cancellation_that_nobody_asked_of_the_task_is_an_outcome() -> None:
    first = TransientError()

    outcome = await at_once().outcome(Script(first, asyncio.CancelledError("elsewhere")))

    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "elsewhere"
    assert outcome.survived == (first,)


@pytest.mark.parametrize("method", ["call", "outcome"])
@pytest.mark.parametrize("moment", [0.5, 1.5], ids=["while it runs", "while it waits"])
async def test_a_cancellation_from_outside_passes_with_the_errors_so_far(method: str, moment: float) -> None:
    first = TransientError()

    async def operation() -> None:
        await asyncio.sleep(1)
        raise first

    again = Retry(10, backoff=EVERY_SECOND)
    task = asyncio.create_task(getattr(again, method)(operation))
    await asyncio.sleep(2 + moment)
    task.cancel("enough")

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert attempts(caught.value) == (first,) if moment == 0.5 else attempts(caught.value) == (first, first)
    assert not any(isinstance(link, TransientError) for link in (caught.value.__cause__, caught.value.__context__))


@pytest.mark.parametrize("method", ["call", "outcome"])
async def test_nothing_is_tried_again_after_a_cancellation_that_the_function_made_another_error_of(method: str) -> None:
    first, made_of_it = TransientError("first"), TransientError("connection closed")
    starts = []

    async def operation() -> None:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) == 1:
            raise first
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise made_of_it from None

    async def caller() -> object:
        try:
            return await getattr(Retry(9, backoff=EVERY_SECOND), method)(operation)
        except TransientError as error:
            return error

    task = asyncio.create_task(caller())
    await asyncio.sleep(3)
    task.cancel()
    ended = await task

    assert starts == [0, 1]
    assert asyncio.get_running_loop().time() == 3
    assert (ended if method == "call" else ended.error) is made_of_it
    assert attempts(made_of_it) == (first,)
    assert task.cancelling() == 1


async def test_a_cancellation_that_was_there_before_does_not_keep_a_cleanup_from_being_tried_again() -> None:
    operation = Script(TransientError(), "value")

    async def caller() -> object:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return await at_once().call(operation)

    task = asyncio.create_task(caller())
    await asyncio.sleep(1)
    task.cancel()

    assert await task == "value"


async def test_a_time_limit_inside_the_function_is_tried_again() -> None:
    starts = []

    async def operation() -> None:
        starts.append(asyncio.get_running_loop().time())
        async with asyncio.timeout(2):
            await asyncio.sleep(10)

    outcome = await Retry(3, backoff=EVERY_SECOND).outcome(operation)

    assert starts == [0, 3, 6]
    assert isinstance(outcome.error, TimeoutError)


@pytest.mark.parametrize("decorated", [False, True], ids=["call", "decorator"])
async def test_awaited_in_a_handler_an_error_keeps_the_context_that_it_came_with(decorated: bool) -> None:
    inner = KeyError("inner")

    async def operation() -> None:
        try:
            raise inner
        except KeyError:
            raise ValueError("outer")  # noqa: B904  # the context is the claim

    async def act() -> None:
        try:
            raise OSError("handled")
        except OSError:
            await (Retry()(operation)() if decorated else Retry().call(operation))

    with pytest.raises(ValueError, match="outer") as caught:
        await act()
    assert caught.value.__context__ is inner
    assert isinstance(inner.__context__, OSError)


async def test_no_attempt_is_the_context_of_a_later_one() -> None:
    outcome = await at_once(3).outcome(Script(*(TransientError(number) for number in range(3))))

    assert [error.__context__ for error in (*outcome.survived, outcome.error)] == [None] * 3


async def test_what_a_bare_value_survived_is_counted_where_nobody_listens() -> None:
    async def fetch() -> object:
        return await operation()

    operation = Script(TransientError(1), TransientError(2), "value", TransientError(3), "value", "value")

    await at_once(3).call(fetch)
    await at_once(3)(fetch)()
    await at_once(3).call(fetch)

    name = fetch.__qualname__
    assert take_unheard() == [f"survived without a listener: {name}: 3 errors in 2 calls (last: TransientError: 3)"]


async def test_what_has_another_owner_is_not_counted() -> None:
    def failing() -> Script:
        return Script(TransientError(), "value")

    await at_once().outcome(failing())
    with listen(lambda event: None):
        await at_once().call(failing())
    with pytest.raises(TransientError):
        await at_once(2).call(Script(TransientError(), TransientError()))

    assert take_unheard() == []


async def test_what_happened_before_anybody_listened_is_told_with_the_value() -> None:
    alone, heard = TransientError("alone"), TransientError("heard")
    events = []
    operation = Script(alone, heard, "value")
    task = asyncio.create_task(Retry(backoff=EVERY_SECOND).call(operation))
    await asyncio.sleep(0.5)

    with listen(events.append):
        await task

    assert events[-1].errors == (alone, heard)
    assert take_unheard() == []


async def test_what_happened_before_the_listener_left_is_not_counted_again() -> None:
    operation = Script(TransientError("heard"), TransientError("alone"), "value")
    with listen(lambda event: None):
        task = asyncio.create_task(Retry(backoff=EVERY_SECOND).call(operation))
        await asyncio.sleep(0.5)

    await task

    (line,) = take_unheard()
    assert "1 error in 1 call" in line


async def test_an_open_receipt_takes_what_a_bare_value_survived() -> None:
    first, second = TransientError(1), TransientError(2)

    with receipt() as survived:
        await Retry(backoff=EVERY_SECOND).call(Script(first, second, "value"))

    assert survived.errors == (first, second)
    assert take_unheard() == []


async def test_a_wait_is_as_long_as_the_server_asks_and_the_backoff_comes_on_top() -> None:
    operation = Script(hinting("7"), "value")

    await Retry(backoff=EVERY_SECOND).call(operation)

    assert operation.starts == [0, 8]


async def test_a_hint_is_found_through_cause_and_group() -> None:
    error = TransientError()
    error.__cause__ = ExceptionGroup("g", [hinting("3"), hinting("5")])
    operation = Script(error, "value")

    await at_once().call(operation)

    assert operation.starts == [0, 5]


async def test_a_hint_beyond_its_cap_gives_up_at_once_with_a_note_that_says_what_was_asked() -> None:
    error = hinting("31536000")
    operation = Script(error, "value")

    outcome = await Retry(hint_cap=60, backoff=EVERY_SECOND).outcome(operation)

    assert outcome.error is error
    assert operation.starts == [0]
    assert outcome.duration == 0
    (note,) = error.__notes__
    assert note == "not tried again: the server asked to wait 31536000 s, more than Retry(hint_cap=60) allows"


@pytest.mark.parametrize(
    ("options", "seconds", "starts"),
    [
        ({}, 3600, [0, 3600]),
        ({}, 3601, [0]),
        ({"hint_cap": 7}, 7, [0, 7]),
        ({"hint_cap": 0}, 0, [0, 0]),
        ({"hint_cap": 0}, 1, [0]),
        ({"hint_cap": None}, 7200, [0, 7200]),
    ],
)
async def test_a_hint_is_honoured_up_to_and_with_its_cap(options, seconds: int, starts: list[float]) -> None:
    operation = Script(hinting(str(seconds)), "value")

    await retry(backoff=constant(0), **options).outcome(operation)

    assert operation.starts == starts


async def test_the_same_object_refused_twice_has_one_note() -> None:
    error = hinting("31536000")

    await Retry().outcome(Script(error))
    await Retry().outcome(Script(error))

    assert len(error.__notes__) == 1


async def test_no_attempt_starts_after_the_total_and_no_wait_begins_that_would() -> None:
    operation = Script(*(TransientError() for _ in range(9)))

    outcome = await Retry(9, total=3, backoff=EVERY_SECOND).outcome(operation)

    assert operation.starts == [0, 1, 2, 3]
    assert outcome.duration == 3
    assert len(outcome.survived) == 3


async def test_a_hint_beyond_the_total_gives_up_at_once() -> None:
    operation = Script(hinting("60"), "value")

    outcome = await at_once(total=30).outcome(operation)

    assert isinstance(outcome, Failure)
    assert outcome.duration == 0


async def test_listeners_are_told_of_each_failed_attempt_before_the_wait() -> None:
    first, second = TransientError(1), TransientError(2)
    events = []

    async def fetch() -> str:
        return await operation()

    operation = Script(first, second, "value")
    with listen(events.append):
        await Retry(backoff=EVERY_SECOND).call(fetch)

    name = fetch.__qualname__
    assert events == [
        AttemptFailed(first, 1, 1, name),
        AttemptFailed(second, 2, 1, name),
        Survived(name, (first, second)),
    ]


async def test_a_predicate_that_raises_is_the_failure_and_the_error_it_was_asked_about_survives() -> None:
    broken, asked_about = ZeroDivisionError(), TransientError()

    def predicate(error: BaseException) -> bool:
        raise broken

    outcome = await at_once(on=predicate).outcome(Script(asked_about, "value"))

    assert isinstance(outcome, Failure)
    assert outcome.error is broken
    assert outcome.survived == (asked_about,)


async def test_a_wrong_call_is_a_defect_and_not_tried_again() -> None:
    async def operation(a: int) -> None: ...

    outcome = await Retry().outcome(operation)

    assert classify(outcome.error) is Kind.DEFECT
    assert outcome.attempts == 1


@pytest.mark.parametrize("decorate", [retry, at_once(attempts=3)], ids=["bare", "called"])
async def test_it_decorates_async_functions(decorate: Retry) -> None:
    operation = Script(TransientError(), "value")

    @decorate
    async def fetch(url: str, *, depth: int) -> tuple[str, int, str]:
        """Fetch."""
        return url, depth, await operation()

    assert await fetch("u", depth=1) == ("u", 1, "value")
    assert fetch.__doc__ == "Fetch."
    assert inspect.iscoroutinefunction(fetch)


@pytest.mark.parametrize("wrong", [len, lambda: 1, "five"], ids=["a builtin", "a lambda", "no function"])
def test_what_is_not_async_is_not_decorated(wrong) -> None:
    with pytest.raises(UsageError, match="Write async def"):
        retry(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"attempts": wrong} for wrong in (0, -1, 1.5, True, "3", None)),
        *({"base": -1}, {"cap": float("nan")}, {"total": "10"}, {"total": float("inf")}),
        *({"hint_cap": -1}, {"hint_cap": "60"}, {"hint_cap": float("inf")}),
        *({"on": 5}, {"on": (KeyError, "ConnectionError")}, {"on": int}),
    ],
    ids=repr,
)
def test_a_policy_that_cannot_work_is_refused_with_what_to_write(wrong) -> None:
    with pytest.raises(UsageError, match="Write "):
        Retry(**wrong)


async def test_one_policy_serves_many_tasks_at_once() -> None:
    again = Retry(backoff=EVERY_SECOND)
    operations = [Script(*(TransientError() for _ in range(n % 3)), n) for n in range(30)]

    values = await asyncio.gather(*(again.call(operation) for operation in operations))

    assert values == list(range(30))


def test_a_policy_never_changes_and_equals_its_like() -> None:
    with pytest.raises(AttributeError):
        Retry().attempts = 5
    assert Retry(3, base=1) == Retry(3, base=1)
    assert Retry(3, total=60) != Retry(3)


class Weak(TransientError): ...


@pytest.mark.parametrize("last", ["value", Weak("last")], ids=["value", "failure"])
@pytest.mark.parametrize("method", ["call", "outcome"])
async def test_no_error_waits_for_the_cyclic_collector(method: str, last: object) -> None:
    gone: list[weakref.ref] = []

    async def operation() -> None:
        if len(gone) == 2 and last == "value":
            return
        error = Weak()
        gone.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    async def act() -> None:
        try:
            await getattr(at_once(3), method)(operation)
        except Weak as error:
            gone.append(weakref.ref(error))

    gc.collect()
    gc.disable()
    try:
        await act()
        await asyncio.sleep(0)
        assert [ref() for ref in gone] == [None] * len(gone)
        assert len(gone) >= 2
    finally:
        gc.enable()


async def test_the_error_of_a_task_that_is_a_retry_does_not_wait_for_the_cyclic_collector() -> None:
    async def operation() -> None:
        raise Weak

    async def act() -> weakref.ref:
        task = asyncio.create_task(at_once(2).call(operation))
        await asyncio.wait([task])
        return weakref.ref(task.exception())

    gc.collect()
    gc.disable()
    try:
        gone = await act()
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


async def test_an_error_that_says_when_to_come_back_does_so_by_the_wall_clock_too() -> None:
    error = TransientError()
    error.response = SimpleNamespace(
        headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:50 GMT"}
    )
    operation = Script(error, "value")

    await at_once().call(operation)

    assert operation.starts == [0, 10]


async def test_retry_decorates_bare_and_with_options() -> None:
    bare, five = Script(*[ConnectionError()] * 2, "value"), Script(*[ConnectionError()] * 4, "value")

    @retry
    async def once() -> object:
        return await bare()

    @retry(attempts=5)
    async def often() -> object:
        return await five()

    assert (await once(), await often()) == ("value", "value")
