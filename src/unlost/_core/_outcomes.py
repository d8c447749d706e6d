"""The outcomes of many operations: returned together, or travelling with the error that came out in their place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final, Self, SupportsIndex, TypeVar, overload

from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._summary import summary
from unlost._core._unheard import count_unheard
from unlost.errors import ChildCancelled, group_of, recall, remember

T = TypeVar("T")

_KEY: Final = "outcomes"
_SHOWN: Final = 6
_index = attrgetter("index")


class Outcomes(list[Outcome[T]]):
    """
    A list of outcomes; ``str`` summarises it.

    It holds one outcome for each input, in input order, unless it comes from ``partial(error)``: then only those that
    had ended, each with its ``index``.
    """

    __slots__ = ("__weakref__", "_untold")

    _untold: str

    def __iter__(self) -> Iterator[Outcome[T]]:
        self._untold = ""
        return super().__iter__()

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Outcome[T]: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Outcome[T]]: ...
    def __getitem__(self, index: Any, /) -> Any:  # Any: the overloads say it
        self._untold = ""
        return super().__getitem__(index)

    def returned_by(self, call: str) -> Self:
        """Say which call returns these: failures among them are counted unless somebody looks."""
        self._untold = call
        return self

    def __del__(self) -> None:
        call = getattr(self, "_untold", "")
        if call and not sys.is_finalizing():
            failed = [
                outcome for outcome in self if isinstance(outcome, Failure) and not getattr(outcome, "forgiven", "")
            ]
            if failed:
                count_unheard(f"{call}, whose outcomes nobody looked at", len(failed), failed[-1].error)

    @property
    def failures(self) -> list[Failure | Cancelled]:
        """Every outcome that is not a value, cancellations included; each has ``.error`` and ``.index``."""
        return [outcome for outcome in self if not isinstance(outcome, Value)]

    def values(self) -> list[T]:
        """
        Return all values, or raise all failures.

        Raises:
            ExceptionGroup: If there is any failure: one group of all of them, in order, each the original exception
                object; a cancelled item is in it as ``ChildCancelled``. A ``BaseExceptionGroup`` where one of them is
                no ``Exception``. ``partial(group)`` returns these outcomes: the values are not lost.
        """
        values = [outcome.value for outcome in self if isinstance(outcome, Value)]
        if len(values) < len(self):
            # no local name for the group: its traceback refers to this frame
            raise self.as_group(f"{len(self) - len(values)} of {len(self)} failed")
        return values

    def as_group(self, message: str, among: Outcomes[Any] | None = None) -> BaseExceptionGroup[BaseException]:
        """
        Return everything that is no value as one group; there must be something.

        Attached to it are these outcomes, or all those that they were picked from, ``among``.
        """
        group = group_of(message, [_as_exception(failure) for failure in self.failures])
        attach(group, self if among is None else among)
        return group

    def sort_by_input(self) -> None:
        """Bring the outcomes into the order of their inputs."""
        self.sort(key=_index)

    def __repr__(self) -> str:
        # never all of them: asyncio makes the repr of a task, with its result, whenever asyncio.run() ends
        shown = ", ".join(map(repr, self[:_SHOWN]))
        return f"Outcomes([{shown}, ... {len(self)} in all])" if len(self) > _SHOWN else f"Outcomes([{shown}])"

    def __str__(self) -> str:
        return summary(self)


def _as_exception(failure: Failure | Cancelled) -> BaseException:
    if isinstance(failure, Failure):
        return failure.error
    child_cancelled = ChildCancelled(f"item {failure.index} was cancelled: {failure.reason or 'no reason is known'}")
    child_cancelled.__cause__ = failure.error
    return child_cancelled


def partial(error: BaseException) -> Outcomes[Any] | None:  # Any: the error does not tell of which call
    """
    Return the outcomes that had ended when ``error`` came out of ``settle``, ``map`` or ``stream`` in their place.

    They are in input order. What has the index -1 is no item but the input itself, or the block of a stream, which
    failed too. Where the error passed through several calls, the outcomes of all follow each other, the innermost
    first. None if nothing is attached. They stay in this process: a pickled error comes back without them.
    """
    attached: Outcomes[Any] | None = recall(error, _KEY)  # Any: as above
    return attached


def attach(error: BaseException, outcomes: Outcomes[Any]) -> None:  # Any: as above
    """Keep ``outcomes`` with ``error``, behind those that are there, each of them once."""
    present = partial(error) or ()
    known = set(map(id, outcomes))
    if before := [outcome for outcome in present if id(outcome) not in known]:
        outcomes = Outcomes([*before, *outcomes])
    remember(error, _KEY, outcomes)
