"""What a limit of time says of itself as a layer: in words, and what it cannot go around."""

from __future__ import annotations

import math
from collections.abc import Sequence


def phrase_of(after: float | None, when: float | None, words: str) -> str:
    """Return what a limit does, with its length in the place of ``{}``."""
    if after is None and when is not None:
        return f"until {when:.10g} of the loop's clock"
    if after is None or after == math.inf:
        return "without a limit of time"
    return words.format(f"{after:.10g} s")


def refusal_of(
    name: str, after: float | None, limits: Sequence[tuple[str, float | None]], pauses: Sequence[tuple[str, float]]
) -> str:
    """
    Return why a limit of ``after`` seconds cannot work around others, and around what pauses; empty if it can.

    Args:
        name: What the outer limit is called.
        after: Its seconds; None where it has none, or is a time of the loop's clock, which calls come ever closer to.
        limits: The names and the seconds of those inside.
        pauses: What makes the caller wait inside, as a phrase, and for how many seconds at least.
    """
    if after is None:
        return ""
    for inner_name, seconds in limits:
        if seconds is not None and after <= seconds < math.inf:
            return (
                f"{name} of {after:.10g} s is around {inner_name} of {seconds:.10g} s, which can never fire: the outer "
                f"one does first.\nWrite the shorter one inside: {name}({seconds:.10g}) | ... | {inner_name}"
                f"({after / 10:.3g}), for example."
            )
    for phrase, pause in pauses:
        if pause >= after:
            return (
                f"{name} of {after:.10g} s is around {phrase!r}, whose first wait takes {pause:.10g} s at least: there "
                f"is never a second try.\nWrite {name}(...) of more seconds, or shorter waits."
            )
    return ""
