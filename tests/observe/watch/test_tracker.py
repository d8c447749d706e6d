"""The evidence about an exception, apart from who gives it."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import traceback
from collections.abc import Iterator

import pytest

from unlost.observe import record
from unlost.observe.watch import Collector, Verdict, Waiter, never_retrieved, reported, start
from unlost.observe.watch._tracked import beneath, leaves_of, tracked, tracker_of
from unlost.observe.watch._tracker import Tracker
from unlost.observe.watch._watch import Watch


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = start()
    yield watch
    watch.stop()


def raised(text: str = "x") -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def swallow(error: BaseException, collector: Collector, line: int = 7) -> None:
    tracked(error, collector).swallowed(swallow.__code__, 1, line, 0, error)


def test_the_verdict_falls_when_the_exception_dies(collector: Collector) -> None:
    error = raised()
    swallow(error, collector)
    before = len(collector.findings)

    del error

    assert before == 0
    [finding] = collector.findings
    assert finding.verdict is Verdict.SWALLOWED
    assert (str(finding.type), finding.text, finding.kind) == ("ValueError", "x", "permanent")
    assert finding.site is not None
    assert (finding.site.function, finding.site.line) == ("swallow", 7)
    assert finding.raised is not None
    assert finding.raised.function == "raised"


def test_what_is_handled_after_it_was_swallowed_is_only_counted(collector: Collector) -> None:
    error = raised()
    swallow(error, collector)

    tracked(error, collector).entered(swallow.__code__, 1, 9, 0)
    del error

    assert list(collector.findings) == []
    assert collector.counts == {Verdict.HANDLED: 1}


def test_reported_is_final(collector: Collector) -> None:
    error = raised()
    tracked(error, collector).settle(Verdict.REPORTED)

    swallow(error, collector)
    tracked(error, collector).lost(error)
    del error

    assert collector.counts == {Verdict.REPORTED: 1}


def test_a_pickled_exception_leaves_the_evidence_behind(collector: Collector) -> None:
    error = raised()
    swallow(error, collector)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is ValueError
    assert tracker_of(again) is None
    assert b"watch" not in pickle.dumps(error)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_good_news_of_a_copy_is_good_for_its_original(how, collector: Collector) -> None:  # type: ignore[no-untyped-def]
    error = raised()
    swallow(error, collector)

    again = how(error)
    tracker = tracker_of(again)
    assert tracker is not None
    tracker.settle(Verdict.REPORTED)
    del error, again, tracker

    assert collector.counts == {Verdict.REPORTED: 1}


def test_nothing_of_it_is_shown(collector: Collector) -> None:
    error = raised()
    before = record(error)

    swallow(error, collector)

    assert record(error) == before
    assert "unlost" not in "".join(traceback.format_exception_only(error))
    assert repr(error) == "ValueError('x')"


def test_it_keeps_neither_the_exception_nor_its_frames_alive(collector: Collector) -> None:
    class Big:
        pass

    def fail() -> None:
        big = Big()  # noqa: F841
        raise ValueError("x")

    def swallowed() -> Tracker | None:
        try:
            fail()
        except ValueError as error:
            swallow(error, collector)
            return tracker_of(error)

    tracker = swallowed()

    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Big]
    assert tracker is not None
    assert tracker.state is Verdict.SWALLOWED


def test_an_exception_whose_text_fails_is_told_with_why(collector: Collector) -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise SystemExit

    swallow(Broken(), collector)

    assert [one.text for one in collector.findings] == ["<__str__ raised SystemExit>"]


def test_after_so_many_alike_they_are_only_counted() -> None:
    collector = Collector(alike=3)

    for _ in range(10):
        swallow(raised(), collector)

    assert len(collector.findings) == 3
    assert collector.held_back == 7
    assert collector.counts == {Verdict.SWALLOWED: 10}


def test_a_deep_traceback_keeps_where_it_was_raised(collector: Collector) -> None:
    def down(levels: int) -> None:
        if levels:
            down(levels - 1)
        raise ValueError("bottom")

    with pytest.raises(ValueError, match="bottom") as caught:
        down(300)
    swallow(caught.value, collector)
    tracker = tracker_of(caught.value)
    assert tracker is not None
    tracker.finish()

    assert len(collector.findings[0].frames) == 64
    assert collector.findings[0].frames[-1].function.endswith("down")


def test_a_group_stands_for_its_leaves() -> None:
    one, two, three = ValueError("1"), KeyError("2"), OSError("3")

    leaves = list(leaves_of(ExceptionGroup("", [one, ExceptionGroup("", [two, three])])))

    assert leaves == [one, two, three]
    assert list(leaves_of(one)) == [one]


def test_what_an_exception_came_up_from_is_its_cause_and_its_contexts() -> None:
    first, second, cause, last = ValueError("1"), ValueError("2"), ValueError("3"), ValueError("4")
    second.__context__ = first
    last.__context__ = second
    last.__cause__ = cause

    assert list(beneath(last)) == [cause, second, first]


def test_a_report_of_an_error_is_one_of_its_members_and_of_what_it_came_up_from(watch: Watch) -> None:
    cause, member, context = raised("cause"), raised("member"), raised("context")
    for one in (cause, member, context):
        swallow(one, watch.collector)
    group = ExceptionGroup("", [member])
    group.__cause__ = cause
    cause.__context__ = context
    group.__context__ = cause

    reported(group, "logging")
    del cause, member, context, group, one

    assert list(watch.collector.findings) == []
    assert watch.collector.counts[Verdict.REPORTED] == 3
    assert watch.collector.reports == {"logging": 1}


def test_what_was_never_retrieved_is_lost_even_if_nobody_had_seen_it(watch: Watch) -> None:
    error = raised()

    never_retrieved(error)
    del error

    assert [(one.verdict, one.text) for one in watch.collector.findings] == [(Verdict.LOST, "x")]


def test_what_is_held_when_the_watching_ends_is_undelivered(watch: Watch) -> None:
    error = raised()
    tracked(error, watch.collector).handed_over(Waiter("an executor", Verdict.LOST), error)

    watch.stop()

    assert [(one.verdict, one.by) for one in watch.collector.findings] == [(Verdict.UNDELIVERED, "an executor")]


def test_what_is_held_in_a_future_that_was_never_asked_is_undelivered(watch: Watch) -> None:
    error = raised()
    tracked(error, watch.collector).handed_over(Waiter("wait", Verdict.RETURNED), error)
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_exception(error)

    watch.stop()
    future.exception()
    loop.close()

    assert [(one.verdict, one.by) for one in watch.collector.findings] == [(Verdict.UNDELIVERED, "wait")]


@pytest.mark.parametrize("state", [Verdict.RETURNED, Verdict.ABSORBED, Verdict.UNKNOWN])
def test_what_came_out_of_a_future_and_is_held_comes_to_what_it_would_if_it_was_let_go(
    watch: Watch, state: Verdict
) -> None:
    error = raised()
    tracked(error, watch.collector).handed_over(Waiter("wait", state), error)
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_exception(error)
    future.exception()

    watch.stop()
    loop.close()

    assert watch.collector.counts == {state: 1}


def test_what_is_handled_and_held_when_the_watching_ends_stays_handled(watch: Watch) -> None:
    error = raised()
    tracked(error, watch.collector).handed_over(Waiter("gather", Verdict.ABSORBED), error)
    tracked(error, watch.collector).entered(swallow.__code__, 1, 1, 0)

    watch.stop()

    assert watch.collector.counts == {Verdict.HANDLED: 1}


def test_enough_told_of_one_place_that_loses_an_error_is_not_enough_of_another() -> None:
    collector = Collector(alike=1)
    for starter in (raised, swallow, raised):
        error = raised()
        tracked(error, collector).left("task", ((starter.__code__, 0),), Waiter("", Verdict.LOST), error)
        del error

    places = [one.origin and one.origin.spawned[0].function for one in collector.findings]

    assert places == ["raised", "swallow"]
    assert collector.held_back == 1


def test_garbage_that_waits_for_the_collector_is_not_held(watch: Watch) -> None:
    error = raised()
    error.self = error  # type: ignore[attr-defined]
    tracked(error, watch.collector).handed_over(Waiter("gather", Verdict.ABSORBED), error)
    del error

    watch.stop()

    assert [one.verdict for one in watch.collector.findings] == [Verdict.ABSORBED]


def test_where_nothing_is_watched_a_report_does_nothing() -> None:
    error = raised()

    reported(error, "logging")
    never_retrieved(error)

    assert tracker_of(error) is None
