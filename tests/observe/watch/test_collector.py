from __future__ import annotations

from weakref import ref

import pytest

from unlost.observe.watch import Collector, ErrorType, Finding, Notice, Verdict
from unlost.observe.watch._collector import OTHERS, WAYS


def finding(text: str) -> Finding:
    return Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), text, ())


def test_the_oldest_findings_go_and_are_counted() -> None:
    collector = Collector(most=2)

    for number in range(5):
        collector.add(finding(str(number)), number)

    assert [one.text for one in collector.findings] == ["3", "4"]
    assert collector.dropped == 3
    assert collector.counts[Verdict.LOST] == 5


def test_enough_is_told_of_a_place_after_so_many_findings() -> None:
    collector = Collector(alike=2)

    collector.add(finding("1"), "here")
    once = collector.is_told("here")
    collector.add(finding("2"), "here")

    assert not once
    assert collector.is_told("here")
    assert not collector.is_told("there")


def test_places_do_not_grow_without_bound() -> None:
    collector = Collector(most=10)

    for number in range(1000):
        collector.add(finding(""), number)

    assert len(collector._told) <= 10


def test_a_listener_hears_findings_and_notices() -> None:
    collector = Collector()
    heard: list[object] = []
    collector.listeners.append(heard.append)
    lost, notice = finding("x"), Notice("never awaited", "f() was never awaited")

    collector.add(lost, "here")
    collector.note(notice)

    assert heard == [lost, notice]
    assert collector.noted["never awaited"] == 1


def test_so_many_loggers_are_counted_as_others() -> None:
    collector, total = Collector(), Collector()

    for number in range(WAYS + 50):
        collector.report(f"log record of 'job {number}'")
    collector.report("log record of 'job 0'")
    total.take_counts(collector)

    assert total.reports["log record of 'job 0'"] == 2
    assert total.reports[OTHERS] == 50
    assert len(total.reports) == WAYS + 1


def test_a_fault_of_a_listener_is_counted_by_its_type_and_place_and_keeps_nobody_else_from_hearing() -> None:
    def fail(_found: object) -> None:
        raise ZeroDivisionError

    collector = Collector()
    heard: list[object] = []
    collector.listeners += [fail, heard.append]

    collector.add(finding("x"), "here")

    assert len(heard) == 1
    [(fault, count)] = collector.faults.items()
    assert fault.startswith("ZeroDivisionError at test_a_fault")
    assert count == 1


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_reads_as_a_word(verdict: Verdict) -> None:
    assert verdict.value == verdict.name.lower()


def test_what_a_place_is_known_by_is_not_used_again_while_that_counts() -> None:
    class Code: ...

    collector, code = Collector(most=2, alike=2), Code()
    gone = ref(code)
    place = (id(code), 7)
    collector.add(finding("1"), place, code)
    collector.add(finding("2"), place, code)
    del code
    while_it_counts = gone() is not None
    for number in range(3):
        collector.add(finding(""), number)

    assert while_it_counts
    assert gone() is None
    assert not collector.is_told(place)
