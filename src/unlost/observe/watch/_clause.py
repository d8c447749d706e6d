"""What is known of a handler that somebody wrote, without running it."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Final

# by their names: a program that gives one of these to a class of its own has that not followed where it is meant
BUILT_IN: Final = frozenset(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, BaseExceptionGroup)
) - {"Exception"}
"""Types of Python's that are neither broad nor groups."""


@dataclass(frozen=True, slots=True)
class Clause:
    """
    One ``except``, or a ``finally`` that ends what was raised.

    Attributes:
        types: What it catches, as dotted names; empty for a bare one, ``"?"`` stands for what cannot be read.
        broad: Whether it catches whatever an operation raises.
        used: Whether it looks at the exception, or calls somebody who does.
        ends: Whether there is a way through it on which nothing is raised.
        raises: Whether it holds a ``raise`` of another exception.
        loops: Whether what it guards can run again after it.
        line: Of its first instruction.
        named: What it loads, as dotted names, of which only those that begin with a variable of the function are left
            once the handler was entered; empty where they tell nothing more of it.
        varies: Whether it names what it catches by a variable of the function, which may stand for everything.
    """

    types: tuple[str, ...]
    broad: bool
    used: bool
    ends: bool
    raises: bool
    loops: bool
    line: int
    named: tuple[str, ...] = ()
    varies: bool = False

    @property
    def swallows(self) -> bool:
        """Whether it may end what nobody looked at."""
        return self.broad and self.ends and not self.used

    @property
    def is_by_name(self) -> bool:
        """Whether it names a type that is none of Python's: such an error was meant for it."""
        return not self.broad and not BUILT_IN.issuperset(self.types)


@dataclass(frozen=True, slots=True)
class Handler:
    """
    The clauses of one ``try``, in order; the first that matches is entered.

    Attributes:
        clauses: Empty for a ``with``, whose ``__exit__`` decides.
        depth: What lies on the stack when it is entered: that of a handler within it is greater.
        groups: Whether they are ``except*``, and take their part of a group.
        plain: Whether none of them is a reason to begin to follow an exception.
        narrow: Whether it is plain, and names only types of Python's that no cancellation and no group is.
        loops: Whether what a ``with`` guards can run again after it ended something.
        carrier: Who puts what it catches where another can ask for it; empty for what is handled.
        tidies: Whether it awaits something, and then always lets go of what it has.
        is_pythons: Whether it stands in Python's own library.
    """

    clauses: tuple[Clause, ...]
    depth: int
    groups: bool = False
    plain: bool = True
    narrow: bool = False
    loops: bool = False
    carrier: str = ""
    tidies: bool = False
    is_pythons: bool = False
