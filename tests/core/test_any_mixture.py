"""Random items, limits and modes: the books balance against the log that the job itself keeps."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlost._core import Cancelled, Failure, Value, map, partial, stream  # noqa: A004

BEHAVIOURS = {"value": Value, "failure": Failure, "self-cancel": Cancelled, "leaves a cancellation": Value}
items = st.lists(st.tuples(st.sampled_from(sorted(BEHAVIOURS)), st.integers(0, 3)), max_size=30)
modes = st.fixed_dictionaries({"limit": st.integers(1, 8), "isolate": st.sampled_from(["worker", "task"])})


class Job:
    def __init__(self):
        self.log = []

    async def __call__(self, item):
        behaviour, duration = item
        self.log.append(item)
        await asyncio.sleep(duration)
        if behaviour == "failure":
            raise ValueError(item)
        if behaviour == "self-cancel":
            asyncio.current_task().cancel()
            await asyncio.sleep(1)
        if behaviour == "leaves a cancellation":
            asyncio.current_task().cancel()
        return item


async def given_slowly(items):
    for number, item in enumerate(items):
        await asyncio.sleep(number % 2)
        yield item


def run(virtual_loop, coroutine):
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(coroutine)


@settings(deadline=None)
@given(items, modes, st.booleans())
def test_map_has_each_items_own_outcome(virtual_loop, items, modes, slowly):
    job = Job()

    outcomes = run(virtual_loop, map(job, given_slowly(items) if slowly else items, **modes))

    assert [type(outcome) for outcome in outcomes] == [BEHAVIOURS[behaviour] for behaviour, _ in items]
    assert job.log == items


@settings(deadline=None)
@given(items, modes, st.booleans(), st.booleans(), st.integers(1, 9), st.integers(0, 2))
def test_stream_has_each_items_own_outcome(virtual_loop, items, modes, slowly, ordered, buffer, pace):
    job, seen = Job(), {}

    async def read():
        source = given_slowly(items) if slowly else items
        async with stream(job, source, ordered=ordered, buffer=buffer, **modes) as outcomes:
            async for outcome in outcomes:
                assert outcome.index not in seen
                assert not ordered or outcome.index == len(seen)
                seen[outcome.index] = type(outcome)
                await asyncio.sleep(pace)

    run(virtual_loop, read())

    assert [seen[index] for index in range(len(items))] == [BEHAVIOURS[behaviour] for behaviour, _ in items]
    assert job.log == items


@settings(deadline=None)
@given(items.filter(len), modes, st.booleans(), st.integers(0, 40))
def test_a_stream_that_an_error_leaves_accounts_for_everything_started(virtual_loop, items, modes, ordered, takes):
    job, seen = Job(), []

    async def read():
        async with stream(job, items, ordered=ordered, **modes) as outcomes:
            async for outcome in outcomes:
                seen.append(outcome)
                if len(seen) > takes:
                    break
            raise KeyError("body")

    with pytest.raises(KeyError) as caught:
        run(virtual_loop, read())

    left = partial(caught.value) or ()
    assert sorted(outcome.index for outcome in [*seen, *left]) == list(range(len(job.log)))
