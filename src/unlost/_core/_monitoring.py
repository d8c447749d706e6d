"""The only file that registers with ``sys.monitoring``, which is 3.12's (held by ``tests/house``)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from types import CodeType
from typing import Final, TypeAlias

ErrorEvent: TypeAlias = Callable[[CodeType, int, BaseException], object]
ReturnEvent: TypeAlias = Callable[[CodeType, int, object], object]

# 0 to 2 and 5 are for debuggers, coverage, profilers and optimizers (PEP 669)
_TOOLS: Final = (4, 3)


def monitor_errors(
    raised: ErrorEvent, reraised: ErrorEvent, returned: ReturnEvent, codes: Collection[CodeType]
) -> int | None:
    """
    Call ``raised`` and ``reraised`` with what every thread's exceptions do, until ``stop_monitoring``.

    What they raise takes the place of the exception that they are told of; so does a ``RecursionError`` where the
    program has no room left to call them. While one runs, the interpreter tells nothing of what its own code does.

    Args:
        raised: For each frame in which an exception comes up, by itself or out of what that calls; not for what a
            handler of that frame lets go of.
        reraised: For each exception handler that lets go of what it had, those that the compiler made included.
        returned: For each return of one of these code objects.
        codes: No other function's return costs anything.

    Returns:
        The tool's number, for ``stop_monitoring``; None before 3.12 and where other tools have taken all places.
    """
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        events = monitoring.events
        for tool in _TOOLS:
            if monitoring.get_tool(tool) is not None:
                continue
            monitoring.use_tool_id(tool, "unlost")
            monitoring.register_callback(tool, events.RAISE, raised)
            monitoring.register_callback(tool, events.RERAISE, reraised)
            monitoring.register_callback(tool, events.PY_RETURN, returned)
            for code in codes:
                monitoring.set_local_events(tool, code, events.PY_RETURN)
            monitoring.set_events(tool, events.RAISE | events.RERAISE)
            _codes[tool] = tuple(codes)
            return tool
    return None


def stop_monitoring(tool: int) -> None:
    """Take back what ``monitor_errors`` registered."""
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        events = monitoring.events
        monitoring.set_events(tool, 0)
        for code in _codes.pop(tool, ()):
            monitoring.set_local_events(tool, code, 0)
        for event in (events.RAISE, events.RERAISE, events.PY_RETURN):
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)


_codes: dict[int, tuple[CodeType, ...]] = {}
