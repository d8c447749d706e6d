"""Which errors are tried again: a kind, exception types, or a predicate, made one question."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from unlost.errors import Kind, UsageError, classify, leaves

Condition: TypeAlias = Kind | type[BaseException] | Callable[[Any], bool]  # Any: the user's own type of error
On: TypeAlias = Condition | tuple[Condition, ...] | frozenset[Condition] | None
Question: TypeAlias = Callable[[BaseException], bool]

# Whoever asked for the end would wait for ever.
_NEVER: Final = (CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit)


def question_of(on: On, parameter: str = "on") -> Question:
    """
    Return the one question to ask of an error; None asks for ``Kind.TRANSIENT``.

    Groups are looked into: one is wanted if it is named itself, or if each error in it is; one other spoils it.
    Cancellation, ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit``, and groups that hold one, are refused
    whatever ``on`` says.

    Raises:
        UsageError: ``on`` is, or holds, something else than a kind, an exception type or a function.
    """
    given: tuple[object, ...] = tuple(on) if isinstance(on, tuple | frozenset) else (on or Kind.TRANSIENT,)
    kinds: set[Kind] = set()
    types: list[type[BaseException]] = []
    predicates: list[Callable[[BaseException], bool]] = []
    for condition in given:
        if isinstance(condition, Kind):
            kinds.add(condition)
        elif isinstance(condition, type) and issubclass(condition, BaseException):
            types.append(condition)
        elif callable(condition) and not isinstance(condition, type):
            predicates.append(condition)
        else:
            raise UsageError(
                f"{parameter}={on!r} holds {condition!r}, which is no kind, exception type or function. "
                f"Write {parameter}=Kind.TRANSIENT or {parameter}=(ConnectionError, TimeoutError)."
            )
    wanted_types = tuple(types)

    def is_named(error: BaseException) -> bool:
        if isinstance(error, wanted_types) or (kinds and classify(error) in kinds):
            return True
        return any(predicate(error) for predicate in predicates)

    def is_wanted(error: BaseException) -> bool:
        if may_never_be_retried(error):
            return False
        if is_named(error):
            return True
        return isinstance(error, BaseExceptionGroup) and all(map(is_named, leaves(error)))

    return is_wanted


def may_never_be_retried(error: BaseException) -> bool:
    """Return whether somebody asked for the end: with the error itself, or with a member of the group that it is."""
    if isinstance(error, Exception):  # a group that holds one of these is no Exception
        return False
    return any(isinstance(leaf, _NEVER) for leaf in leaves(error))
