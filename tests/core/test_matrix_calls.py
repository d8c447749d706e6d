"""
Every call, of two and of three operations, cancelled in every way, in every form: nothing is lost, and what must come
out does.

The expectations come from ``support.calls_model``, which knows nothing of the code; the books from ``support.ledger``.
"""

import asyncio
import contextlib
from itertools import product

import pytest

from support.calls_model import CALLS, CANCELLATIONS, CANCELLED_AT, FORMS, Combination, expect
from support.group_model import CHILDREN, CHILDREN_END, CLEANUP
from support.ledger import Ledger, State
from support.virtual_time import VirtualTimeLoop
from unlost._core._outcome import Cancelled, Failure, Value
from unlost._core._outcomes import partial
from unlost._core._unheard import take_unheard
from unlost._core.together._as_completed import as_completed
from unlost._core.together._gather import gather
from unlost._core.together._race import race, race_outcome
from unlost._core.together._settle import settle

PATIENCE = 50  # seconds of virtual time: everything that ends has ended long before
SHOWN = 20


class Scenario:
    """One combination, and what came of it."""

    def __init__(self, loop, combination):
        self.loop = loop
        self.of = combination
        self.ledger = Ledger()
        self.ended = {}
        self.seen = []
        self.caught = self.returned = None
        self.cancelling = self.is_cancelled_next = None
        self.timers = []
        self.given = []

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
        self.ledger.give(self.caught, self.returned, self.seen)
        return is_done

    def until_done(self):
        watchdog = self.loop.call_later(PATIENCE, self.loop.stop)
        try:
            while not self.task.done():
                try:
                    self.loop.run_until_complete(self.task)
                except SystemExit:
                    continue  # out of a task that was given, as in asyncio: the loop is run again
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
            # two turns later: after those who end in this tick have ended, when the call is told
            self.at(seconds, self.loop.call_soon, self.loop.call_soon, task.cancel, "outside")
        self.given = [self.operation(number, kind) for number, kind in enumerate(self.of.operations)]
        if self.of.cancellation == "before start":
            task.cancel("outside")
        try:
            self.returned = await self.call()
        except BaseException as error:
            self.caught = error
        self.cancelling = task.cancelling()
        try:
            await asyncio.sleep(0)
            self.is_cancelled_next = False
        except asyncio.CancelledError:
            self.is_cancelled_next = True

    async def call(self):
        name, _, how = self.of.call.partition(", ")
        if name != "as_completed":
            return await CALL[name](*self.given)
        async with as_completed(*self.given) as outcomes:
            if how == "left at once":
                return None
            async for outcome in outcomes:
                self.seen.append(outcome)
                if how == "left after one":
                    break
                if how == "broken after one":
                    raise self.ledger.raising("body", OSError("body"))
        return None

    def operation(self, number, kind):
        if self.of.form == "function":
            return lambda: self.run_operation(number, kind)
        coroutine = self.run_operation(number, kind)
        return self.loop.create_task(coroutine) if self.of.form == "task" else coroutine

    async def run_operation(self, number, kind):
        label = f"operation {number}"
        match kind:
            case "returns":
                await asyncio.sleep(CHILDREN_END)
            case "fails at once":
                raise self.ledger.raising(label, ValueError(label))
            case "fails later":
                await asyncio.sleep(CHILDREN_END)
                raise self.ledger.raising(label, ValueError(label))
            case "waits for ever":
                await self.loop.create_future()
            case "cancelled from elsewhere":
                self.at(CHILDREN_END, asyncio.current_task().cancel, "elsewhere")
                await self.loop.create_future()
            case "swallows its cancellation":
                with contextlib.suppress(asyncio.CancelledError):
                    await self.loop.create_future()
            case "fails in its cleanup":
                try:
                    await self.loop.create_future()
                finally:
                    try:
                        await asyncio.sleep(CLEANUP)
                    finally:
                        raise self.ledger.raising(label, KeyError(label))
            case "raises SystemExit":
                await asyncio.sleep(CHILDREN_END)
                raise self.ledger.raising(label, SystemExit(label))
        return label

    # What came of it, in the words of the model.

    def leaves(self):
        match self.caught:
            case None:
                is_group = isinstance(self.returned, Failure) and isinstance(self.returned.error, BaseExceptionGroup)
                return "group" if is_group else "value"
            case BaseExceptionGroup():
                return "group"
            case OSError():
                return "body"
            case error:
                return type(error).__name__

    def members(self):
        group = self.returned.error if isinstance(self.returned, Failure) else self.caught
        errors = group.exceptions if isinstance(group, BaseExceptionGroup) else ()
        labels = {id(entry.error): entry.label for entry in self.ledger.raised}
        return sorted(labels.get(id(error), type(error).__name__) for error in errors)

    def outcomes(self):
        """Return the outcomes that the caller has, one for each index."""
        group = self.returned.error if isinstance(self.returned, Failure) else self.caught
        returned = self.returned if self.of.call == "settle" and self.caught is None else ()
        found = [*self.seen, *(returned or ()), *(partial(group) or () if group is not None else ())]
        return {outcome.index: outcome for outcome in found if outcome.index >= 0}


CALL = {"gather": gather, "settle": settle, "race": race, "race_outcome": race_outcome}


def ended_as(outcome):
    match outcome:
        case Value():
            return "value"
        case Failure():
            return "failure"
        case Cancelled(attempts=0):
            return "unstarted"
        case Cancelled(error=error):
            return "cancelled" if error.args == ("elsewhere",) else "stopped"


def differences(scenario, expected):
    """Yield one line for each thing that is not as it must be."""
    settle_unsure(scenario, expected)
    leaves, members = group_of(scenario, expected)
    for what, found, wanted in [
        ("comes out", scenario.leaves(), leaves),
        ("members", scenario.members(), members),
        ("task.cancelling()", scenario.cancelling, expected.cancelling),
        ("still running", [given for given in scenario.given if asyncio.isfuture(given) and not given.done()], []),
    ]:
        if found != wanted:
            yield f"{what}: {found!r}, expected {wanted!r}"
    if expected.is_cancelled_next not in (None, scenario.is_cancelled_next):
        yield f"the next await raises CancelledError: {scenario.is_cancelled_next}"
    yield from endings(scenario, expected, leaves)
    yield from scenario.ledger.problems(states(scenario, expected, leaves))
    if leaves == "SystemExit":
        for entry in scenario.ledger.raised:
            if entry.error is not scenario.caught and not scenario.ledger.states(entry.label) & HEARD:
                yield f"{entry.label} was not reported beside SystemExit"


def settle_unsure(scenario, expected):
    """What was stopped in the tick of a SystemExit, before its turn, raised nothing of its own."""
    outcomes = scenario.outcomes()
    raised = {entry.label for entry in scenario.ledger.raised}
    for number in expected.unsure:
        is_stopped = number in outcomes and ended_as(outcomes[number]) == "stopped"
        if is_stopped and f"operation {number}" not in raised:
            expected.operations[number] = "stopped"


HEARD = {State.REPORTED, State.DELIVERED}


def group_of(scenario, expected):
    """Return what leaves the call and who is in its group; a block that was left early raises what it did not take."""
    taken = {outcome.index for outcome in scenario.seen}
    rest = [(number, ended) for number, ended in enumerate(expected.operations) if number not in taken]
    members = [f"operation {number}" for number, ended in rest if ended == "failure"]
    members += ["ChildCancelled" for _, ended in rest if ended == "cancelled"]
    leaves = expected.leaves
    if ", left" in scenario.of.call and leaves == "value" and members:
        leaves = "group"
    return leaves, sorted(members) if leaves == "group" else []


def endings(scenario, expected, leaves):
    if leaves == "value" and scenario.of.call not in ("settle", "as_completed"):
        return
    outcomes = scenario.outcomes()
    found = {number: ended_as(outcome) for number, outcome in sorted(outcomes.items())}
    wanted = dict(enumerate(expected.operations))
    fatal = [number for number, ended in wanted.items() if ended == "exit"]
    if fatal:  # the one that came out has no outcome
        wanted = {number: "failure" if ended == "exit" else ended for number, ended in wanted.items()}
        missing = set(wanted) - set(found)
        if len(missing) != 1 or not missing <= set(fatal):
            yield f"no outcome of operations {sorted(missing)!r}, expected only that of the SystemExit to be missing"
        wanted = {number: ended for number, ended in wanted.items() if number not in missing}
    if found != wanted:
        yield f"outcomes {found!r}, expected {wanted!r}"


def states(scenario, expected, leaves):
    """Return the state of the law that each exception must have come to."""
    wanted = {}
    taken = {outcome.index for outcome in scenario.seen}
    for number, ended in enumerate(expected.operations):
        if ended in ("failure", "exit"):
            is_handed = number in taken or (scenario.of.call == "settle" and leaves == "value")
            wanted[f"operation {number}"] = State.DELIVERED if is_handed else State.ATTACHED
    if leaves == "body" or any(entry.label == "body" for entry in scenario.ledger.raised):
        wanted["body"] = State.DELIVERED if leaves == "body" else State.ATTACHED
    for entry in scenario.ledger.raised:
        if entry.error is scenario.caught:
            wanted[entry.label] = State.DELIVERED
    return wanted


def combinations(loop, call):
    """Yield all; on uvloop, whose tasks are asyncio's own, those of two operations only."""
    for cancellation, form in product(CANCELLATIONS, FORMS):
        for operations in product(CHILDREN, repeat=2):
            yield Combination(call, operations, cancellation, form)
    if not isinstance(loop, VirtualTimeLoop):
        return
    for cancellation in CANCELLATIONS:
        for operations in product(CHILDREN, repeat=3):
            yield Combination(call, operations, cancellation, "function")


def run_all(loop, call):
    is_eager = loop.get_task_factory() is not None
    take_unheard()
    wrong, by_the_loop, count, endless = [], [], 0, 0
    loop.set_exception_handler(lambda _loop, context: by_the_loop.append(str(context)))
    for combination in combinations(loop, call):
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


@pytest.mark.parametrize("call", CALLS)
def test_whatever_happens_in_a_call_nothing_is_lost(virtual_loop, call):
    loop = virtual_loop()
    try:
        wrong, count, endless = run_all(loop, call)
    finally:
        loop.close()

    print(f"{call}: {count} combinations, {endless} of them wait for ever, as they must")
    assert not wrong, "\n".join([f"{len(wrong)} of {count} combinations:", *wrong[:SHOWN]])
    assert count == len(CANCELLATIONS) * (len(FORMS) * 64 + (512 if isinstance(loop, VirtualTimeLoop) else 0))
