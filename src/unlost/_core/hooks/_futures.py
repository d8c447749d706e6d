"""Futures of executors and of ``run_coroutine_threadsafe``: which fail, and which are asked for that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures._base import PENDING, RUNNING
from typing import Any, Final

from unlost._core.hooks._replaced import Switch, Undo, on_lookup, replace, together

_ASKED: Final = "_unlost_asked"
_OPEN: Final = (PENDING, RUNNING)  # another is refused: whoever sets it is told so


def on_futures(failed: Callable[[BaseException], object], asked: Callable[[BaseException], object]) -> Undo:
    """
    Call ``failed`` with what a future fails with while nobody waits for it, ``asked`` when somebody asks it for that.

    ``asked`` comes once for each look at ``result`` or ``exception``, from any thread, as for who waits there already.
    Neither may raise.
    """

    def failing(original: Any, switch: Switch) -> Any:  # Any: a method
        def set_exception(self: Future[Any], exception: BaseException | None) -> None:  # Any: of every result
            # first: the original calls whom the future is handed on to, who ask
            if switch.on and self._state in _OPEN and isinstance(exception, BaseException):
                (asked if _ASKED in self.__dict__ else failed)(exception)
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
            replace(Future, "set_exception", failing),
            on_lookup(Future, "result", asking),
            on_lookup(Future, "exception", asking),
        ]
    )
