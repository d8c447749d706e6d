"""
Every body with every two children, cancelled in every way, under every policy: nothing is lost, and what must come out
does.

The expectations come from ``support.group_model``, which knows nothing of the code; the books from ``support.ledger``.
"""

import asyncio
import contextlib
from itertools import combinations_with_replacement, product

import pytest

from support.group_model import (
    BODIES,
    BODY_ENDS,
    CANCELLATIONS,
    CANCELLED_AT,
    CHILDREN,
    CHILDREN_END,
    CLEANUP,
    GROUP_CANCELLED,
    LAST,
    POLICIES,
    STARTS,
    Combination,
    expect,
)
from support.ledger import Ledger, State
from support.virtual_time import VirtualTimeLoop
from unlost._core._outcome import Cancelled, Failure, Value
from unlost._core._outcomes import partial
from unlost._core._unheard import take_unheard
from unlost._core.groups._group import TaskGroup
from unlost._core.groups._handle import Handle
from unlost._core.groups._policies import collect, fail_fast, quorum, tolerate, wait_all

MAKE_POLICY = {
    "default": lambda: None,
    "fail_fast": fail_fast,
    "wait_all": wait_all,
    "collect": collect,
    "tolerate(1)": lambda: tolerate(failures=1),
    "quorum(1)": lambda: quorum(1),
}
PATIENCE = 50  # seconds of virtual time: everything that ends has ended long before
SHOWN = 20


class Scenario:
    """One combination, and what came of it."""

    def __init__(self, loop, combination):
        self.loop = loop
        self.of = combination
        self.ledger = Ledger()
        self.children = {}
        self.group = TaskGroup(policy=MAKE_POLICY[combination.policy]())
        self.caught = None
        self.cancelling = self.is_cancelled_next = None
        self.timers = []

    def run(self):
        """Return whether it came to an end by itself."""
        with self.ledger.listening():
            self.task = self.loop.create_task(self.main())
            is_done = self.until_done()
            if not is_done:
                self.task.cancel()
                assert self.until_done(), "cannot even be cancelled"
        for timer in self.timers:
            timer.cancel()
        self.ledger.give(self.caught)
        if self.caught is None:
            self.ledger.give(self.group.outcomes)
        return is_done

    def until_done(self):
        watchdog = self.loop.call_later(PATIENCE, self.loop.stop)
        try:
            while not self.task.done():
                try:
                    self.loop.run_until_complete(self.task)
                except SystemExit:
                    continue  # out of a task of create_task, as in asyncio: the loop is run again
                except RuntimeError:
                    return False
        finally:
            watchdog.cancel()
        return True

    def at(self, seconds, function, *args):
        self.timers.append(self.loop.call_later(seconds, function, *args))

    async def main(self):
        task = asyncio.current_task()
        for seconds in CANCELLED_AT[self.of.cancellation]:
            # two turns later: after those who end in this tick have ended, when the group is told
            self.at(seconds, self.loop.call_soon, self.loop.call_soon, task.cancel, "outside")
        if self.of.cancellation == "before start":
            task.cancel("outside")
        try:
            async with self.group:
                await self.body()
        except BaseException as error:
            self.caught = error
        self.cancelling = task.cancelling()
        try:
            await asyncio.sleep(0)
            self.is_cancelled_next = False
        except asyncio.CancelledError:
            self.is_cancelled_next = True

    async def body(self):
        for number, kind in enumerate(self.of.children, 1):
            self.start(f"child {number}", kind)
        match self.of.body:
            case "ends at once":
                return
            case "fails at once":
                raise self.ledger.raising("body", OSError("body"))
            case "awaits":
                await asyncio.sleep(BODY_ENDS)
            case "fails later":
                await asyncio.sleep(BODY_ENDS)
                raise self.ledger.raising("body", OSError("body"))
            case "swallows its cancellation":
                try:
                    await asyncio.sleep(BODY_ENDS)
                except asyncio.CancelledError:
                    return
            case "starts another in finally":
                try:
                    await asyncio.sleep(BODY_ENDS)
                finally:
                    self.start(LAST, "fails at once")
            case "cancels the group":
                await asyncio.sleep(GROUP_CANCELLED)
                self.group.cancel("enough")
                await asyncio.sleep(BODY_ENDS)

    def start(self, label, kind):
        try:
            if self.of.start == "start_soon":
                child = self.group.start_soon(self.child, label, kind, name=label)
            else:
                coroutine = self.child(label, kind)
                try:
                    child = self.group.create_task(coroutine, name=label)
                except RuntimeError:
                    coroutine.close()
                    raise
        except RuntimeError as refused:
            self.ledger.raising("refused", refused)
            raise
        self.children[label] = child
        if kind == "cancelled from elsewhere":
            self.at(CHILDREN_END, child.cancel, "elsewhere")

    async def child(self, label, kind):
        match kind:
            case "returns":
                await asyncio.sleep(CHILDREN_END)
            case "fails at once":
                raise self.ledger.raising(label, ValueError(label))
            case "fails later":
                await asyncio.sleep(CHILDREN_END)
                raise self.ledger.raising(label, ValueError(label))
            case "waits for ever" | "cancelled from elsewhere":
                await self.loop.create_future()
            case "swallows its cancellation":
                with contextlib.suppress(asyncio.CancelledError):
                    await self.loop.create_future()
            case "fails in its cleanup":
                try:
                    await self.loop.create_future()
                finally:
                    await asyncio.sleep(CLEANUP)
                    raise self.ledger.raising(label, KeyError(label))
            case "raises SystemExit":
                await asyncio.sleep(CHILDREN_END)
                raise self.ledger.raising(label, SystemExit(label))
        return label

    # What came of it, in the words of the model.

    def leaves(self):
        match self.caught:
            case None:
                return "nothing"
            case BaseExceptionGroup():
                return "group"
            case error:
                return type(error).__name__

    def members(self):
        errors = self.caught.exceptions if isinstance(self.caught, BaseExceptionGroup) else ()
        labels = {id(entry.error): entry.label for entry in self.ledger.raised}
        return sorted(labels.get(id(error), type(error).__name__) for error in errors)

    def ended(self, child):
        if isinstance(child, Handle):
            outcome = child.peek()
            match outcome:
                case Value():
                    return "value"
                case Cancelled():
                    return "cancelled"
                case Failure(SystemExit()):
                    return "exit"
                case Failure():
                    return "failure"
                case None:
                    return "still running"
        if not child.done():
            return "still running"
        if child.cancelled():
            return "cancelled"
        error = child.exception()
        return "value" if error is None else "exit" if isinstance(error, SystemExit) else "failure"

    def outcomes(self):
        return list(self.group.outcomes if self.caught is None else partial(self.caught) or ())


def differences(scenario, expected):
    """Yield one line for each thing that is not as it must be."""
    ended = {label: scenario.ended(child) for label, child in scenario.children.items()}
    members = sorted([*expected.members, *["ChildCancelled"] * expected.cancelled_members])
    for what, found, wanted in [
        ("leaves the block", scenario.leaves(), expected.leaves),
        ("members", scenario.members(), members),
        ("children", ended, expected.children),
        ("task.cancelling()", scenario.cancelling, expected.cancelling),
        ("raised", {entry.label for entry in scenario.ledger.raised}, expected.failed),
    ]:
        if found != wanted:
            yield f"{what}: {found!r}, expected {wanted!r}"
    if expected.is_cancelled_next not in (None, scenario.is_cancelled_next):
        yield f"the next await raises CancelledError: {scenario.is_cancelled_next}"
    if (scenario.of.start, scenario.of.policy) != ("create_task", "default"):
        found = [outcome.key for outcome in scenario.outcomes()]
        wanted = [label for label in expected.children if label not in fatal_labels(scenario)]
        if [label for label in found if label not in fatal_labels(scenario)] != wanted:
            yield f"outcomes of {found!r}, expected one for each of {wanted!r}"
    if expected.leaves == "CancelledError" and scenario.caught.args != ("outside",):
        yield f"the cancellation that came out says {scenario.caught.args!r}, expected what the one outside said"
    yield from scenario.ledger.problems(states(scenario, expected))
    yield from receipts(scenario, expected)


def fatal_labels(scenario):
    """Whose error came out bare: that is told without an outcome."""
    return [entry.label for entry in scenario.ledger.raised if entry.error is scenario.caught]


def states(scenario, expected):
    """Return the state of the law that each exception must have come to."""
    wanted = dict.fromkeys(expected.failed, State.DELIVERED if expected.leaves == "nothing" else State.ATTACHED)
    return wanted | dict.fromkeys(fatal_labels(scenario), State.DELIVERED)


def receipts(scenario, expected):
    if expected.leaves == "SystemExit":
        for entry in scenario.ledger.raised:
            if entry.error is not scenario.caught and State.REPORTED not in scenario.ledger.states(entry.label):
                yield f"{entry.label} was not reported beside SystemExit"
    if expected.leaves == "nothing" and scenario.of.policy in ("tolerate(1)", "quorum(1)"):
        errors = [entry.error for entry in scenario.ledger.raised]
        if {id(error) for error in scenario.ledger.receipt.errors} != {id(error) for error in errors}:
            yield f"the receipt has {scenario.ledger.receipt.errors!r}, expected {errors!r}"


def combinations(loop, policy, start):
    """Yield all; on uvloop, whose tasks are asyncio's own, each two children in one order only."""
    in_both_orders = isinstance(loop, VirtualTimeLoop)
    pairs = product(CHILDREN, CHILDREN) if in_both_orders else combinations_with_replacement(CHILDREN, 2)
    for children, body, cancellation in product(pairs, BODIES, CANCELLATIONS):
        yield Combination(body, children, cancellation, policy, start)


def run_all(loop, policy, start):
    is_eager = loop.get_task_factory() is not None
    take_unheard()
    wrong, by_the_loop, count, endless = [], [], 0, 0
    loop.set_exception_handler(lambda _loop, context: by_the_loop.append(str(context)))
    for combination in combinations(loop, policy, start):
        count += 1
        expected = expect(combination, is_eager=is_eager)
        scenario = Scenario(loop, combination)
        has_ended = scenario.run()
        endless += not has_ended
        if has_ended != expected.ends:
            problems = ["does not end" if expected.ends else "ends, expected to wait for ever"]
        else:
            problems = list(differences(scenario, expected)) if expected.ends else []
        problems += [f"only the loop was told: {text}" for text in by_the_loop]
        by_the_loop.clear()
        del scenario
        problems += [f"was told and is counted: {text}" for text in take_unheard()]
        if problems:
            wrong.append("\n    ".join([str(combination), *problems]))
    return wrong, count, endless


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("policy", POLICIES)
def test_whatever_happens_in_a_group_nothing_is_lost(virtual_loop, policy, start):
    loop = virtual_loop()
    try:
        wrong, count, endless = run_all(loop, policy, start)
    finally:
        loop.close()

    print(f"{policy}, {start}: {count} combinations, {endless} of them wait for ever, as they must")
    assert not wrong, "\n".join([f"{len(wrong)} of {count} combinations:", *wrong[:SHOWN]])
    assert count == len(BODIES) * len(CANCELLATIONS) * (64 if isinstance(loop, VirtualTimeLoop) else 36)
