"""Layers around one another: what a call passes through, what it can come to, and which cannot work."""

import asyncio
import math

import pytest

from unlost._core import AttemptFailed, Failure, Value, listen
from unlost.errors import BreakerOpen, DeadlineExceeded, TransientError, UsageError, attempts
from unlost.policies._breaker import Breaker
from unlost.policies._bulkhead import Bulkhead
from unlost.policies._deadline_calls import deadline, timeout
from unlost.policies._fallback import Fallback
from unlost.policies._hedge import Hedge
from unlost.policies._layer import Cost, Layer, Pipeline
from unlost.policies._retry import Retry


class Named(Layer):
    """A layer that writes down who passes."""

    keeps_state = False

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    async def call(self, func, *args):
        self.log.append(self.name)
        return await func(*args)

    def phrase(self) -> str:
        return self.name


class Rejecting(Named):
    """A layer that can turn calls away for some time."""

    def __init__(self, seconds: float) -> None:
        super().__init__("reject", [])
        self.seconds = seconds

    def rejection(self) -> BaseException:
        return BreakerOpen("host", "tripped", 0.0, self.seconds)


async def double(number: int) -> int:
    return 2 * number


async def fails() -> None:
    raise TransientError("always")


async def test_a_call_passes_its_layers_from_the_outermost_to_the_innermost() -> None:
    log: list[str] = []
    a, b, c = (Named(name, log) for name in "abc")

    assert await (a | b | c).call(double, 4) == 8
    assert log == ["a", "b", "c"]
    assert (a | (b | c)).layers == ((a | b) | c).layers == Pipeline(a, Pipeline(b, c)).layers == (a, b, c)


async def test_the_decorated_function_takes_what_it_took() -> None:
    @(deadline(30) | Retry(2) | timeout(3))
    async def fetch(url: str, *, times: int) -> str:
        return url * times

    assert await fetch("ab", times=2) == "abab"


async def test_an_attempts_limit_is_tried_again_until_the_total_is_over() -> None:
    async def slow() -> None:
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(60)

    starts: list[float] = []
    pipeline = deadline(10) | Retry(9, base=0) | timeout(3)
    with pytest.raises(DeadlineExceeded) as caught:
        await pipeline.call(slow)

    assert starts == [0, 3, 6, 9]
    assert (caught.value.name, caught.value.elapsed) == ("deadline", 10)
    assert [error.name for error in attempts(caught.value)] == ["timeout"] * 3


async def test_events_name_the_function_and_not_the_layer_inside() -> None:
    events = []
    with listen(events.append), pytest.raises(TransientError):
        await (Retry(2, base=0) | timeout(3)).call(fails)

    assert [event.name for event in events if isinstance(event, AttemptFailed)] == ["fails"]


async def test_an_outcome_counts_the_calls_and_has_what_was_survived() -> None:
    async def third_time_lucky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise TransientError
        return "value"

    calls: list[int] = []
    outcome = await (deadline(30) | Retry(5, base=0) | timeout(3)).outcome(third_time_lucky)
    failure = await (deadline(30) | Retry(2, base=0) | timeout(3)).outcome(fails)

    assert isinstance(outcome, Value)
    assert (outcome.value, outcome.attempts, len(outcome.survived)) == ("value", 3, 2)
    assert isinstance(failure, Failure)
    assert (failure.attempts, len(failure.survived)) == (2, 1)


async def test_a_call_that_was_turned_away_counts_no_attempt() -> None:
    breaker = Breaker(name="host")
    breaker.trip("by hand")

    outcome = await (deadline(30) | Retry(5) | breaker | timeout(3)).outcome(double, 4)

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, BreakerOpen)
    assert outcome.attempts == 0


async def test_what_the_function_survived_before_it_failed_is_in_the_outcome() -> None:
    async def survives_then_fails() -> None:
        await Retry(2, base=0).call(flaky)
        raise OSError

    async def flaky() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise TransientError

    calls: list[int] = []
    outcome = await timeout(3).outcome(survives_then_fails)

    assert [type(error) for error in outcome.survived] == [TransientError]


async def test_a_cancellation_from_outside_comes_out_with_its_count() -> None:
    pipeline = deadline(30) | Retry(5) | Breaker(name="host") | timeout(3)
    task = asyncio.create_task(pipeline.call(asyncio.sleep, 60))
    await asyncio.sleep(1)
    task.cancel("outside")

    with pytest.raises(asyncio.CancelledError, match="outside"):
        await task
    assert task.cancelling() == 1


def test_it_reads_as_a_sentence() -> None:
    pipeline = deadline(30) | Retry(5, jitter=False) | timeout(3)

    shown = repr(pipeline)

    assert shown.startswith("Pipeline: within 30 s in all, try up to 5 times")
    assert shown.endswith(", give each try 3 s")


def test_a_limit_is_for_each_try_only_where_something_tries_outside_of_it() -> None:
    assert (deadline(30) | timeout(3)).phrase() == "within 30 s in all, within 3 s in all"
    assert (Retry(2) | deadline(3)).phrase().endswith("give each try 3 s")


def test_it_explains_what_one_call_can_come_to() -> None:
    pipeline = deadline(100) | Retry(3, base=1, jitter=False) | Hedge(after=1, idempotent=True) | timeout(3)

    explanation = pipeline.explain()

    assert [(row.cost.seconds, row.cost.calls) for row in explanation.rows] == [(15, 6), (15, 6), (4, 2), (3, 1)]
    assert (explanation.seconds, explanation.calls) == (15, 6)
    assert pipeline.cost(Cost(math.inf, 1)) == Cost(15, 6)
    header, *lines, note = str(explanation).splitlines()
    assert note == "not counted: the waits that a server asks for (Retry-After), 3600 s at most each"
    assert header.split() == ["layer", "takes", "at", "most", "calls", "at", "most"]
    assert [line.split()[-3:] for line in lines] == [
        ["15", "s", "6"],
        ["15", "s", "6"],
        ["4", "s", "2"],
        ["3", "s", "1"],
    ]
    assert repr(explanation) == str(explanation)


def test_what_nothing_bounds_is_said() -> None:
    assert str(Pipeline(Retry(3)).explain()).splitlines()[1].split()[-3:] == ["no", "bound", "3"]


@pytest.mark.parametrize("inner", [60, 30])
def test_a_limit_around_a_longer_one_is_refused(inner: float) -> None:
    with pytest.raises(UsageError, match=rf"deadline of 30 s is around timeout of {inner} s, which can never fire"):
        deadline(30) | Retry(5) | timeout(inner)


def test_a_longer_limit_around_a_shorter_one_is_in_order() -> None:
    assert len((timeout(30) | deadline(3) | timeout(None) | timeout(math.inf)).layers) == 4


def test_a_retry_whose_first_wait_is_longer_than_the_limit_around_it_is_refused() -> None:
    with pytest.raises(UsageError, match=r"whose first wait takes 10 s at least: there is never a second try"):
        deadline(10) | Retry(5, base=10, jitter=False)

    assert deadline(10) | Retry(5, base=10)  # with jitter it may be shorter
    assert Retry(5, base=10, jitter=False) | deadline(5)


@pytest.mark.parametrize("make", [lambda: Breaker(name="host"), lambda: Bulkhead(3)])
def test_the_same_breaker_or_limit_twice_is_refused(make) -> None:
    layer = make()

    with pytest.raises(UsageError, match="the pipeline twice"):
        layer | Retry(2) | layer
    assert make() | Retry(2) | make()
    assert Retry(2) | (policy := timeout(3)) | Pipeline(Named("a", []), policy).layers[0]


def test_a_retry_around_what_always_answers_is_refused() -> None:
    with pytest.raises(UsageError, match=r"always comes to a value.*\nWrite them in the other order"):
        Retry(2) | Fallback(Fallback.value(None))

    assert Fallback(Fallback.value(None)) | Retry(2)
    assert Retry(2) | Fallback(double)


@pytest.mark.parametrize("seconds", [30, 60])
def test_a_retry_of_rejections_that_last_longer_than_it_has_is_refused(seconds: float) -> None:
    persistent = Retry(5, on=(TransientError, BreakerOpen))

    with pytest.raises(UsageError, match=r"tries again after BreakerOpen: for (30|60) s that only meets another one"):
        deadline(30) | persistent | Rejecting(seconds)
    assert deadline(90) | persistent | Rejecting(seconds)
    assert deadline(30) | Retry(5) | Rejecting(seconds)
    assert deadline(30) | Rejecting(seconds) | persistent


def test_a_bulkhead_may_be_around_a_retry_or_inside_of_it() -> None:
    assert Bulkhead(3) | Retry(2)
    assert Retry(2) | Bulkhead(3)


@pytest.mark.parametrize("wrong", [double, Retry, None], ids=["function", "class", "None"])
def test_what_is_no_layer_is_refused(wrong) -> None:
    with pytest.raises(UsageError, match="expected a layer"):
        deadline(30) | wrong
    with pytest.raises(UsageError, match="expected layers"):
        Pipeline(deadline(30), wrong)


def test_no_layers_are_refused() -> None:
    with pytest.raises(UsageError, match=r"Pipeline\(\) got no layers"):
        Pipeline()
