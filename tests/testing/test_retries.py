"""The switch for all retries."""

import asyncio
import threading

import pytest

import unlost
from unlost.policies import Retry
from unlost.policies._cooldown import Cooldown
from unlost.policies._testing_switch import attempts_cap, waits_removed
from unlost.testing import retries, without_waits


class Flaky:
    """Fails each time, and counts."""

    def __init__(self, **attributes):
        self.calls = 0
        self.attributes = attributes

    async def __call__(self):
        self.calls += 1
        error = ConnectionError(f"call {self.calls}")
        vars(error).update(self.attributes)
        raise error


@pytest.fixture
def as_ever():
    yield
    assert (attempts_cap(), waits_removed()) == (None, False)


pytestmark = pytest.mark.usefixtures("as_ever")


async def calls(retry, flaky=None):
    flaky = flaky or Flaky()
    with pytest.raises(ConnectionError):
        await retry.call(flaky)
    return flaky.calls


async def test_no_retry_tries_more_often_than_the_block_says():
    with retries(attempts=2):
        assert await calls(Retry(5)) == 2
    assert await calls(Retry(5)) == 5


async def test_by_default_nothing_is_tried_again():
    with retries():
        assert await calls(Retry(5)) == 1


async def test_a_retry_that_tries_less_often_keeps_its_own_number():
    with retries(attempts=10):
        assert await calls(Retry(3)) == 3


async def test_no_retry_waits_in_the_block():
    loop = asyncio.get_running_loop()
    with retries(attempts=3):
        await calls(Retry(3, base=60, jitter=False))
    began_to_wait = loop.time()
    await calls(Retry(2, base=60, cap=60, jitter=False))

    assert began_to_wait == 0
    assert loop.time() == 60


async def test_without_waits_leaves_the_attempts():
    with without_waits():
        assert await calls(Retry(7, base=60)) == 7
    assert asyncio.get_running_loop().time() == 0


async def test_a_servers_hint_is_not_waited_for_either():
    with without_waits():
        assert await calls(Retry(3), Flaky(retry_after=30)) == 3
    assert asyncio.get_running_loop().time() == 0


async def test_a_hint_that_is_too_long_still_ends_the_retry():
    with without_waits():
        assert await calls(Retry(3, hint_cap=10), Flaky(retry_after=30)) == 1


async def test_a_total_that_the_waits_would_have_used_up_does_not_end_it():
    with without_waits():
        assert await calls(Retry(5, base=60, cap=60, total=90, jitter=False)) == 5


async def test_listeners_are_told_that_nothing_was_waited():
    told = []
    with unlost.listen(told.append), without_waits():
        await calls(Retry(3, base=60))

    assert {event.wait for event in told if isinstance(event, unlost.AttemptFailed)} == {0}


async def test_what_is_left_of_a_wait_is_a_point_of_cancellation():
    flaky = Flaky()
    with without_waits():
        task = asyncio.create_task(Retry(100).call(flaky))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert 1 <= flaky.calls < 10


async def test_it_holds_for_a_decorated_function_too():
    flaky = Flaky()

    @unlost.retry(attempts=5)
    async def fetch():
        await flaky()

    with retries(2), pytest.raises(ConnectionError):
        await fetch()

    assert flaky.calls == 2


async def test_it_holds_for_a_block_that_is_tried_again_too():
    numbers = []
    with retries(2), pytest.raises(ConnectionError):
        async for attempt in Retry(5, base=60):
            with attempt:
                numbers.append(attempt.number)
                raise ConnectionError

    assert numbers == [1, 2]
    assert asyncio.get_running_loop().time() == 0


async def test_no_cooldown_is_waited_for_either():
    with without_waits():
        assert await calls(Retry(3, cooldown=Cooldown()), Flaky(status=429)) == 3
    assert asyncio.get_running_loop().time() == 0


async def test_it_holds_for_a_task_that_started_before_and_for_other_threads():
    async def later(flaky):
        await asyncio.sleep(1)
        await calls(Retry(5), flaky)

    flaky, seen = Flaky(), []
    task = asyncio.create_task(later(flaky))
    await asyncio.sleep(0)
    with retries(2):
        await task
        thread = threading.Thread(target=lambda: seen.append(attempts_cap()))
        thread.start()
        thread.join()

    assert flaky.calls == 2
    assert seen == [2]


def test_the_inner_of_nested_blocks_holds():
    with retries(1):
        with retries(4):
            assert attempts_cap() == 4
            with without_waits():
                assert attempts_cap() == 4
        assert attempts_cap() == 1
        assert waits_removed()


def test_it_is_switched_back_after_an_error():
    with pytest.raises(ZeroDivisionError), retries(1):
        raise ZeroDivisionError

    assert attempts_cap() is None


def test_a_block_may_follow_a_block_but_not_lie_in_itself():
    switch = retries(2)
    with switch:
        pass
    with switch:
        assert attempts_cap() == 2
        with pytest.raises(unlost.UsageError, match=r"Write with unlost\.testing\.retries\(attempts=2\): for each"):
            switch.__enter__()


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, None, "2"])
def test_what_is_no_number_of_attempts_is_refused(attempts):
    with pytest.raises(unlost.UsageError, match=r"retries\(attempts=.*Write retries\(attempts=2\)"):
        retries(attempts)
