"""Exceptions of which nobody knows what became of them: why that is, and where each was raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import CodeType
from typing import Final, NamedTuple, TypeAlias

from unlost._core.hooks import Spot
from unlost.observe._code import is_application
from unlost.observe._text import encodable, module_of, type_name
from unlost.observe.watch._finding import ErrorType, Site
from unlost.observe.watch._sites import site_of

MOST: Final = 1_000
"""Places that are told apart; what comes up at others is told together."""

ASKED: Final = "asked"
RAISED_ON: Final = "raised on"
IN_LIBRARIES: Final = "in libraries"

_UNHEARD: Final = "who waited for its task, or asked that, is not known"
_WHY: Final = {
    ASKED: "its future was asked for it, by the program or a `gather`, and what was done with it there is not seen",
    RAISED_ON: "it was raised again, and nothing was seen of it after",
    IN_LIBRARIES: "the future that has it was never asked, and only libraries hold that",
    "await": "it came out of an await, and no handler was seen to take it",
    "run_until_complete": "it came out of the event loop's end (asyncio.run), and no handler was seen to take it",
    "": _UNHEARD,
}
_CALLBACK: Final = "callback "
_SEEN_BY_MONITORING: Final = frozenset(why for by, why in _WHY.items() if by != IN_LIBRARIES)

_Key: TypeAlias = tuple[str, str, str, int, int]


class Unknown(NamedTuple):
    """
    Exceptions that are alike.

    Attributes:
        why: In words, why it is not known what became of them.
        type: Their class; None where they are of many.
        raised: Where, in the user's own code if they came through that; None where that is not known.
    """

    why: str
    type: ErrorType | None = None
    raised: Site | None = None

    @property
    def is_of_boundary(self) -> bool:
        """Whether more might be known of it if the interpreter told who takes an exception."""
        return self.why in _SEEN_BY_MONITORING


class Unknowns:
    """How many there were of each, in bounded memory; what is seen of one is put in words when that is asked for."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()
        self._kept: dict[_Key, CodeType | None] = {}  # whose ids are in the keys; no class, which may be one of many
        self._told: Counter[Unknown] = Counter()

    def add(self, by: str, kind: type[BaseException], spots: tuple[Spot, ...]) -> None:
        """Count one: who had it last, in a word, and the frames that it came through."""
        code, offset = _raised(spots)
        key = (by, module_of(kind), type_name(kind), id(code), offset)
        if key not in self._kept:
            if len(self._kept) >= MOST:
                key = (by if by in _WHY else "", "", "", 0, 0)
            else:
                self._kept[key] = code
        self._counts[key] += 1

    def counts(self) -> Counter[Unknown]:
        """Return how many there were of each."""
        found = self._told.copy()
        for key, count in tuple(self._counts.items()):
            found[self._unknown(key)] += count
        return found

    def take(self, other: Unknowns) -> None:
        """Count here, and no more there, what another has counted."""
        self._told.update(other.counts())
        other.clear()

    def clear(self) -> None:
        """Forget all of it."""
        self._counts.clear()
        self._kept.clear()
        self._told.clear()

    def _unknown(self, key: _Key) -> Unknown:
        by, module, name, _, offset = key
        if key not in self._kept:
            return Unknown(_why(by))
        code = self._kept[key]
        return Unknown(_why(by), ErrorType(module, name), site_of((code, offset)) if code is not None else None)

    def __bool__(self) -> bool:
        return bool(self._counts or self._told)

    def __reduce__(self) -> tuple[Callable[[Counter[Unknown]], Unknowns], tuple[Counter[Unknown]]]:
        return _told, (self.counts(),)


def _told(counts: Counter[Unknown]) -> Unknowns:
    unknowns = Unknowns()
    unknowns._told.update(counts)
    return unknowns


def _raised(spots: tuple[Spot, ...]) -> tuple[CodeType | None, int]:
    own = (spot for spot in reversed(spots) if is_application(encodable(spot[0].co_filename)))
    return next(own, spots[-1] if spots else (None, 0))


def _why(by: str) -> str:
    return f"{by} of its task took it" if by.startswith(_CALLBACK) else _WHY.get(by, _UNHEARD)
