"""
Where items come from: one at a time, when somebody is ready to run one.

A source answers ``pull()`` at once: with an item, with ``WAIT`` (await ``ready()``, then pull again) or with ``END``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context
from enum import Enum
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Mark(Enum):
    """What ``pull`` returns in the place of an item."""

    WAIT = "wait"
    END = "end"


WAIT: Final = Mark.WAIT
END: Final = Mark.END


class Source(Protocol[S_co]):
    """Items for a pool."""

    @property
    def pull(self) -> Callable[[], S_co | Mark]:
        """Return the next item, ``WAIT`` or ``END``; raise what the iterator raises."""
        ...

    @property
    def needs_feeding(self) -> bool:
        """Whether ``feed`` has to run, in one task from beginning to end."""
        ...

    async def ready(self) -> None:
        """Return when ``pull`` is worth another try."""
        ...

    async def feed(self) -> None:
        """Pull on behalf of those who wait, until all is closed; raise what the iterator raises."""
        ...

    def stop(self) -> None:
        """Let go of everybody who waits in ``ready``: nothing more is going to be pulled."""
        ...


class SyncSource(Generic[S]):
    """
    The items of an ordinary iterable.

    The iterator runs inside whichever worker pulls, but always in one context of its own: its variables do not leak
    into the items', nor theirs into it.
    """

    needs_feeding = False

    def __init__(self, items: Iterable[S]) -> None:
        # a partial and not a method: called once for each item, it stays in C
        self.pull: Callable[[], S | Mark] = partial(  # pyright: ignore[reportAttributeAccessIssue]  # run's ParamSpec
            copy_context().run, next, iter(items), END
        )

    async def ready(self) -> None:
        """Never needed: ``pull`` never answers ``WAIT``."""

    async def feed(self) -> None:
        """Never needed: the iterator has no task of its own."""

    def stop(self) -> None:
        """Nobody waits. A generator is left as it is: the caller may want the rest of it."""
