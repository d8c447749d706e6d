"""Errors in futures that nobody asked, and that came out of no task: told when the watching ends, by who holds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGINS = """
import asyncio, contextlib, json, os, sys
from unlost.observe.watch import start

watching = start()
watching.hear_loops()

class Pool:
    def __init__(self, ready=None):
        self.ready = ready or failed()

def failed():
    future = asyncio.Future(loop=loop)
    future.set_exception(ValueError("x"))
    return future

def end():
    watching.stop()
    found = [[one.verdict.value, one.text, one.by] for one in watching.collector.findings]
    counts = {verdict.value: count for verdict, count in watching.collector.counts.items()}
    print(json.dumps([found, counts, dict(watching.collector.faults)]))

loop = asyncio.new_event_loop()
"""
ENDS = "\nend()\nloop.set_exception_handler(lambda *_: None)\nloop.close()\n"

# a library holds the future, and the application sets the error
THEIRS = """
import json.decoder
class Refused(ValueError):
    def __init__(self, future):
        super().__init__("x")
        self.future = future
def fails(future, error=ValueError("x")):
    try:
        raise error
    except ValueError as raised:
        future.set_exception(raised)
json.decoder.theirs = asyncio.Future(loop=loop)
"""

STREAM = """
class Own(asyncio.StreamReaderProtocol): pass
kept = Own(asyncio.StreamReader(loop=loop), loop=loop)
"""

Told = tuple[list[list[str]], dict[str, int]]


def told_by(program: str, folder: Path, ends: str = ENDS, unseen: int = 0) -> Told:
    """Run it in a process of its own; return what was found, and the counts."""
    file = folder / "program.py"
    file.write_text(BEGINS + program + ends, encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    found, counts, faults = json.loads(done.stdout)
    assert sum(faults.values()) == unseen, faults
    return found, counts


@pytest.mark.parametrize(
    ("holds", "by"),
    [
        ("variable = failed()", "__main__.variable"),
        ("names = {'it': [(failed(),)]}", "__main__.names"),
        ("pools = [Pool()]", "an instance of __main__.Pool"),
        ("Pool.shared = failed()", "__main__.Pool"),
        ("import json.decoder\njson.decoder.ours = pool = Pool()", "an instance of __main__.Pool"),
        ("def around():\n    it = failed()\n    return lambda: it\nfunction = around()", "around.<locals>.<lambda>()"),
        ("def around():\n    it = failed()\n    yield\nfor _ in (steps := around()): break", "around()"),
    ],
)
def test_one_that_own_code_holds_is_undelivered_and_told_by_who_does(tmp_path: Path, holds: str, by: str) -> None:
    found, _ = told_by(holds, tmp_path)

    assert found == [["undelivered", "x", f"a future that {by} holds"]]


@pytest.mark.parametrize(
    "holds",
    [
        "import json.decoder\njson.decoder.theirs = failed()",
        "import logging\nlogging.getLogger('x').theirs = [failed()]",
        "stack = contextlib.ExitStack()\nstack.theirs = failed()",
        "def runs():\n    it = failed()\n    watching.stop()\nruns()",
        THEIRS + "def job(future):\n    fails(future)\njob(json.decoder.theirs)",
        THEIRS + "def job(future):\n    pool = Pool(future)\n    fails(pool.ready)\njob(json.decoder.theirs)",
        THEIRS + "def job(future):\n    fails(future, Refused(future))\njob(json.decoder.theirs)",
        STREAM + "kept.connection_lost(ValueError('x'))",
        STREAM + "vars(kept)\nkept.connection_lost(ValueError('x'))",
    ],
)
def test_one_that_only_a_library_holds_or_what_runs_is_counted_as_unknown(tmp_path: Path, holds: str) -> None:
    found, counts = told_by(holds, tmp_path)

    assert found == []
    assert counts["unknown"] == 1


def test_one_that_is_further_away_than_another_is_told_all_the_same(tmp_path: Path) -> None:
    found, _ = told_by("near, state = failed(), {}\nstate.update(first=failed(), rest=[failed()])", tmp_path)

    assert sorted(by for *_, by in found) == [
        f"a future that __main__.{name} holds" for name in ("near", "state", "state")
    ]


def test_a_future_of_ones_own_in_a_class_of_asyncios_is_undelivered(tmp_path: Path) -> None:
    found, _ = told_by(
        """
class Own(asyncio.StreamReaderProtocol):
    def __init__(self):
        super().__init__(asyncio.StreamReader(loop=loop), loop=loop)
        self.ready = failed()
kept = Own()
kept.connection_lost(KeyError("asyncio's"))
""",
        tmp_path,
    )

    assert found == [["undelivered", "x", "a future that an instance of __main__.Own holds"]]


def test_one_that_a_task_is_about_to_take_is_not_told(tmp_path: Path) -> None:
    found, _ = told_by(
        """
async def takes():
    with contextlib.suppress(ValueError):
        await future

async def main():
    task = asyncio.create_task(takes())
    await asyncio.sleep(0)
    future.set_exception(ValueError("x"))
    end()
    await task

future = asyncio.Future(loop=loop)
loop.run_until_complete(main())
""",
        tmp_path,
        ends="loop.close()",
    )

    assert found == []


def test_each_member_of_a_group_that_was_never_followed_is_told(tmp_path: Path) -> None:
    found, counts = told_by(
        "future = asyncio.Future(loop=loop)\n"
        "future.set_exception(BaseExceptionGroup('all', [ValueError('x'), KeyboardInterrupt(), KeyError('y')]))",
        tmp_path,
    )

    assert sorted(text for _, text, _ in found) == ["'y'", "x"]
    assert counts == {"undelivered": 2}


def test_what_was_told_once_is_not_told_by_the_next_watching(tmp_path: Path) -> None:
    found, _ = told_by("held = failed()\nwatching.stop()\nwatching = start()", tmp_path)

    assert found == []


def test_a_future_that_cannot_be_looked_at_takes_nothing_away_from_the_others(tmp_path: Path) -> None:
    found, _ = told_by(
        "class Late(asyncio.Future):\n"
        "    def __init__(self): pass\n"
        "class Asks(asyncio.Future):\n"
        "    @property\n"
        "    def _exception(self): raise RuntimeError('not yet')\n"
        "late, asks = Late(), Asks(loop=loop)\n"
        "held = failed()",
        tmp_path,
        unseen=2,
    )

    assert [verdict for verdict, *_ in found] == ["undelivered"]


@pytest.mark.parametrize("held", ["held_by(error, 'a test')", "future.set_exception(error)"])
def test_a_fault_of_ours_with_one_error_takes_nothing_away_from_the_others(tmp_path: Path, held: str) -> None:
    found, counts = told_by(
        "from unlost.observe.watch import held_by\n"
        "from unlost.observe.watch._tracker import Tracker\n"
        "finish = Tracker.finish\n"
        "def faulty(tracker, **how):\n"
        "    if tracker._type is KeyError: raise RuntimeError('ours')\n"
        "    finish(tracker, **how)\n"
        "Tracker.finish = faulty\n"
        "future = asyncio.Future(loop=loop)\n"
        "error = KeyError('k')\n"
        f"{held}\n"
        "held = failed()",
        tmp_path,
        unseen=1,
    )

    assert [verdict for verdict, *_ in found] == ["undelivered"]
    assert counts == {"undelivered": 1}


def test_one_that_can_be_looked_at_once_only_is_told(tmp_path: Path) -> None:
    found, _ = told_by(
        "class Once(asyncio.Future):\n"
        "    @property\n"
        "    def _exception(self):\n"
        "        self.looks = getattr(self, 'looks', 0) + 1\n"
        "        return super()._exception if self.looks == 1 else 1 / 0\n"
        "held = Once(loop=loop)\n"
        "held.set_exception(ValueError('x'))",
        tmp_path,
    )

    assert [verdict for verdict, *_ in found] == ["undelivered"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_leaves_it_to_its_parent(tmp_path: Path) -> None:
    found, counts = told_by("held = failed()\nif child := os.fork(): os.waitpid(child, 0); os._exit(0)", tmp_path)

    assert found == []
    assert counts == {}
