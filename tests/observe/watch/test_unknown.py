"""Why it is not known what became of an exception."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from weakref import ref

import pytest

from unlost.observe.watch import Collector, Verdict, Waiter
from unlost.observe.watch._tracked import tracked
from unlost.observe.watch._tracker import Tracker
from unlost.observe.watch._unknown import IN_LIBRARIES, MOST

ASKED = "its future was asked for it, by the program or a `gather`, and what was done with it there is not seen"
PLACES: dict[str, Callable[[], object]] = {}


def raised(at: str = "0") -> ValueError:
    """Return an error that was raised in a function of that name."""
    if at not in PLACES:
        exec(f"def raises_{at}(): raise ValueError('x')", names := dict[str, Callable[[], object]]())
        PLACES[at] = names[f"raises_{at}"]
    try:
        PLACES[at]()
    except ValueError as error:
        return error
    raise AssertionError


def end(error: ValueError, collector: Collector, how: Callable[[Tracker], object]) -> None:
    tracker = tracked(error, collector)
    tracker.handed_over(Waiter("", Verdict.RETURNED), error)
    how(tracker)
    tracker.finish()


def handed_to(by: str) -> Callable[[Tracker], object]:
    return lambda tracker: tracker.handed_over(Waiter(by, Verdict.UNKNOWN), raised())


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (
            Tracker.asked_for,
            ASKED,
        ),
        (Tracker.went_on, "it was raised again, and nothing was seen of it after"),
        (
            lambda tracker: tracker.settle(Verdict.UNKNOWN, IN_LIBRARIES),
            "the future that has it was never asked, and only libraries hold that",
        ),
        (handed_to("await"), "it came out of an await, and no handler was seen to take it"),
        (
            handed_to("run_until_complete"),
            "it came out of the event loop's end (asyncio.run), and no handler was seen to take it",
        ),
        (handed_to("callback done"), "callback done of its task took it"),
        (handed_to(""), "who waited for its task, or asked that, is not known"),
    ],
)
def test_each_has_its_why_and_where_it_was_raised(how: Callable[[Tracker], object], why: str) -> None:
    collector = Collector()

    end(raised(), collector, how)

    [(unknown, count)] = collector.unknown.counts().items()
    assert (unknown.why, str(unknown.type), count) == (why, "ValueError", 1)
    assert unknown.raised is not None
    assert unknown.raised.function == "raises_0"
    assert collector.counts == {Verdict.UNKNOWN: 1}


def test_those_that_are_alike_are_one_and_those_of_other_places_are_others() -> None:
    collector = Collector()
    for at in ("0", "1", "1"):
        end(raised(at), collector, Tracker.asked_for)

    counts = collector.unknown.counts()

    assert {one.raised and one.raised.function: count for one, count in counts.items()} == {
        "raises_0": 1,
        "raises_1": 2,
    }


def test_beyond_so_many_places_they_are_told_together_by_why() -> None:
    collector = Collector()
    for number in range(MOST + 3):
        end(raised(str(number)), collector, Tracker.asked_for if number % 2 else Tracker.went_on)

    counts = collector.unknown.counts()

    assert counts.total() == MOST + 3
    assert {one.why.partition(",")[0]: count for one, count in counts.items() if one.type is None} == {
        "it was raised again": 2,
        "its future was asked for it": 1,
    }


def test_they_are_counted_where_another_process_sends_them_and_forgotten_where_they_were() -> None:
    here, there = Collector(), Collector()
    end(raised(), here, Tracker.asked_for)
    end(raised(), there, Tracker.asked_for)

    here.take_counts(pickle.loads(pickle.dumps(there)))
    again = Collector()
    again.take_counts(here)

    [count] = again.unknown.counts().values()
    assert count == 2
    assert not here.unknown


def test_what_is_undelivered_was_taken_by_nobody() -> None:
    collector = Collector()
    error = raised()
    tracker = tracked(error, collector)
    tracker.handed_over(Waiter("", Verdict.RETURNED), error)
    tracker.went_on()

    tracker.finish(is_held=True, is_unasked=True)

    [finding] = collector.findings
    assert (finding.verdict, finding.by) == (Verdict.UNDELIVERED, "")
    assert collector.unknown.counts() == {}


def test_no_class_is_kept_alive_for_it() -> None:
    collector = Collector()

    def end_one_of_its_own() -> ref[type[ValueError]]:
        class Own(ValueError):
            pass

        try:
            raise Own("x")
        except Own as error:
            end(error, collector, Tracker.asked_for)
        return ref(Own)

    own = end_one_of_its_own()
    gc.collect()

    assert own() is None
    assert [one.type.qualname.rpartition(".")[2] for one in collector.unknown.counts() if one.type] == ["Own"]
