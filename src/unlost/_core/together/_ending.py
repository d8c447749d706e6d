"""What comes out of a call that runs operations at once, in the place of their values."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Set as AbstractSet
from typing import Any

from unlost._core._caught import STOPPING, outcome_of
from unlost._core._notes import add_note
from unlost._core._outcome import Failure
from unlost._core._outcomes import Outcomes, attach
from unlost._core._report import report
from unlost._core._reraise import reraise
from unlost._core.together._children import Children

_NONE: AbstractSet[int] = frozenset()


def conclude(
    children: Children[Any],  # Any, here and below: values are not looked at
    cancellation: CancelledError | None,
    told: AbstractSet[int] = _NONE,
    body_error: BaseException | None = None,
) -> None:
    """
    Raise what has to come out in the place of anything else, with the outcomes attached; return if nothing has to.

    The strongest wins: ``KeyboardInterrupt`` or ``SystemExit`` of an operation, the caller's cancellation, a refused
    start. ``told`` are the outcomes that were handed over already, ``body_error`` is what left the block.
    """
    stronger = children.fatal or cancellation or children.refused
    if stronger is None:
        return
    children.fatal = children.refused = None  # raising it makes its traceback refer to who holds this
    try:
        outcomes = _untold(children, told)
        if body_error is not None and body_error is not stronger and isinstance(stronger, STOPPING):
            outcomes = Outcomes([outcome_of(body_error, -1, 0.0, ""), *outcomes])
        accompany(stronger, outcomes, children)
        reraise(stronger)
    finally:
        del stronger, cancellation, body_error


def leave_with(children: Children[Any], body_error: BaseException | None, told: AbstractSet[int]) -> None:
    """Attach what nobody took to the exception that leaves the block; where there is none, raise the failures."""
    try:
        rest = _untold(children, told)
        if children.refused is not None:
            rest = Outcomes([Failure(children.refused), *rest])
        failures = children.own_failures(rest)
        if body_error is not None:
            if failures:
                add_note(
                    body_error, f"unlost.{children.call}: {len(failures)} failed besides, see unlost.partial(error)"
                )
            accompany(body_error, rest, children)
        elif failures:
            raise failures.as_group(f"{len(failures)} failed before the block was left", rest)
    finally:
        del body_error


def accompany(error: BaseException, outcomes: Outcomes[Any], children: Children[Any]) -> None:
    """Attach ``outcomes`` to ``error``; report their failures where nobody is going to look at what is attached."""
    if not outcomes:
        return
    attach(error, outcomes)
    failures = children.own_failures(outcomes)
    if failures and isinstance(error, (*STOPPING, GeneratorExit)):
        what = f"{len(failures)} failed before {type(error).__name__} stopped unlost.{children.call}"
        report(failures.as_group(what), what)


def _untold(children: Children[Any], told: AbstractSet[int]) -> Outcomes[Any]:
    return Outcomes(outcome for outcome in children.outcomes() if outcome.index not in told)
