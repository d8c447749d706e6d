"""What comes out when a limit of time fired, and what was raised meanwhile."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from inspect import CO_ASYNC_GENERATOR
from typing import Final, NoReturn

from unlost._core import attach_outcomes, carried, partial
from unlost.errors import DeadlineExceeded, attached, move_history

_AT_A_YIELD: Final = (
    "The limit is inside of an async generator. The time was up while that was suspended at a yield, and what\n"
    "consumed the generator was cancelled (PEP 789). Write the limit around the loop that consumes it."
)


def raise_instead(exceeded: DeadlineExceeded, error: BaseException) -> NoReturn:
    """Raise ``exceeded`` from what came out of the block; what was kept with that goes along."""
    if isinstance(error, CancelledError):
        move_history(error, exceeded)
    elif (outcomes := partial(error)) is not None:
        attach_outcomes(exceeded, outcomes)
    try:
        raise exceeded from error
    finally:
        del exceeded, error


def noted_at_a_yield(exceeded: DeadlineExceeded) -> DeadlineExceeded:
    """Return ``exceeded`` with what a limit inside of an async generator does wrong as a note."""
    exceeded.add_note(_AT_A_YIELD)
    return exceeded


def is_told_to_stop(error: BaseException) -> bool:
    """An exception that no handler of errors may take for one: the program, or a generator, is to end."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup((KeyboardInterrupt, SystemExit)) is not None
    return not isinstance(error, Exception | CancelledError)


def came_up(error: BaseException) -> tuple[BaseException, ...]:
    """Return what was raised since the limit fired, oldest first: with what was attached to the cancellation before."""
    if isinstance(error, CancelledError):
        return carried(error)
    return (*_attached_to_the_cancellation(error), error, *attached(error))


def _attached_to_the_cancellation(error: BaseException) -> tuple[BaseException, ...]:
    beneath: BaseException | None = error
    passed = set()
    while beneath is not None and id(beneath) not in passed:
        if isinstance(beneath, CancelledError):
            return carried(beneath)
        passed.add(id(beneath))
        beneath = beneath.__context__
    return ()


def is_awaited_by_a_generator() -> bool:
    """Tell whether the block that is being left stands in an async generator itself."""
    block = sys._getframe(1).f_back
    return block is not None and bool(block.f_code.co_flags & CO_ASYNC_GENERATOR)
