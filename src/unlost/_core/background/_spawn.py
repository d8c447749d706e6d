"""Start a task in the background of whatever owns it here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar, TypeVarTuple

from unlost._core._site import caller, name_of
from unlost._core._startable import check_startable
from unlost._core.background._owner import Owner
from unlost._core.background._spawned import Spawned
from unlost.errors import UsageError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# The owners around this code, outermost first. A tuple, so that a task which outlives its owner finds the next one.
_around: ContextVar[tuple[Owner, ...]] = ContextVar("unlost.background", default=())

# What `run` owns, for code in a context that was not copied from main's: callbacks from a library's own thread.
_programs: dict[asyncio.AbstractEventLoop, Owner] = {}


def spawn(func: Callable[[*Ts], Awaitable[T]], *args: *Ts, name: str | None = None) -> Spawned[T]:
    """
    Start ``func(*args)`` in the background.

    The owner is the innermost ``Background`` scope around this code that is still open, or else the running
    ``unlost.run``. It keeps the task alive, reports its failure when it happens, and ends it in order.

    Args:
        func: An async function, or anything that returns an awaitable.
        args: What it is called with; for keywords, give a ``functools.partial``.
        name: What reports call the task; the function's name by default.

    Returns:
        A handle, which may be dropped. Whoever awaits it gets the value, or the failure in the place of the report.

    Raises:
        UsageError: There is no owner; or ``func`` cannot be called: a coroutine object is closed. Nothing was started.
    """
    check_startable("spawn", func)
    owner = _owner_here() or _no_owner(name_of(func))
    return owner.spawn(func, args, name, caller(1))


@contextmanager
def owned_by(owner: Owner) -> Iterator[None]:
    """Let ``spawn`` find the owner of a program: in this context, and anywhere on its loop."""
    enter(owner)
    _programs[owner.loop] = owner
    try:
        yield
    finally:
        del _programs[owner.loop]
        leave(owner)


def enter(owner: Owner) -> None:
    """Let ``spawn`` find ``owner`` in this context."""
    _around.set((*_around.get(), owner))


def leave(owner: Owner) -> None:
    """Forget ``owner``; without a token, since a scope may be left in another context than it was entered in."""
    _around.set(tuple(each for each in _around.get() if each is not owner))


def program_of(loop: asyncio.AbstractEventLoop) -> Owner | None:
    """Return what the ``run`` of this loop owns, if it is one of ``run``."""
    return _programs.get(loop)


def _owner_here() -> Owner | None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a thread, or a fork: the innermost owner says why that cannot be
        return next(reversed(_around.get()), None)
    for owner in reversed(_around.get()):
        if owner.loop is loop and owner.is_open:
            return owner
    # one that is closed says so better than none at all
    return _programs.get(loop) or next((each for each in reversed(_around.get()) if each.loop is loop), None)


def _no_owner(name: str) -> NoReturn:
    raise UsageError(
        f"spawn({name}) found nobody who would own the task: it would fail unseen, or vanish half-way.\n"
        "Write unlost.run(main) in place of asyncio.run(main()); or, in an application's lifespan,\n"
        f"    async with unlost.Background() as background: ...\n"
        f"and then background.spawn({name}, ...) wherever that is at hand."
    )
