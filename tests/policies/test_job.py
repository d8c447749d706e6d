"""Policy beside the function."""

import functools
import re
from contextlib import asynccontextmanager

import pytest

from unlost.errors import Kind, UsageError, translate
from unlost.policies import JobOptions, job, job_options


def spelled(value: object) -> str:
    """Name a case the same in every process: the address of a function is not."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


async def fetch(item: str) -> str:
    return item


def test_a_marked_function_is_the_same_function() -> None:
    async def plain(item: str) -> str:
        return item

    assert job(attempts=5)(plain) is plain
    assert job_options(plain) == JobOptions(attempts=5)


def test_a_bare_mark_leaves_everything_to_the_runner() -> None:
    @job
    async def plain(item: str) -> str:
        return item

    assert job_options(plain) == JobOptions()
    assert job_options(fetch) == JobOptions(None, None, None, None, None, None, None, None)


def test_every_option_is_kept() -> None:
    more = {"rate": ("50/s", "tokens=2M/min"), "limit_key": "host", "estimate": len}

    @job(attempts=5, timeout=10, deadline=60.5, concurrency=200, retry_on=(Kind.TRANSIENT, KeyError), **more)
    async def full(item: str) -> str:
        return item

    assert job_options(full) == JobOptions(5, 10, 60.5, 200, (Kind.TRANSIENT, KeyError), **more)


def test_a_context_manager_is_marked_too() -> None:
    @job(concurrency=3)
    @asynccontextmanager
    async def shared():
        yield fetch

    assert job_options(shared).concurrency == 3


def test_a_mark_is_seen_through_wrappers_partials_and_methods() -> None:
    @translate({OSError: ValueError})
    @job(attempts=7)
    async def wrapped(item: str, depth: int) -> str:
        return item

    class Shop:
        @job(attempts=8)
        async def method(self, item: str) -> str:
            return item

    assert job_options(wrapped).attempts == 7
    assert job_options(functools.partial(functools.partial(wrapped, depth=1))).attempts == 7
    assert job_options(Shop().method).attempts == 8


@pytest.mark.parametrize(
    "wrong",
    [
        *({"attempts": wrong} for wrong in (0, 1.5, True, "5")),
        *({"concurrency": 0}, {"timeout": 0}, {"timeout": -1}, {"deadline": float("inf")}, {"timeout": "10s"}),
        *({"retry_on": "ConnectionError"}, {"retry_on": (KeyError, int)}),
        *({"rate": 50}, {"rate": ("50/s", 5)}, {"limit_key": 5}, {"limit_key": int}, {"limit_key": fetch}),
        *({"estimate": 1000}, {"estimate": "tokens"}, {"estimate": fetch}),
    ],
    ids=spelled,
)
def test_an_option_out_of_range_is_refused_with_what_to_write(wrong) -> None:
    with pytest.raises(UsageError, match="Write "):
        job(**wrong)


@pytest.mark.parametrize("wrong", [5, "fetch", len], ids=spelled)
def test_what_cannot_be_marked_is_refused(wrong) -> None:
    with pytest.raises(UsageError, match="Write "):
        job(wrong)


def test_options_never_change() -> None:
    with pytest.raises(AttributeError):
        JobOptions().attempts = 5
