"""Runs a program as it is, and says what became of each exception: ``unlost watch``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from unlost.cli._interrupted import Interrupted
from unlost.cli._program import load
from unlost.cli._streams import say
from unlost.cli._watch_json import json_file, write_json
from unlost.errors import UsageError
from unlost.observe.install import (
    all_in,
    is_bad,
    is_off,
    is_own,
    join,
    key_of,
    leave,
    lines_about,
    places_beside,
    texts_beside,
)
from unlost.observe.install._running import Running
from unlost.observe.install._serious import is_others
from unlost.observe.install._summary import NONE
from unlost.observe.tasks import Stalled
from unlost.observe.watch import LOOP_ERROR, TERMINATED, Finding, Notice, Verdict

_MOST = 50  # told one by one; the file that --json writes has all


def execute(arguments: argparse.Namespace) -> int:
    """
    Run the program to its end; return its exit code.

    Raises:
        Interrupted: Ctrl-C ended it; all is told by then.
    """
    file = json_file(arguments.json) if arguments.json is not None else None
    write_page = _page(arguments)
    if file is not None and arguments.report is not None and file.resolve() == Path(arguments.report).resolve():
        raise UsageError(f"--json and --report both name {arguments.json}. Name a file for each")
    hang = _seconds(arguments.hang)
    run = load(arguments.module, arguments.program)
    if is_off():
        say("unlost watch: nothing is watched, and nothing written: the environment turns it off (UNLOST)")
        return _ended(run())
    with ExitStack() as stack:
        running = join(origins=1)
        running.is_quiet = True
        bad: list[Finding | Notice] = []
        running.leaving.append(lambda: bad.extend(_tell(running, file)))
        running.leaving.append(lambda: None if running.is_child else write_page(running))
        stack.callback(running.finish)
        stack.callback(leave, running)
        if hang is not None:
            stack.callback(Stalled(say, hang, running.around.ends, running.collector.note).stop)
        code = run()
    return 1 if arguments.fail and bad and code == 0 else _ended(code)


def _ended(code: int | None) -> int:
    if code is None:
        raise Interrupted
    return code


def _page(arguments: argparse.Namespace) -> Callable[[Running], object]:
    if arguments.report is None:
        return lambda _running: None
    from unlost.cli._watch_page import page_writer  # loads the reports, which the program has no need of

    return page_writer(arguments)


def _tell(running: Running, file: Path | None) -> list[Finding | Notice]:
    """Print and write what was found; return what of it is bad."""
    collector = running.collector
    bad = [one for one in all_in(collector) if is_bad(one)]
    told = [one for one in all_in(collector) if is_bad(one) or _is_unread(one)]
    if told or collector.faults or not running.is_child:
        say("\n".join(_lines(running, told)))
    if file is not None and not running.is_child:
        write_json(file, running)
    return bad


def _lines(running: Running, told: list[Finding | Notice]) -> Iterator[str]:
    collector = running.collector
    yield ""
    yield "unlost watch: what became of the exceptions" + (" of a forked process" if running.is_child else "")
    yield from (f"  {line}" for line in running.summary() or [NONE])
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


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from unlost.batch.options._durations import seconds  # loads the batch runner, which the program has no need of

    try:
        read = seconds(text)
    except ValueError as unreadable:
        raise UsageError(f"--hang {text}: {unreadable}") from unreadable
    if read == 0:
        raise UsageError("--hang 0: expected more than nothing, such as 30s")
    return read
