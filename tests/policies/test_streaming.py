"""A layer guards a stream up to its first item; what fails later is told apart, and nothing stays open."""

import asyncio
import gc
import inspect
import weakref
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest

from unlost._core import listen, receipt
from unlost.errors import (
    BulkheadFull,
    DeadlineExceeded,
    Kind,
    StreamIncomplete,
    TransientError,
    UsageError,
    attached,
    attempts,
    classify,
)
from unlost.policies import timeout
from unlost.policies._bulkhead import Bulkhead
from unlost.policies._fallback import Fallback
from unlost.policies._hedge import Hedge
from unlost.policies._layer import Layer, Pipeline
from unlost.policies._retry import Retry
from unlost.policies._streaming import StreamBroke, around, guard_stream


def at_once(attempts=3, **options):
    return Retry(attempts, base=0, **options)


class Streams:
    """Each stream goes through the next script: exceptions are raised, all else is yielded. It knows what is open."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.opened = 0
        self.closed = 0
        self.open_at_once = []

    async def __call__(self, *args, **keywords):
        self.opened += 1
        self.open_at_once.append(self.opened - self.closed)
        script = self.scripts[self.opened - 1]
        try:
            for step in script:
                await asyncio.sleep(0)
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            self.closed += 1
            await asyncio.sleep(0)

    def guarded(self, layer, **options):
        async def fetch(*args, **keywords):
            stream = self(*args, **keywords)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

        return guard_stream(layer, fetch, **options)


class Permits(Layer):
    """Counts who is in; a stream stays in until it ends."""

    def __init__(self):
        self.inside = 0
        self.entered = 0

    @asynccontextmanager
    async def hold(self):
        self.inside += 1
        self.entered += 1
        try:
            yield
        finally:
            self.inside -= 1


async def listed(stream, seen=None):
    seen = [] if seen is None else seen
    async for item in stream:
        seen.append(item)
    return seen


async def test_a_stream_that_does_not_fail_is_passed_on():
    streams = Streams([1, 2, 3])

    assert await listed(streams.guarded(at_once())()) == [1, 2, 3]
    assert (streams.opened, streams.closed) == (1, 1)


async def test_a_stream_that_fails_before_its_first_item_is_opened_again():
    first = TransientError("early")
    streams = Streams([first], [1, 2])

    with receipt() as survived:
        assert await listed(streams.guarded(at_once())()) == [1, 2]

    assert survived.errors == (first,)
    assert [entry.name.rpartition(".")[2] for entry in survived.entries] == ["fetch"]
    assert (streams.opened, streams.closed) == (2, 2)


async def test_a_stream_that_fails_later_is_not_opened_again_and_says_so():
    late, told, seen = TransientError("late"), [], []
    streams = Streams([1, 2, late], ["never"])

    with listen(told.append), pytest.raises(TransientError) as caught:
        await listed(streams.guarded(at_once())(), seen)

    assert caught.value is late
    assert late.__notes__ == ["not tried again: 2 items had been handed over"]
    assert seen == [1, 2]
    assert [(event.error, event.items) for event in told if isinstance(event, StreamBroke)] == [(late, 2)]
    assert (streams.opened, streams.closed) == (1, 1)


async def test_through_a_pipeline_a_late_failure_is_told_once():
    late, told = TransientError("late"), []
    streams = Streams([1, late])

    with listen(told.append), pytest.raises(TransientError):
        await listed(streams.guarded(Pipeline(at_once(2), Permits(), at_once(3)))())

    assert late.__notes__ == ["not tried again: 1 item had been handed over"]
    assert len([event for event in told if isinstance(event, StreamBroke)]) == 1


async def test_an_empty_stream_is_a_stream():
    streams = Streams([])

    assert await listed(streams.guarded(at_once())()) == []
    assert streams.opened == 1


async def test_where_all_attempts_fail_the_last_error_has_the_others():
    first, second = TransientError(1), TransientError(2)

    with pytest.raises(TransientError, match="2") as caught:
        await listed(Streams([first], [second]).guarded(at_once(2))())

    assert attempts(caught.value) == (first,)


async def test_a_stream_that_ends_without_its_end_is_an_error():
    streams, seen = Streams(["a", "b"]), []

    def is_done(item):
        return item == "[DONE]"

    with pytest.raises(StreamIncomplete, match=r"fetch ended after 2 items, and complete=.*is_done was true") as caught:
        await listed(streams.guarded(at_once(), complete=is_done)(), seen)

    assert caught.value.items == 2
    assert caught.value.__notes__ == ["not tried again: 2 items had been handed over"]
    assert classify(caught.value) is Kind.TRANSIENT
    assert seen == ["a", "b"]


async def test_an_empty_stream_without_its_end_is_opened_again():
    streams = Streams([], ["a", "[DONE]"])

    assert await listed(streams.guarded(at_once(), complete="[DONE]".__eq__)()) == ["a", "[DONE]"]


async def test_the_end_may_come_before_the_last_item():
    streams = Streams(["a", "[DONE]", "usage"])

    assert await listed(streams.guarded(at_once(), complete="[DONE]".__eq__)()) == ["a", "[DONE]", "usage"]


async def test_a_predicate_that_fails_comes_out_and_the_stream_is_closed():
    streams = Streams([1, 0])

    with pytest.raises(ZeroDivisionError) as caught:
        await listed(streams.guarded(at_once(), complete=lambda item: not 1 / item)())

    assert caught.value.__notes__ == ["not tried again: 1 item had been handed over"]
    assert (streams.opened, streams.closed) == (1, 1)


async def test_through_a_pipeline_each_item_is_asked_once():
    asked = []
    streams = Streams([1, 2])

    def complete(item):
        asked.append(item)
        return item == 2

    assert await listed(streams.guarded(Pipeline(at_once(2), at_once(3)), complete=complete)()) == [1, 2]
    assert asked == [1, 2]


async def test_a_stream_that_is_left_early_needs_no_end_and_is_closed():
    streams = Streams(["a", "b"])
    stream = streams.guarded(at_once(), complete="[DONE]".__eq__)()

    async for _item in stream:
        break
    await stream.aclose()

    assert (streams.opened, streams.closed) == (1, 1)


async def test_a_stream_that_is_dropped_is_closed_by_the_loop():
    streams = Streams([1, 2, 3])
    async for _item in streams.guarded(at_once())():
        break
    gc.collect()
    for _ in range(20):
        await asyncio.sleep(0)

    assert streams.closed == 1


async def test_an_error_while_closing_comes_out_of_aclose():
    async def fetch():
        try:
            yield 1
        finally:
            raise OSError("cleanup")

    stream = around(at_once(), fetch)()
    assert await anext(stream) == 1

    with pytest.raises(OSError, match="cleanup"):
        await stream.aclose()


async def test_an_error_while_closing_after_an_error_is_attached_to_it():
    class Iterator:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise first

        async def aclose(self):
            raise cleanup

    first, cleanup = ValueError("first"), OSError("cleanup")
    with pytest.raises(ValueError, match="first") as caught:
        await listed(guard_stream(at_once(), Iterator)())

    assert attached(caught.value) == (cleanup,)


async def test_a_failed_attempt_is_closed_and_its_error_while_closing_is_attached_before_the_next_one():
    class Iterator:
        attempts = 0

        def __aiter__(self):
            Iterator.attempts += 1
            self.attempt = Iterator.attempts
            return self

        async def __anext__(self):
            if self.attempt == 1:
                raise first
            raise StopAsyncIteration

        async def aclose(self):
            if self.attempt == 1:
                raise cleanup

    first, cleanup = TransientError("first"), OSError("cleanup")
    with receipt() as survived:
        assert await listed(guard_stream(at_once(), Iterator)()) == []

    assert survived.errors == (first,)
    assert attached(first) == (cleanup,)


async def test_what_is_sent_reaches_the_generator():
    async def echo():
        sent = yield "ready"
        while True:
            sent = yield sent

    stream = around(Pipeline(at_once(), Permits()), echo)()

    assert await anext(stream) == "ready"
    assert await stream.asend(5) == 5
    assert await stream.asend(7) == 7
    await stream.aclose()


async def test_what_is_thrown_reaches_the_generator():
    async def resilient():
        while True:
            try:
                yield "item"
            except ValueError as error:
                yield f"caught {error}"

    stream = around(Pipeline(at_once(), Permits()), resilient)()
    await anext(stream)

    assert await stream.athrow(ValueError("thrown")) == "caught thrown"
    assert await anext(stream) == "item"
    with pytest.raises(OSError, match="not caught") as caught:
        await stream.athrow(OSError("not caught"))
    assert not hasattr(caught.value, "__notes__")


async def test_what_is_thrown_where_nothing_can_catch_it_comes_back_and_the_stream_is_closed():
    class Iterator:
        closed = False

        def __aiter__(self):
            return self

        async def __anext__(self):
            return 1

        async def aclose(self):
            Iterator.closed = True

    stream = guard_stream(at_once(), Iterator)()
    await anext(stream)

    with pytest.raises(OSError, match="thrown"):
        await stream.athrow(OSError("thrown"))
    assert Iterator.closed


async def test_a_function_may_return_a_stream_or_an_awaitable_of_one():
    async def items():
        yield 1

    async def opens():
        return items()

    assert await listed(guard_stream(at_once(), opens)()) == [1]
    assert await listed(guard_stream(at_once(), lambda: items())()) == [1]


async def test_what_returns_no_stream_is_refused_with_what_to_write():
    async def number():
        return 3

    with pytest.raises(UsageError, match="number returned 3, which is no stream"):
        await listed(guard_stream(at_once(), number)())


async def test_a_first_item_that_is_not_wanted_is_tried_again_and_its_stream_closed():
    streams = Streams(["busy", "never"], ["ready"])

    assert await listed(streams.guarded(at_once(on_result="busy".__eq__))()) == ["ready"]
    assert (streams.opened, streams.closed) == (2, 2)
    assert streams.open_at_once == [1, 1]


async def test_a_stream_whose_layer_fails_after_all_is_closed():
    class Refuses(Layer):
        async def call(self, func, *args):
            await func(*args)
            raise OSError("after all")

    streams = Streams([1, 2])
    with pytest.raises(OSError, match="after all"):
        await listed(streams.guarded(Refuses())())

    assert (streams.opened, streams.closed) == (1, 1)


async def test_a_permit_is_held_until_the_stream_ends():
    permits, inside = Permits(), []
    streams = Streams([1, 2])

    async for _item in streams.guarded(permits)():
        inside.append(permits.inside)

    assert inside == [1, 1]
    assert permits.inside == 0


@pytest.mark.parametrize("way", ["aclose", "athrow", "cancel", "failure"])
async def test_a_permit_is_given_back_however_the_stream_ends(way):
    async def fetch():
        yield 1
        if way == "failure":
            raise OSError("late")
        await asyncio.sleep(1000)

    permits = Permits()
    stream = around(permits, fetch)()
    await anext(stream)
    assert permits.inside == 1
    if way == "aclose":
        await stream.aclose()
    elif way == "athrow":
        with pytest.raises(KeyError):
            await stream.athrow(KeyError())
    elif way == "failure":
        with pytest.raises(OSError, match="late"):
            await anext(stream)
    else:
        consumer = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(1)
        consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer

    assert permits.inside == 0


async def test_inside_of_a_retry_each_attempt_takes_a_permit_of_its_own():
    permits = Permits()
    streams = Streams([TransientError(1)], [1, 2])

    assert await listed(streams.guarded(Pipeline(at_once(), permits))()) == [1, 2]
    assert (permits.entered, permits.inside) == (2, 0)


async def test_a_bulkhead_is_full_until_the_stream_ends():
    bulkhead = Bulkhead(1, queue=0)
    stream = Streams([1, 2]).guarded(bulkhead)()
    await anext(stream)

    with pytest.raises(BulkheadFull):
        await listed(Streams([3]).guarded(bulkhead)())
    await stream.aclose()
    assert await listed(Streams([3]).guarded(bulkhead)()) == [3]


async def test_a_time_limit_is_one_for_the_first_item():
    async def fetch(seconds):
        await asyncio.sleep(seconds)
        yield 1
        await asyncio.sleep(100)
        yield 2

    limited = around(timeout(3), fetch)
    with pytest.raises(DeadlineExceeded):
        await listed(limited(4))
    seen = []
    async for item in limited(2):
        await asyncio.sleep(100)
        seen.append(item)

    assert seen == [1, 2]


async def test_an_alternative_stream_takes_the_place_of_one_that_fails_before_its_first_item():
    async def mirror(url, *, page):
        yield url
        yield page

    async def fetch(url, *, page):
        raise OSError("down")
        yield

    with receipt() as survived:
        assert await listed(around(Fallback(mirror), fetch)("a", page=2)) == ["a", 2]

    assert [str(error) for error in survived.errors] == ["down"]


async def test_a_plain_value_is_a_stream_of_one_item():
    streams = Streams([OSError("down")])

    assert await listed(streams.guarded(Fallback(Fallback.value("nothing")))()) == ["nothing"]


async def test_an_alternative_stream_has_to_be_complete_too():
    async def mirror():
        yield "half"

    streams = Streams([OSError("down")])
    with pytest.raises(StreamIncomplete, match="mirror ended after 1 item"):
        await listed(streams.guarded(Pipeline(Fallback(mirror), at_once()), complete="[DONE]".__eq__)())


def test_what_calls_in_a_task_of_its_own_goes_around_no_stream():
    async def fetch():
        yield 1

    with pytest.raises(UsageError, match="fetch would be opened in one task and used in another"):
        around(Pipeline(at_once(), Hedge(1, idempotent=True)), fetch)


def test_a_complete_that_cannot_be_called_is_refused():
    with pytest.raises(UsageError, match="expected a function of an item"):
        guard_stream(at_once(), lambda: None, complete="[DONE]")


def test_what_is_nothing_of_all_that_is_refused_with_what_to_write():
    with pytest.raises(UsageError, match=r"layer.stream\(function\)"):
        around(at_once(), lambda: 1)


def test_a_decorated_function_stays_of_its_sort():
    async def function():
        """Its text."""

    async def stream():
        yield 1

    assert inspect.iscoroutinefunction(around(at_once(), function))
    assert inspect.isasyncgenfunction(around(at_once(), stream))
    assert around(at_once(), function).__doc__ == "Its text."


async def test_a_decorated_method_is_a_method():
    class Client:
        @staticmethod
        async def none():
            return None

        async def url(self):
            return self

        async def pages(self):
            yield self

        url = around(at_once(), url)
        pages = around(at_once(), pages)

    client = Client()

    assert await client.url() is client
    assert await listed(client.pages()) == [client]


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def test_nothing_stays_open_wherever_the_consumer_is_cancelled():
    for number in range(200):
        permits, streams = Permits(), Streams([TransientError(1)], [1, 2])
        consumer = asyncio.create_task(listed(streams.guarded(Pipeline(at_once(), permits))()))
        await turns(number)
        is_done = consumer.done()
        consumer.cancel("from outside")
        (ending,) = await asyncio.gather(consumer, return_exceptions=True)
        gc.collect()
        await turns(10)

        assert permits.inside == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        if is_done:
            assert ending == [1, 2]
            break
        assert isinstance(ending, asyncio.CancelledError)
        assert consumer.cancelling() == 1

    assert 5 < number < 199


class Local:
    alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def __init__(self):
        Local.alive.add(self)


@pytest.mark.parametrize("way", ["early", "late", "thrown", "left"])
async def test_what_a_stream_held_is_freed_without_the_collector(way):
    async def fetch():
        local = Local()
        if way == "early":
            raise TransientError(local)
        yield 1
        await asyncio.sleep(0)
        raise TransientError(local)

    gc.collect()
    gc.disable()
    try:
        stream = around(Pipeline(at_once(2), Permits()), fetch)()
        with suppress(TransientError, OSError):
            async for _item in stream:
                if way == "thrown":
                    await stream.athrow(OSError(Local()))
                if way == "left":
                    break
        await stream.aclose()
        del stream
        await turns(5)

        assert not Local.alive
    finally:
        gc.enable()
