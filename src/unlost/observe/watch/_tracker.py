"""
The evidence about one exception, which lives as long as that, and gives the verdict when it is gone.

It hangs in the exception's own ``__dict__`` and never refers to it, nor to a frame or a task. It does not pickle: what
the library keeps with an exception leaves everything behind that is not an exception. A copy of the exception holds the
same evidence, so that good news of either is good for both, until the copy gets into trouble of its own.

Beside it hangs its ``Life``, which tells that the exception is gone, and of its copies all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from types import CodeType
from typing import Final

from unlost._core import wall
from unlost._core.hooks import Spot
from unlost.errors import classify
from unlost.observe._code import is_application
from unlost.observe._leaving import KEPT
from unlost.observe._text import encodable, guarded, module_of, text_of, type_name
from unlost.observe.watch._alive import alive, inherited
from unlost.observe.watch._collector import NO_ROOM, Collector
from unlost.observe.watch._during import during
from unlost.observe.watch._finding import ErrorType, Finding, Site
from unlost.observe.watch._remote import frames_there
from unlost.observe.watch._sites import origin_of, site_at, site_of, spots_of
from unlost.observe.watch._unknown import ASKED, RAISED_ON
from unlost.observe.watch._verdict import COUNTED, Verdict
from unlost.observe.watch._waiters import Waiter

# It left a task, and nobody was seen to have it since: whether its future was ever asked tells.
_WAITING: Final = frozenset({Verdict.UNKNOWN, Verdict.RETURNED, Verdict.ABSORBED})
_GOOD: Final = frozenset({Verdict.REPORTED, Verdict.HANDLED, Verdict.CONVERTED})
_OPEN: Final = frozenset({Verdict.SWALLOWED, Verdict.RETURNED, Verdict.ABSORBED, Verdict.LOST})


_running_loop = asyncio._get_running_loop
_current_task = asyncio.current_task


class Tracker:
    """
    Attributes:
        state: What it would come to if it died now.
        code: Whose handler has it, or had it last; None where none has.
        frame: The id of that handler's frame.
        depth: Of that handler.
        is_final: Whether nothing later can change the verdict: it was told somebody, or is part of another one.
        is_over: Whether it gave its verdict.
        is_leaving: Whether it is on its way out of a task that was noted already.
        was_left: Whether it left a task.
        is_shared: Whether a callback of that task takes it as well, whatever those do who await it.
        is_left_to_asyncio: Whether asyncio saying that nobody asked for it is how it is meant to be reported.
    """

    # defaults of the class and no slots: most trackers set few of them, and each store in __init__ costs
    state = Verdict.UNKNOWN
    code: CodeType | None = None
    frame = 0
    depth = 0
    is_final = False
    is_over = False
    was_left = False
    is_shared = False
    is_leaving = False
    is_left_to_asyncio = False
    _line = 0
    _by = ""
    _task: str | None = None
    _spawned: tuple[Spot, ...] = ()
    _spots: tuple[Spot, ...] = ()
    _there: tuple[Site, ...] = ()
    _text: str | None = None
    _kind = ""
    _during: object = ""
    _owed = ""
    _is_named = False
    _task_here = 0

    def __init__(self, collector: Collector, error: BaseException) -> None:
        alive.add(id(self))
        self._collector = collector
        self._type = type(error)
        if collector.born is not None:
            collector.born(self)

    def is_of(self, collector: Collector) -> bool:
        """Say whether this is for a collector."""
        return self._collector is collector

    def may_end_badly(self) -> bool:
        """Say whether there would be something to tell if it died now, or if its task did and nobody had asked."""
        if self.state is Verdict.SWALLOWED and self.code is not None:
            return is_application(self.code.co_filename)
        return self.state in _OPEN

    def is_lost(self) -> bool:
        """Say whether it was lost for good, whoever still holds the exception."""
        return self.is_final and self.state is Verdict.LOST

    def retire(self) -> None:
        """
        Give the verdict where that is a good one, as if the exception had died; what comes of it after is another's.

        Who lets it out of what is watched, to be told of elsewhere, is waited for.
        """
        if self.state in _GOOD and not self._owed:
            self.finish()
            alive.discard(id(self))

    def entered(self, code: CodeType, frame: int, line: int, depth: int, by_name: bool = False) -> None:
        """Note that a handler has it, which means it or looks at it; ``by_name``: a type that is none of Python's."""
        if not self.is_final:
            self.state, self._by = Verdict.HANDLED, ""
            self._is_named = by_name
            if self.was_left:
                self._task_here = _task_here()
            self.code, self.frame, self._line, self.depth = code, frame, line, depth

    def swallowed(self, code: CodeType, frame: int, line: int, depth: int, error: BaseException, by: str = "") -> None:
        """Note that a handler has it which would have any, and does not look at it."""
        if self.is_final or self.state is Verdict.CONVERTED:  # who has the other one has this, whatever is done here
            return
        if self.is_shared:
            self.asked_for()
            return
        if self.state is Verdict.HANDLED and self.was_left and self._task_here != _task_here():
            return  # its task is awaited by two, and the other one has it
        self.state, self._by = Verdict.SWALLOWED, by
        self.code, self.frame, self._line, self.depth = code, frame, line, depth
        if not self._collector.is_told((id(code), line)):
            self._look_at(error)

    def shown(self) -> None:
        """Note that its traceback was formatted: who has it looks at it."""
        if not self.is_final and self.state in _OPEN:
            self.state = Verdict.HANDLED

    def has_left(self, code: CodeType, frame: int, depth: int) -> bool:
        """Say whether what is raised on at such a depth of a frame is out of the handler that has it."""
        return self.code is None or (self.code is code and self.frame == frame and depth <= self.depth)

    def converted(self) -> None:
        """Note that it is the cause or context of another, which goes on in its place."""
        if not self.is_final:
            self.state, self._by, self.code = Verdict.CONVERTED, "", None

    def asked_for(self) -> None:
        """Note that somebody asked for it where it was put."""
        if not self.is_final:
            self.state, self._by, self.code = Verdict.UNKNOWN, ASKED, None

    def went_on(self) -> None:
        """Note that who had it let it go on; just before it leaves a task that was noted already."""
        if self.is_leaving:
            self.is_leaving = False
        elif not self.is_final:
            self.state, self._by = Verdict.UNKNOWN, RAISED_ON
            self.code = None

    def left(self, task: str, spawned: tuple[Spot, ...], waiter: Waiter, error: BaseException, here: int = 0) -> None:
        """Note that it left a task (``here`` is its id), where that came from, and who waits for it."""
        if self.is_final:
            self._left_again(here)
        self._task, self._spawned = task, spawned
        self.handed_over(waiter, error)

    def submitted(self, where: Spot) -> None:
        """Note where the call that raised it was handed to an executor, or its coroutine to another thread's loop."""
        if self._task is None:
            self._task, self._spawned = "", (where,)
        elif not any(is_application(encodable(code.co_filename)) for code, _ in self._spawned):
            self._spawned = (where,)  # asyncio itself started the task, for who called from there

    def handed_over(self, waiter: Waiter, error: BaseException) -> None:
        """Note that it was put where somebody may ask for it, and what it comes to if nobody does."""
        if not self.is_final:
            self._by, self.state = waiter
            self.is_shared = waiter.state is Verdict.UNKNOWN and waiter.by.startswith("callback ")
            self.code = None
            self.was_left = True
            self.is_leaving = False  # it is where it was going
            self._look_at(error)

    def lost(self, error: BaseException, by: str = "") -> None:
        """Note that its task or future died, and nobody had asked."""
        if not self.is_final:
            self.state, self._by, self.code = Verdict.LOST, by, None
            self.is_final = True
            self._look_at(error)
            if self._collector.is_prompt:
                self.finish()

    def settle(self, verdict: Verdict, by: str = "") -> None:
        """Note what it came to, and by whom, whatever happens later."""
        if not self.is_final:
            self.state, self._by = verdict, by
            self.is_final = True
            self._task_here = _task_here()

    def owe(self, who: str, error: BaseException) -> None:
        """Note that it left the application to those who run that, and so is lost if they tell nobody."""
        if not self.is_final:
            self._owed = who
            self._look_at(error)

    def may_be_unasked(self) -> bool:
        """Say whether what it came to turns on its future, if somebody still holds that."""
        return self.was_left and self.state in _WAITING and not self.is_final

    def finish(self, *, is_held: bool = False, is_unasked: bool = False) -> None:
        """
        Give the verdict, once.

        Args:
            is_held: Somebody still has the exception when the watching ends.
            is_unasked: It lies in a future that nobody ever asked.
        """
        if self.is_over:
            return
        self.is_over = True
        if inherited and id(self) in inherited:
            return
        if self._owed and not self.is_final and self._is_nobodys():
            self.state, self._by, self.code = Verdict.LOST, self._owed, None
        is_due = self.state is Verdict.LOST or (is_unasked and self.may_be_unasked())
        if is_held and is_due and self.was_left and not self.is_final:
            self.state, self._by = Verdict.UNDELIVERED, "" if self._by in (ASKED, RAISED_ON) else self._by
        if self.state is Verdict.UNKNOWN:
            self._collector.unknown.add(self._by, self._type, self._spots)
        if self.state in COUNTED:
            self._collector.count(self.state)
        elif self._collector.is_told(place := self._place()):
            self._collector.hold_back(self.state)
        else:
            self._collector.add(self._finding(), place, self.code, self._spots[-1:], self._type, self._spawned[:1])

    def _look_at(self, error: BaseException) -> None:
        self._spots = spots_of(error.__traceback__)
        if self._text is None and not self._collector.is_told(self._origin()):
            self._text, self._kind = _text_of(error), _kind_of(error)
            self._there = frames_there(error)
            self._during = during.get()

    def _left_again(self, here: int) -> None:
        """
        Begin anew for a task that raised what another had raised, and of which somebody was told then.

        Who tells of an error and raises it on has told of it in all tasks that it leaves from there.
        """
        if self.state is not Verdict.REPORTED or not self.was_left:
            return
        if self._task_here == here:
            self.was_left = False
        else:
            self._collector.count(self.state)
            self.state, self.is_final = Verdict.UNKNOWN, False

    def _is_nobodys(self) -> bool:
        """Whether no code of the application's has it, or made another of it."""
        is_theirs = self.code is None or not is_application(encodable(self.code.co_filename))
        is_meant = self.code is not None and self.state is Verdict.HANDLED and self._is_named
        return is_theirs and not is_meant and self.state is not Verdict.CONVERTED

    def _place(self) -> Hashable:
        return (id(self.code), self._line) if self.state is Verdict.SWALLOWED else self._origin()

    def _origin(self) -> Hashable:
        code, offset = self._spots[-1] if self._spots else (None, 0)
        starter, at = self._spawned[0] if self._spawned else (None, 0)
        return (id(code), offset, id(self._type), id(starter), at)

    def _finding(self) -> Finding:
        error_type = ErrorType(module_of(self._type), type_name(self._type))
        frames = (*map(site_of, self._spots), *self._there)
        site = site_at(self.code, self._line) if self.code is not None else None
        origin = None if self._task is None else origin_of(self._task, self._spawned)
        return Finding(
            self.state, error_type, self._text or "", frames, site, self._by, origin,
            at=wall(), during=text_of(self._during), kind=self._kind,
        )  # fmt: skip

    def die(self) -> None:
        """Give the verdict, as nobody can see the exception any more."""
        try:
            alive.discard(id(self))
            self.finish()
        except RecursionError:  # counted, by no call
            faults = self._collector.faults
            faults[NO_ROOM] = faults.get(NO_ROOM, 0) + 1
        except Exception as fault:  # counted: a finalizer has nobody to tell  # noqa: BLE001
            self._collector.fault(fault)
        inherited.discard(id(self))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("",)

    def __deepcopy__(self, _memo: object) -> Tracker:
        return self


def _task_here() -> int:
    return id(_current_task()) if _running_loop() is not None else 0


def _text_of(error: BaseException) -> str:
    try:
        return text_of(error)[:KEPT]
    except SystemExit:  # its own __str__ raised it: text_of lets that pass, as it may be a signal's
        return "<__str__ raised SystemExit>"


def _kind_of(error: BaseException) -> str:
    try:
        return guarded(lambda: classify(error).value, lambda _rule_error: "permanent")
    except SystemExit:  # as above: a rule of the user's raised it
        return "permanent"
