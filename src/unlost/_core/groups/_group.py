"""A task group that loses nothing: ``asyncio.TaskGroup``, with handles, outcomes and policies."""

from __future__ import annotations

from asyncio import CancelledError, Task
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from functools import partial as bind
from typing import Any, Generic, TypeVar, TypeVarTuple, cast, overload

from unlost._core._around import Around, check_around
from unlost._core._caught import STOPPING, as_input_error, strip_own_frames
from unlost._core._events import emit
from unlost._core._forgiven import count_forgiven
from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._outcomes import Outcomes
from unlost._core._receipt import tell_survived
from unlost._core._reraise import reraise
from unlost._core._site import name_of
from unlost._core._startable import check_startable
from unlost._core._swallowed import CancellationSwallowed
from unlost._core.groups._drop_in import DropIn
from unlost._core.groups._ending import (
    as_one,
    is_own_error,
    leave_generator,
    raise_cancellation,
    raise_fatal,
)
from unlost._core.groups._handle import Handle
from unlost._core.groups._policy import Continue, Policy, Stop
from unlost._core.groups._ready import TaskStatus
from unlost._core.groups._roll import Roll
from unlost.errors import UsageError, headline

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class TaskGroup(DropIn, Generic[R]):
    """
    Run children; leave the block when all have ended, and let no error of theirs get lost.

        async with unlost.TaskGroup() as group:
            price = group.start_soon(fetch, url)
        print(price.outcome)

    It is an ``asyncio.TaskGroup`` and can take its place. Whatever the policy, leaving the block waits for every child;
    an exception that comes out has all outcomes attached (``partial(error)``), and a cancellation from outside comes
    out as ``CancelledError``, or, where children failed too, as their group, and then out of the next await.

    Args:
        policy: When to stop early, and what comes out: ``fail_fast()`` (the default), ``wait_all()``, ``collect()``,
            ``tolerate(...)``, ``quorum(n)``, or a ``Policy`` of your own. One object for each group.
        keep_outcomes: False for a group that starts children without end: it keeps nothing of a child that has ended,
            ``outcomes`` is empty then.

    Raises:
        BaseExceptionGroup: Children failed, or the body did, and the policy does not tolerate it. An ``ExceptionGroup``
            where all of them are ``Exception``.
        KeyboardInterrupt, SystemExit: Bare, if the body or a child raised it; what else failed is attached, reported.
    """

    @overload
    def __init__(self: TaskGroup[list[Any]], policy: None = None, *, keep_outcomes: bool = True) -> None: ...
    @overload
    def __init__(self, policy: Policy[R], *, keep_outcomes: bool = True) -> None: ...
    def __init__(self, policy: Policy[R] | None = None, *, keep_outcomes: bool = True) -> None:
        super().__init__()
        if policy is not None and not _is_policy(policy):
            raise UsageError(
                f"TaskGroup() got policy={policy!r}.\n"
                f"Write TaskGroup(policy=unlost.collect()), or an object with {', '.join(_PARTS)}."
            )
        self._policy = policy  # Any, below: children of every type
        self._has_policy = policy is not None
        self._keeps = keep_outcomes or policy is not None
        self._roll = Roll()
        self._result: list[R] = []  # empty until there is one
        self._has_broken_policy = False
        self._is_whole = False  # it ended well, without a policy to ask

    def start_soon(
        self,
        func: Callable[[*Ts], Awaitable[T]],
        *args: *Ts,
        name: str | None = None,
        context: Context | None = None,
        policy: Around | None = None,
    ) -> Handle[T]:
        """
        Start ``func(*args)`` as a child, and go on.

        The function is called inside of the child's task, so that whatever it raises is the child's failure.

        Args:
            func: An async function.
            args: Its arguments.
            name: The child's name, in outcomes and reports; by default the function's.
            context: The context that the child runs in; by default a copy of the current one.
            policy: Put around the call, ``unlost.Retry(5)`` for example; the child's outcome has its ``attempts`` and
                ``survived``. (What the group makes of outcomes is another policy, that of the group.)

        Raises:
            UsageError: ``func`` is no function: a coroutine object for example. Nothing was started.
            RuntimeError: The group was not entered, is shutting down or finished.
        """
        check_startable("group.start_soon", func)
        if not self._entered or self._exiting or self._aborting:
            self._check_open(None)
        self._check_thread("start_soon")
        if policy is not None:
            check_around("group.start_soon", policy)
        handle: Handle[T] = Handle(self._loop, name or name_of(func), self._time(), has_policy=policy is not None)
        self._join(handle)
        if policy is None:
            self._run(handle, func, args, {}, context)
        else:
            self._run(handle, policy.outcome, (func, *args), {}, context)
        return handle

    async def start(
        self,
        func: Callable[..., Awaitable[Any]],
        *args: Any,  # Any: mypy cannot tell the arguments from the keyword that is added
        name: str | None = None,
        context: Context | None = None,
    ) -> Any:  # Any: what ``started`` is given
        """
        Start ``func(*args, task_status=...)`` as a child, and return once it says that it is ready.

            async def serve(port, *, task_status):
                server = await listen(port)
                task_status.started(server)
                await server.serve_forever()

            server = await group.start(serve, 8080)

        Until then its failure is this call's, and not the group's: it comes out here.

        Returns:
            What the child gave to ``task_status.started``.

        Raises:
            Exception: What the child raised before it was ready.
            ChildCancelled: The child was cancelled before it was ready.
            CancelledError: The caller was cancelled: so is the child, if it was not ready, and it has ended.
            UsageError: The child ended without saying that it is ready; and as in ``start_soon``.
            RuntimeError: As in ``start_soon``.
        """
        check_startable("group.start", func)
        if not self._entered or self._exiting or self._aborting:
            self._check_open(None)
        handle: Handle[Any] = Handle(self._loop, name or name_of(func), self._time())
        status: TaskStatus[Any] = TaskStatus(self._loop, bind(self._join, handle))
        self._run(handle, func, args, {"task_status": status}, context, status)
        try:
            return await status.wait(handle)
        finally:
            del status, handle  # what is raised refers to this frame

    def cancel(self, reason: str = "") -> None:
        """
        Cancel every child and the block's body; that by itself lets nothing out of the block.

        Each child's outcome is ``Cancelled`` with this ``reason``, or whatever else it comes to. Nothing can be started
        any more. In a group that is not open it does nothing.
        """
        if self._entered:
            self._check_thread("cancel")
            self._stop(reason or "the group was cancelled")

    @property
    def outcomes(self) -> Outcomes[Any]:
        """
        The outcomes of the children that have ended, in the order of starts; of all of them, after the block.

        Where the block raised, they travel with that error (``partial(error)``), and are here as long as that lives.

        Raises:
            UsageError: The block raised, and the error is gone.
        """
        return self._roll.look()

    @property
    def result(self) -> R:
        """
        What the policy makes of all outcomes; by default the list of values, in the order of starts.

        Raises:
            UsageError: The block has not ended, or raised.
        """
        if self._is_whole:
            return cast("R", self._roll.values())
        if not self._result:
            raise UsageError(
                "this group has no result: its block has not ended, or it raised.\n"
                "Read group.result after the block; unlost.partial(error) has the outcomes of one that raised."
            )
        if isinstance(self._result[0], Outcomes):
            return cast("R", self.outcomes)  # from here on they are told
        return self._result[0]

    def _join(self, handle: Handle[Any]) -> None:
        """Count a child among those whose outcomes matter."""
        if self._keeps:
            index = self._roll.join(handle)
            if self._policy is not None:
                try:
                    self._policy.on_start(index)
                except BaseException as policy_error:  # raised on, and out of the block
                    self._policy_failed(policy_error)
                    raise

    def _run(
        self,
        handle: Handle[Any],
        func: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        options: dict[str, Any],
        context: Context | None,
        status: TaskStatus[Any] | None = None,
    ) -> None:
        child = handle.run(func, args, options)
        try:
            task = self._start_task(child, handle.name, context, {})
        except BaseException:
            child.close()  # a refused start leaves nothing un-awaited
            raise
        handle.started(task)
        self._adopt(task, bind(self._child_ended, handle, status))

    def _start_judged(
        self, coro: Coroutine[Any, Any, T], name: str | None, context: Context | None, options: dict[str, Any]
    ) -> Task[T]:
        handle: Handle[T] = Handle(self._loop, name or name_of(coro), self._time())
        try:
            self._join(handle)
        except BaseException:
            coro.close()  # a refused start leaves nothing un-awaited
            raise
        task = self._start_task(coro, name, context, options)
        handle.started(task)
        self._adopt(task, bind(self._child_ended, handle, None))
        return task

    def _child_ended(self, handle: Handle[Any], status: TaskStatus[Any] | None, task: Task[Any]) -> None:
        try:
            self._hear(handle, status, task)
        finally:
            self._let_go(task)  # now, since a policy may start another child in the place of the last

    def _hear(self, handle: Handle[Any], status: TaskStatus[Any] | None, task: Task[Any]) -> None:
        """Learn how a child has ended, and see what follows from it."""
        outcome = handle.end(task, self._time())
        if task.cancelling() and isinstance(outcome, Value):
            emit(CancellationSwallowed(handle.name, self._reason, self._stood.get(task, "")))
        if isinstance(outcome, Failure) and isinstance(outcome.error, STOPPING):
            self._take(outcome.error, task)
        elif status is not None and not status.is_ready:
            status.wake()  # whoever started it is told
        elif isinstance(outcome, Failure) and handle.forgiven:
            count_forgiven(outcome, handle.forgiven)
        elif self._policy is None:
            if isinstance(outcome, Failure):
                self._take(outcome.error, task)
        elif not self._has_broken_policy:
            self._ask(self._policy, outcome)

    def _ask(self, policy: Policy[R], outcome: Outcome[Any]) -> None:
        try:
            decision: object = policy.on_outcome(outcome)  # whatever a user's own returns
        except BaseException as policy_error:  # handed on: it comes out of the block  # noqa: BLE001
            self._policy_failed(policy_error)
            return
        if isinstance(decision, Stop):
            self._stop(decision.reason)
        elif not isinstance(decision, Continue):
            self._policy_failed(
                UsageError(
                    f"{type(policy).__name__}.on_outcome() returned {decision!r}.\n"
                    "Write return unlost.Continue(), or unlost.Stop('why')."
                )
            )

    def _policy_failed(self, policy_error: BaseException) -> None:
        """Let out of the block what a policy raised; stop the others."""
        self._has_broken_policy = True
        strip_own_frames(policy_error)
        if isinstance(policy_error, STOPPING) and self._base_error is None:
            self._base_error = policy_error
        elif isinstance(policy_error, CancelledError):  # nobody cancelled the group
            self._errors.append(as_input_error(policy_error, "the group's policy"))
        else:
            self._errors.append(policy_error)
        self._stop(f"the group's policy failed: {headline(policy_error)}")

    def _come_out(self, body_error: BaseException | None, cancellation: CancelledError | None) -> bool | None:
        nothing_came_up = body_error is None and cancellation is None and self._base_error is None and not self._errors
        if nothing_came_up and self._policy is None:
            self._is_whole = True
            return None
        outcomes, errors = self._roll.outcomes(), self._errors
        self._errors = []
        fatal, self._base_error = self._base_error, None
        raised: BaseException | None = None
        try:
            if fatal is None and isinstance(body_error, STOPPING):
                fatal = body_error
            if fatal is not None:
                outcomes = Outcomes(outcome for outcome in outcomes if not _is_of(outcome, fatal))  # else a cycle
                self._roll.hand_over(outcomes)
                return raise_fatal(fatal, body_error, errors, outcomes)
            raised = self._judge(cancellation)
            if isinstance(body_error, GeneratorExit):
                self._roll.hand_over(outcomes)
                return leave_generator(body_error, [*errors, *([] if raised is None else [raised])], outcomes)
            own_error = body_error if is_own_error(body_error) else None
            if raised is not None or errors or own_error is not None:
                raised = as_one(raised, errors, own_error, outcomes)
                self._roll.hand_over(outcomes)
                self._cancel_again(cancellation)
                if not outcomes and raised.__cause__ is None and raised.__context__ is None:
                    raise raised from None  # as asyncio does
                reraise(raised)
            if cancellation is not None:
                self._roll.hand_over(outcomes)
                return raise_cancellation(cancellation, body_error, outcomes)
            self._is_whole = self._policy is None
            return body_error is not None
        finally:
            del body_error, cancellation, fatal, raised, errors, outcomes  # what is raised refers to this frame

    def _judge(self, cancellation: CancelledError | None) -> BaseException | None:
        """Ask the policy for the result; return what it raises instead."""
        if self._policy is None or self._has_broken_policy:
            return None
        wanted = self._roll.wanted()
        if cancellation is not None and not any(isinstance(outcome, Failure) for outcome in wanted):
            return None  # nothing failed: that the children were cancelled is no failure of theirs
        try:
            result = self._policy.result(wanted)
        except BaseException as raised:  # handed on: it comes out of the block  # noqa: BLE001
            return as_input_error(raised, "the group's policy")
        if cancellation is None:
            self._result = [result]
            if result is not wanted:
                self._tell_survived(wanted)
        return None

    def _tell_survived(self, outcomes: Outcomes[Any]) -> None:
        """The result may be bare values: what they survived goes into the receipt."""
        errors = tuple(outcome.error for outcome in outcomes if isinstance(outcome, Failure))
        if tell_survived(f"unlost.TaskGroup({type(self._policy).__name__.strip('_')})", errors):
            self._roll.tell()


def _is_policy(policy: object) -> bool:
    return not isinstance(policy, type) and all(callable(getattr(policy, part, None)) for part in _PARTS)


def _is_of(outcome: Outcome[Any], error: BaseException) -> bool:
    return isinstance(outcome, Failure) and outcome.error is error


_PARTS = ("on_start", "on_outcome", "result")
