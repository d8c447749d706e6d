"""What ``unlost watch`` says of what became of a program's exceptions; in each of its processes that has to say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.cli._streams import say
from unlost.observe.install import (
    all_in,
    is_bad,
    is_off,
    is_own,
    join,
    key_of,
    lines_about,
    places_beside,
    texts_beside,
)
from unlost.observe.install._processes import ELSEWHERE, Processes
from unlost.observe.install._running import Running
from unlost.observe.install._serious import is_others
from unlost.observe.install._summary import NONE
from unlost.observe.watch import LOOP_ERROR, TERMINATED, Finding, Notice, Verdict

SPAWNED: Final = __name__
"""Where ``multiprocessing`` finds ``begin``, in a process that it spawns."""

_MOST: Final = 50  # told one by one; the file that --json writes has all
_NONE_HERE: Final = "there were none to follow here; not all processes that were started were heard"


def begin(folder: str, _test: str) -> None:
    """Watch a process that was spawned, for the one that reads in this folder."""
    if is_off():
        return
    running = join(origins=1, takes_signals=False, hears_own_signals=True)
    running.is_quiet = True
    processes = Processes(running, SPAWNED, folder)
    running.leaving.append(lambda: tell_found(running, processes) if processes.settle() else None)


def tell_found(running: Running, processes: Processes) -> list[Finding | Notice]:
    """Print what was found; return what of it is bad. Of a process that is not the first, only where there is some."""
    collector = running.collector
    bad = [one for one in all_in(collector) if is_bad(one)]
    told = [one for one in all_in(collector) if is_bad(one) or _is_unread(one)]
    if told or collector.faults or processes.is_first:
        say("\n".join(_lines(running, processes, told)))
    return bad


def _lines(running: Running, processes: Processes, told: list[Finding | Notice]) -> Iterator[str]:
    collector = running.collector
    yield ""
    yield "unlost watch: what became of the exceptions" + ("" if processes.is_first else f" of {ELSEWHERE}")
    yield from (f"  {line}" for line in running.summary() or [_NONE_HERE if processes.unheard() else NONE])
    if elsewhere := sum(map(is_others, all_in(collector))):
        yield f"  {elsewhere:,} of them ended in the code of Python or of installed packages, and are not told here:"
        yield "  --json FILE has them. UNLOST_OWN=PACKAGE in the environment counts an installed package as yours."
    alike: dict[str, list[Finding | Notice]] = {}
    for one in told:
        alike.setdefault(key_of(one), []).append(one)
    for same in list(alike.values())[:_MOST]:
        first, *others = lines_about(same[0])
        yield ""
        yield first + (f"  {len(same):,}×" if len(same) > 1 else "")
        yield from others
        yield from places_beside(same)
        yield from texts_beside(same)
    if len(alike) > _MOST:
        yield f"\nand {len(alike) - _MOST:,} more; --json FILE has all"
    if spots := running.unseen():
        yield "\nWhat could not be seen:"
        yield from (f"  {line}" for line in spots)


def _is_unread(found: Finding | Notice) -> bool:
    """
    Whether it is told, but no reason to fail.

    It was returned as a value, and nobody was seen to look at it; or only the loop's exception handler was told, which
    may be all that the program wants.
    """
    if isinstance(found, Notice):
        return found.kind in (LOOP_ERROR, TERMINATED) and is_own(found)
    return found.verdict is Verdict.RETURNED and is_own(found)
