"""Who is told of what is found: once, however often the same was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from inspect import signature
from threading import RLock
from typing import TypeAlias

from unlost._core._report import report_to
from unlost.errors import UsageError
from unlost.observe.install._running import Running
from unlost.observe.sinks import Sink, Sinks, sinks_of
from unlost.observe.sinks._named import listed
from unlost.observe.watch import Finding, Notice

Choose: TypeAlias = Callable[[Finding | Notice], bool]
_Key: TypeAlias = tuple[Running, tuple[str, ...], Choose]

_BY_DEFAULT = ("logging",)
_lock = RLock()  # a finalizer may uninstall while this thread installs
_tellings: dict[_Key, Telling] = {}


class Telling:
    """Sinks that are told what ``choose`` is true for, while ``running`` goes on."""

    def __init__(self, running: Running, sinks: Sinks, choose: Choose) -> None:
        def listen(found: Finding | Notice) -> None:
            if choose(found):
                sinks.found(found)

        self.users = 0
        self._end = ExitStack()
        self._end.callback(sinks.close)
        self._end.enter_context(report_to(sinks))
        self._end.callback(_without, running.leaving, sinks.flush)
        self._end.callback(_without, running.collector.listeners, listen)
        running.leaving.append(sinks.flush)
        running.collector.listeners.append(listen)

    def end(self) -> None:
        """Tell what is left, and no more."""
        self._end.close()


def tell_to(running: Running, wanted: Iterable[str | Sink] | None, choose: Choose) -> Callable[[], None]:
    """
    Tell these sinks what ``choose`` is true for; return what ends that.

    The same names with the same ``choose`` are told once, until each who asked for it has ended it.

    Raises:
        UsageError: There is no such sink, or ``choose`` is nothing that can be called with a finding.
    """
    asked = listed(_BY_DEFAULT if wanted is None else wanted)
    if not asked:
        raise UsageError("sinks=[] tells nobody. Leave it out for the logger 'unlost', or name one: sinks=['stderr'].")
    _check(choose)
    names = tuple(one for one in asked if isinstance(one, str))
    with _lock:
        telling = _tellings.get((running, names, choose)) if len(names) == len(asked) else None
        if telling is None:
            telling = Telling(running, Sinks(sinks_of(asked)), choose)
            if len(names) == len(asked):
                _tellings[running, names, choose] = telling
        telling.users += 1
    return lambda: _left(telling)


def _check(choose: Choose) -> None:
    try:
        signature(choose).bind(None)
    except TypeError as unfit:
        message = f"report={choose!r} cannot be called with what was found: {unfit}.\nWrite report=lambda found: ..."
        raise UsageError(message) from unfit
    except ValueError:  # what is written in C may have no signature
        return


def _left(telling: Telling) -> None:
    with _lock:
        telling.users -= 1
        if telling.users:
            return
        for key in [key for key, known in _tellings.items() if known is telling]:
            del _tellings[key]
    telling.end()


def _without(listed: list[Callable[..., object]], one: Callable[..., object]) -> None:
    if one in listed:
        listed.remove(one)
