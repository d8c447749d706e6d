"""Exceptions in other threads."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from scenario import boom, expect, right, settle


def fail() -> None:
    raise ValueError("x")


@expect("lost")
async def executor_future_dropped() -> None:
    with ThreadPoolExecutor() as executor:
        executor.submit(fail)


@right
async def executor_future_read() -> None:
    with ThreadPoolExecutor() as executor:
        future = executor.submit(fail)
    with contextlib.suppress(ValueError):
        future.result()


@expect("swallowed")
async def to_thread_swallowed() -> None:
    try:
        await asyncio.to_thread(fail)
    except Exception:  # ends here
        pass


@right
async def to_thread_meant() -> None:
    try:
        await asyncio.to_thread(fail)
    except ValueError:
        pass


@expect("lost")
async def threadsafe_future_dropped() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(boom(), loop) and None)
    await settle()


@right
async def threadsafe_future_read() -> None:
    loop = asyncio.get_running_loop()

    def call() -> None:
        with contextlib.suppress(ValueError):
            asyncio.run_coroutine_threadsafe(boom(), loop).result()

    await asyncio.to_thread(call)


@right
async def cancelled_error_of_a_threadsafe_future_read() -> None:
    loop = asyncio.get_running_loop()

    async def gives_up() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            raise concurrent.futures.CancelledError("x")

    def call() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run_coroutine_threadsafe(gives_up(), loop).result()

    await asyncio.to_thread(call)


@expect("swallowed")
async def swallowed_in_a_thread() -> None:
    def run() -> None:
        try:
            fail()
        except Exception:  # ends here
            pass

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@right
async def meant_in_a_thread() -> None:
    def run() -> None:
        with contextlib.suppress(ValueError):
            fail()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def fail_late() -> None:
    time.sleep(0.01)
    fail()


@expect("absorbed")
async def second_of_a_gather_of_calls_in_threads() -> None:
    with contextlib.suppress(ValueError):
        await asyncio.gather(asyncio.to_thread(fail), asyncio.to_thread(fail_late))
    await asyncio.sleep(0.05)
