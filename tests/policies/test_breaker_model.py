"""Random histories: the breaker does what a naive model of it does, with overlapping calls and cancellations."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from unlost._core import Failure, Value
from unlost.errors import BreakerOpen, PermanentError, TransientError
from unlost.policies._breaker import Breaker

LAST, MINIMUM, OPEN_FOR, CAP, SLOW = 4, 3, 8, 20, 5
HOWS = ["value", "fails", "answers", "defect", "cancelled"]

ends = st.tuples(st.just("end"), st.integers(0, 5), st.sampled_from([*HOWS, "fails"]))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin")),
        ends,
        ends,
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.just("trip"), st.integers(1, 12)),
        st.tuples(st.just("reset")),
    ),
    max_size=100,
)
rules = st.fixed_dictionaries(
    {"probes": st.integers(1, 3), "successes": st.integers(1, 3), "slow": st.sampled_from([None, SLOW])}
)


@dataclass
class Call:
    era: int
    began: int
    is_probe: bool
    end: asyncio.Future = field(default=None)
    task: asyncio.Task = field(default=None)


class Model:
    """Everything is remembered, and counted anew each time."""

    def __init__(self, probes, successes, slow):
        self.probes, self.successes, self.slow = probes, successes, slow
        self.state, self.era, self.in_a_row, self.now = "closed", 0, 0, 0
        self.history, self.placed, self.succeeded = [], [], 0

    def change(self, state):
        self.state, self.era = state, self.era + 1
        self.history, self.placed, self.succeeded = [], [], 0

    def open(self, seconds):
        self.change("open")
        self.until, self.seconds = self.now + seconds, seconds

    def open_by_itself(self):
        self.in_a_row += 1
        self.open(min(CAP, OPEN_FOR * 2 ** (self.in_a_row - 1)))

    def close(self):
        self.change("closed")
        self.in_a_row = 0

    def begin(self):
        if self.state == "open" and self.now >= self.until:
            self.change("half-open")
        if self.state == "open":
            return None
        call = Call(self.era, self.now, self.state == "half-open")
        if call.is_probe:
            if len(self.placed) >= self.probes:
                self.placed = [placed for placed in self.placed if self.now < placed.began + self.seconds]
            if len(self.placed) >= self.probes:
                return None
            self.placed.append(call)
        return call

    def end(self, call, how):
        self.placed = [placed for placed in self.placed if placed is not call]
        is_slow = self.slow is not None and self.now - call.began >= self.slow
        if call.era != self.era or how in ("defect", "cancelled"):
            return
        if call.is_probe:
            self.probed(how == "fails" or is_slow)
            return
        self.history.append((how == "fails", is_slow))
        latest = self.history[-LAST:]
        too_many = 2 * sum(failed for failed, _ in latest) >= len(latest) or all(slow for _, slow in latest)
        if (how == "fails" or is_slow) and len(latest) >= MINIMUM and too_many:
            self.open_by_itself()

    def probed(self, is_bad):
        self.succeeded += 1
        if is_bad:
            self.open_by_itself()
        elif self.succeeded >= self.successes:
            self.close()

    def seen(self):
        state = "half-open" if self.state == "open" and self.now >= self.until else self.state
        return state, len(self.placed), sum(failed for failed, _ in self.history[-LAST:])


ERRORS = {"fails": TransientError, "answers": PermanentError, "defect": TypeError}


async def compare(steps, rules):
    model, running = Model(**rules), []
    breaker = Breaker(last=LAST, minimum=MINIMUM, open_for=OPEN_FOR, open_cap=CAP, **rules)
    for step in steps:
        match step:
            case ["begin"]:
                await begin(model, breaker, running)
            case ["end", number, how] if running:
                await end(model, running.pop(number % len(running)), how)
            case ["wait", seconds]:
                await asyncio.sleep(seconds)
                model.now += seconds
            case ["trip", seconds]:
                model.open(seconds)
                breaker.trip("by hand", seconds)
            case ["reset"]:
                model.close()
                breaker.reset()
        now = breaker.statistics()
        assert (now.state.value, now.probes, now.failed) == model.seen()
    for call in running:
        await end(model, call, "cancelled")
    assert breaker.statistics().probes == 0


async def begin(model, breaker, running):
    call, future = model.begin(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(breaker.outcome(lambda: future))
    await asyncio.sleep(0)
    if call is None:
        outcome = await task
        assert isinstance(outcome, Failure)
        assert isinstance(outcome.error, BreakerOpen)
        return
    assert not task.done()
    call.end, call.task = future, task
    running.append(call)


async def end(model, call, how):
    model.end(call, how)
    if how == "cancelled":
        call.task.cancel()
        await asyncio.wait([call.task])
        assert call.task.cancelled()
        return
    if how == "value":
        call.end.set_result("value")
    else:
        call.end.set_exception(ERRORS[how]())
    outcome = await call.task
    assert type(outcome.value if isinstance(outcome, Value) else outcome.error) is ERRORS.get(how, str)


@settings(deadline=None)
@given(steps, rules)
def test_the_breaker_does_what_a_naive_model_does(virtual_loop, steps, rules) -> None:
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(compare(steps, rules))
