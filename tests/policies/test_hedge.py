"""A second attempt while the first one runs: the first value wins, and the losers' errors are not lost."""

import asyncio
import gc
import weakref
from contextlib import suppress
from contextvars import ContextVar
from typing import ClassVar

import pytest

from unlost._core import Failure, StillRunning, Survived, Value, listen, partial, receipt, report_to, take_unheard
from unlost.errors import (
    ChildCancelled,
    PermanentError,
    TransientError,
    UsageError,
    attach_attempts,
    attempts,
    classify,
)
from unlost.policies._contest import Hedged
from unlost.policies._cost import Cost
from unlost.policies._hedge import Hedge


def hedge(after=1, attempts=2, **options):
    return Hedge(after, attempts, idempotent=True, **options)


class Server:
    """Each call goes through the next step: seconds to wait, and then what to return, or to raise."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.started = []
        self.ended = 0

    async def __call__(self, *args):
        self.started.append(asyncio.get_running_loop().time())
        seconds, result = self.steps[len(self.started) - 1]
        try:
            await asyncio.sleep(seconds)
        finally:
            self.ended += 1
        if isinstance(result, BaseException):
            raise result
        return result

    @property
    def starts(self):
        return [round(start - self.started[0], 6) for start in self.started]


async def test_a_call_that_is_quick_is_made_once():
    server = Server((0.9, "value"))

    assert await hedge().call(server) == "value"
    assert server.starts == [0]


async def test_after_some_seconds_a_second_attempt_starts_and_may_win():
    server = Server((1000, "slow"), (0.5, "quick"))

    assert await hedge(after=1).call(server) == "quick"
    assert server.starts == [0, 1]
    assert server.ended == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert take_unheard() == []


async def test_the_first_attempt_may_still_win():
    server = Server((2, "first"), (1000, "second"))

    assert await hedge(after=1).call(server) == "first"
    assert server.ended == 2


async def test_a_failure_starts_the_next_attempt_at_once():
    server = Server((0.25, TransientError("early")), (0, "value"))

    assert await hedge(after=1).call(server) == "value"
    assert server.starts == [0, 0.25]


async def test_the_wait_counts_from_the_latest_start():
    server = Server((0.25, TransientError("early")), (1000, "slow"), (0, "value"))

    assert await hedge(after=1, attempts=3).call(server) == "value"
    assert server.starts == [0, 0.25, 1.25]


async def test_no_more_attempts_start_than_it_says():
    server = Server((1000, 1), (1000, 2), (500, "third"))

    assert await hedge(after=1, attempts=3).call(server) == "third"
    assert server.starts == [0, 1, 2]


async def test_a_failure_that_will_not_pass_starts_nothing():
    error = PermanentError("no such thing")
    server = Server((0, error), (0, "never"))

    with pytest.raises(PermanentError) as caught:
        await hedge().call(server)

    assert caught.value is error
    assert server.starts == [0]


async def test_what_runs_when_another_one_fails_for_good_may_still_win():
    server = Server((2, "first"), (0.5, PermanentError("second")), (0, "never"))

    with receipt() as survived:
        assert await hedge(after=1, attempts=3).call(server) == "first"

    assert [str(error) for error in survived.errors] == ["second"]
    assert server.starts == [0, 1]


async def test_the_seconds_may_come_from_a_function_of_the_attempt():
    asked = []

    def after(attempt):
        asked.append(attempt)
        return attempt * 10

    server = Server((1000, 1), (1000, 2), (0, "third"))

    assert await hedge(after, attempts=3).call(server) == "third"
    assert server.starts == [0, 10, 30]
    assert asked == [1, 2]


async def test_a_function_of_the_attempt_that_fails_at_first_comes_out_and_nothing_starts():
    server = Server()

    with pytest.raises(ZeroDivisionError):
        await hedge(lambda attempt: 1 / 0).call(server)

    assert server.started == []


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
async def test_seconds_that_are_none_are_refused(wrong):
    with pytest.raises(UsageError, match="for attempt 1; expected seconds"):
        await hedge(lambda attempt: wrong).call(Server())


async def test_a_function_of_the_attempt_that_fails_later_is_survived():
    server = Server((1.5, "first"))

    with receipt() as survived:
        assert await hedge(lambda attempt: 1 / (2 - attempt), attempts=3).call(server) == "first"

    assert [type(error) for error in survived.errors] == [ZeroDivisionError]


async def test_what_was_survived_is_in_the_receipt_under_the_functions_name():
    early = TransientError("early")

    async def fetch():
        if not calls:
            calls.append(1)
            raise early
        return "value"

    calls = []
    with receipt() as survived:
        assert await hedge().call(fetch) == "value"

    (entry,) = survived.entries
    assert entry.errors == (early,)
    assert entry.name.endswith("fetch")


async def test_the_error_of_a_loser_that_is_cancelled_is_survived():
    late = OSError("cleanup")

    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            return "second"
        try:
            await asyncio.sleep(1000)
        finally:
            raise late

    calls = []
    outcome = await hedge().outcome(fetch)

    assert isinstance(outcome, Value)
    assert outcome.value == "second"
    assert outcome.survived == (late,)


async def test_what_travels_with_the_cancellation_of_a_loser_is_survived():
    early = OSError("an attempt of the inner retry")

    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            return "second"
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as error:
            attach_attempts(error, (early,))
            raise

    calls = []
    outcome = await hedge().outcome(fetch)

    assert outcome.survived == (early,)


async def test_a_value_that_comes_too_late_is_in_the_receipt():
    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            return "second"
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return "late"

    calls = []
    with receipt() as survived:
        assert await hedge().call(fetch) == "second"

    assert [(entry.errors, entry.values) for entry in survived.entries] == [((), ("late",))]


async def test_where_all_fail_the_last_error_itself_comes_out_with_the_others():
    first, second, third = TransientError(1), TransientError(2), OSError(3)
    server = Server((5, first), (0.5, second), (9, third))

    with pytest.raises(OSError, match="3") as caught:
        await hedge(attempts=3).call(server)

    assert caught.value is third
    assert attempts(third) == (second, first)
    assert take_unheard() == []


async def test_the_outcome_of_what_failed_has_the_others_errors():
    first, second = TransientError(1), TransientError(2)

    outcome = await hedge().outcome(Server((0, first), (0, second)))

    assert isinstance(outcome, Failure)
    assert (outcome.error, outcome.survived) == (second, (first,))


async def test_one_object_that_all_attempts_raise_comes_out():
    error = TransientError("the same")

    with pytest.raises(TransientError) as caught:
        await hedge().call(Server((0, error), (0, error)))

    assert attempts(caught.value) == (error,)


async def test_listeners_are_told_of_further_attempts():
    error, told = TransientError("early"), []

    with listen(told.append):
        await hedge(attempts=3).call(Server((0.5, error), (1000, 1), (0, "value")))

    hedged = [event for event in told if isinstance(event, Hedged)]
    assert [(event.attempt, event.error) for event in hedged] == [(2, error), (3, None)]
    assert [event.errors for event in told if isinstance(event, Survived)] == [(error,)]


async def test_without_a_receipt_what_was_survived_is_counted():
    await hedge().call(Server((0, TransientError("early")), (0, "value")))

    (line,) = take_unheard()
    assert "1 error in 1 call (last: TransientError: early)" in line


async def test_an_attempt_that_is_cancelled_from_elsewhere_is_no_cancellation_of_the_caller():
    async def fetch():
        asyncio.current_task().cancel("from elsewhere")
        await asyncio.sleep(1)

    with pytest.raises(ChildCancelled, match=r"attempt 1 of .*fetch was cancelled: from elsewhere") as caught:
        await hedge().call(fetch)

    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert asyncio.current_task().cancelling() == 0


async def test_nothing_starts_after_a_cancellation_from_elsewhere():
    async def fetch():
        calls.append(1)
        raise asyncio.CancelledError

    calls = []
    with pytest.raises(ChildCancelled):
        await hedge(attempts=5).call(fetch)

    assert calls == [1]


async def test_nothing_starts_after_one_was_cancelled_from_elsewhere_while_another_runs():
    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            raise asyncio.CancelledError
        await asyncio.sleep(5)
        return "first"

    calls = []
    with receipt() as survived:
        assert await hedge(after=1, attempts=3).call(fetch) == "first"

    assert len(calls) == 2
    assert [type(error) for error in survived.errors] == [ChildCancelled]


async def test_one_that_was_cancelled_from_elsewhere_in_the_moment_of_a_value_is_survived():
    async def fetch():
        calls.append(1)
        number = len(calls)
        await ready.wait()
        if number == 2:
            raise asyncio.CancelledError("from elsewhere")
        return "first"

    calls, ready = [], asyncio.Event()
    asyncio.get_running_loop().call_later(2, ready.set)
    with receipt() as survived:
        assert await hedge(after=1).call(fetch) == "first"

    (error,) = survived.errors
    assert str(error).endswith("was cancelled: from elsewhere")


async def test_nothing_starts_after_the_first_value_while_a_loser_ends_slowly():
    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            return "second"
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(10)

    calls = []
    assert await hedge(after=1, attempts=5).call(fetch) == "second"
    assert len(calls) == 2


async def test_an_error_that_a_listener_was_told_of_is_not_counted_as_unheard():
    server = Server((0, TransientError("early")), (5, "value"))
    with listen(lambda event: None):
        calling = asyncio.create_task(hedge(after=10).call(server))
        await asyncio.sleep(1)

    assert await calling == "value"
    assert take_unheard() == []


async def test_the_callers_cancellation_comes_out_when_all_have_ended():
    early, server = TransientError("early"), Server((0, TransientError("x")), (1000, 1))
    server.steps[0] = (0, early)
    calling = asyncio.create_task(hedge().call(server))
    await asyncio.sleep(1)

    calling.cancel("from outside")
    with pytest.raises(asyncio.CancelledError) as caught:
        await calling

    assert caught.value.args == ("from outside",)
    assert calling.cancelling() == 1
    assert attempts(caught.value) == (early,)
    assert server.ended == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_value_that_is_there_when_the_caller_is_cancelled_is_attached():
    async def fetch():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return "value"

    calling = asyncio.create_task(hedge(after=5000).call(fetch))
    await asyncio.sleep(1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await calling

    assert [outcome.value for outcome in partial(caught.value)] == ["value"]


@pytest.mark.parametrize("stopping", [SystemExit, KeyboardInterrupt])
async def test_what_stops_the_program_comes_out_bare_and_the_rest_is_reported(stopping):
    early, reported = TransientError("early"), []

    with report_to(lambda error, what: reported.append((error, what))), pytest.raises(stopping) as caught:
        await hedge(attempts=3).call(Server((0, early), (1000, 1), (2, stopping(3))))

    ((group, what),) = reported
    assert attempts(caught.value) == (early,)
    assert group.exceptions == (early,)
    assert what.startswith(f"1 failed before {stopping.__name__} stopped")
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_loser_that_does_not_stop_is_told_of():
    async def fetch():
        calls.append(1)
        if len(calls) == 2:
            return "second"
        while asyncio.get_running_loop().time() < began + 30:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(30)
        return None

    calls, told, began = [], [], asyncio.get_running_loop().time()
    with listen(told.append):
        assert await hedge().call(fetch) == "second"

    still = [event for event in told if isinstance(event, StillRunning)]
    assert still
    assert "attempt 1" in still[0].name


async def test_attempts_see_the_callers_context_variables_and_do_not_change_them():
    variable = ContextVar("variable", default="unset")
    variable.set("the caller's")
    seen = []

    async def fetch():
        seen.append(variable.get())
        variable.set("an attempt's")
        await asyncio.sleep(2)

    await hedge().call(fetch)

    assert seen == ["the caller's", "the caller's"]
    assert variable.get() == "the caller's"


async def test_arguments_are_passed_to_each_attempt():
    given = []

    async def fetch(*args):
        given.append(args)
        await asyncio.sleep(2)

    await hedge().call(fetch, "a", 1)

    assert given == [("a", 1)] * 2


async def test_extra_attempts_are_no_more_than_the_share_of_calls_that_is_allowed():
    calls = []

    async def fetch():
        calls.append(1)
        await asyncio.sleep(2)

    policy = hedge(max_extra_ratio=0.1)
    for _ in range(100):
        await policy.call(fetch)

    assert len(calls) == 100 + 1 + 10


async def test_no_more_than_ten_extra_attempts_are_saved_up():
    async def fetch():
        calls.append(1)
        await asyncio.sleep(2)

    policy = hedge(max_extra_ratio=0.1)
    for _ in range(1000):
        await policy.call(Server((0, "quick")))
    calls = []
    for _ in range(100):
        await policy.call(fetch)

    assert len(calls) == 100 + 10 + 9  # the first of them finds the bucket full


async def test_an_error_says_that_no_extra_attempt_was_allowed():
    policy = hedge(max_extra_ratio=0.001)
    await policy.call(Server((2, 1), (0, 2)))

    with pytest.raises(TransientError) as caught:
        await policy.call(Server((0, TransientError("early"))))

    assert caught.value.__notes__ == ["no further attempt: Hedge(max_extra_ratio=0.001) is used up"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"may be done twice.\nWrite Hedge\(1, idempotent=True\)"),
        ({"idempotent": 1}, "may be done twice"),
        ({"idempotent": True, "attempts": 0}, "expected an int of 1 or more"),
        ({"idempotent": True, "max_extra_ratio": 0}, "expected"),
        ({"idempotent": True, "on": "nonsense"}, "no kind, exception type or function"),
    ],
)
def test_what_cannot_work_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Hedge(1, **options)


@pytest.mark.parametrize("after", [-1, float("nan"), "1", None])
def test_seconds_that_cannot_be_are_refused(after):
    with pytest.raises(UsageError, match="expected seconds"):
        hedge(after)


def test_its_cost_is_that_of_all_attempts():
    assert hedge(1, 3).cost(Cost(10, 2)) == Cost(12, 6)
    assert hedge(60, 3).cost(Cost(10, 1)) == Cost(30, 3)
    assert hedge(lambda attempt: 1).cost(Cost(10, 1)) == Cost(20, 2)


def test_it_says_what_it_does():
    assert hedge(0.2).phrase() == "start a second try if one takes more than 0.2 s or fails"
    assert hedge(0.2, 3).phrase() == "start another try, 3 in all, if one takes more than 0.2 s or fails"


def test_it_tries_again_after_what_may_pass():
    assert hedge().tries_again(TransientError())
    assert not hedge().tries_again(PermanentError())
    assert not hedge(attempts=1).tries_again(TransientError())


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def test_nothing_is_lost_wherever_the_caller_is_cancelled():
    for number in range(100):
        ended, first = [], TransientError(1)

        async def fetch(ended=ended, first=first):
            ended.append("started")
            try:
                await turns(2)
                if ended.count("started") == 1:
                    raise first
                return "value"
            finally:
                ended.append("ended")
                await turns(1)

        with receipt() as survived:
            calling = asyncio.create_task(hedge(0, 2).call(fetch))
        await turns(number)
        is_done = calling.done()
        calling.cancel("from outside")
        (ending,) = await asyncio.gather(calling, return_exceptions=True)

        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert ended.count("started") == ended.count("ended")
        if is_done:
            assert ending == "value"
            break
        assert isinstance(ending, asyncio.CancelledError)
        assert calling.cancelling() == 1
        del survived

    assert 3 < number < 99


class Local:
    alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def __init__(self):
        Local.alive.add(self)


async def keeps_a_local(seconds, error):
    local = Local()
    await asyncio.sleep(seconds)
    if error is not None:
        raise error(local)


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    ("first", "second", "ending"),
    [
        ((1000, None), (0, None), ()),
        ((0, TransientError), (0, None), ()),
        ((0, TransientError), (0, TransientError), (TransientError,)),
        ((0, TransientError), (0, asyncio.CancelledError), (ChildCancelled,)),
        ((1000, None), (0, SystemExit), (SystemExit,)),
    ],
)
async def test_what_it_held_is_freed_without_the_collector(first, second, ending):
    async def fetch():
        await keeps_a_local(*steps.pop(0))

    steps, came_to_a_value = [first, second], False
    with suppress(*ending):  # pytest.raises would hold the error
        await hedge().call(fetch)
        came_to_a_value = True
    await turns(5)

    assert came_to_a_value is (not ending)
    assert not Local.alive


@pytest.mark.usefixtures("without_collector")
async def test_one_object_that_all_raise_is_freed_without_the_collector():
    async def fetch():
        await asyncio.sleep(0)
        raise errors[0]

    errors = [TransientError(Local())]
    with suppress(TransientError):
        await hedge(attempts=3).call(fetch)
    errors.clear()
    await turns(5)

    assert not Local.alive


@pytest.mark.usefixtures("without_collector")
async def test_the_callers_cancellation_is_freed_without_the_collector():
    async def fetch():
        await keeps_a_local(1000, None)

    calling = asyncio.create_task(hedge().call(fetch))
    await asyncio.sleep(5)
    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling
    del calling
    await turns(5)

    assert not Local.alive


def test_what_it_raises_for_a_cancelled_attempt_is_never_tried_again():
    assert classify(ChildCancelled("x")).name == "CANCELLED"
