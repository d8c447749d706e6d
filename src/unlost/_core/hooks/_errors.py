"""The hooks that the interpreter calls with an exception that nobody caught."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, NoReturn, TypeAlias

from unlost._core.hooks._replaced import Switch, Undo, replace, together

Told: TypeAlias = Callable[[BaseException, str], object]
"""Called with an exception and the name of the hook; must not raise."""

_ours: Final[list[tuple[Told, object]]] = []
"""What stands in ``sys.excepthook`` of ours, with whom it tells."""


def on_uncaught(tell: Told) -> Undo:
    """
    Call ``tell`` before ``sys.excepthook``, ``threading.excepthook`` and ``sys.unraisablehook``, which stay.

    Where the interpreter's own stands, what it keeps as such (``sys.__excepthook__``) becomes ours as well: programs
    compare the two, and put that one back. What replaces a hook later and does not call it is in our place; for
    ``sys.excepthook`` see ``last_uncaught``.
    """

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

    undo_all = together(
        [
            *_replaced(sys, "excepthook", uncaught),
            *_replaced(threading, "excepthook", carried("threading.excepthook")),
            *_replaced(sys, "unraisablehook", carried("sys.unraisablehook")),
        ]
    )
    ours = (tell, sys.excepthook)
    _ours.append(ours)

    def undo() -> None:
        if ours in _ours:
            _ours.remove(ours)
        undo_all()

    return undo


def _replaced(holder: Any, name: str, make: Callable[[Any, Switch], Any]) -> list[Undo]:  # Any: as above
    kept = f"__{name}__"
    is_interpreters = getattr(holder, name) is getattr(holder, kept, None)
    undos = [replace(holder, name, make)]
    if is_interpreters:
        undos.append(replace(holder, kept, lambda _original, _switch: getattr(holder, name)))
    return undos


def last_uncaught() -> BaseException | None:
    """Return the exception that was given to ``sys.excepthook`` last, whatever stood there; None where none was."""
    last = getattr(sys, "last_exc", None)  # from 3.12 on
    if last is None:
        last = getattr(sys, "last_value", None)
    return last if isinstance(last, BaseException) else None


def tell_uncaught(error: BaseException, traceback: TracebackType | None) -> None:
    """Call the hook that stands with an error that ended a program, as the interpreter does; none need call ours."""
    if not any(sys.excepthook is hook for _, hook in _ours):
        for tell, _ in tuple(_ours):
            tell(error, "sys.excepthook")
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)


def end_interrupted() -> NoReturn:
    """End as the interpreter does where nothing catches Ctrl-C: by the signal. That was told before."""
    sys.excepthook = _say_nothing
    raise KeyboardInterrupt


def _say_nothing(_type: type[BaseException], _error: BaseException, _traceback: TracebackType | None) -> None:
    """Print nothing: it was told before."""
