"""What an event loop has to say of errors that nobody took: to the reporters, not to ``logging``."""

from __future__ import annotations

from asyncio import Task
from typing import Any

from unlost._core._caught import STOPPING
from unlost._core._report import report
from unlost.errors import UnlostError

_NEVER_TAKEN = "Task exception was never retrieved"
_DESTROYED = "Task was destroyed but it is pending!"
_WHOSE = ("task", "future", "asyncgen", "handle", "transport", "protocol", "server")
_LONGEST = 200


def report_loop_error(context: dict[str, Any]) -> None:  # Any: of every sort
    """Report what a loop gives to its exception handler, in the words of ``asyncio``."""
    error, message = context.get("exception"), str(context.get("message") or "unhandled exception in the event loop")
    if message == _NEVER_TAKEN and isinstance(error, STOPPING):
        return  # it came out of the loop when it was raised, see Program
    task = context.get("task")
    if message == _DESTROYED and task is not None and task.get_loop().is_closed():
        return  # it did not stop when the program ended, which was said then
    if not isinstance(error, BaseException):
        error = UnlostError(message)
    report(error, _told(context, message))


def _told(context: dict[str, Any], message: str) -> str:  # Any: as above
    for key in _WHOSE:
        subject = context.get(key)
        if subject is not None:
            return f"{message}: {_named(subject)}"
    return message


def _named(subject: Any) -> str:  # Any: as above
    if isinstance(subject, Task):  # its repr shows paths, and the error once more
        # not get_coro(): on 3.12.1 it crashes the interpreter for a task that was eager and never suspended
        name = getattr(getattr(subject, "_coro", None), "__qualname__", None)
        return f"task {subject.get_name()!r}" + (f", {name}()" if name else "")
    qualname = getattr(subject, "__qualname__", None)
    text = f"{qualname}()" if isinstance(qualname, str) else repr(subject)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
