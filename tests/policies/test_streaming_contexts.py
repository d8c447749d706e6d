"""A layer guards a context manager until it is entered."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from unlost._core import receipt
from unlost.errors import TransientError, UsageError, attached
from unlost.policies._fallback import Fallback
from unlost.policies._hedge import Hedge
from unlost.policies._layer import Layer, Pipeline
from unlost.policies._retry import Retry
from unlost.policies._streaming import around, guard_context


def at_once(attempts=3, **options):
    return Retry(attempts, base=0, **options)


class Connections:
    """Each is entered by the next step: an exception is raised, all else is what entering gives."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.begun = self.open = 0
        self.left_with = []

    @asynccontextmanager
    async def connect(self, *args, **keywords):
        step = self.steps[self.begun]
        self.begun += 1
        await asyncio.sleep(0)
        if isinstance(step, BaseException):
            raise step
        self.open += 1
        try:
            yield step
        except BaseException as error:
            self.left_with.append(error)
            raise
        finally:
            self.open -= 1
            await asyncio.sleep(0)


class Permits(Layer):
    def __init__(self):
        self.inside = 0

    @asynccontextmanager
    async def hold(self):
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


async def test_what_fails_to_be_entered_is_tried_again():
    first = TransientError("early")
    connections = Connections(first, "connection")

    with receipt() as survived:
        async with around(at_once(), connections.connect)() as connection:
            assert (connection, connections.open) == ("connection", 1)

    assert survived.errors == (first,)
    assert connections.open == 0


async def test_what_the_block_raises_is_not_tried_again_and_reaches_the_context_manager():
    connections, mine = Connections("connection"), TransientError("mine")

    with pytest.raises(TransientError) as caught:
        async with around(at_once(), connections.connect)():
            raise mine

    assert caught.value is mine
    assert connections.left_with == [mine]
    assert not hasattr(mine, "__notes__")
    assert (connections.begun, connections.open) == (1, 0)


async def test_a_context_manager_may_suppress_what_the_block_raises():
    @asynccontextmanager
    async def suppressing():
        try:
            yield
        except ValueError:
            return

    async with around(Pipeline(at_once(), Permits()), suppressing)():
        raise ValueError


async def test_a_class_of_context_managers_is_recognised():
    class Connection:
        def __init__(self, url):
            self.url = url

        async def __aenter__(self):
            return self

        async def __aexit__(self, *exception):
            return None

    async with around(at_once(), Connection)("a") as connection:
        assert connection.url == "a"


async def test_other_functions_that_return_one_are_named_by_the_user():
    connections = Connections("connection")

    with pytest.raises(UsageError, match=r"layer.context\(function\)"):
        around(at_once(), lambda: connections.connect())

    async with guard_context(at_once(), lambda: connections.connect())() as connection:
        assert connection == "connection"


async def test_what_returns_none_is_refused_with_what_to_write():
    def number():
        return 3

    with pytest.raises(UsageError, match="number returned 3, which is no async context manager"):
        async with guard_context(at_once(), number)():
            raise AssertionError


async def test_what_entering_gave_and_was_not_wanted_is_left():
    connections = Connections("busy", "ready")

    async with around(at_once(on_result="busy".__eq__), connections.connect)() as connection:
        assert (connection, connections.open) == ("ready", 1)

    assert (connections.begun, connections.open) == (2, 0)


async def test_what_was_entered_is_left_where_the_layer_fails_after_all():
    class Refuses(Layer):
        async def call(self, func, *args):
            await func(*args)
            raise OSError("after all")

    @asynccontextmanager
    async def fails_to_close():
        try:
            yield
        finally:
            raise cleanup

    @asynccontextmanager
    async def suppresses():
        with suppress(OSError):
            yield

    connections, cleanup = Connections("connection"), KeyError("cleanup")
    with pytest.raises(OSError, match="after all"):
        async with around(Refuses(), suppresses)():
            raise AssertionError
    with pytest.raises(OSError, match="after all"):
        async with around(Refuses(), connections.connect)():
            raise AssertionError
    with pytest.raises(OSError, match="after all") as caught:
        async with around(Refuses(), fails_to_close)():
            raise AssertionError

    assert connections.open == 0
    assert attached(caught.value) == (cleanup,)


async def test_a_permit_is_held_until_the_block_ends():
    permits, connections = Permits(), Connections(TransientError(1), "connection")

    async with around(Pipeline(at_once(), permits), connections.connect)():
        assert permits.inside == 1

    assert permits.inside == 0


async def test_an_alternative_or_a_value_takes_the_place_of_what_cannot_be_entered():
    @asynccontextmanager
    async def mirror(url, *, port):
        yield "mirror", url, port

    @asynccontextmanager
    async def connect(url, *, port):
        raise OSError("down")
        yield

    async with around(Fallback(mirror), connect)("a", port=1) as connection:
        assert connection == ("mirror", "a", 1)
    async with around(Fallback(Fallback.value(None)), connect)("a", port=1) as connection:
        assert connection is None


def test_what_calls_in_a_task_of_its_own_goes_around_no_context_manager():
    with pytest.raises(UsageError, match="would be opened in one task"):
        around(Hedge(1, idempotent=True), Connections().connect)


async def test_nothing_stays_open_wherever_the_user_is_cancelled():
    async def use(connect):
        async with connect():
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    for number in range(200):
        permits, connections = Permits(), Connections(TransientError(1), "connection")
        user = asyncio.create_task(use(around(Pipeline(at_once(), permits), connections.connect)))
        for _ in range(number):
            await asyncio.sleep(0)
        is_done = user.done()
        user.cancel("from outside")
        (ending,) = await asyncio.gather(user, return_exceptions=True)

        assert (permits.inside, connections.open) == (0, 0)
        if is_done:
            break
        assert isinstance(ending, asyncio.CancelledError)
        assert user.cancelling() == 1

    assert 4 < number < 199
