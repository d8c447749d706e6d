"""One call that watches a whole program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from unlost.errors import UsageError
from unlost.observe.install._hanging import seconds_of, tell_hangs
from unlost.observe.install._running import Running, is_off, join, leave
from unlost.observe.install._serious import is_serious
from unlost.observe.install._telling import tell_to
from unlost.observe.patch import patch_asyncio
from unlost.observe.sinks import Sink
from unlost.observe.watch import Collector, Finding, Notice

OFF = "off"


class Installed:
    """
    What ``install`` began; as a context manager it ends with its block.

    Attributes:
        collector: Has the counts, and what was found.
        mode: ``"monitoring"``; ``"boundary"`` where the interpreter cannot tell who takes an exception; ``"off"``.
        why: Why it is not monitoring, in a sentence; empty where it is.
    """

    def __init__(self, running: Running | None, stack: ExitStack) -> None:
        self.collector = running.collector if running is not None else Collector()
        self.mode = running.watch.mode if running is not None else OFF
        self.why = running.watch.why if running is not None else "The environment has UNLOST=off."
        self._stack = stack

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict.value}" for verdict, count in self.collector.counts.items() if count)
        return f"<unlost.install(): {self.mode}; {counts or 'nothing found'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.uninstall()

    def uninstall(self) -> None:
        """
        Take it away again; a second call does nothing.

        While somebody else has installed it too, the watching goes on for them, and only these sinks are told no more.
        With the last one what is still held by then is told as undelivered. Garbage is collected first.
        """
        self._stack.close()


def install(
    *,
    sinks: Iterable[str | Sink] | None = None,
    report: Callable[[Finding | Notice], bool] = is_serious,
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
        sinks: As ``sinks_of`` takes them: names or objects; by default the logger ``unlost``. Errors that an operation
            of this library has nobody to give to go there as well.
        report: Called with each finding and notice, in the middle of anything: it must not wait. By default it is true
            for what is lost, undelivered or a swallowed cancellation, in the application's own code.
        patch: Whether ``asyncio.gather`` and the like keep what they drop.
        hang: Seconds after which the logger ``unlost`` is told who waits for what, where no task of any loop has made a
            step for so long; a server that nobody calls makes none either. None to look for nothing.

    Raises:
        UsageError: There is no such sink, ``report`` cannot be called with a finding, ``patch`` is no bool,
            ``hang`` no number of seconds, or the process is watched by other means (``watch.start``).
    """
    if not isinstance(patch, bool):
        raise UsageError(f"patch={patch!r} is neither True nor False. Write patch=True.")
    seconds = seconds_of(hang)
    if is_off():
        return Installed(None, ExitStack())
    with ExitStack() as stack:
        running = join()
        leaving = stack.enter_context(ExitStack())
        leaving.callback(leave, running)
        untell = tell_to(running, sinks, report)
        stack.callback(untell)
        stack.push(leaving.pop_all())  # the last verdicts fall with it, and are told by then
        if seconds is not None:
            stack.callback(tell_hangs(running.collector, running.around.ends, seconds))
        if patch:
            running.patch = patched = patch_asyncio()
            stack.callback(patched.undo)
        return Installed(running, stack.pop_all())
