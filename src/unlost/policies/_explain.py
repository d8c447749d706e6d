"""What layers do, told as a sentence, and what one call through them can come to, as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from unlost.policies._cost import Cost

# What is called, as far as a pipeline knows it.
_THE_CALL: Final = Cost(math.inf, 1)
_HEADER: Final = ("layer", "takes at most", "calls at most")


class Described(Protocol):
    """What a layer says of itself."""

    def cost(self, inner: Cost) -> Cost: ...
    def phrase(self) -> str: ...
    def not_counted(self) -> str: ...
    def phrase_each(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Row:
    """
    One layer of an explanation.

    Attributes:
        phrase: What it does.
        cost: What one call that arrives at it can come to.
    """

    phrase: str
    cost: Cost


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """
    What one call through a pipeline can come to; ``str`` and ``repr`` are a table.

    Attributes:
        rows: One for each layer, outermost first.
        notes: What the figures do not count.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long one call takes at most; ``math.inf`` where nothing bounds it."""
        return self.rows[0].cost.seconds

    @property
    def calls(self) -> float:
        """How many calls of the function one call makes at most: by how much the load on what it calls can grow."""
        return self.rows[0].cost.calls

    def __str__(self) -> str:
        lines = [_HEADER, *((row.phrase, _seconds(row.cost.seconds), _count(row.cost.calls)) for row in self.rows)]
        left, middle, right = (max(len(line[column]) for line in lines) for column in range(3))
        table = [f"{first:<{left}}  {second:>{middle}}  {third:>{right}}" for first, second, third in lines]
        return "\n".join([*table, *self.notes])

    __repr__ = __str__


def explained(layers: Sequence[Described]) -> Explanation:
    """Return what one call through ``layers``, outermost first, can come to."""
    cost = _THE_CALL
    costs = [cost := layer.cost(cost) for layer in reversed(layers)]
    rows = tuple(map(Row, phrases(layers), reversed(costs)))
    return Explanation(rows, tuple(note for layer in layers if (note := layer.not_counted())))


def sentence(layers: Sequence[Described]) -> str:
    """Return what ``layers`` do, outermost first."""
    return ", ".join(phrases(layers))


def phrases(layers: Sequence[Described]) -> list[str]:
    """Return what each layer does, in the words that fit its place."""
    spoken = []
    is_repeated = False
    for layer in layers:
        spoken.append(layer.phrase_each() if is_repeated else layer.phrase())
        is_repeated = is_repeated or layer.cost(Cost(0, 1)).calls > 1
    return spoken


def _seconds(seconds: float) -> str:
    return "no bound" if seconds == math.inf else f"{seconds:.4g} s"


def _count(calls: float) -> str:
    return "no bound" if calls == math.inf else f"{calls:.4g}"
