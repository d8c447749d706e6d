"""A scope that owns background tasks: how it is left."""

import asyncio
import gc
import re
import weakref
from contextlib import asynccontextmanager

import pytest

from unlost._core import cancel_reason, forgive, forgiven, report_to
from unlost._core.background._background import Background
from unlost._core.background._spawn import spawn
from unlost.errors import ChildFailed, UsageError, attached


@pytest.fixture
def reported():
    told = []
    with report_to(lambda error, what: told.append((error, what))):
        yield told


def now():
    return asyncio.get_running_loop().time()


class comes_out:  # noqa: N801  # reads like pytest.raises
    """Expect an exception and let it go: ``pytest.raises`` would hold it."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        assert kind is not None
        return issubclass(kind, self.kind)


async def stubborn(seconds, then=None):
    end = now() + seconds
    while now() < end:
        try:
            await asyncio.sleep(end - now())
        except asyncio.CancelledError:
            continue
    if then is not None:
        raise then


async def test_leaving_waits_for_what_ends_in_its_grace():
    began = now()
    async with Background(grace=5) as background:
        handle = background.spawn(asyncio.sleep, 3, "slept")

    assert await handle == "slept"
    assert now() - began == pytest.approx(3)


async def test_what_outlives_the_grace_is_cancelled_with_a_reason():
    async with Background(grace=5) as background:
        handle = background.spawn(asyncio.sleep, 100)
        began = now()

    assert handle.outcome.reason == "the Background scope was left, and 5 s of grace are over"
    assert cancel_reason(handle.outcome.error).who == "this Background scope"
    assert now() - began == pytest.approx(5)


async def test_what_does_not_stop_is_said_with_where_it_stands_and_so_is_its_end(capfd, reported):
    late = ValueError("late")
    async with Background(grace=1, stop_within=2) as background:
        background.spawn(stubborn, 10, late, name="mule")
        began = now()
    took = now() - began
    told = capfd.readouterr().err
    assert reported == []
    await asyncio.sleep(20)

    assert took == pytest.approx(3)
    assert re.fullmatch(
        r"unlost: background task 'mule': cancellation requested 2.0 s ago, "
        r"still running at test_background.py:\d+ in stubborn; "
        r"spawned at test_background.py:\d+ in test_what_does_not_stop_\w+\n",
        told,
    )
    assert "ended after all, 9.0 s after it was asked to stop: failed" in capfd.readouterr().err
    assert [error for error, _ in reported] == [late]


async def test_during_the_grace_tasks_may_still_spawn_and_after_it_they_may_not():
    names, refused = [], []

    async def spawn_another():
        await asyncio.sleep(1)
        names.append(spawn(asyncio.sleep, 1, name="another").name)
        try:
            await asyncio.sleep(100)
        finally:
            with pytest.raises(UsageError) as raised:
                spawn(asyncio.sleep, 1)
            refused.append(str(raised.value))

    async with Background(grace=5) as background:
        background.spawn(spawn_another)

    assert names == ["another"]
    assert "this Background scope is stopping, it starts nothing more" in refused[0]


async def test_an_error_of_the_block_comes_out_when_the_tasks_have_ended():
    with pytest.raises(KeyError):
        async with Background(grace=5) as background:
            handle = background.spawn(asyncio.sleep, 3, "slept")
            raise KeyError

    assert await handle == "slept"


async def test_a_cancellation_ends_the_grace_and_comes_out_with_its_count_kept():
    counts = []

    async def caller():
        try:
            async with Background(grace=1000) as background:
                handles.append(background.spawn(asyncio.sleep, 500))
        finally:
            counts.append(asyncio.current_task().cancelling())

    handles = []
    calling = asyncio.ensure_future(caller())
    await asyncio.sleep(10)
    calling.cancel("from outside")
    began = now()
    with pytest.raises(asyncio.CancelledError, match="from outside"):
        await calling

    assert now() == began
    assert counts == [1]
    assert handles[0].status == "cancelled"


async def test_a_second_cancellation_cuts_nothing_short():
    async def clean_up():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            cleaned.append(True)

    async def caller():
        async with Background(grace=1000, stop_within=10) as background:
            background.spawn(clean_up)

    cleaned = []
    calling = asyncio.ensure_future(caller())
    await asyncio.sleep(10)
    calling.cancel()
    await asyncio.sleep(0.5)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert cleaned == [True]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
async def test_a_stopping_exception_cancels_the_block_and_comes_out_bare_with_the_rest(reported, kind):
    async def stop():
        await asyncio.sleep(1)
        raise fatal

    async def fail_in_cleanup():
        try:
            await asyncio.sleep(100)
        finally:
            raise failure

    fatal, failure, body_error = kind(3), ValueError("cleanup"), OSError("body")
    reasons = []
    with pytest.raises(kind) as raised:
        async with Background() as background:
            background.spawn(stop)
            background.spawn(fail_in_cleanup)
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError as cancelled:
                reasons.append(str(cancelled))
                raise body_error from None

    assert raised.value is fatal
    assert reasons == [f"{kind.__name__} was raised in background task 'stop'"]
    assert set(attached(fatal)) == {failure, body_error}
    assert {error for error, _ in reported} == {failure, body_error}
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)  # nothing is left pending


async def test_a_stopping_exception_leaves_no_cancellation_behind_where_the_block_awaits_nothing_more():
    async def stop():
        raise SystemExit(3)

    async def caller():
        async with Background() as background:
            handle = background.spawn(stop)
            await asyncio.wait([handle.task])

    with pytest.raises(SystemExit):
        await caller()

    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(1)


async def test_a_stopping_exception_ends_the_grace_of_all_others():
    async def stop():
        await asyncio.sleep(1)
        raise SystemExit(3)

    began = now()
    with pytest.raises(SystemExit):
        async with Background(grace=1000) as background:
            background.spawn(asyncio.sleep, 500)
            background.spawn(stop)

    assert now() - began == pytest.approx(1)


async def test_a_second_stopping_exception_is_attached_and_reported(reported):
    async def stop(error):
        raise error

    first, second = SystemExit(1), SystemExit(2)
    with pytest.raises(SystemExit) as raised:
        async with Background() as background:
            background.spawn(stop, first)
            background.spawn(stop, second)
            await asyncio.sleep(10)

    assert raised.value is first
    assert attached(first) == (second,)
    assert [error for error, _ in reported] == [second]


async def test_who_awaits_a_task_that_raises_system_exit_gets_child_failed_and_the_scope_the_exit():
    async def stop():
        await asyncio.sleep(1)
        raise SystemExit(3)

    async def wait_for(handle):
        with pytest.raises(ChildFailed) as raised:
            await handle
        return raised.value.__cause__

    with pytest.raises(SystemExit) as raised:
        async with Background() as background:
            waiting = asyncio.ensure_future(wait_for(background.spawn(stop)))
            await asyncio.sleep(100)

    assert await waiting is raised.value


async def test_a_lifespan_that_is_entered_and_left_in_different_tasks_works():
    @asynccontextmanager
    async def lifespan():
        async with Background() as background:
            yield background

    span = lifespan()
    background = await asyncio.create_task(span.__aenter__())
    handle = background.spawn(asyncio.sleep, 1, "slept")
    await asyncio.create_task(span.__aexit__(None, None, None))

    assert await handle == "slept"


async def test_it_is_entered_once():
    background = Background()
    async with background:
        pass

    with pytest.raises(UsageError, match="entered before"):
        await background.__aenter__()


def test_it_must_be_open_to_spawn():
    with pytest.raises(UsageError, match="async with Background"):
        Background().spawn(asyncio.sleep, 1)


@pytest.mark.parametrize("bound", [-1, float("nan"), "5", True, None])
def test_bounds_are_seconds(bound):
    with pytest.raises(UsageError, match=f"got grace={re.escape(repr(bound))}"):
        Background(grace=bound)


async def test_a_failure_is_freed_without_the_collector():
    class Local:
        pass

    async def fail():
        local = Local()
        alive.add(local)
        await asyncio.sleep(1)
        raise ValueError(local)

    alive = weakref.WeakSet()
    gc.collect()
    gc.disable()
    try:
        with report_to(lambda error, what: None):
            async with Background() as background:
                alive.add(background)
                background.spawn(fail)
                handle = background.spawn(fail)
                await asyncio.sleep(0)
                assert len(alive) == 3
                with comes_out(ValueError):
                    await handle
                del handle, background
        for _ in range(3):
            await asyncio.sleep(0)

        assert not alive
    finally:
        gc.enable()


async def test_a_forgiven_task_is_counted_and_not_reported():
    before, reported = forgiven().get("metrics are best effort", 0), []

    async def fails():
        await asyncio.sleep(1)
        raise OSError("metrics down")

    with report_to(lambda error, what: reported.append(error)):
        async with Background() as background:
            forgive(background.spawn(fails), "metrics are best effort")

    assert reported == []
    assert forgiven()["metrics are best effort"] == before + 1


async def test_waiting_without_raising_is_being_told():
    reported = []

    async def fails():
        await asyncio.sleep(1)
        raise OSError("told")

    with report_to(lambda error, what: reported.append(error)):
        async with Background() as background:
            outcome = await background.spawn(fails).wait()

    assert str(outcome.error) == "told"
    assert reported == []
