"""Children are started in order, started again by the rules, and stopped in reverse order."""

import asyncio
import math
from contextvars import ContextVar

import pytest

from unlost._core._backoff import constant
from unlost._core._events import listen
from unlost._core._outcome import Failure, Value
from unlost._core._reason import cancel_reason
from unlost._core._report import report_to
from unlost._core.supervision._restarts import ChildRestarted
from unlost._core.supervision._supervisor import Supervisor
from unlost.errors import ChildCancelled, ChildReturned, ChildStillRunning, SupervisorGaveUp, UsageError, attached

variable = ContextVar("variable", default="untouched")


class Log(list):
    """What happened, and children that write it down."""

    def child(self, name, *crashes_after):
        """Return a child that crashes after so many seconds in each run, and in the runs after those runs for ever."""
        seconds = iter(crashes_after)

        async def run():
            self.append(f"+{name}")
            try:
                after = next(seconds, None)
                await asyncio.sleep(1e6 if after is None else after)
                raise ValueError(name)
            except asyncio.CancelledError:
                self.append(f"-{name}")
                raise

        run.__name__ = name
        return run


@pytest.fixture
def log():
    return Log()


def now():
    return asyncio.get_running_loop().time()


def supervisor(*args, **options):
    return Supervisor(*args, **{"backoff": constant(0), **options})


async def test_children_start_in_order_and_stop_in_reverse(log):
    async with supervisor() as running:
        for name in "abc":
            running.start_child(log.child(name))
        await asyncio.sleep(1)
        running.stop()

    assert log == ["+a", "+b", "+c", "-c", "-b", "-a"]


async def test_each_is_asked_to_stop_when_the_one_behind_it_has_stopped():
    asked = []

    async def slow(name):
        try:
            await asyncio.sleep(math.inf)
        finally:
            asked.append((name, now()))
            await asyncio.sleep(2)

    async with supervisor() as running:
        running.start_child(slow, "a")
        running.start_child(slow, "b")
        await asyncio.sleep(1)
        running.stop()

    assert asked == [("b", 1), ("a", 3)]


async def test_the_cancellation_says_who_and_why():
    reasons = []

    async def child():
        try:
            await asyncio.sleep(math.inf)
        except asyncio.CancelledError as error:
            reasons.append(cancel_reason(error))
            raise

    async with supervisor(name="main") as running:
        running.start_child(child)
        await asyncio.sleep(1)
        running.stop("a new version is there")

    assert [(str(reason), reason.who) for reason in reasons] == [("a new version is there", "supervisor 'main'")]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("one_for_one", ["+b"]),
        ("rest_for_one", ["-c", "+b", "+c"]),
        ("one_for_all", ["-c", "-a", "+a", "+b", "+c"]),
    ],
)
async def test_the_strategy_says_who_is_stopped_and_started_with_a_child_that_crashed(log, strategy, expected):
    async with supervisor(strategy) as running:
        running.start_child(log.child("a"))
        running.start_child(log.child("b", 1))
        running.start_child(log.child("c"))
        await asyncio.sleep(2)
        log[:3] = []
        happened = list(log)
        running.stop()

    assert happened == expected


@pytest.mark.parametrize(
    ("restart", "ends", "runs"),
    [
        ("permanent", "well", 2),
        ("permanent", "crashed", 2),
        ("transient", "well", 1),
        ("transient", "crashed", 2),
        ("temporary", "well", 1),
        ("temporary", "crashed", 1),
    ],
)
async def test_the_restart_type_says_who_is_started_again(restart, ends, runs):
    started = []

    async def child():
        started.append(now())
        if len(started) == 2:
            await asyncio.sleep(math.inf)
        await asyncio.sleep(1)
        if ends == "crashed":
            raise ValueError

    with report_to(lambda error, what: None):
        async with supervisor() as running:
            running.start_child(child, restart=restart)
            await asyncio.sleep(3)
            running.stop()

    assert len(started) == runs


async def test_leaving_the_block_waits_until_all_that_are_not_permanent_are_done():
    async with supervisor() as running:
        running.start_child(asyncio.sleep, 3, restart="transient")
        running.start_child(asyncio.sleep, 5, restart="temporary")

    assert now() == 5


async def test_a_block_without_children_ends_at_once():
    async with supervisor():
        pass

    assert now() == 0


async def test_a_child_waits_before_each_new_start_and_longer_each_time():
    starts = []

    async def child():
        starts.append(now())
        raise ValueError

    with pytest.raises(SupervisorGaveUp):
        async with Supervisor(intensity=3, period=1000, backoff=lambda attempt: 10.0 ** (attempt - 1)) as running:
            running.start_child(child)

    assert starts == [0, 1, 11, 111]


async def test_the_wait_is_short_again_when_the_child_has_run_for_a_period():
    starts = []
    runs = iter([1, 1, 50, 1])

    async def child():
        starts.append(now())
        await asyncio.sleep(next(runs, math.inf))
        raise ValueError

    async with Supervisor(intensity=3, period=50, backoff=lambda attempt: float(attempt)) as running:
        running.start_child(child)
        await asyncio.sleep(100)
        running.stop()

    assert starts == [0, 2, 5, 56, 59]


async def test_the_waits_are_random_if_nothing_is_said():
    waits = []

    async def child():
        raise ValueError

    def hear(event):
        waits.append(event.wait)

    with listen(hear), pytest.raises(SupervisorGaveUp):
        async with Supervisor(intensity=8, period=1000) as running:
            running.start_child(child)

    assert len(set(waits)) == 8
    assert all(0 <= wait <= 0.1 * 2**number for number, wait in enumerate(waits))


async def test_others_run_on_while_one_waits_for_its_new_start(log):
    async with supervisor(backoff=constant(10)) as running:
        running.start_child(log.child("a", 1))
        running.start_child(log.child("b", 2))
        await asyncio.sleep(11.5)
        assert log == ["+a", "+b", "+a"]
        await asyncio.sleep(1)
        running.stop()

    assert log == ["+a", "+b", "+a", "+b", "-b", "-a"]


async def test_who_depends_on_a_child_that_waits_is_not_started_before_it(log):
    async with supervisor("rest_for_one", backoff=constant(10)) as running:
        running.start_child(log.child("a", 1))
        running.start_child(log.child("b"))
        await asyncio.sleep(5)
        running.start_child(log.child("c"))
        await asyncio.sleep(5)
        assert log == ["+a", "+b", "-b"]
        await asyncio.sleep(5)
        running.stop()

    assert log[3:] == ["+a", "+b", "+c", "-c", "-b", "-a"]


async def test_a_crash_in_front_of_one_that_waits_takes_it_along(log):
    waits = iter([10.0, 2.0])
    async with supervisor("rest_for_one", backoff=lambda _: next(waits)) as running:
        running.start_child(log.child("a", 5))
        running.start_child(log.child("b", 1))
        await asyncio.sleep(8)
        assert log == ["+a", "+b", "+a"]
        await asyncio.sleep(4)
        running.stop()

    assert log[3:] == ["+b", "-b", "-a"]


async def test_two_that_crash_in_one_moment_cost_one_restart_if_one_takes_the_other_along(log):
    async with supervisor("one_for_all", intensity=1) as running:
        running.start_child(log.child("a", 1))
        running.start_child(log.child("b", 1))
        await asyncio.sleep(5)
        running.stop()

    assert log == ["+a", "+b", "+a", "+b", "-b", "-a"]
    assert [str(crash) for crash in running.crashes] == ["a", "b"]


async def test_two_that_crash_in_one_moment_cost_two_restarts_if_they_are_independent(log):
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=1) as running:
            running.start_child(log.child("a", 1))
            running.start_child(log.child("b", 1))

    assert [str(crash) for crash in caught.value.crashes] == ["a", "b"]


async def test_who_crashes_while_others_are_stopped_for_a_restart_costs_no_restart_of_its_own(log):
    async def fails_to_stop():
        log.append("+b")
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(2)
            raise OSError("cleanup")

    events = []
    with listen(events.append):
        async with supervisor("one_for_all", intensity=1) as running:
            running.start_child(log.child("a", 1))
            running.start_child(fails_to_stop, grace=10)
            await asyncio.sleep(4)
            assert [str(crash) for crash in running.crashes] == ["a", "cleanup"]
            assert log == ["+a", "+b", "+a", "+b"]
            with report_to(lambda error, what: None):
                running.stop()
                await asyncio.sleep(10)

    restarted = [event for event in events if isinstance(event, ChildRestarted)]
    assert [(event.name, event.attempt) for event in restarted] == [("a", 1), ("fails_to_stop", 0)]


async def test_who_crashes_before_its_turn_to_be_stopped_costs_no_restart_of_its_own(log):
    async def slow():
        log.append("+c")
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(3)

    async with supervisor("one_for_all", intensity=1) as running:
        running.start_child(log.child("a", 1))
        running.start_child(log.child("b", 2))
        running.start_child(slow)
        await asyncio.sleep(5)
        running.stop()

    assert log == ["+a", "+b", "+c", "+a", "+b", "+c", "-b", "-a"]
    assert [str(crash) for crash in running.crashes] == ["a", "b"]


async def test_who_is_stopped_alone_while_it_is_stopped_with_others_is_not_started_again(log):
    async def slow():
        log.append("+b")
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(3)

    async with supervisor("one_for_all") as running:
        running.start_child(log.child("a", 1))
        running.start_child(slow)
        await asyncio.sleep(2)
        outcome = await running.stop_child("slow")
        await asyncio.sleep(1)
        running.stop()

    assert isinstance(outcome, Value)
    assert log == ["+a", "+b", "+a", "-a"]


async def test_a_stop_while_others_are_stopped_for_a_restart_goes_on_with_the_rest(log):
    async def slow():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(3)
            log.append("-c")

    async with supervisor("rest_for_one") as running:
        running.start_child(log.child("a"))
        running.start_child(log.child("b", 1))
        running.start_child(slow)
        await asyncio.sleep(2)
        with report_to(lambda error, what: log.append(f"reported {error}")):
            running.stop()
            await asyncio.sleep(5)

    assert log == ["+a", "+b", "-c", "-a"]


async def test_who_crashes_in_front_of_those_that_are_stopped_is_judged_when_they_have_stopped():
    starts = []

    async def crashes(name, after):
        starts.append((name, now()))
        await asyncio.sleep(after.pop() if after else math.inf)
        raise ValueError(name)

    async def slow():
        starts.append(("c", now()))
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(3)

    async with supervisor("rest_for_one") as running:
        running.start_child(crashes, "a", [2])
        running.start_child(crashes, "b", [1])
        running.start_child(slow)
        await asyncio.sleep(5)
        running.stop()

    assert starts == [("a", 0), ("b", 0), ("c", 0), ("a", 4), ("b", 4), ("c", 4)]
    assert running.crash_count == 2


async def test_a_temporary_child_that_is_stopped_with_others_is_not_started_again(log):
    async with supervisor("one_for_all") as running:
        running.start_child(log.child("a", 1))
        running.start_child(log.child("b"), restart="temporary")
        await asyncio.sleep(2)
        names = [child.name for child in running.children()]
        running.stop()

    assert log == ["+a", "+b", "-b", "+a", "-a"]
    assert names == ["a"]


async def test_a_transient_child_that_was_done_is_started_again_with_others(log):
    async def migrate():
        log.append("migrate")

    async with supervisor("one_for_all") as running:
        running.start_child(migrate, restart="transient")
        running.start_child(log.child("a", 1))
        await asyncio.sleep(2)
        running.stop()

    assert log == ["migrate", "+a", "migrate", "+a", "-a"]


async def test_nobody_starts_behind_a_child_that_is_not_ready():
    starts = []

    async def server(name, after, *, task_status):
        starts.append((name, now()))
        await asyncio.sleep(after)
        task_status.started()
        await asyncio.sleep(math.inf)

    async with supervisor() as running:
        running.start_child(server, "a", 2, handshake=True)
        running.start_child(server, "b", 3, handshake=True)
        running.start_child(server, "c", 0, handshake=True)
        await asyncio.sleep(1)
        assert [child.state for child in running.children()] == ["starting", "waiting", "waiting"]
        await asyncio.sleep(9)
        assert [child.state for child in running.children()] == ["running"] * 3
        running.stop()

    assert starts == [("a", 0), ("b", 2), ("c", 5)]


async def test_nobody_starts_behind_a_child_that_is_not_ready_whatever_happens_meanwhile(log):
    async def slow_to_be_ready(task_status):
        await asyncio.sleep(5)
        task_status.started()
        await asyncio.sleep(math.inf)

    async with supervisor() as running:
        running.start_child(log.child("a", 2))
        running.start_child(slow_to_be_ready, handshake=True)
        await asyncio.sleep(1)
        running.start_child(log.child("b"))
        await asyncio.sleep(3)
        assert log == ["+a", "+a"]
        await asyncio.sleep(3)
        assert log == ["+a", "+a", "+b"]
        running.stop()


async def test_a_child_that_crashes_before_it_is_ready_holds_up_those_behind_it_only_if_they_depend_on_it(log):
    async def never_ready(task_status):
        await asyncio.sleep(1)
        raise ValueError

    async with supervisor(backoff=constant(10)) as running:
        running.start_child(never_ready, handshake=True)
        running.start_child(log.child("b"))
        await asyncio.sleep(2)
        assert log == ["+b"]
        with report_to(lambda error, what: None):
            running.stop()
            await asyncio.sleep(1)

    async with supervisor("rest_for_one", backoff=constant(10)) as running:
        running.start_child(never_ready, handshake=True)
        running.start_child(log.child("c"))
        await asyncio.sleep(5)
        assert log == ["+b", "-b"]
        with report_to(lambda error, what: None):
            running.stop()
            await asyncio.sleep(1)


async def test_a_ready_signal_of_an_earlier_run_is_not_taken_for_the_new_ones():
    signals = []

    async def child(task_status):
        signals.append(task_status)
        if len(signals) == 1:
            raise ValueError
        await asyncio.sleep(math.inf)

    async with supervisor() as running:
        running.start_child(child, handshake=True)
        await asyncio.sleep(1)
        signals[0].started()
        assert running.children()[0].state == "starting"
        signals[1].started()
        signals[1].started()
        assert running.children()[0].state == "running"
        running.stop()


async def test_each_run_has_a_fresh_copy_of_the_context_that_the_child_was_started_in():
    seen = []

    async def child():
        seen.append(variable.get())
        variable.set("changed")
        raise ValueError

    variable.set("of the caller")
    with pytest.raises(SupervisorGaveUp):
        async with supervisor(intensity=1) as running:
            running.start_child(child)

    assert seen == ["of the caller"] * 2


async def test_the_status_of_a_child_says_how_it_is_doing(log):
    async with supervisor(backoff=constant(5)) as running:
        running.start_child(log.child("a", 1))
        running.start_child(asyncio.sleep, 1, name="b", restart="transient")
        await asyncio.sleep(2)
        a, b = running.children()
        assert (a.name, a.state, a.restart, a.restarts, str(a.error)) == ("a", "backoff", "permanent", 0, "a")
        assert (b.name, b.state, b.restart, b.restarts, b.error) == ("b", "ended", "transient", 0, None)
        await asyncio.sleep(5)
        a, _ = running.children()
        assert (a.state, a.restarts, str(a.error)) == ("running", 1, "a")
        running.stop()
        await asyncio.sleep(0)

    assert running.children() == []


async def test_children_may_be_started_and_stopped_at_any_time(log):
    async with supervisor() as running:
        running.start_child(log.child("a"))
        running.start_child(log.child("b"))
        await asyncio.sleep(1)
        outcome = await running.stop_child("a")
        running.start_child(log.child("a"))
        await asyncio.sleep(1)
        names = [child.name for child in running.children()]
        running.stop()

    assert isinstance(outcome, Value)
    assert names == ["b", "a"]
    assert log == ["+a", "+b", "-a", "+a", "-a", "-b"]


async def test_a_child_that_is_stopped_alone_while_all_are_stopped_waits_for_its_turn():
    ended = []

    async def slow(name):
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(2)
            ended.append((name, now()))

    async with supervisor() as running:
        for name in "abc":
            running.start_child(slow, name, name=name)
        await asyncio.sleep(1)
        running.stop()
        await asyncio.sleep(1)
        await running.stop_child("a")

    assert ended == [("c", 3), ("b", 5), ("a", 7)]


async def test_what_a_child_raised_when_it_was_stopped_alone_is_in_the_outcome():
    async def child():
        try:
            await asyncio.sleep(math.inf)
        finally:
            raise OSError("cleanup")

    async with supervisor() as running:
        running.start_child(child)
        await asyncio.sleep(1)
        outcome = await running.stop_child("child")

    assert isinstance(outcome, Failure)
    assert str(outcome.error) == "cleanup"


async def test_stopping_a_child_that_waits_for_its_new_start_returns_its_crash(log):
    async with supervisor(backoff=constant(10)) as running:
        running.start_child(log.child("a", 1))
        await asyncio.sleep(2)
        outcome = await running.stop_child("a")

    assert str(outcome.error) == "a"
    assert log == ["+a"]
    assert now() == 2


async def test_a_cancelled_stop_child_stops_the_child_and_what_it_raised_is_reported():
    async def child():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(2)
            raise OSError("cleanup")

    reported = []
    with report_to(lambda error, what: reported.append(str(error))):
        async with supervisor() as running:
            running.start_child(child)
            await asyncio.sleep(1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(running.stop_child("child"), 1)

    assert reported == ["cleanup"]


async def test_a_child_may_stop_itself(log):
    async def child():
        await asyncio.sleep(1)
        await running.stop_child("child")
        log.append("not reached")

    async with supervisor() as running:
        running.start_child(child)

    assert log == []
    assert now() == 1


async def test_a_child_may_stop_the_supervisor_and_start_others_in_its_first_step(log):
    async def first():
        running.start_child(log.child("second"))
        await asyncio.sleep(1)
        running.stop()
        await asyncio.sleep(math.inf)

    async with supervisor() as running:
        running.start_child(first)

    assert log == ["+second", "-second"]


async def test_a_significant_child_takes_the_supervisor_along(log):
    async with supervisor() as running:
        running.start_child(log.child("a"))
        running.start_child(asyncio.sleep, 3, name="main", restart="transient", significant=True)

    assert log == ["+a", "-a"]
    assert now() == 3


async def test_a_cancellation_from_elsewhere_is_a_crash():
    tasks = []

    async def child():
        tasks.append(asyncio.current_task())
        await asyncio.sleep(math.inf)

    async with supervisor() as running:
        running.start_child(child, restart="transient")
        await asyncio.sleep(1)
        tasks[0].cancel("out of memory")
        await asyncio.sleep(1)
        running.stop()

    assert len(tasks) == 2
    (crash,) = running.crashes
    assert isinstance(crash, ChildCancelled)
    assert str(crash) == "child 'child' was cancelled: out of memory"
    assert isinstance(crash.__cause__, asyncio.CancelledError)


async def test_a_permanent_child_that_returns_counts_as_a_crash():
    async def child():
        await asyncio.sleep(1)

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=2) as running:
            running.start_child(child)

    assert [type(crash) for crash in caught.value.crashes] == [ChildReturned] * 3
    assert running.crashes == caught.value.crashes
    assert now() == 3


async def test_who_does_not_stop_within_its_grace_is_left_behind_and_reported():
    ended = []

    async def stubborn():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(60)
            ended.append(now())
            raise OSError("late")

    reported = []
    with report_to(lambda error, what: reported.append((now(), error, what))):
        async with supervisor(name="main") as running:
            running.start_child(stubborn, grace=3)
            await asyncio.sleep(1)
            running.stop()
        assert now() == 4
        await asyncio.sleep(100)

    assert ended == [61]
    (_, still, what), (_, late, _) = reported
    assert isinstance(still, ChildStillRunning)
    assert "cancellation requested 3.0 s ago, still running at" in str(still)
    assert what == "supervisor 'main' leaves child 'stubborn' behind: it did not stop within its grace"
    assert str(late) == "late"


async def test_who_cannot_be_replaced_makes_the_supervisor_give_up(log):
    async def stubborn():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(60)

    reported = []
    with report_to(lambda error, what: reported.append(error)), pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor("one_for_all") as running:
            running.start_child(log.child("a", 1))
            running.start_child(log.child("b"))
            running.start_child(stubborn, grace=3)

    assert log == ["+a", "+b", "-b"]
    assert [type(crash) for crash in caught.value.crashes] == [ValueError, ChildStillRunning]
    assert reported == [caught.value.crashes[1]]
    assert attached(caught.value) == ()
    await asyncio.sleep(100)


async def test_who_need_not_be_replaced_may_be_left_behind(log):
    async def stubborn():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(60)

    reported = []
    with report_to(lambda error, what: reported.append(error)):
        async with supervisor("one_for_all") as running:
            running.start_child(log.child("a", 1))
            running.start_child(stubborn, grace=3, restart="temporary")
            await asyncio.sleep(10)
            running.stop()

    assert log == ["+a", "+a", "-a"]
    assert [type(error) for error in reported] == [ChildStillRunning]
    await asyncio.sleep(100)


async def test_stopping_alone_who_does_not_stop_returns_that_it_still_runs():
    async def stubborn():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(60)

    with report_to(lambda error, what: None):
        async with supervisor() as running:
            running.start_child(stubborn, grace=3)
            await asyncio.sleep(1)
            outcome = await running.stop_child("stubborn")

    assert isinstance(outcome.error, ChildStillRunning)
    assert now() == 4
    await asyncio.sleep(100)


async def test_a_supervisor_is_a_child_of_another_one(log):
    child = log.child("a", 1, 1)

    async def below():
        async with supervisor(intensity=0, name="below") as inner:
            inner.start_child(child)

    async with supervisor(name="above") as outer:
        outer.start_child(below, grace=math.inf)
        await asyncio.sleep(3)
        outer.stop()

    assert log == ["+a", "+a", "+a", "-a"]
    assert [type(crash) for crash in outer.crashes] == [SupervisorGaveUp] * 2


async def test_names_are_made_unique_and_given_ones_must_be():
    async with supervisor() as running:
        assert running.start_child(asyncio.sleep, 1, restart="transient") == "sleep"
        assert running.start_child(asyncio.sleep, 1, restart="transient") == "sleep-2"
        with pytest.raises(UsageError, match="has a child 'sleep' already"):
            running.start_child(asyncio.sleep, 1, name="sleep")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"strategy": "all_for_one"}, "strategy='all_for_one'"),
        ({"intensity": -1}, "intensity=-1"),
        ({"intensity": True}, "intensity=True"),
        ({"period": 0}, "period=0"),
        ({"period": math.nan}, "period=nan"),
        ({"backoff": 5}, "backoff=lambda attempt: 5"),
    ],
)
async def test_a_wrong_argument_of_the_supervisor_is_told(options, told):
    with pytest.raises(UsageError, match=told):
        Supervisor(**options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"restart": "always"}, "restart='always'"),
        ({"grace": 0}, "grace=0"),
        ({"name": 5}, "name=5"),
        ({"significant": True}, "a permanent child never ends"),
    ],
)
async def test_a_wrong_argument_of_a_child_is_told(options, told):
    async with supervisor() as running:
        with pytest.raises(UsageError, match=told):
            running.start_child(asyncio.sleep, 1, **options)


async def test_a_coroutine_object_is_told_to_be_a_function():
    async with supervisor() as running:
        with pytest.raises(UsageError, match=r"Write start_child\(sleep, \*args\), without the call"):
            running.start_child(asyncio.sleep(1))
        with pytest.raises(UsageError, match="no function"):
            running.start_child(5)


async def test_a_function_that_returns_no_awaitable_is_told():
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(lambda: 5, name="five")

    (mistake,) = caught.value.crashes
    assert isinstance(mistake, UsageError)
    assert "child 'five' returned 5, which cannot be awaited" in str(mistake)


async def test_a_supervisor_that_does_not_run_starts_nobody():
    before = supervisor()
    with pytest.raises(UsageError, match="before it runs"):
        before.start_child(asyncio.sleep, 1)
    async with before:
        before.stop()
        with pytest.raises(UsageError, match="starts nobody"):
            before.start_child(asyncio.sleep, 1)
    with pytest.raises(UsageError, match="starts nobody"):
        before.start_child(asyncio.sleep, 1)
    with pytest.raises(UsageError, match="has no child 'a'"):
        await before.stop_child("a")
    with pytest.raises(UsageError, match="entered before"):
        async with before:
            pass
