"""
An attribute of a module or a class, replaced for a while by something that calls what was there.

Any order of putting on and taking away is safe: what somebody else has wrapped meanwhile stays where it is, switched
off, and does nothing but call what it replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any, Final, TypeAlias

Undo: TypeAlias = Callable[[], None]
"""Takes away what was installed; a second call does nothing."""

_ALWAYS: Final = (True,)


class Switch:
    """
    Attributes:
        on: Whether what was installed still has to do anything.
    """

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


def replace(holder: Any, name: str, make: Callable[[Any, Switch], Any]) -> Undo:  # Any: a module's or class's attribute
    """
    Set ``holder.name`` to what ``make(original, switch)`` returns.

    Raises:
        TypeError: The holder is a class in C, and takes no new attributes.
    """
    own = vars(holder).get(name)
    original = own if own is not None else getattr(holder, name)
    switch = Switch()
    replacement = make(original, switch)
    setattr(holder, name, replacement)

    def undo() -> None:
        if not switch.on:
            return
        switch.on = False
        if vars(holder).get(name) is not replacement:
            return
        if own is None:
            delattr(holder, name)
        else:
            setattr(holder, name, original)

    return undo


def together(undos: list[Undo]) -> Undo:
    """Return what takes away all of them, the last first."""

    def undo() -> None:
        while undos:
            undos.pop()()

    return undo


class _LookedUp:
    """
    A method that says when it is looked up on an instance.

    Not a function around it: that one's frame would be in the traceback of everything that the method raises. To who
    looks into the class it is that method all the same: ``create_autospec`` skips ``self`` of functions only.
    """

    def __init__(
        self, method: Any, switch: Switch, tell: Callable[[Any], object], wanted: Sized
    ) -> None:  # Any: of any class
        self.__wrapped__ = method
        self.__doc__ = method.__doc__
        self.__module__ = getattr(method, "__module__", self.__module__)
        self._switch = switch
        self._tell = tell
        self._wanted = wanted

    @property  # type: ignore[misc]  # nobody sets it
    def __class__(self) -> Any:  # Any: what isinstance is told  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self.__wrapped__)

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:  # Any: as above
        if self._wanted and instance is not None and self._switch.on:
            self._tell(instance)
        return self.__wrapped__.__get__(instance, owner)

    def __call__(self, instance: Any, /, *args: Any, **kwargs: Any) -> Any:  # Any: as above
        return self.__get__(instance)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:  # Any: a function's name, code, defaults, annotations
        return getattr(self.__wrapped__, name)


def on_lookup(
    cls: type[Any], name: str, tell: Callable[[Any], object], *, while_any: Sized = _ALWAYS
) -> Undo:  # Any: of any class
    """
    Call ``tell(instance)`` each time that the method ``name`` of an instance is looked up; it must not raise.

    It is called only while there is something in ``while_any``.
    """
    return replace(cls, name, lambda method, switch: _LookedUp(method, switch, tell, while_any))
