"""The hooks that the interpreter calls with an exception that nobody caught."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeAlias

from unlost._core.hooks._replaced import Switch, Undo, replace, together

Told: TypeAlias = Callable[[BaseException, str], object]
"""Called with an exception and the name of the hook; must not raise."""


def on_uncaught(tell: Told) -> Undo:
    """Call ``tell`` before ``sys.excepthook``, ``threading.excepthook`` and ``sys.unraisablehook``, which stay."""

    def uncaught(original: Any, switch: Switch) -> Any:  # Any: a hook of anybody's
        def excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
            if switch.on:
                tell(error, "sys.excepthook")
            original(kind, error, traceback)

        return excepthook

    def carried(hook: str) -> Callable[[Any, Switch], Any]:  # Any: as above
        def make(original: Any, switch: Switch) -> Any:  # Any: as above
            def observed(arguments: Any, /) -> None:  # Any: threading's or sys' own structure
                if switch.on and isinstance(arguments.exc_value, BaseException):
                    tell(arguments.exc_value, hook)
                original(arguments)

            return observed

        return make

    return together(
        [
            replace(sys, "excepthook", uncaught),
            replace(threading, "excepthook", carried("threading.excepthook")),
            replace(sys, "unraisablehook", carried("sys.unraisablehook")),
        ]
    )


def tell_uncaught(error: BaseException, traceback: TracebackType | None) -> None:
    """Call the hook that stands with an error that ended a program, as the interpreter does."""
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)


def end_interrupted() -> NoReturn:
    """End as the interpreter does where nothing catches Ctrl-C: by the signal. That was told before."""
    sys.excepthook = _say_nothing
    raise KeyboardInterrupt


def _say_nothing(_type: type[BaseException], _error: BaseException, _traceback: TracebackType | None) -> None:
    """Print nothing: it was told before."""
