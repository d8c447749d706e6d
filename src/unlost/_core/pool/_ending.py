"""What comes out of a call that cannot return all its outcomes, and how those travel with it."""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter
from typing import Any

from unlost._core._caught import STOPPING, outcome_of
from unlost._core._notes import add_note
from unlost._core._outcome import Failure
from unlost._core._outcomes import Outcomes, attach
from unlost._core._report import report
from unlost._core._reraise import reraise
from unlost._core._summary import totals
from unlost._core.pool._pool import Pool


def conclude(
    pool: Pool[Any, Any],  # Any, here and below: neither items nor values are looked at
    outcomes: Outcomes[Any],
    cancellation: CancelledError | None,
    counts: Counter[type] | None = None,
    body_error: BaseException | None = None,
) -> None:
    """
    Raise what has to come out in the place of ``outcomes``, with them attached; return if nothing has to.

    The strongest wins: ``KeyboardInterrupt`` or ``SystemExit`` of an item, then the caller's cancellation, then the
    input's exception. A weaker one is attached as the outcome of the input. ``counts`` has the types of all outcomes
    that there were, where some of them are elsewhere already. ``body_error`` is what left the block: Python makes it
    the context of a cancellation, but not of a fatal error that came with a context of its own.
    """
    fatal, error = pool.take_errors()
    try:
        if fatal is not None:
            accompany(fatal, with_body(with_input(outcomes, error), fatal, body_error, pool.reason), pool)
            reraise(fatal)
        if cancellation is not None:
            accompany(cancellation, with_input(outcomes, error), pool)
            reraise(cancellation)
        if error is not None:
            if pool.input_failed:
                so_far = totals(Counter(map(type, outcomes)) if counts is None else counts)
                add_note(error, f"unlost.{pool.call}: the input failed; by then {so_far}, see unlost.partial(error)")
            accompany(error, outcomes, pool)
            reraise(error)
    finally:
        del fatal, cancellation, error, body_error  # each refers to this frame


def leave_with(body_error: BaseException, rest: Outcomes[Any], pool: Pool[Any, Any]) -> None:
    """Attach ``rest``, which nobody took, to the exception that leaves the block: that one is not replaced."""
    _, input_error = pool.take_errors()
    rest = with_input(rest, input_error)
    if failures := own_failures(rest, pool.reason):
        add_note(body_error, f"unlost.{pool.call}: {len(failures)} failed besides, see unlost.partial(error)")
    accompany(body_error, rest, pool)


def accompany(error: BaseException, outcomes: Outcomes[Any], pool: Pool[Any, Any]) -> None:
    """Attach ``outcomes`` to ``error``; report their failures where nobody is going to look at what is attached."""
    if not outcomes:
        return
    attach(error, outcomes)
    failures = own_failures(outcomes, pool.reason)
    if failures and isinstance(error, (*STOPPING, GeneratorExit)):
        message = f"{len(failures)} failed before {type(error).__name__} stopped unlost.{pool.call}"
        report(failures.as_group(message), message)


def own_failures(outcomes: Outcomes[Any], asked: str) -> Outcomes[Any]:
    """Return what is no value, without the cancellations that we asked for, ``asked`` being their reason."""
    return Outcomes(failure for failure in outcomes.failures if isinstance(failure, Failure) or failure.reason != asked)


def with_input(outcomes: Outcomes[Any], input_error: BaseException | None) -> Outcomes[Any]:
    """Return ``outcomes`` with that of the input itself, which has no index, in front."""
    return outcomes if input_error is None else Outcomes([Failure(input_error), *outcomes])


def with_body(
    outcomes: Outcomes[Any], fatal: BaseException, body_error: BaseException | None, asked: str
) -> Outcomes[Any]:
    """Return ``outcomes`` with that of the block in front, if ``fatal`` is about to replace what left it."""
    if body_error is None or body_error is fatal:
        return outcomes
    return Outcomes([outcome_of(body_error, -1, 0.0, asked), *outcomes])
