"""What comes out of a task group's block, the strongest first, and what travels with it."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, Final

from unlost._core._caught import STOPPING
from unlost._core._forgiven import is_forgiven
from unlost._core._notes import add_note
from unlost._core._outcome import Failure
from unlost._core._outcomes import Outcomes, attach, partial
from unlost._core._report import report
from unlost._core._reraise import reraise
from unlost.errors import attach_errors, group_of

MESSAGE: Final = "unhandled errors in a TaskGroup"


def raise_fatal(
    fatal: BaseException, body_error: BaseException | None, errors: list[BaseException], outcomes: Outcomes[Any]
) -> bool:
    """Let ``KeyboardInterrupt`` or ``SystemExit`` out bare; what else failed is attached to it and reported."""
    came = {id(error): error for error in (*errors, *_failures(outcomes), body_error) if error is not None}
    others = [error for error in came.values() if error is not fatal and not isinstance(error, CancelledError)]
    try:
        if outcomes:
            attach(fatal, outcomes)
        _attach_and_report(fatal, others)
        if fatal is not body_error:
            reraise(fatal)
        return False
    finally:
        del fatal, body_error, came, others  # what is raised refers to this frame


def leave_generator(body_error: GeneratorExit, errors: list[BaseException], outcomes: Outcomes[Any]) -> bool:
    """Let ``GeneratorExit`` out as it is: a group in its place would come out of ``aclose()`` (cpython#135736)."""
    if outcomes:
        attach(body_error, outcomes)
    # a group of the policy's is made of the outcomes
    own = [error for error in errors if not isinstance(error, BaseExceptionGroup) or partial(error) is None]
    _attach_and_report(body_error, list({id(error): error for error in (*own, *_failures(outcomes))}.values()))
    return False


def raise_cancellation(cancellation: CancelledError, body_error: BaseException | None, outcomes: Outcomes[Any]) -> bool:
    """Let the owner's cancellation out, with the outcomes that there are."""
    try:
        if outcomes:
            attach(cancellation, outcomes)
        if cancellation is not body_error:
            reraise(cancellation)
        return False
    finally:
        del cancellation, body_error


def as_one(
    raised: BaseException | None,
    errors: list[BaseException],
    body_error: BaseException | None,
    outcomes: Outcomes[Any],  # Any: values are not looked at
) -> BaseException:
    """
    Return what the block raises, made of at least one error.

    That is what the policy raised itself, if nothing else came up; else one group of everything. ``outcomes`` travel
    with it.
    """
    errors = [error for error in errors if error is not body_error]  # a policy's may have left the body too
    if raised is not None and not errors and body_error is None:
        if outcomes:
            attach(raised, outcomes)
        return raised
    members: list[BaseException] = []
    if isinstance(raised, BaseExceptionGroup):
        members += raised.exceptions
    elif raised is not None:
        members.append(raised)
    members += errors
    if body_error is not None:
        members.append(body_error)
    message = raised.message if isinstance(raised, BaseExceptionGroup) else MESSAGE
    if not outcomes:  # exactly the type that asyncio raises
        return BaseExceptionGroup(message, members)
    group = group_of(message, members)
    attach(group, outcomes)
    return group


def is_own_error(body_error: BaseException | None) -> bool:
    """Tell whether the body failed, rather than was cancelled, closed or stopped."""
    return body_error is not None and not isinstance(body_error, (CancelledError, GeneratorExit, *STOPPING))


def _failures(outcomes: Outcomes[Any]) -> list[BaseException]:  # Any: values are not looked at
    return [outcome.error for outcome in outcomes if isinstance(outcome, Failure) and not is_forgiven(outcome)]


def _attach_and_report(error: BaseException, others: list[BaseException]) -> None:
    if others:
        attach_errors(error, tuple(others))
        what = f"{len(others)} failed before {type(error).__name__} stopped a TaskGroup"
        report(BaseExceptionGroup(what, others), what)
        add_note(error, what)
