"""What comes out of a supervisor's block, and what travels with it."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterable

from unlost._core._caught import STOPPING
from unlost._core._report import report
from unlost._core._reraise import reraise
from unlost._core.supervision._engine import Engine
from unlost.errors import SupervisorGaveUp, attach_errors


def conclude(
    engine: Engine, error: BaseException | None, cancellation: CancelledError | None, *, replaces_ours: bool
) -> None:
    """
    Raise what has to come out of the block, with the rest attached; return if that is ``error``, or nothing.

    Args:
        engine: Its children have ended. It is closed.
        error: What the block was left with, but for a cancellation of ours.
        cancellation: What reached the caller while it waited.
        replaces_ours: Whether Python is going to chain a cancellation of ours to what is raised.
    """
    fatal, gave_up = engine.fatal, engine.gave_up
    members = () if gave_up is None else gave_up.crashes
    unowned = [crash for crash in engine.unowned if not any(crash is member for member in members)]
    left_behind = engine.left_behind
    strongest = _strongest(error, fatal, cancellation, gave_up)
    besides = [one for one in (error, fatal, cancellation, gave_up) if one is not None and one is not strongest]
    engine.close()
    try:
        if strongest is not None:
            attach_errors(strongest, (*besides, *unowned, *left_behind))
        if strongest is None or isinstance(strongest, (*STOPPING, GeneratorExit)):  # nobody looks at what is attached
            _report([*besides, *unowned], engine.who)
        if strongest is not None and strongest is not error:
            if replaces_ours:
                BaseException.__dict__["__suppress_context__"].__set__(strongest, True)
            reraise(strongest)
    finally:
        del error, fatal, cancellation, gave_up, strongest, besides, unowned, left_behind, members  # they refer to this


def _strongest(
    error: BaseException | None,
    fatal: BaseException | None,
    cancellation: CancelledError | None,
    gave_up: SupervisorGaveUp | None,
) -> BaseException | None:
    """Return what comes out: what stops the program, the caller's cancellation, giving up, the body's error."""
    if isinstance(error, STOPPING):
        return error
    if fatal is not None:
        return fatal
    if isinstance(error, CancelledError):
        return error
    return cancellation or gave_up or error


def _report(errors: Iterable[BaseException], who: str) -> None:
    for error in errors:
        if not isinstance(error, CancelledError):
            report(error, f"{who} was stopped by then, and nobody could be told")
