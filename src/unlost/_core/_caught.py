"""From an exception that was caught to what becomes of it."""

from __future__ import annotations

from asyncio import CancelledError
from types import FrameType
from typing import Final

from unlost._core._carried import carried
from unlost._core._outcome import Cancelled, Failure
from unlost._core._outcomes import attach, partial
from unlost.errors import ChildCancelled, group_of

# What stops everything, wherever it is raised. A tuple: isinstance of a union is many times slower.
STOPPING: Final = (KeyboardInterrupt, SystemExit)


def outcome_of(error: BaseException, index: int, duration: float, asked: str) -> Failure | Cancelled:
    """
    Return the outcome of an item that raised ``error``; ``asked`` is why we cancelled it, if we did.

    A cancellation that carries what cleanup raised is a failure, as it is where a plain ``finally`` raises.
    """
    failed = failure_of(error) if isinstance(error, CancelledError) else None
    return outcome_as_raised(error if failed is None else failed, index, duration, asked)


def outcome_as_raised(error: BaseException, index: int, duration: float, asked: str) -> Failure | Cancelled:
    """Return the outcome of what raised ``error``, where a cancellation is going to be raised on, not absorbed."""
    if isinstance(error, CancelledError):
        return Cancelled(error, index, None, 1, duration, (), asked or _message(error))
    return Failure(error, index, None, 1, duration)


def failure_of(cancellation: CancelledError) -> BaseException | None:
    """Return the failure that a cancellation carries, or one group of them; the cancellation is its context."""
    failures = carried(cancellation)
    if not failures:
        return None
    outcomes = partial(cancellation)
    if len(failures) == 1 and not outcomes:
        return failures[0]
    group = group_of(f"{len(failures)} failed while they were being cancelled", failures)
    if outcomes:
        attach(group, outcomes)
    return group


def as_input_error(error: BaseException, what: str = "the input") -> BaseException:
    """Return what comes out of the call where iterating the input, or other code of the user's, raised ``error``."""
    strip_own_frames(error)
    if not isinstance(error, CancelledError):
        return error
    # that was cancelled, not the caller
    child_cancelled = ChildCancelled(f"{what} was cancelled: {_message(error) or 'no reason is known'}")
    child_cancelled.__cause__ = error
    return child_cancelled


def strip_own_frames(error: BaseException) -> None:
    """
    Drop the leading traceback entries that belong to this package.

    They tell the user nothing, and the frames' locals refer to what keeps the error: that would be a cycle.
    """
    traceback = error.__traceback__
    while traceback is not None and _is_own(traceback.tb_frame):
        traceback = traceback.tb_next
    BaseException.with_traceback(error, traceback)


def _is_own(frame: FrameType) -> bool:
    package = frame.f_globals.get("__package__")
    return isinstance(package, str) and (package == __package__ or package.startswith(f"{__package__}."))


def _message(cancellation: CancelledError) -> str:
    return str(cancellation.args[0]) if cancellation.args else ""
