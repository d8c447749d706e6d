"""Coroutines that nobody awaited, each as it dies."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from types import CodeType, CoroutineType
from typing import Any

from unlost._core.hooks._replaced import Switch, Undo, replace


def on_unawaited(
    tell: Callable[[CoroutineType[Any, Any, Any], CodeType | None, int], object],  # Any: of every sort
) -> Undo:
    """
    Call ``tell(coroutine, code, instruction)`` with each coroutine that dies without having run, before the warning.

    Code and instruction are those of the frame that dropped it, or in which the garbage collector passed; none when the
    interpreter is going away. ``tell`` must not raise, nor keep the coroutine.
    """

    def make(original: Any, switch: Switch) -> Any:  # Any: private to the interpreter and ``warnings``
        def _warn_unawaited_coroutine(coroutine: CoroutineType[Any, Any, Any]) -> None:  # Any: as above
            if switch.on:
                frame = sys._getframe().f_back
                if frame is None:
                    tell(coroutine, None, 0)
                else:
                    tell(coroutine, frame.f_code, frame.f_lasti)
            original(coroutine)

        return _warn_unawaited_coroutine

    return replace(warnings, "_warn_unawaited_coroutine", make)


def with_origins(depth: int) -> Undo:
    """Let each coroutine that this thread makes note its ``depth`` innermost frames, if not more already; 0 is none."""
    before = sys.get_coroutine_origin_tracking_depth()
    if depth <= before:
        return lambda: None
    sys.set_coroutine_origin_tracking_depth(depth)
    return lambda: sys.set_coroutine_origin_tracking_depth(before)
