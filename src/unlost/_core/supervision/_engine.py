"""
What a supervisor does when something happens to its children: a state machine without a task of its own.

Everything is decided in ``_turn``, which only the loop calls: never from inside of a child, of the body of the block,
or of another turn. Whatever happens elsewhere (a task ended, somebody wants to stop, a timer) is written down, and a
turn asked for. A turn does, in this order:

1. It goes on with the ordered stop that is under way, if one is. The line has who is to be stopped, the last first;
   each is asked when those behind it have ended, or their grace is over.
2. Nobody being stopped, it judges those that have ended by themselves, in the order of their ends, each of which may
   begin another ordered stop (of those that fall with it).
3. Nobody being stopped, it starts who is due, in the order of starts, and nobody behind a child that is not ready yet.
   Where children depend on each other (rest-for-one, one-for-all) nobody is started before one in front of it, either.

A child, by what happens:

========  ==================  ===================  ====================  ==================  ===================
state     ends by itself      falls with another   the supervisor stops  is stopped alone    its time has come
========  ==================  ===================  ====================  ==================  ===================
waiting                       waits longer         ended                 gone                starting or running
starting  judged              stopping, backoff    stopping, ended       stopping, gone
running   judged              stopping, backoff    stopping, ended       stopping, gone
stopping  backoff or ended    stays                ends as ended         ends as gone        left behind (grace)
backoff                       waits longer         ended, crash unowned  gone, crash told    starting or running
ended                         backoff                                    gone
========  ==================  ===================  ====================  ==================  ===================

A temporary child is gone where others are in backoff or ended. Who ended by itself and then fell with another one
before it was judged costs no restart of its own, as in OTP. Who was left behind when it was to be replaced makes the
supervisor give up: two of it must not run.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, Handle, Task, get_running_loop
from collections.abc import Callable
from functools import partial

from unlost._core._caught import STOPPING, failure_of, strip_own_frames
from unlost._core._outcome import Outcome
from unlost._core._reason import Reason, asked_now
from unlost._core._report import report
from unlost._core._stubborn import mark_as_told
from unlost._core._waiters import Waiters
from unlost._core._where import still_running
from unlost._core.supervision._child import Child, End, take_end
from unlost._core.supervision._restarts import Restarts
from unlost._core.supervision._rules import Strategy, falls_with, rises_again, starts_again
from unlost._core.supervision._starts import Starts
from unlost.errors import ChildReturned, ChildStillRunning, SupervisorGaveUp, headline


class Engine:
    """
    The children of one supervisor, in the order of their starts.

    Attributes:
        changed: Whoever waits here is woken when everything is over.
        stopping: Why everything is stopped; empty as long as it is not.
        fatal: The first ``KeyboardInterrupt`` or ``SystemExit`` of a child.
        gave_up: What has to come out because the supervisor gave up.
        who: What messages call the supervisor.
        unowned: What was raised, and neither survived by a new start nor told to anybody.
        left_behind: Who did not stop; that is reported by then.
    """

    def __init__(
        self, name: str, strategy: Strategy, restarts: Restarts, on_failure: Callable[[Reason], object]
    ) -> None:
        self.children: dict[str, Child] = {}
        self.changed = Waiters()
        self.stopping = ""
        self.fatal: BaseException | None = None
        self.gave_up: SupervisorGaveUp | None = None
        self.unowned: list[BaseException] = []
        self.left_behind: list[BaseException] = []
        self.who = f"supervisor {name!r}"
        self._name = name
        self._strategy: Strategy = strategy
        self._restarts = restarts
        self._on_failure: Callable[[Reason], object] | None = on_failure
        self._loop = get_running_loop()
        self._is_left = self._has_begun_to_stop = False
        self._tasks = 0
        self._line: list[Child] = []
        self._ended: dict[Child, None] = {}
        self._starts = Starts(strategy, self._turn_soon)
        self._to_remove: list[Child] = []
        self._next: Handle | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do, and no task."""
        has_work = self._tasks or self._starts or self._ended or self._to_remove or self._next
        return bool(self.stopping or self._is_left) and not has_work

    def add(self, child: Child) -> None:
        """Start ``child`` behind the others."""
        self.children[child.name] = child
        self._starts.add(child)
        self._turn_soon()

    def remove(self, child: Child) -> Future[Outcome[None]]:
        """Stop ``child`` for good; the future has how it ended."""
        stopped: Future[Outcome[None]] = self._loop.create_future()
        child.stoppers.append(stopped)
        child.for_good = True
        self._to_remove.append(child)
        self._turn_soon()
        return stopped

    def stop(self, why: str) -> None:
        """Stop all children, in the reverse order of their starts."""
        if not self.stopping:
            self.stopping = why
            self._turn_soon()

    def hurry(self) -> None:
        """Cancel who is being stopped once more."""
        if self._line and (task := self._line[-1].task) is not None:
            task.cancel(self._reason())

    def leave(self) -> None:
        """The block has been left: it is over when nobody is left to run."""
        self._is_left = True
        self._turn_soon()

    def close(self) -> None:
        """Refer to nothing any more but what the user may ask for."""
        self.stopping = self.stopping or "the block has ended"
        self._on_failure = self.fatal = self.gave_up = None
        self.unowned, self.left_behind = [], []
        self.children.clear()
        self._starts.close()

    def _turn_soon(self) -> None:
        if self._next is None:
            self._next = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._next = None
        try:
            self._take_requests()
            self._stop_next()
            while self._ended and not self._line:
                self._judge(next(iter(self._ended)))
                self._stop_next()
            for child in () if self._line else self._starts.take_due():
                self._start(child)
        except Exception as cannot_go_on:  # handed on: the user's backoff raised it, for example  # noqa: BLE001
            strip_own_frames(cannot_go_on)
            self._give_up(f"cannot go on: {headline(cannot_go_on)}", cannot_go_on)
        if self.is_over:
            self.changed.wake_all()

    def _take_requests(self) -> None:
        if self.stopping and not self._has_begun_to_stop:
            self._has_begun_to_stop = True
            self._line = list(self.children.values())
            for child in self._line:
                if child.task is None:
                    self._is_done(child)
        removed, self._to_remove = self._to_remove, []
        for child in removed:
            if child.task is None:
                self._is_done(child)
            elif child not in self._line:
                self._line.append(child)

    def _stop_next(self) -> None:
        while self._line:
            child = self._line[-1]
            if child.task is None:
                self._line.pop()
                continue
            if not child.asked:
                child.ask_to_stop(self._reason(), self._leave_behind)
            return

    def _reason(self) -> Reason:
        return asked_now(self.stopping or "it is stopped alone, or because another child crashed", self.who)

    def _left(self, child: Child, end: End, task: Task[None]) -> None:
        """Take in how a task has ended."""
        error = take_end(end, task)
        try:
            if isinstance(error, STOPPING) and self._on_failure is not None:
                self._take_fatal(error, child)
                error = None
            if child.task is not task:
                self._came_late(child, error)
                return
            self._let_go(child)
            child.end(error, is_wanted=bool(child.asked or self.stopping))
            if not child.for_good:  # whoever stopped it is told
                self._restarts.remember(child)
            if child.asked or child.comes_back:
                self._has_stopped(child)
            else:
                self._ended[child] = None
            self._turn_soon()
        finally:
            del error

    def _let_go(self, child: Child) -> None:
        child.let_go()
        self._tasks -= 1
        self._starts.is_ready(child)  # nobody waits for it any more

    def _has_stopped(self, child: Child) -> None:
        if child.comes_back and not child.for_good and not self._has_begun_to_stop:
            self._restarts.tell(child, 0, max(0.0, child.due - self._loop.time()))
            self._starts.add(child)
        else:
            self._is_done(child)

    def _leave_behind(self, child: Child) -> None:
        """Take in that the grace of ``child`` is over, and it still runs."""
        if child.task is None:
            return
        still = ChildStillRunning(still_running(child.task, child.grace))
        mark_as_told(child.task)
        report(still, f"{self.who} leaves child {child.name!r} behind: it did not stop within its grace")
        self._let_go(child)
        if child.for_good:
            child.crash = still
        elif child.comes_back and not self.stopping:
            self._give_up(f"gave up: child {child.name!r} cannot be replaced, since it does not stop", still)
        else:
            self.left_behind.append(still)
        self._is_done(child)
        self._turn_soon()

    def _came_late(self, child: Child, error: BaseException | None) -> None:
        if isinstance(error, CancelledError):
            error = failure_of(error)
        if error is not None:
            report(error, f"child {child.name!r} failed after {self.who} had left it behind")

    def _take_fatal(self, error: BaseException, child: Child) -> None:
        if self.fatal is None:
            self.fatal = error
            self._fail(f"{type(error).__name__} was raised in child {child.name!r}")
        else:
            self.unowned.append(error)

    def _is_done(self, child: Child) -> None:
        """Start it no more. What it ended with goes to who stopped it, to the end of the block, or is reported."""
        child.state = "ended"
        child.comes_back = False
        self._starts.drop(child)
        self._ended.pop(child, None)
        if (child.for_good or child.restart == "temporary") and self.children.get(child.name) is child:
            del self.children[child.name]
        child.tell_stoppers()
        if (crash := child.take_crash()) is None:
            return
        if self._has_begun_to_stop:
            self.unowned.append(crash)
        else:
            report(crash, f"child {child.name!r} of {self.who} failed, and is not started again")

    def _judge(self, child: Child) -> None:
        """Decide what follows from the end of a child that nobody asked to end."""
        if self._has_begun_to_stop or not starts_again(child.restart, child.crash is None):
            self._is_done(child)
            if child.significant:
                self.stop(f"the significant child {child.name!r} has ended")
            return
        del self._ended[child]
        if child.crash is None:
            child.crash = ChildReturned(f"the permanent child {child.name!r} returned")
            self._restarts.remember(child)
        now = self._loop.time()
        wait = self._restarts.wait_after(child, child.crash, now)
        if wait is None:
            self._give_up(self._restarts.too_often(child, child.crash))
            return
        self._restarts.tell(child, child.failures, wait)
        self._bring_down(child, now + wait)

    def _bring_down(self, child: Child, due: float) -> None:
        """Stop who falls with ``child``, and let them wait for their new start."""
        group = falls_with(self._strategy, tuple(self.children.values()), child)
        for member in rises_again(group):
            member.comes_back = True
            member.due = max(member.due, due)
            if member in self._ended:  # it ended together with the other one
                del self._ended[member]
                self._restarts.tell(member, 0, max(0.0, member.due - self._loop.time()))
            if member.task is None:
                self._starts.add(member)
        self._line = [member for member in group if member.task is not None]

    def _give_up(self, message: str, *more: Exception) -> None:
        if self.stopping:
            self.unowned.extend(more)
            return
        self.gave_up = self._restarts.gave_up(message, *more)
        self._fail(message)

    def _fail(self, why: str) -> None:
        self.stop(why)
        if self._on_failure is not None:
            self._on_failure(self._reason())

    def _start(self, child: Child) -> None:
        self._restarts.get_over(child)
        try:
            child.start(self._name, partial(self._left, child), partial(self._is_ready, child))
        except Exception as refused:  # handed on, as the child's crash: the loop's task factory raised it  # noqa: BLE001
            # without its frames, which refer to ours by f_back from 3.12 on: asyncio's are between them
            child.end(BaseException.with_traceback(refused, None), is_wanted=False)
            self._restarts.remember(child)
            self._ended[child] = None
            self._turn_soon()
            return
        self._tasks += 1
        if child.state == "starting":
            self._starts.hold_until_ready(child)

    def _is_ready(self, child: Child) -> None:
        if child.state == "starting":
            child.state = "running"
            self._starts.is_ready(child)
            self._turn_soon()
