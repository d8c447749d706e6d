"""Futures of executors and ``run_coroutine_threadsafe``: where they come from, which fail, which are asked for that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures._base import PENDING, RUNNING
from functools import wraps
from types import CodeType, FrameType
from typing import Any, Final

from unlost._core.hooks._replaced import Switch, Undo, on_lookup, replace, together
from unlost._core.hooks._spawning import Spot, is_inside, outside

_ASKED: Final = "_unlost_asked"
_SPOT: Final = "_unlost_spot"
_SUBMIT: Final = ThreadPoolExecutor.submit.__code__
_OPEN: Final = (PENDING, RUNNING)  # another is refused: whoever sets it is told so
_getframe = sys._getframe


def on_futures(
    failed: Callable[[BaseException, Spot | None], object],
    asked: Callable[[BaseException], object],
    fault: Callable[[BaseException], object],
) -> Undo:
    """
    Call ``failed`` with what a future fails with while nobody waits for it, ``asked`` when somebody asks it for that.

    ``failed`` is told as well where the call was submitted: the line outside of ``asyncio`` and ``concurrent.futures``
    that called ``submit`` or the like; None for a future that is older than this, or that was made by itself. ``asked``
    comes once for each look at ``result`` or ``exception``, from any thread, as for who waits there already. ``fault``
    is called with an error of our own. None of them may raise.
    """

    def failing(original: Any, switch: Switch) -> Any:  # Any: a method
        def set_exception(self: Future[Any], exception: BaseException | None) -> None:  # Any: of every result
            # first: the original calls whom the future is handed on to, who ask
            if switch.on and self._state in _OPEN and isinstance(exception, BaseException):
                if _ASKED in self.__dict__:
                    asked(exception)
                else:
                    failed(exception, self.__dict__.get(_SPOT))
            original(self, exception)

        return set_exception

    def asking(future: Future[Any]) -> None:  # Any: as above
        error: object = future._exception
        if error is None:
            future.__dict__[_ASKED] = True
        elif isinstance(error, BaseException):  # a test may have put anything there
            asked(error)

    return together(
        [
            replace(Future, "__init__", _making(fault)),
            replace(Future, "set_exception", failing),
            on_lookup(Future, "result", asking),
            on_lookup(Future, "exception", asking),
        ]
    )


class _Submitted(tuple[CodeType, int]):
    """Where; what else copies a future's attributes, or pickles them, gets None."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


def _making(fault: Callable[[BaseException], object]) -> Callable[[Any, Switch], Any]:  # Any: a method
    def making(original: Any, switch: Switch) -> Any:  # Any: as above
        @wraps(original)
        def made(self: Any) -> None:  # Any: a future of every result
            original(self)
            if switch.on:
                try:
                    frame: FrameType = _getframe(1)
                    if is_submitted := frame.f_code is _SUBMIT:  # the usual way, without a walk
                        frame = _getframe(2)
                    code = frame.f_code
                    spot = outside(frame) if is_inside(code.co_filename, True) else (code, frame.f_lasti)
                    if is_submitted or spot[0] is not code:  # else it was made by itself
                        self.__dict__[_SPOT] = _Submitted(spot)
                except Exception as our_error:  # counted: this is somebody's submit  # noqa: BLE001
                    fault(our_error)

        return made

    return making
