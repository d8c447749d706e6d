"""
Every nasty way to fail that we know, as one job: the tests copy this file into a folder and run it as ``jobs:visit``.

An animal is an async function that raises; beside it stand the type and the beginning of the message that the journal
must have. Those of ``httpx`` ask the demo service, whose URL is in ``ZOO_URL``.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Animal:
    """
    What fails, and what the journal must have of it.

    Attributes:
        behave: Raises.
        type_name: The last part of the error's qualified name.
        message: How the recorded message begins.
    """

    behave: Callable[[], Awaitable[object]]
    type_name: str
    message: str


ZOO: dict[str, Animal] = {}


async def visit(item: dict[str, Any]) -> object:
    """Let the animal that the item names have its way; ``tame`` is none."""
    return item["animal"] if item["animal"] == "tame" else await ZOO[item["animal"]].behave()


def animal(type_name: str, message: str = "") -> Callable[[Callable[[], Awaitable[object]]], None]:
    def add(behave: Callable[[], Awaitable[object]]) -> None:
        ZOO[behave.__name__] = Animal(behave, type_name, message)

    return add


# Classes that do something wrong


class BrokenStrError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class CancellingStrError(Exception):
    def __str__(self) -> str:
        raise asyncio.CancelledError


class NumberStrError(Exception):
    def __str__(self) -> str:
        return 42  # type: ignore[return-value]  # the mistake


class BrokenReprError(Exception):
    def __repr__(self) -> str:
        raise ValueError("no repr")


class KeywordOnlyError(Exception):
    def __init__(self, *, what: str, status: int) -> None:
        super().__init__(f"{what} ({status})")
        self.status_code = status


class HolderError(Exception):
    def __init__(self, held: object) -> None:
        super().__init__("holds a lock")
        self.held = held


class BrokenReduceError(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("cannot be reduced")


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


@dataclass
class UnhashableError(Exception):
    text: str


class SlottedError(Exception):
    __slots__ = ("seconds",)


class FalsyError(Exception):
    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __eq__(self, _other: object) -> bool:
        raise RuntimeError("like nothing else")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


class UnsettableError(Exception):
    def __setattr__(self, name: str, _value: object) -> None:
        raise AttributeError(f"{name} cannot be set")

    @property
    def __dict__(self) -> Any:
        raise AttributeError("no dict")


class AnyAttributeError(Exception):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return AnyAttributeError()


class HostileError(Exception):
    """Without a ``__class__`` that raises, too: asyncio itself hangs on that one."""

    @property
    def __cause__(self) -> Any:
        raise RuntimeError("no cause")

    @property
    def __notes__(self) -> Any:
        raise RuntimeError("no notes")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class OddGroup(ExceptionGroup):  # type: ignore[type-arg]  # of anything
    def derive(self, _errors: Any) -> Any:
        raise RuntimeError("no derive")


class OwnCancelledError(asyncio.CancelledError):
    pass


class NotAnException(BaseException):
    pass


class ExitingStrError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


@animal("BrokenStrError", "<__str__ raised ValueError>")
async def broken_str() -> None:
    raise BrokenStrError


@animal("RuntimeError", "ExitingStrError, which raised SystemExit(0) when it was looked at")
async def exiting_str() -> None:
    raise ExitingStrError


@animal("CancellingStrError", "<__str__ raised CancelledError>")
async def cancelling_str() -> None:
    raise CancellingStrError


@animal("NumberStrError", "<__str__ raised TypeError>")
async def number_str() -> None:
    raise NumberStrError


@animal("BrokenReprError", "x")
async def broken_repr() -> None:
    raise BrokenReprError("x")


@animal("KeywordOnlyError", "slow down (418)")
async def keyword_only() -> None:
    raise KeywordOnlyError(what="slow down", status=418)


@animal("HolderError", "holds a lock")
async def holds_a_lock() -> None:
    raise HolderError(threading.Lock())


@animal("BrokenReduceError", "x")
async def broken_reduce() -> None:
    raise BrokenReduceError("x")


@animal("FrozenError", "3")
async def frozen_dataclass() -> None:
    raise FrozenError(3)


@animal("UnhashableError", "x")
async def unhashable() -> None:
    raise UnhashableError("x")


@animal("SlottedError", "x")
async def slotted() -> None:
    raise SlottedError("x")


@animal("FalsyError", "x")
async def neither_true_nor_hashable() -> None:
    raise FalsyError("x")


@animal("UnsettableError", "x")
async def without_attributes() -> None:
    raise UnsettableError("x")


@animal("AnyAttributeError", "x")
async def with_every_attribute() -> None:
    raise AnyAttributeError("x")


@animal("HostileError", "still here")
async def hostile() -> None:
    raise HostileError("still here")


@animal("Dynamic", "made at run time")
async def dynamic_class() -> None:
    raise type("Dynamic", (Exception,), {"__module__": 3})("made at run time")


@animal("N" * 100, "x")
async def long_name() -> None:
    raise type("N" * 5000, (Exception,), {})("x")


# Messages


@animal("ValueError", "m" * 4000 + "... [1,044,576 more characters]")
async def megabyte_message() -> None:
    raise ValueError("m" * 1024 * 1024)


@animal("ValueError", "lone \\udc80 surrogate")
async def lone_surrogate() -> None:
    raise ValueError("lone \udc80 surrogate")


@animal("ValueError", "a NUL \x00 in it")
async def nul() -> None:
    raise ValueError("a NUL \x00 in it")


@animal("ValueError", "\x1b]0;owned\x07\x1b[31m\x9b2J\rred")
async def escape_sequences() -> None:
    raise ValueError("\x1b]0;owned\x07\x1b[31m\x9b2J\rred")


@animal("ValueError", "取引が失敗しました \U0001f600")
async def wide_characters() -> None:
    raise ValueError("取引が失敗しました \U0001f600")


@animal("Exception")
async def no_message() -> None:
    raise Exception


@animal("KeyError", "'price'")
async def key_error() -> None:
    raise KeyError("price")


@animal("UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff")
async def undecodable() -> None:
    b"\xff\xfe".decode()


@animal("JSONDecodeError", "Expecting value: line 1 column 1")
async def no_json() -> None:
    json.loads("<html>")


@animal("FileNotFoundError", "[Errno 2] No such file or directory")
async def no_file() -> None:
    os.stat("nowhere")


@animal("CalledProcessError", "Command ")
async def failed_process() -> None:
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", "raise SystemExit(3)"], check=True)


@animal("DeprecationWarning", "old")
async def warning_as_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.warn("old", DeprecationWarning, stacklevel=1)


# Trees


@animal("RecursionError", "maximum recursion depth exceeded")
async def recursion() -> None:
    def deeper() -> None:
        deeper()

    deeper()


@animal("ValueError", "its own cause")
async def cycle() -> None:
    error = ValueError("its own cause")
    error.__cause__ = error
    raise error


@animal("RuntimeError", "level 99")
async def cause_chain() -> None:
    error: BaseException = ValueError("root cause")
    for level in range(100):
        above = RuntimeError(f"level {level}")
        above.__cause__ = error
        error = above
    raise error


@animal("RuntimeError", "without its context")
async def from_none() -> None:
    try:
        {}["hidden"]
    except KeyError:
        raise RuntimeError("without its context") from None


@animal("RuntimeError", "with its context")
async def with_context() -> None:
    try:
        {}["seen"]
    except KeyError:
        raise RuntimeError("with its context")  # noqa: B904  # the context is what is tested


@animal("RuntimeError", "noted")
async def with_notes() -> None:
    error = RuntimeError("noted")
    error.add_note("the first note")
    error.__notes__.append(BrokenStrError())  # type: ignore[arg-type]  # the mistake
    raise error


@animal("ExceptionGroup", "outer (2 sub-exceptions)")
async def groups_of_groups() -> None:
    raise ExceptionGroup("outer", [ValueError("a"), ExceptionGroup("inner", [KeyError("b"), BrokenStrError()])])


@animal("ExceptionGroup", "wide (500 sub-exceptions)")
async def wide_group() -> None:
    raise ExceptionGroup("wide", [ValueError(f"member {number}") for number in range(500)])


@animal("OddGroup", "odd (1 sub-exception)")
async def group_that_cannot_be_split() -> None:
    raise OddGroup("odd", [ValueError("inside")])


@animal("BaseExceptionGroup", "base (2 sub-exceptions)")
async def group_of_exits() -> None:
    raise BaseExceptionGroup("base", [SystemExit(0), KeyboardInterrupt()])


@animal("ExceptionGroup", "unhandled errors in a TaskGroup (2 sub-exceptions)")
async def task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(broken_children("one"))
        group.create_task(broken_children("two"))


async def broken_children(name: str) -> None:
    raise ValueError(name)


# What is no Exception, and what means something to the loop


@animal("SystemExit", "0")
async def system_exit() -> None:
    sys.exit(0)


@animal("SystemExit", "0")
async def system_exit_in_a_task_group() -> None:
    async def leave() -> None:
        sys.exit(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(leave())


@animal("KeyboardInterrupt", "")
async def keyboard_interrupt() -> None:
    raise KeyboardInterrupt


@animal("KeyboardInterrupt", "in a child")
async def keyboard_interrupt_in_a_gathered_child() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt("in a child")

    await asyncio.gather(interrupt())


@animal("GeneratorExit", "")
async def generator_exit() -> None:
    raise GeneratorExit


@animal("NotAnException", "custom")
async def custom_base_exception() -> None:
    raise NotAnException("custom")


@animal("CancelledError", "raised, not asked for")
async def cancelled_error() -> None:
    raise asyncio.CancelledError("raised, not asked for")


@animal("OwnCancelledError", "a subclass")
async def cancelled_subclass() -> None:
    raise OwnCancelledError("a subclass")


@animal("CancelledError", "by itself")
async def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("by itself")
    await asyncio.sleep(60)


@animal("CancelledError", "")
async def awaits_what_was_cancelled() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@animal("RuntimeError", "coroutine raised StopIteration")
async def stop_iteration() -> None:
    next(iter(()))


@animal("StopAsyncIteration", "nothing more")
async def stop_async_iteration() -> None:
    raise StopAsyncIteration("nothing more")


@animal("TimeoutError", "my own")
async def own_timeout() -> None:
    raise TimeoutError("my own")


@animal("OutputError", "the job's value cannot be written as JSON")
async def returns_an_error() -> object:
    return ValueError("returned, not raised")


# From a real service


async def fetch(path: str, read: float = 20) -> object:
    # only reading is cut short where that is wanted: a busy machine may take its time to connect
    async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(20, read=read)) as client:
        return (await client.get(path)).raise_for_status().json()


def at(kind: str) -> str:
    return os.environ["ZOO_URL"] + "/items/" + json.loads(os.environ["ZOO_ITEMS"])[kind]


@animal("HTTPStatusError", "Server error '503 ' for url")
async def unavailable() -> None:
    await fetch(at("503 for ever"))


@animal("HTTPStatusError", "Client error '404 ' for url")
async def not_found() -> None:
    await fetch(at("404 for ever"))


@animal("ConnectError", "All connection attempts failed")
async def nobody_listens() -> None:
    await fetch("http://127.0.0.1:1/")


@animal("ReadTimeout", "")
async def read_timeout() -> None:
    await fetch(at("slow once"), read=0.2)


@animal("ReadError", "")
async def reset() -> None:
    await fetch(at("reset once"))


@animal("RemoteProtocolError", "peer closed connection")
async def truncated() -> None:
    await fetch(at("truncated once"))
