"""
How one operation ended: a value, a failure or a cancellation.

The model is closed: an ended operation is exactly one of the three. To a type checker ``Outcome[T]`` is the union of
the three, so that ``match`` narrows and ``assert_never`` proves it; at run time it is their base class, so that
``isinstance(x, Outcome)`` works.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Hashable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn, TypeAlias, TypeVar

from unlost._core._reraise import reraise
from unlost.errors import ChildCancelled, walk

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Ended:
    """
    What every outcome carries, however it ended.

    Attributes:
        index: Position of the input, counted from 0 in the order given; -1 where there is no order.
        key: What names the input to its owner; None where nothing does.
        attempts: How often the operation was started, the last time included; at least 1, or 0 if it never started.
        duration: Seconds from the first start to the end, waits between attempts included.
        survived: The errors of earlier attempts, oldest first.
        forgiven: Why it is not wanted; there only once ``forgive`` said so.
    """

    __slots__ = ("attempts", "duration", "forgiven", "index", "key", "survived")

    index: int
    key: Hashable
    attempts: int
    duration: float
    survived: tuple[BaseException, ...]
    forgiven: str

    if not TYPE_CHECKING:  # to a checker, `Outcome` is the union at the end of this module

        def __class_getitem__(cls, _parameter):
            return cls

    def _details(self) -> str:
        parts = [] if self.index < 0 else [f", index={self.index}"]
        if self.key is not None:
            parts.append(f", key={self.key!r}")
        if self.attempts > 1:
            parts.append(f", attempts={self.attempts}")
        if self.survived:
            parts.append(f", survived={len(self.survived)}")
        return "".join(parts)


class Value(_Ended, Generic[T_co]):
    """The operation returned ``value``."""

    __slots__ = ("value",)
    __match_args__ = ("value",)

    def __init__(
        self,
        value: T_co,
        index: int = -1,
        key: Hashable = None,
        attempts: int = 1,
        duration: float = 0.0,
        survived: tuple[BaseException, ...] = (),
    ) -> None:
        self.value = value
        self.index = index
        self.key = key
        self.attempts = attempts
        self.duration = duration
        self.survived = survived

    def unwrap(self) -> T_co:
        """Return the value."""
        return self.value

    def __repr__(self) -> str:
        return f"Value({self.value!r}{self._details()})"


class Failure(_Ended):
    """
    The operation raised ``error``: the original exception object, never a copy.

    While the error is referenced, so are the frames of its traceback with all their locals. Where many failures are
    kept, ``release_frames`` lets the locals go.
    """

    __slots__ = ("error",)
    __match_args__ = ("error",)

    def __init__(
        self,
        error: BaseException,
        index: int = -1,
        key: Hashable = None,
        attempts: int = 1,
        duration: float = 0.0,
        survived: tuple[BaseException, ...] = (),
    ) -> None:
        self.error = error
        self.index = index
        self.key = key
        self.attempts = attempts
        self.duration = duration
        self.survived = survived

    def unwrap(self) -> NoReturn:
        """Raise the error itself."""
        try:
            reraise(self.error)
        finally:
            del self  # the error's traceback refers to this frame

    def release_frames(self) -> None:
        """
        Drop the locals of every finished frame that the error, its causes, contexts and members hold.

        The traceback still prints in full; a frame that is still running, or suspended, keeps its locals.
        """
        for error in walk(self.error, *self.survived):
            _clear_finished(error.__traceback__)

    def __repr__(self) -> str:
        return f"Failure({self.error!r}{self._details()})"


def _clear_finished(traceback: TracebackType | None) -> None:
    """
    Do as ``traceback.clear_frames``, but leave alone who caught the error and went on.

    Before 3.13, clearing the frame of a suspended coroutine closes that coroutine. Where a frame stands at the very
    instruction that the error passed through, it has ended by it.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_lasti == traceback.tb_lasti:
            with suppress(RuntimeError):  # it runs, or is suspended, and keeps its locals
                frame.clear()
        traceback = traceback.tb_next


class Cancelled(_Ended):
    """The operation was cancelled; ``reason`` says by whom and why, as far as that is known."""

    __slots__ = ("error", "reason")
    __match_args__ = ("error",)

    def __init__(
        self,
        error: CancelledError,
        index: int = -1,
        key: Hashable = None,
        attempts: int = 1,
        duration: float = 0.0,
        survived: tuple[BaseException, ...] = (),
        reason: str = "",
    ) -> None:
        self.error = error
        self.index = index
        self.key = key
        self.attempts = attempts
        self.duration = duration
        self.survived = survived
        self.reason = reason

    def unwrap(self) -> NoReturn:
        """
        Raise ``ChildCancelled`` from the cancellation.

        Not a ``CancelledError``: that the child was cancelled does not mean that the caller was.
        """
        reraise(self._child_cancelled())  # no local name: the traceback refers to this frame

    def _child_cancelled(self) -> ChildCancelled:
        child_cancelled = ChildCancelled(self.reason or "the operation was cancelled from elsewhere")
        child_cancelled.__cause__ = self.error
        return child_cancelled

    def __repr__(self) -> str:
        return f"Cancelled({self.reason!r}{self._details()})"


if TYPE_CHECKING:
    Outcome: TypeAlias = Value[T] | Failure | Cancelled
else:
    Outcome = _Ended
