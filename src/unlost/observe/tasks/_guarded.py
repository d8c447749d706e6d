"""What is called from the middle of other people's programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from unlost.observe.watch import Collector

P = ParamSpec("P")


def guarded(collector: Collector, call: Callable[P, object]) -> Callable[P, None]:
    """Return what calls ``call``, and counts what that raises as a fault of ours."""

    def guard(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            call(*args, **kwargs)
        except Exception as fault:  # counted: nobody here has asked for us  # noqa: BLE001
            collector.fault(fault)

    return guard
