"""A yield in the block of a limit (PEP 789): what Python does is pinned, and what is noticed is said."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest

from unlost.errors import DeadlineExceeded, UsageError, attached
from unlost.policies import timeout


async def limited(limit) -> AsyncIterator[int]:
    async with limit:
        yield 1
        yield 2


async def nested(limit) -> AsyncIterator[int]:
    async with contextlib.aclosing(limited(limit)) as numbers:
        async for number in numbers:
            yield number


@pytest.mark.parametrize("limit", [asyncio.timeout, timeout], ids=["asyncio", "unlost"])
async def test_python_the_consumer_of_a_generator_is_cancelled_in_the_place_of_the_generator(limit) -> None:
    numbers = limited(limit(1))

    with pytest.raises(asyncio.CancelledError):
        async for _ in numbers:
            await asyncio.sleep(60)

    assert asyncio.current_task().cancelling() == 1
    with contextlib.suppress(UsageError, DeadlineExceeded):
        await numbers.aclose()
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("generator", [limited, nested])
async def test_a_generator_that_is_closed_after_its_limit_fired_outside_says_so_in_place_of_the_cancellation(
    generator,
) -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with contextlib.aclosing(generator(timeout(1, "page timeout"))) as numbers:
            async for _ in numbers:
                await asyncio.sleep(60)

    assert caught.value.name == "page timeout"
    assert any("inside of an async generator" in note and "PEP 789" in note for note in caught.value.__notes__)
    assert asyncio.current_task().cancelling() == 0


async def test_a_generator_that_the_collector_closes_in_another_task_says_so() -> None:
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context["exception"]))

    async def consume() -> None:
        async for _ in limited(timeout(1, "page timeout")):
            await asyncio.sleep(60)

    consumer = asyncio.create_task(consume(), name="consumer")
    await asyncio.wait([consumer])
    assert consumer.cancelled()
    del consumer
    gc.collect()
    await asyncio.sleep(1)
    gc.collect()

    (misuse,) = heard
    assert isinstance(misuse, UsageError)
    assert "page timeout of 1 s was entered by task 'consumer'" in str(misuse)
    assert "'consumer' was cancelled, outside of the block" in str(misuse)
    assert "PEP 789" in str(misuse)


async def test_a_generator_that_is_closed_in_time_says_nothing() -> None:
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context))
    numbers = limited(timeout(5))
    await asyncio.create_task(anext(numbers))

    await asyncio.create_task(numbers.aclose())
    await asyncio.sleep(10)

    assert heard == []


async def test_a_block_that_is_left_by_another_task_is_a_mistake_that_says_what_to_write() -> None:
    async def leave() -> None:
        await asyncio.sleep(0)  # an eager task gets its name after its first step
        async for _ in block:
            pass

    block = limited(timeout(5))
    await asyncio.create_task(block.__anext__(), name="first")

    with pytest.raises(UsageError, match=r"entered by task 'first' and left by task 'second'\. Had the time") as caught:
        await asyncio.create_task(leave(), name="second")

    assert isinstance(caught.value, RuntimeError)
    assert "Write the limit around what consumes the generator" in str(caught.value)


@pytest.mark.parametrize("error", [OSError("mine"), KeyboardInterrupt()], ids=repr)
async def test_an_error_that_leaves_the_block_in_another_task_stays_and_gets_the_mistake_as_a_note(error) -> None:
    block = limited(timeout(5))
    await asyncio.create_task(block.__anext__(), name="first")

    with pytest.raises(type(error)) as caught:
        await block.athrow(error)

    assert caught.value is error
    assert "entered by task 'first'" in error.__notes__[0]
    assert attached(error) == ()


async def test_an_error_in_another_task_tells_of_the_limit_that_fired_and_the_count_is_as_before() -> None:
    async def first() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await block.__anext__()
            await asyncio.sleep(60)
        counts.append(asyncio.current_task().cancelling())
        await asyncio.sleep(60)
        counts.append(asyncio.current_task().cancelling())

    counts = []
    block = limited(timeout(1, "page timeout"))
    entering = asyncio.create_task(first())
    await asyncio.sleep(2)

    with pytest.raises(OSError, match="mine") as caught:
        await block.athrow(OSError("mine"))
    await entering

    assert [error.name for error in attached(caught.value)] == ["page timeout"]
    assert counts == [1, 0]


async def test_a_context_manager_made_of_a_generator_is_in_order() -> None:
    @contextlib.asynccontextmanager
    async def fetching() -> AsyncIterator[None]:
        async with timeout(1, "fetch timeout"):
            yield

    with pytest.raises(DeadlineExceeded) as caught:
        async with fetching():
            await asyncio.sleep(60)

    assert caught.value.name == "fetch timeout"
    assert not hasattr(caught.value, "__notes__")
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("seconds", [60, 0], ids=["in time", "fired"])
def test_a_task_that_outlives_its_loop_is_collected_without_a_word(seconds: float) -> None:
    async def waits() -> None:
        async with timeout(seconds):
            await asyncio.get_running_loop().create_future()

    def stop_after_the_next_round() -> None:
        loop.call_soon(loop.stop)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # 'Task was destroyed but it is pending'
    task = loop.create_task(waits())
    loop.call_soon(stop_after_the_next_round)
    loop.run_forever()  # for two rounds: the limit fires in the second, its cancellation would come in the third
    loop.close()
    assert not task.done()
    assert task.cancelling() == (seconds == 0)

    del task
    gc.collect()  # an unraisable error would be a warning, and that a failure
