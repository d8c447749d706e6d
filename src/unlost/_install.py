"""
``unlost.install``, which loads the observer when it is called.

Who only writes with the library has no use for the observer, and ``import unlost`` does not load it; a name that is
looked up lazily (``__getattr__``) would be hidden from type checkers and from ``dir``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unlost.observe.install import Installed
    from unlost.observe.sinks import Sink
    from unlost.observe.watch import Finding, Notice


def install(
    *,
    sinks: Iterable[str | Sink] | None = None,
    report: Callable[[Finding | Notice], bool] | None = None,
    patch: bool = False,
    hang: float | None = None,
) -> Installed:
    """
    Watch what becomes of each exception of this process, until ``uninstall`` or its end.

    What ``report`` is true for is told to the sinks, once each; all is counted. The counts and what could not be seen
    are logged at the end if anything ended badly. Where it is installed already, the watching is shared.
    Who waits for what is logged for each SIGUSR1, where nothing else has taken that and this is the main thread.
    The environment variable ``UNLOST=off`` turns it off: then nothing is put on.

    Args:
        sinks: ``"logging"``, ``"stderr"``, ``"jsonl:FILE"``, ``"otel"``, ``"sentry"`` or objects with ``emit`` and
            ``close``; by default the logger ``unlost``. Errors that an operation of this library has nobody to give to
            go there as well.
        report: Called with each finding and notice, in the middle of anything: it must not wait. By default it is true
            for what is lost, undelivered or a swallowed cancellation, in the application's own code.
        patch: Whether ``asyncio.gather`` and the like keep what they drop.
        hang: Seconds after which the logger ``unlost`` is told who waits for what, where no task of any loop has made a
            step for so long; a server that nobody calls makes none either. None to look for nothing.

    Returns:
        What ends it: ``.uninstall()``, or a ``with`` block. A second call does nothing.

    Raises:
        UsageError: There is no such sink, ``report`` cannot be called with a finding, ``patch`` is no bool,
            ``hang`` no number of seconds, or the process is watched by other means (``watch.start``).
    """
    from unlost.observe.install import install as install_observer
    from unlost.observe.install import is_serious

    return install_observer(sinks=sinks, report=is_serious if report is None else report, patch=patch, hang=hang)
