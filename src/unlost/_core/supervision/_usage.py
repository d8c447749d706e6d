"""The mistakes that are easily made with a supervisor: recognised, with what to write."""

from __future__ import annotations

from inspect import iscoroutine

from unlost.errors import UsageError


def check_function(func: object) -> None:
    """Refuse what cannot be called again and again."""
    if iscoroutine(func):
        func.close()  # a refused start leaves nothing un-awaited
        raise UsageError(
            f"start_child() got a coroutine object, {func.__name__}(...), which can run only once.\n"
            f"Write start_child({func.__name__}, *args), without the call."
        )
    if not callable(func):
        raise UsageError(f"start_child() got {func!r}, no function. Write start_child(func, *args).")


def check_choice(call: str, parameter: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse anything but one of ``choices``."""
    if value not in choices:
        raise UsageError(f"{call}() got {parameter}={value!r}. Write one of {', '.join(map(repr, choices))}.")


def check_seconds(call: str, parameter: str, value: object) -> None:
    """Refuse anything but a positive number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"{call}() got {parameter}={value!r}. Write seconds, more than 0.")


def check_intensity(value: object) -> None:
    """Refuse anything but a whole number of restarts."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(f"Supervisor() got intensity={value!r}. Write a whole number of restarts, at least 0.")


def check_backoff(value: object) -> None:
    """Refuse what is no schedule."""
    if not callable(value):
        raise UsageError(
            f"Supervisor() got backoff={value!r}, no function from the number of crashes in a row to seconds.\n"
            f"Write backoff=lambda attempt: {value!r}."
        )
