"""
Recursions that have no end, and how each ended: a program that is run watched and unwatched.

    recursions.py [watched] NAME ...

A line of JSON for each: by where it was called, what came out of it and how often its handlers ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

seen: Counter[object] = Counter()


def swallows_and_raises() -> None:
    try:
        swallows_and_raises()
        seen["went on"] += 1
        raise ValueError
    except Exception:
        seen["handled"] += 1


def raises_another() -> None:
    try:
        raises_another()
        raise ValueError
    except Exception as error:
        seen["handled", type(error).__name__] += 1
        raise KeyError from error


def loops() -> None:
    try:
        while True:
            loops()
    except ValueError:
        pass


def returns() -> None:
    try:
        return returns()
    except ValueError:
        pass


def tidies() -> None:
    try:
        tidies()
        raise ValueError
    finally:
        seen["tidied"] += 1


def suppresses() -> None:
    with contextlib.suppress(ValueError):
        suppresses()
        raise ValueError


def asks_what_is_handled() -> None:
    try:
        asks_what_is_handled()
        raise ValueError
    except Exception as error:
        seen["is what is handled", sys.exc_info()[1] is error] += 1
        raise


def in_groups() -> None:
    try:
        in_groups()
        raise ValueError
    except* RecursionError:
        seen["handled"] += 1
        raise


class Refusing:
    def __getattr__(self, name: str) -> object:
        try:
            return self.target
        except AttributeError:
            raise
        finally:
            seen["tidied"] += 1


class Converting:
    def __getattr__(self, name: str) -> object:
        try:
            return self.target
        except Exception as error:
            seen["handled", type(error).__name__] += 1
            raise ValueError(name)  # noqa: B904


class Asking:
    def __getattr__(self, name: str) -> object:
        try:
            while True:
                seen["came"] += 1
                hasattr(self, "target")
        except ValueError:
            return None


class Derived:
    @property
    def value(self) -> object:
        try:
            return self.value
        except Exception as error:
            seen["handled", type(error).__name__] += 1
            raise KeyError from error


def refusing() -> None:
    _ = Refusing().name


def converting() -> None:
    _ = Converting().name


def asking() -> None:
    _ = Asking().name


def derived() -> None:
    _ = Derived().value


def by_key(_item: int = 0) -> int:
    try:
        sorted([1], key=by_key)
        raise ValueError
    except Exception as error:
        seen["handled", type(error).__name__] += 1
        raise KeyError from error


def generated() -> Iterator[int]:
    try:
        yield from generated()
        raise ValueError
    except Exception as error:
        seen["handled", type(error).__name__] += 1
        raise KeyError from error


def generates() -> None:
    next(generated())


def left_open() -> Iterator[int]:
    try:
        yield 1
    finally:
        seen["closed"] += 1


def closes() -> None:
    """Close a generator where there is room for less and less."""
    one = left_open()
    next(one)
    try:
        closes()
    finally:
        one.close()


def handles_at_each_depth() -> None:
    try:
        handles_at_each_depth()
    finally:
        try:
            int("none")
        except ValueError:
            seen["handled"] += 1


def comes_again() -> None:
    """Reach the limit again and again, from less and less deep."""
    seen["came"] += 1
    if seen["came"] < 10:
        try:
            comes_again()
        finally:
            swallows_and_raises()


async def awaited() -> None:
    try:
        await awaited()
        raise ValueError
    except Exception as error:
        seen["handled", type(error).__name__] += 1
        raise KeyError from error


@contextlib.asynccontextmanager
async def entered() -> AsyncIterator[None]:
    try:
        yield
    except ValueError:
        seen["handled"] += 1


async def enters() -> None:
    async with entered():
        await enters()
        raise ValueError


async def iterated() -> AsyncIterator[int]:
    try:
        async for one in iterated():
            yield one
        raise ValueError
    except Exception:
        seen["handled"] += 1
        raise


async def iterates() -> None:
    async for _ in iterated():
        pass


NAMES = (
    "swallows_and_raises", "raises_another", "loops", "returns", "tidies", "suppresses", "asks_what_is_handled",
    "in_groups", "refusing", "converting", "asking", "derived", "by_key", "generates", "closes",
    "handles_at_each_depth", "comes_again", "awaited", "enters", "iterates",
)  # fmt: skip


def ends(way: Callable[[], Coroutine[Any, Any, None] | None]) -> Iterator[tuple[str, object]]:
    """Yield where it was called, and how it ended."""

    def here() -> None:
        try:
            coroutine = way()
            if coroutine is not None:
                coroutine.send(None)
        except Exception as error:
            out.append(type(error).__name__)

    def through_c(levels: int) -> None:
        if levels:
            list(map(through_c, [levels - 1]))
        else:
            here()

    def in_thread() -> None:
        one = threading.Thread(target=here)
        one.start()
        one.join()

    async def in_task() -> None:
        here()

    def under_uvloop() -> None:
        import uvloop

        uvloop.run(in_task())

    places: dict[str, Callable[[], object]] = {
        "here": here,
        "deeper": lambda: through_c(1),  # so that the limit comes after another number of calls through C
        "deeper still": lambda: through_c(2),
        "in a thread": in_thread,
        "in a task": lambda: asyncio.run(in_task()),
    }
    if importlib.util.find_spec("uvloop") is not None:
        places["under uvloop"] = under_uvloop
    for where, call in places.items():
        out: list[str] = []
        seen.clear()
        call()
        yield where, {"out": out, "seen": {str(what): count for what, count in seen.items()}}


def main() -> None:
    names = sys.argv[1:]
    watch = None
    if names[0] == "watched":
        from unlost.observe.watch import start

        watch = start()
        del names[0]
    for name in names:
        print(json.dumps(dict(ends(globals()[name]))))
    if watch is not None:
        watch.stop()
        print(json.dumps(watch.collector.faults))


if __name__ == "__main__":
    main()
