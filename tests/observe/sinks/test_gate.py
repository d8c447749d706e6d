"""What is told in full and what is counted: nothing is in neither, and memory is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unlost.observe.sinks import Report
from unlost.observe.sinks._gate import Gate


def report(bug: int, message: str = "") -> Report:
    error = {
        "version": 1,
        "type": {"module": "builtins", "qualname": "ValueError"},
        "message": message,
        "kind": "permanent",
        "frames": [],
    }
    return Report("failed", "reported", error, f"{bug:064x}", 0.0)


def test_the_first_of_a_kind_is_told_in_full_and_the_others_are_counted():
    gate = Gate(every=60, most=10, groups=10)

    admitted = [gate.admits(report(1), now) for now in range(5)]

    assert admitted == [True, False, False, False, False]
    [count] = gate.counts(now=31)
    assert (count.repeats, count.seconds, count.digest) == (4, 30, report(1).digest)


def test_nothing_is_due_where_nothing_is_held_back():
    gate = Gate(every=60, most=10, groups=10)

    gate.admits(report(1), 0)

    assert gate.due is None
    assert gate.counts(now=100) == []


def test_a_count_is_due_so_long_after_the_first_that_was_held_back():
    gate = Gate(every=60, most=10, groups=10)

    for now in (0, 5, 50):
        gate.admits(report(1), now)

    assert gate.due == 65
    assert gate.counts(65)
    assert gate.due is None


def test_of_many_kinds_in_a_minute_only_the_first_are_told_in_full():
    gate = Gate(every=60, most=2, groups=10)

    admitted = [gate.admits(report(bug), 0) for bug in range(5)]

    assert admitted == [True, True, False, False, False]
    assert sum(count.repeats for count in gate.counts(60)) == 3


def test_what_was_not_told_in_full_is_when_it_comes_again_and_there_is_room():
    gate = Gate(every=60, most=1, groups=10)
    gate.admits(report(1), 0)
    gate.admits(report(2), 0)

    again = gate.admits(report(2), 61)

    assert again


def test_what_was_silent_for_long_is_told_in_full_again():
    gate = Gate(every=60, most=10, groups=10)
    gate.admits(report(1), 0)

    assert not gate.admits(report(1), 599)
    gate.counts(599)
    assert gate.admits(report(1), 599 + 600)


def test_another_end_of_the_same_bug_is_told_in_full():
    gate = Gate(every=60, most=10, groups=10)
    lost = Report("lost", "lost", None, report(1).digest, 0.0)

    assert gate.admits(report(1), 0)
    assert gate.admits(lost, 0)


def test_what_is_kept_of_a_large_error_is_small():
    gate = Gate(every=60, most=10, groups=10)
    large = report(1, "x" * 60_000)
    large.error.update(cause=dict(large.error), notes=["x" * 1000], frames=[{}] * 40)
    gate.admits(large, 0)
    gate.admits(report(1), 0)

    [count] = gate.counts(60)

    assert len(count.error["message"]) == 400
    assert count.error["frames"] == [{}]
    assert set(count.error) == {"version", "type", "message", "kind", "frames"}
    assert "cause" in large.error


@given(st.lists(st.tuples(st.integers(0, 12), st.floats(0, 40)), max_size=200), st.integers(1, 4), st.integers(1, 6))
def test_each_report_is_told_in_full_or_counted_once_in_bounded_memory(events, most, groups):
    gate = Gate(every=60, most=most, groups=groups)
    now = 0.0
    full = counted = 0
    for bug, pause in events:
        now += pause
        if gate.due is not None and now >= gate.due:
            counts = gate.counts(now)
            assert len(counts) <= most + 1
            counted += sum(count.repeats for count in counts)
        full += gate.admits(report(bug), now)
        assert len(gate._groups) <= groups

    counted += sum(count.repeats for count in gate.counts(now))

    assert full + counted == len(events)
