"""
Coroutines that nobody awaited, each as it dies.

The interpreter's own warning stays the one that it was: it names the frame that stands right above its function, so
none of ours may stand between the two; and it lists where the coroutine was made only where the program asked for that.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from types import CodeType, CoroutineType, FunctionType
from typing import Any, Final, TypeAlias

from unlost._core.hooks._replaced import Switch, Undo, replace

_Coroutine: TypeAlias = "CoroutineType[Any, Any, Any]"  # Any: of every sort; it has no parameters when it runs
_Tell: TypeAlias = Callable[[_Coroutine, CodeType | None, int], object]

_ORIGIN: Final = "cr_origin"
_NONE: Final = "cr_await"  # is None in a coroutine that has not begun

_depth = 0  # to which we had coroutines note their frames, where the program had not; 0 where we had not


def on_unawaited(tell: _Tell) -> Undo:
    """
    Call ``tell(coroutine, code, instruction)`` with each coroutine that dies without having run, before the warning.

    Code and instruction are those of the frame that dropped it, or in which the garbage collector passed; none when the
    interpreter is going away. ``tell`` must not raise, nor keep the coroutine.
    """

    def make(original: Any, switch: Switch) -> Any:  # Any: private to the interpreter and ``warnings``
        if isinstance(original, FunctionType) and original.__globals__ is vars(warnings):
            return _before_stock(original, switch, tell)

        def _warn_unawaited_coroutine(coroutine: _Coroutine) -> Any:  # Any: as above
            if switch.on:
                _tell(tell, coroutine)
            return original(coroutine)

        return _warn_unawaited_coroutine

    return replace(warnings, "_warn_unawaited_coroutine", make)


def _before_stock(stock: FunctionType, switch: Switch, tell: _Tell) -> Any:  # Any: stands in for a function
    """
    Return what the interpreter calls with a coroutine in place of ``warnings``' function.

    It is a class: making one of it runs ``__new__``, which returns, and then ``__init__``, which is ``stock`` itself,
    called by the interpreter and by no frame of ours.
    """
    without_origin = _without_origin(stock)

    class Warn:
        __init__: Any = staticmethod(stock)  # Any: takes the coroutine only, no self

        def __new__(cls, coroutine: _Coroutine) -> Any:  # Any: Warn, or Plain
            if switch.on:
                _tell(tell, coroutine)
            return object.__new__(Plain if _is_origin_ours(coroutine) else cls)

    class Plain(Warn):
        __init__: Any = staticmethod(without_origin)  # Any: as above

    return Warn


def _tell(tell: _Tell, coroutine: _Coroutine) -> None:
    frame = sys._getframe(1).f_back  # of our function's caller, which is the interpreter itself: who dropped it
    if frame is None:
        tell(coroutine, None, 0)
    else:
        tell(coroutine, frame.f_code, frame.f_lasti)


def _without_origin(stock: FunctionType) -> FunctionType:
    """Return the same function, for which no coroutine knows where it was made."""
    code = stock.__code__
    names = tuple(_NONE if name == _ORIGIN else name for name in code.co_names)
    return FunctionType(code.replace(co_names=names), stock.__globals__, stock.__name__)


def _is_origin_ours(coroutine: _Coroutine) -> bool:
    """Say whether it is only because of us that a coroutine knows where it was made."""
    made = coroutine.cr_origin
    return made is not None and len(made) <= _depth == sys.get_coroutine_origin_tracking_depth()


def with_origins(depth: int) -> Undo:
    """Let each coroutine that this thread makes note its ``depth`` innermost frames, if not more already; 0 is none."""
    global _depth  # the depth itself is the thread's, but who reads it has only the coroutine
    before = sys.get_coroutine_origin_tracking_depth()
    if depth <= before:
        return lambda: None
    sys.set_coroutine_origin_tracking_depth(depth)
    _depth = 0 if before else depth

    def undo() -> None:
        global _depth  # as above
        _depth = 0
        sys.set_coroutine_origin_tracking_depth(before)

    return undo
