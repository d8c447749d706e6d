"""What a layer is given in the place of the user's function, and how an alternative takes that one's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class PlainValue:
    """A value that is there already, in the place of a function that would return it."""

    value: object


Alternative: TypeAlias = Callable[..., Any] | PlainValue  # Any: it is called as the function that it replaces


class StandIn:
    """
    What stands for the user's function where that alone would not do.

    Attributes:
        func: The user's function.
        keywords: Its keyword arguments, which ``call`` does not pass.
    """

    def __init__(
        self, func: Callable[..., Any], keywords: dict[str, Any]
    ) -> None:  # Any: whatever it takes and returns
        self.func = func
        self.keywords = keywords
        # what messages call it
        self.__qualname__ = getattr(func, "__qualname__", repr(func))

    def __call__(self, *args: Any) -> Any:  # Any: as above
        """Return what the function returns, or what is made of that."""
        raise NotImplementedError

    def instead(self, alternative: Alternative) -> Alternative:
        """Return what is called, with the same positional arguments, for ``alternative``."""
        raise NotImplementedError


class WithKeywords(StandIn):
    """A function together with keyword arguments."""

    def __call__(self, *args: Any) -> Any:  # Any: whatever the function takes and returns
        return self.func(*args, **self.keywords)

    def instead(self, alternative: Alternative) -> Alternative:
        return alternative if isinstance(alternative, PlainValue) else WithKeywords(alternative, self.keywords)
