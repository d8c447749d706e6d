"""The entry point of a program: in place of ``asyncio.run``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from inspect import iscoroutine
from typing import Any, TypeVar, TypeVarTuple, overload

from unlost._core._seconds import check_seconds
from unlost._core._site import name_of
from unlost._core.background._background import GRACE, STOP_WITHIN
from unlost._core.background._program import Program
from unlost.errors import UsageError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@overload
def run(
    main: Callable[[*Ts], Awaitable[T]],
    *args: *Ts,
    grace: float = GRACE,
    stop_within: float = STOP_WITHIN,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    debug: bool | None = None,
) -> T: ...
@overload
def run(
    main: Coroutine[Any, Any, T],  # Any, here and below: what it yields to the loop and is sent
    *,
    grace: float = GRACE,
    stop_within: float = STOP_WITHIN,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    debug: bool | None = None,
) -> T: ...
def run(
    main: Callable[..., Any] | Coroutine[Any, Any, Any],
    *args: object,
    grace: float = GRACE,
    stop_within: float = STOP_WITHIN,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    debug: bool | None = None,
) -> Any:
    """
    Run ``main(*args)`` as the whole program, and end everything in order when it is over.

    The order: main ends. The background tasks get ``grace`` seconds, are cancelled, and get ``stop_within`` more. All
    other tasks are cancelled, then the async generators closed, with ``stop_within`` seconds each. Calls in the default
    executor get ``grace`` seconds. Then the loop is closed. What does not stop in its time is said on standard error,
    with where it stands. Errors that no owner takes go to the reporters, without ``logging``.

    The first Ctrl-C or SIGTERM cancels main; when main is over, it ends the grace. The second one says what still runs
    and ends the process at once, by that signal: no ``finally`` and no ``atexit`` any more. Both only in the main
    thread, and where the program has set no handler of its own.

    The default executor has daemon threads, so that a stuck one does not keep the process from ending; what it was
    doing is then cut off. A longer ``grace`` waits longer. With an executor of its own, a program waits as ever.

    Args:
        main: An async function; or, as with ``asyncio.run``, a coroutine object.
        args: What it is called with.
        grace: Seconds, 0 or more; ``math.inf`` waits for ever.
        stop_within: Seconds, 0 or more, for what was cancelled.
        loop_factory: Makes the event loop, ``uvloop.new_event_loop`` for example.
        debug: Whether the loop is in debug mode; None leaves that as it is.

    Returns:
        What main returned; also when a signal had asked it to stop, and it returned in spite of it.

    Raises:
        BaseException: What main raised, ``CancelledError`` included; what failed in the background is attached
            (``unlost.attached``).
        KeyboardInterrupt: After Ctrl-C, if main did not return: the shell sees 130. Its traceback shows where main was.
        SystemExit: With 143 after SIGTERM, likewise (systemd wants ``SuccessExitStatus=143``). Either of the two also
            if any task or callback raised it; it comes out when everything has ended.
        ExceptionGroup: Main returned, but background tasks failed that nobody awaited: the last 100 of those.
        RuntimeError: Somebody stopped the loop, and main did not return.
        UsageError: Called in a running event loop, or with something else than a function: nothing was started.

    Where main returned and something is raised nevertheless, ``unlost.partial(error)`` has its value.
    """
    _check(main, args)
    bounds = _bounds(main, grace, stop_within)
    program = Program(_new_loop(main, loop_factory, debug), *bounds)
    try:
        copy_context().run(program.live, main, args)
        return program.conclude()
    finally:
        _close(main)  # a signal may have come before its first step
        del program, main, args  # the frames of what comes out refer to this one


def _check(main: object, args: tuple[object, ...]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # there is none: as it should be
        pass
    else:
        _refuse(main, "was called inside of a running event loop", "await {name}(...) there")
    if iscoroutine(main) and args:
        _refuse(main, f"got a coroutine object and arguments besides, {args!r}", "unlost.run({name}, *args)")
    if not iscoroutine(main) and not callable(main):
        raise UsageError(f"unlost.run() got {main!r} where it needs an async function.\nWrite unlost.run(main, *args).")


def _refuse(main: object, what: str, instead: str) -> None:
    name = name_of(main)
    _close(main)
    raise UsageError(f"unlost.run({name}) {what}.\nWrite {instead.format(name=name)}.")


def _bounds(main: object, grace: float, stop_within: float) -> tuple[float, float]:
    try:
        return check_seconds("run", "grace", grace), check_seconds("run", "stop_within", stop_within)
    except UsageError:
        _close(main)
        raise


def _new_loop(
    main: object, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None, debug: bool | None
) -> asyncio.AbstractEventLoop:
    try:
        loop = (loop_factory or asyncio.new_event_loop)()
    except BaseException:
        _close(main)
        raise
    if debug is not None:
        loop.set_debug(debug)
    return loop


def _close(main: object) -> None:
    """Leave nothing un-awaited behind a refused start."""
    if iscoroutine(main):
        main.close()
