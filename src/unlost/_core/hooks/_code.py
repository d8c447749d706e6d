"""
What a function of a library does, replaced for a while.

Its code is, not its name: whoever imported the function before has it too, and the function stays the one it was, with
its signature and its documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from unlost._core.hooks._replaced import Switch, Undo


def replace_code(function: FunctionType, make: Callable[[FunctionType, Switch], CodeType]) -> Undo:
    """
    Let ``function`` do what the code says that ``make(stock, switch)`` returns; ``stock`` does what it did before.

    What somebody else has put in its place meanwhile stays, and what of ours that calls is switched off.

    Args:
        function: One that is no closure: codes of closures cannot be exchanged.
        make: Returns code with the same parameters; see ``with_constants``.
    """
    stock = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    stock.__kwdefaults__ = function.__kwdefaults__
    switch = Switch()
    original, replacement = function.__code__, make(stock, switch)
    function.__code__ = replacement

    def undo() -> None:
        if switch.on and function.__code__ is replacement:
            function.__code__ = original
        switch.on = False

    return undo


def with_constants(template: Callable[..., object], constants: dict[str, Any]) -> CodeType:  # Any: of every sort
    """
    Return the code of ``template``, with objects in place of strings.

    The code runs with the globals of another module, and may run on when all else was taken away: what it needs, it
    has to have in itself.
    """
    code = template.__code__
    filled = tuple(constants.get(one, one) if isinstance(one, str) else one for one in code.co_consts)
    return code.replace(co_consts=filled)
