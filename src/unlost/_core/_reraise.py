"""Raise an exception object that was caught elsewhere, without leaving marks on it."""

from __future__ import annotations

from typing import NoReturn


def reraise(captured_error: BaseException) -> NoReturn:
    """
    Raise ``captured_error``; keep its ``__context__``, and no reference from this frame to it.

    A bare ``raise`` inside an ``except`` block of the caller would overwrite the context that the error came with
    (anyio#1098). Where it came with none, Python's own chaining holds.
    """
    context = captured_error.__context__
    try:
        raise captured_error
    finally:
        if context is not None:
            # past a __setattr__ of the error's class: exceptions that are frozen dataclasses exist
            BaseException.__setattr__(captured_error, "__context__", context)
        del captured_error, context
