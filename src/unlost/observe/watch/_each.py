"""The same for each of many: what one of them does to us takes nothing away from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

One = TypeVar("One")
Fault: TypeAlias = Callable[[Exception], object]


def for_each(ones: Iterable[One], do: Callable[[One], object], fault: Fault) -> None:
    """Call ``do`` with each; ``fault`` is called with what that raises."""
    for one in ones:
        try:
            do(one)
        except Exception as raised:  # counted: the others have to have their verdicts  # noqa: BLE001
            fault(raised)
