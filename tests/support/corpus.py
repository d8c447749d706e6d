"""Programs with a bug that fail: other data, other lines, other names, other callers, another version of a library."""

from __future__ import annotations

import asyncio
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import unlost

_WORDS: Final = (
    "abc",
    "x17y",
    "42a",
    "lena.bauer",
    "O'Neill",
    "two words",
    "prix-net",
    "ÄÖ",
    "none",
    "it is what it is",
)
_LOCALS: Final = ("item", "row", "value", "x", "found", "thing", "payload")

_OLD_SHOP = """
class ApiError(Exception):
    def __init__(self, status, url):
        self.status_code = status
        super().__init__(f"Status {status} for {url}")

class ConnectError(Exception):
    pass

class Client:
    async def get(self, url, status):
        raise ApiError(status, url)

    async def put(self, url, status):
        raise ApiError(status, url)

    async def connect(self, address, number):
        try:
            raise OSError(number, "no way")
        except OSError as error:
            raise ConnectError(f"Cannot connect to {address}") from error
"""
_NEW_SHOP = """
class ApiError(Exception):
    def __init__(self, status, url):
        self.status_code = status
        super().__init__(f"Status {status} for {url}")

class ConnectError(Exception):
    pass

class _PoolError(Exception):
    pass

async def _request(url, status):
    await _checked(url, status)

async def _checked(url, status):
    raise ApiError(status, url)

def _dial(number):
    raise OSError(number, "no way")

def _pooled(number):
    try:
        _dial(number)
    except OSError as error:
        raise _PoolError(f"pool of {id(error)}") from error

class Client:
    async def get(self, url, status):
        await _request(url, status)

    async def put(self, url, status):
        await _request(url, status)

    async def connect(self, address, number):
        try:
            _pooled(number)
        except _PoolError as error:
            raise ConnectError(f"Cannot connect to {address}") from error
"""


@dataclass(frozen=True, slots=True)
class Data:
    """What a job gets, other each time."""

    n: int
    depth: int
    word: str
    path: str
    url: str
    uuid: str
    address: str
    at: str


def data_from(chance: random.Random) -> Data:
    n = chance.randrange(1, 10_000)
    word = chance.choice(_WORDS)
    host = f"h{n % 7}.example.com"
    return Data(
        n=n,
        depth=chance.randrange(1, 6),
        word=word,
        path=chance.choice((f"/data/{n}/in.csv", f"/tmp/{word.split()[0]}-x/a.txt", "./nowhere.json")),
        url=f"https://{host}:{n % 900 + 100}/items/{n}?q={n}",
        uuid=str(uuid.UUID(int=chance.getrandbits(128))),
        address=chance.choice((f"10.0.{n % 256}.1:80", f"{host}:8080", "[fe80::1]:443")),
        at=hex(n + 2**33),
    )


async def _plain(job: Callable[[], Awaitable[object]]) -> None:
    await job()


async def _in_a_task(job: Callable[[], Awaitable[object]]) -> None:
    await asyncio.create_task(_plain(job))


async def _in_a_task_group(job: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_plain(job))


async def _in_gather(job: Callable[[], Awaitable[object]]) -> None:
    await asyncio.gather(_plain(job))


async def _twice_in_a_group(job: Callable[[], Awaitable[object]]) -> None:
    outcomes = await asyncio.gather(_plain(job), _plain(job), return_exceptions=True)
    raise BaseExceptionGroup("of the same", [error for error in outcomes if isinstance(error, BaseException)])


async def _retried(job: Callable[[], Awaitable[object]]) -> None:
    await unlost.retry(2, on=Exception, base=0.0)(_plain)(job)


async def _settled(job: Callable[[], Awaitable[object]]) -> None:
    for outcome in await unlost.settle(_plain(job)):
        outcome.unwrap()


SHAPES: Final = (_plain, _in_a_task, _in_a_task_group, _in_gather, _twice_in_a_group, _retried, _settled)


class Corpus:
    """
    Makes errors out of the sources of bugs.

    Args:
        folder: For the modules; libraries are in a ``site-packages`` of it.
        seed: Of all chance.
    """

    def __init__(self, folder: Path, seed: int = 7) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._libraries = {
            "old": self._library("old", "shop.client", _OLD_SHOP),
            "new": self._library("new", "shop._core.http", _NEW_SHOP),
        }

    def variants(self, source: str, count: int = 30) -> Iterator[BaseException]:
        """Yield so many errors of one bug."""
        for number in range(count):
            yield self.error(self.edited(source, number), number)

    def edited(self, source: str, number: int) -> str:
        """Return the source with other locals and code above it."""
        first, second = self._chance.sample(_LOCALS, 2)
        above = (
            "\n" * (3 * number) + f"def unrelated_{number}(x):\n    return 'no price of the user' if x else {number}\n"
        )
        return above * (number % 3) + source.replace("ONE", first).replace("TWO", second)

    def error(self, source: str, number: int) -> BaseException:
        """Run the source's ``job`` in one of the shapes, and return what it raised."""
        shop = self._libraries["new" if number % 2 else "old"]
        sys.modules["shop"] = shop
        try:
            name = "__main__" if number % 4 == 3 else "jobs"
            names = self._run(self._folder / f"home{number}" / "jobs.py", name, source)
        finally:
            del sys.modules["shop"]
        data, shape = data_from(self._chance), SHAPES[number % len(SHAPES)]
        return _raised(lambda: asyncio.run(shape(lambda: names["job"](data))))

    def _library(self, version: str, name: str, source: str) -> ModuleType:
        path = self._folder / version / "site-packages" / (name.replace(".", "/") + ".py")
        module = ModuleType("shop")
        module.__dict__.update(self._run(path, name, source))
        return module

    def _run(self, path: Path, name: str, source: str) -> dict[str, Any]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        names: dict[str, Any] = {"__name__": name, "__file__": str(path)}
        exec(compile(source, str(path), "exec"), names)
        return names


def _raised(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except Exception as error:  # handed back
        return error
    raise AssertionError("nothing was raised")
