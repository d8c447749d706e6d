"""Which pipelines cannot work, and why: pure functions of the layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from unlost.errors import retry_after
from unlost.policies._cost import Cost


class Ruled(Protocol):
    """What a layer says of what it can do, and cannot."""

    @property
    def keeps_state(self) -> bool: ...
    @property
    def ends_in_value(self) -> bool: ...
    @property
    def tries_without_error(self) -> bool: ...
    def cost(self, inner: Cost) -> Cost: ...
    def phrase(self) -> str: ...
    def refusal(self, inner: tuple[Any, ...]) -> str: ...  # Any: layers, which are above this module
    def tries_again(self, error: BaseException) -> bool: ...
    def rejection(self) -> BaseException | None: ...


def refusal_of(layers: Sequence[Ruled]) -> str:
    """Return why a pipeline of ``layers``, outermost first, cannot work, and what to write; empty if it can."""
    return passes_twice(layers) or refused(layers) or fails_never(layers) or waits_in_vain(layers)


def refused(layers: Sequence[Ruled]) -> str:
    """Return what the first layer says that cannot work around those inside of it."""
    return next(filter(None, (layer.refusal(tuple(layers[at + 1 :])) for at, layer in enumerate(layers))), "")


def passes_twice(layers: Sequence[Ruled]) -> str:
    """Say that a call would pass the same breaker, or the same limit, twice: count twice, or wait for itself."""
    for at, layer in enumerate(layers):
        if layer.keeps_state and any(layer is other for other in layers[:at]):
            return (
                f"The same object is in the pipeline twice: {layer.phrase()!r}. One call would be counted twice by it, "
                "or would wait for itself.\nWrite it once, or make another object of the same settings."
            )
    return ""


def fails_never(layers: Sequence[Ruled]) -> str:
    """Say that something is to be tried again after errors that a fallback inside of it takes."""
    for at, outer in enumerate(layers):
        for inner in layers[at + 1 :]:
            if inner.ends_in_value and _tries_again(outer) and not outer.tries_without_error:
                return (
                    f"{outer.phrase()!r} is around {inner.phrase()!r}, which always comes to a value: nothing fails, "
                    "and nothing is tried again.\nWrite them in the other order: the fallback first, then what tries."
                )
    return ""


def waits_in_vain(layers: Sequence[Ruled]) -> str:
    """
    Say that calls are tried again although they are rejected for longer than that can last.

    That a breaker is open is known at once; to try again until it closes makes the caller wait for the same answer.
    Where the rejection says when to come back (``retry_after``), and the limits of time around leave room for that, it
    is no waste.
    """
    for at, outer in enumerate(layers):
        for inner in layers[at + 1 :]:
            rejection = inner.rejection()
            if rejection is None or not outer.tries_again(rejection):
                continue
            after = retry_after(rejection)
            longest = _longest(layers[: at + 1])
            if after is None or after >= longest:
                lasts = "an unknown time" if after is None else f"{after:.4g} s"
                room = "" if longest == math.inf else f", and there are {longest:.4g} s in all"
                return (
                    f"{outer.phrase()!r} is around {inner.phrase()!r}, and tries again after "
                    f"{type(rejection).__name__}: for {lasts} that only meets another one{room}.\n"
                    f"Write on=... so that {type(rejection).__name__} is not tried again, or the retry inside."
                )
    return ""


def _longest(layers: Sequence[Ruled]) -> float:
    """Return within how many seconds ``layers`` end, however long what is inside takes."""
    return min((layer.cost(Cost(math.inf, 1)).seconds for layer in layers), default=math.inf)


def _tries_again(layer: Ruled) -> bool:
    return layer.cost(Cost(0, 1)).calls > 1
