"""What listeners are told of a breaker, and of a call that a policy did not let through."""

from __future__ import annotations

from dataclasses import dataclass

from unlost._core import Event


@dataclass(frozen=True, slots=True)
class BreakerOpened(Event):
    """
    A breaker stopped the calls.

    Attributes:
        name: The breaker's.
        why: What it counted, or what ``trip`` was told.
        seconds: How long no call goes through; ``math.inf`` until ``reset``.
        error: What tipped it; None where it was a slow call that returned, or ``trip``.
    """

    name: str
    why: str
    seconds: float
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class BreakerHalfOpen(Event):
    """The time of a breaker is over, and a first call goes through to see how things stand."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class BreakerClosed(Event):
    """A breaker lets all calls through again; ``why`` says after what."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class CallRejected(Event):
    """
    A policy did not let a call through; its caller got an exception that says the same.

    Attributes:
        name: The policy's.
        why: In which state it was, or what was full.
    """

    name: str
    why: str
