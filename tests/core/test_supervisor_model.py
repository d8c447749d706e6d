"""Random crash schedules: the supervisor does what a model of OTP's rules does, and every crash is somewhere."""

import asyncio

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unlost._core._backoff import constant
from unlost._core._events import listen
from unlost._core._receipt import receipt
from unlost._core._report import report_to
from unlost._core.supervision._restarts import ChildRestarted
from unlost._core.supervision._supervisor import Supervisor
from unlost.errors import SupervisorGaveUp, attached, attempts, walk

UNTIL = 200_000

runs = st.tuples(
    st.integers(1, 50_000),  # rarely two at the same time, for which OTP has no rule
    st.sampled_from(["crash", "crash", "return", "cancelled", "crash with a cancellation pending"]),
)
children = st.lists(
    st.tuples(st.sampled_from(["permanent", "transient", "temporary"]), st.lists(runs, max_size=4)),
    min_size=1,
    max_size=5,
)
rules = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(["one_for_one", "rest_for_one", "one_for_all"]),
        "intensity": st.integers(0, 6),
        "period": st.integers(1, 100_000),
    }
)


class Model:
    """OTP's ``supervisor``, where nothing takes any time but the runs of the children."""

    def __init__(self, children, strategy, intensity, period):
        self.strategy, self.intensity, self.period = strategy, intensity, period
        self.log, self.restarts, self.gave_up = [], [], False
        self.restart_of = {name: restart for name, (restart, _) in enumerate(children)}
        self.runs = {name: iter(runs) for name, (_, runs) in enumerate(children)}
        self.order = list(self.restart_of)
        self.ends = {}
        for name in self.order:
            self.start(name, 0)

    def start(self, name, now):
        self.log.append((now, "start", name))
        duration, how = next(self.runs[name], (10**6, "return"))
        self.ends[name] = (now + duration, how)

    def stop(self, names, now):
        for name in reversed(names):
            if name in self.ends:
                self.log.append((now, "stop", name))
                del self.ends[name]

    def run(self):
        while self.ends and not self.gave_up:
            now, name = min((end, name) for name, (end, _) in self.ends.items())
            assume(now != UNTIL)
            if now > UNTIL:
                break
            assume(sum(end == now for end, _ in self.ends.values()) == 1)
            self.ended(name, self.ends.pop(name)[1] == "return", now)
        if not self.gave_up:
            self.stop(self.order, UNTIL)
        return self.log, self.gave_up

    def ended(self, name, well, now):
        restart = self.restart_of[name]
        if restart == "temporary" or (restart == "transient" and well):
            if restart == "temporary":
                self.order.remove(name)
            return
        self.restarts = [at for at in [*self.restarts, now] if at >= now - self.period]
        if len(self.restarts) > self.intensity:
            self.gave_up = True
            self.stop(self.order, now)
            return
        first = self.order.index(name)
        group = {"one_for_one": [name], "rest_for_one": self.order[first:], "one_for_all": self.order[:]}[self.strategy]
        self.stop(group, now)
        for member in group:
            if self.restart_of[member] == "temporary":
                self.order.remove(member)
            else:
                self.start(member, now)


class Real:
    """The same children in a supervisor."""

    def __init__(self, children, **rules):
        self.children, self.rules = children, rules
        self.log, self.raised, self.found = [], [], []

    async def child(self, name, runs):
        now = asyncio.get_running_loop().time
        self.log.append((now(), "start", name))
        duration, how = next(runs, (10**6, "return"))
        try:
            await asyncio.sleep(duration)
        except asyncio.CancelledError:
            self.log.append((now(), "stop", name))
            raise
        if how != "return":
            await self.fail(how)

    async def fail(self, how):
        if how == "cancelled":
            asyncio.current_task().cancel()
            await asyncio.sleep(1)
        if how == "crash with a cancellation pending":
            asyncio.current_task().cancel()
        self.raised.append(ValueError(len(self.raised)))
        raise self.raised[-1]

    async def supervise(self):
        async with Supervisor(backoff=constant(0), **self.rules) as supervisor:
            for name, (restart, runs) in enumerate(self.children):
                supervisor.start_child(self.child, name, iter(runs), name=str(name), restart=restart)
            await asyncio.sleep(UNTIL)
            supervisor.stop()

    async def run(self):
        gave_up = None
        with report_to(lambda error, what: self.found.append(error)), receipt() as survived:
            try:
                await self.supervise()
            except SupervisorGaveUp as error:
                gave_up = error
        self.found += survived.errors
        if gave_up is not None:
            self.found += [*gave_up.crashes, *attempts(gave_up), *attached(gave_up)]
        assert len(asyncio.all_tasks()) == 1
        return self.log, gave_up is not None


@settings(deadline=None)
@given(children, rules)
def test_who_is_started_and_stopped_and_when_it_gives_up_is_as_in_otp(virtual_loop, children, rules):
    real = Real(children, **rules)

    expected = Model(children, **rules).run()
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        happened = runner.run(real.run())

    assert happened == expected


@settings(deadline=None)
@given(children, rules)
def test_every_crash_is_in_exactly_one_place(virtual_loop, children, rules):
    real = Real(children, **rules)
    restarted = []

    with asyncio.Runner(loop_factory=virtual_loop) as runner, listen(restarted.append):
        runner.run(real.run())

    places = [id(error) for error in real.found]
    assert sorted(map(id, real.raised)) == sorted(place for place in places if place in set(map(id, real.raised)))
    assert all(any(error is one for one in walk(*real.found)) for error in real.raised)
    assert len({id(event.error) for event in restarted if isinstance(event, ChildRestarted)}) <= len(places)
