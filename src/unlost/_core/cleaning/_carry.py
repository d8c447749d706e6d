"""Errors that travel with the one that comes out, without a cycle."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Final

from unlost._core._caught import STOPPING
from unlost._core._report import report
from unlost.errors import attach_errors, headline, walk

# Whoever takes these looks at nothing that is attached to them.
_UNREAD: Final = (*STOPPING, GeneratorExit)


def carry(out: BaseException, errors: tuple[BaseException, ...], name: str) -> None:
    """
    Attach ``errors`` to ``out``, which is about to come out of ``name``; report them too where nobody will look there.

    Where Python had made ``out`` the context of one, that goes: it says no more than that ``out`` was being handled,
    and together with the attachment it would be a cycle. A cause, which the user wrote, stays.
    """
    others = [error for error in errors if error is not out]
    if not others:
        return
    for error in walk(*others):
        if error.__context__ is out and error.__cause__ is not out:
            BaseException.__setattr__(error, "__context__", None)  # past a __setattr__ of the error's class
    attach_errors(out, tuple(others))
    failures = [error for error in others if not isinstance(error, CancelledError)]  # nobody misses a cancellation
    if failures and isinstance(out, _UNREAD):
        group = BaseExceptionGroup(f"{len(failures)} failed besides {headline(out)}", failures)
        report(group, f"{name} ended with {type(out).__name__}")
