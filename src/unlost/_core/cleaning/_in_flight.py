"""
What comes out of a block whose finalizers raise errors of their own: pure rules, no I/O.

A stop (``KeyboardInterrupt``, ``SystemExit``) is stronger than a cancellation of the caller, that is stronger than
any other error, and of two that are equally strong the first wins. Who loses is attached to who wins. What says
itself that it stands for the other one, as its cause or as a group that holds it, takes its place.
"""

from __future__ import annotations

from asyncio import CancelledError

from unlost._core._caught import STOPPING
from unlost._core._reraise import reraise
from unlost._core.cleaning._carry import carry


class InFlight:
    """The error that left the block, if one did, and what the finalizers raised so far."""

    __slots__ = ("_errors", "_name", "_primary")

    def __init__(self, primary: BaseException | None, name: str) -> None:
        self._primary = primary
        self._errors: list[BaseException] = []
        self._name = name

    def visible(self) -> BaseException | None:
        """Return what would come out if nothing else happened: that is what a context manager is shown."""
        if self._primary is None and self._errors:
            return BaseExceptionGroup(f"{self._name}: {len(self._errors)} failed", self._errors)
        return self._primary

    def suppress(self) -> None:
        """A context manager took what it was shown."""
        if self._primary is None:
            self._errors.clear()
        self._primary = None

    def add(self, raised: BaseException, shown: BaseException | None = None, *, is_released: bool = False) -> None:
        """
        Take what a finalizer raised.

        Args:
            raised: A ``CancelledError`` is one of the caller.
            shown: What a context manager was shown.
            is_released: A ``CancelledError`` that it was shown is over: it may be replaced as any other error.
        """
        old = self._primary
        if shown is not None and (is_released or (_strength(shown) == 0 and names(raised, shown))):
            self.suppress()
            self._primary = raised
        elif _strength(raised) > (0 if old is None else _strength(old)):
            self._primary = raised
            if old is not None:
                self._errors.insert(0, old)
        else:
            self._errors.append(raised)

    def land(self, given: BaseException | None) -> bool:
        """Raise what comes out; return false for ``given``, the block's own error, and true where it was suppressed."""
        is_group = self._primary is None
        out, errors = self.visible(), tuple(self._errors)
        self.unload()
        try:
            if out is None:
                return given is not None
            if not is_group:
                carry(out, errors, self._name)
            if out is given:
                return False
            reraise(out)
        finally:
            del out, errors, given  # what is raised refers to this frame

    def unload(self) -> list[BaseException]:
        """Return everything, and forget it."""
        everything = self._errors if self._primary is None else [self._primary, *self._errors]
        self._primary = None
        self._errors = []
        return everything


def _strength(error: BaseException) -> int:
    return 2 if isinstance(error, STOPPING) else 1 if isinstance(error, CancelledError) else 0


def names(raised: BaseException, other: BaseException) -> bool:
    """Tell whether ``raised`` stands for ``other``: as a cause or a member, or one of theirs."""
    seen: set[int] = set()
    pending = [raised]
    while pending:
        current = pending.pop()
        if current is other:
            return True
        if id(current) not in seen:
            seen.add(id(current))
            pending.extend(current.exceptions if isinstance(current, BaseExceptionGroup) else ())
            pending.extend(() if current.__cause__ is None else (current.__cause__,))
    return False
