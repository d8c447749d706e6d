"""
Tests: what is found belongs to the test in which it was born, however late the verdict falls.

Each test has a collector of its own, which knows the evidence about its exceptions that is still there. Garbage is
collected for what may yet end badly: the youngest when a test's function has returned, and all of it, which takes as
long as the program is large, when its fixtures are gone and that was not enough. Most of what a test leaves behind was
handled (the exceptions of ``pytest.raises``, say), and may die whenever it does.
"""

from __future__ import annotations

import asyncio
import gc
from asyncio import AbstractEventLoop, Task, runners
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final
from weakref import WeakSet, ref

from unlost._core.hooks import Switch, replace, together
from unlost.observe.install._heard import Heard, take
from unlost.observe.install._letters import TOLD, Letters
from unlost.observe.install._of_test import OfNone, OfTest, is_counted
from unlost.observe.install._running import Running, join, leave
from unlost.observe.install._serious import is_bad, is_of_session
from unlost.observe.install._started import Starts
from unlost.observe.install._summary import all_in, misnamed, spots_of
from unlost.observe.tasks._died import references
from unlost.observe.tasks._origin import name_of_coroutine, origin_of
from unlost.observe.watch import LEAKED, Collector, Finding, Futures, Notice

ELSEWHERE: Final = "a process that the test started"
_YOUNG: Final = 1  # the generations that hold what is as young as a test


class Session:
    """
    The watching of a session of tests, that run one after the other, and of the processes that they start.

    In a forked process it tells the session of that what is found.

    Attributes:
        collector: Has what is found outside of all tests.
        total: Has the counts of all tests, their faults, and what was let go.
        others: How many ended badly in the code of Python or of installed packages, and are no test's.
    """

    def __init__(self) -> None:
        self.collector = OfNone()
        self._running: Running = join(lambda: self.collector, origins=1)
        shared = self._running.collector
        self._around = shared if isinstance(shared, OfNone) else self.collector  # an outer session's, or this one's
        self._before = (self._around.current, self._running.watch.collector)
        if shared is not self.collector:
            self._collect_into(self.collector)
        self._running.is_quiet = True
        self.total = Collector()
        self.others = 0
        self._of: dict[str, OfTest] = {}
        self._tasks: dict[str, WeakSet[Task[Any]]] = {}  # Any: tasks of every result
        self._tasks_before: frozenset[object] = frozenset()  # the references to the tasks that were there before
        self._heard = Heard()
        self._letters: Letters | None = None
        self._starts = Starts(self._heard.folder, self._starting, self._count, self._forked, self.total.fault)
        self._undo = together([replace(runners, "_cancel_all_tasks", self._cancelling), self._starts.watch()])
        self._running.leaving.append(self._left)
        self.why = self._running.watch.why

    def begin(self, test: str) -> None:
        """Begin a test; what is born from now on is its."""
        collector = self._of.setdefault(test, OfTest())
        self._tasks_before = frozenset(references())
        self._collect_into(collector)
        self._starts.test = test

    def is_in(self, test: str) -> bool:
        """Say whether a test has begun, and not ended."""
        return self._starts.test == test

    def called(self, test: str) -> list[Finding | Notice]:
        """Return what a test is to be blamed for, when its function has returned."""
        if left := WeakSet(_running(new for new in references() if new not in self._tasks_before)):
            self._tasks[test] = left
        collector = self._of[test]
        if test in self._tasks or collector.may_end_badly():
            gc.collect(_YOUNG)
        collector.finish_lost()
        self._hear()
        return self._drain(collector)

    def end(self, test: str) -> list[Finding | Notice]:
        """Return what came up since, when its fixtures are gone; what is born from now on is no test's."""
        collector = self._of[test]
        if test in self._tasks or collector.may_end_badly():
            gc.collect(_YOUNG)
            if collector.may_end_badly():
                gc.collect()
        collector.finish_lost()
        self._hear()
        is_outstanding = collector.retire()
        found = self._drain(collector)
        if all(task.done() for task in self._tasks.get(test, ())):
            self._tasks.pop(test, None)
            if not is_outstanding:
                del self._of[test]
        self._collect_into(self.collector)
        self._starts.test = ""
        return found

    def close(self) -> dict[str, list[Finding | Notice]]:
        """End the watching; return what came up after the tests' ends, by test; under ``""`` what is no test's."""
        self._undo()
        if self._letters is None:
            self._running.leaving.remove(self._left)  # what was written is read once more
        leave(self._running)  # collects, and gives what is no test's its verdicts
        self._around.current, before = self._before
        self._running.watch.collect_into(before)  # an outer session goes on
        # what of them cannot be looked at is counted once: here, if the watching goes on
        futures = cache(lambda: Futures(self.total.fault if self._running.users else _counted))
        collectors = [*self._of.values(), self.collector]
        if any(collector.may_end_badly() for collector in collectors):
            gc.collect()
        for collector in collectors:
            collector.finish(futures)
        self._hear()
        if self._letters is None:
            self._heard.clear()
        late = {test: self._drain(collector) for test, collector in self._of.items()}
        late[""] = self._drain(self.collector)
        return {test: found for test, found in late.items() if found}

    def unseen(self) -> Counter[str]:
        """Return how much could not be seen, by the sentence that says so (``sentences``)."""
        return spots_of(self.total, is_boundary=bool(self.why)) + self._heard.unseen() + Counter(misnamed())

    def _drain(self, collector: Collector) -> list[Finding | Notice]:
        found = [one for one in all_in(collector) if is_bad(one)]
        self.others += sum(map(is_counted, all_in(collector)))
        collector.findings.clear()
        collector.notices.clear()
        self.total.take_counts(collector)
        if self._letters is not None:
            self._letters.send(TOLD)
        return found

    def _collect_into(self, collector: Collector) -> None:
        self._around.current = collector
        self._running.watch.collect_into(collector)

    def _starting(self) -> None:
        if self._letters is None:
            self._heard.prepare()

    def _count(self, kind: str) -> None:
        if self._letters is not None:
            self._letters.send(kind)
        else:
            self._heard.counts[kind] += 1

    def _forked(self) -> None:
        """Begin anew in a forked process: what is found from now on is told the session."""
        self._letters = Letters(self._heard.folder, self._starts.test, is_of_session)
        collector = OfTest()
        collector.listeners.append(self._letters.found)
        collector.is_prompt = True  # it may end by os._exit
        self._of = {self._starts.test: collector}
        self._tasks = {}
        self._collect_into(collector)

    def _left(self) -> None:
        """Tell what is left in a forked process; in the session's, which a signal may end, nobody reads any more."""
        if self._letters is not None:
            self._letters.end(self._around.current)
        else:
            self._heard.clear()

    def _hear(self) -> None:
        if self._letters is not None or not self._heard.counts:
            return
        try:
            for test, found in self._heard.hear(self.total):
                take(self._of.setdefault(test, OfTest()) if test else self.collector, found, ELSEWHERE)
        except OSError:  # a test has taken the folder, or stands in for the file system: who is not heard is counted
            return
        except Exception as fault:  # counted: the tests have to go on  # noqa: BLE001
            self.total.fault(fault)

    def _cancelling(self, original: Callable[..., object], switch: Switch) -> Callable[..., object]:
        def cancel_all_tasks(loop: AbstractEventLoop) -> object:
            if switch.on:
                try:
                    self._note_leaked(loop)
                except Exception as fault:  # counted: the runner has to close  # noqa: BLE001
                    self.collector.fault(fault)
            return original(loop)

        return cancel_all_tasks

    def _note_leaked(self, loop: AbstractEventLoop) -> None:
        for task in asyncio.all_tasks(loop):
            for test, tasks in self._tasks.items():
                if task in tasks:
                    self._of[test].note(_leaked(task))


def _counted(_fault: Exception) -> None:
    """Be told of a future that cannot be looked at, which was counted when the watching ended."""


def _running(tasks: Iterable[ref[Task[Any]]]) -> Iterator[Task[Any]]:  # Any: as above
    for reference in tasks:
        task = reference()
        if task is not None and not task.done():
            yield task


def _leaked(task: Task[Any]) -> Notice:  # Any: as above
    origin = origin_of(task)
    text = f"task {task.get_name()!r}{name_of_coroutine(task)} was still running when its loop was closed"
    return Notice(LEAKED, text, origin.spawned[0] if origin.spawned else None, origin)
