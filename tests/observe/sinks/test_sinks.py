"""Between who has an error and the sinks: each told once, none lost, nobody made to wait."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest

from support.sinks import Broken, Clock, Kept, Stuck, raised
from support.waiting import until
from unlost import Background, UsageError, report_to
from unlost._core import report
from unlost.observe._redact import Redactor
from unlost.observe.sinks import Sinks
from unlost.observe.watch import ErrorType, Finding, Notice, Origin, Site, Verdict

SITE = Site("/app/jobs.py", 7, "work", True, "jobs")
FINDING = Finding(
    Verdict.SWALLOWED, ErrorType("jobs", "Odd"), "token=swordfish", (SITE,), SITE, "", Origin("Task-3", (SITE,))
)


def test_a_report_goes_to_every_sink():
    one, other = Kept(), Kept()

    with Sinks([one, other]) as sinks, report_to(sinks):
        report(ValueError("no"), "the job failed")

    assert one.told == other.told == ["the job failed"]
    assert one.closed == other.closed == 1


def test_neither_the_error_nor_its_frames_are_kept():
    class Odd(Exception):
        pass

    kept = Kept()
    error = raised(Odd())
    gone = weakref.ref(error)

    with Sinks([kept]) as sinks:
        sinks(error, "failed")
        del error

        assert gone() is None
    assert kept.reports


def test_secrets_are_masked_in_the_error_and_in_what_is_said_of_it():
    kept = Kept()

    with Sinks([kept]) as sinks:
        sinks(ValueError("password=hunter2"), "GET https://h/p?token=swordfish failed")
        sinks.found(FINDING)
        sinks.found(Notice("never awaited", "coroutine f(password='hunter2')", SITE))

    shown = repr(kept.reports)
    assert len(kept.reports) == 3
    assert "hunter2" not in shown
    assert "swordfish" not in shown


def test_where_the_user_says_so_nothing_is_masked():
    kept = Kept()

    with Sinks([kept], redact=False) as sinks:
        sinks(ValueError("password=hunter2"), "failed")

    assert kept.reports[0].error["message"] == "password=hunter2"


def test_many_of_a_kind_are_told_once_and_counted_when_it_is_due():
    kept, clock = Kept(), Clock()

    with Sinks([kept], clock=clock, every=60) as sinks:
        for _ in range(1000):
            sinks(raised(ValueError("the same")), "failed")
        assert [one.repeats for one in kept.reports] == [0]
        clock.now += 61
        sinks(ValueError("another"), "failed")

        assert [one.repeats for one in kept.reports] == [0, 0, 999]


@pytest.mark.stock
def test_a_count_is_told_although_nothing_more_happens():
    kept = Kept()

    with Sinks([kept], every=0.1) as sinks:
        for _ in range(3):
            sinks(raised(ValueError("the same")), "failed")
        until(lambda: len(kept.reports) == 2)

        assert kept.reports[1].repeats == 2


def test_what_is_held_back_is_told_when_they_are_closed():
    kept = Kept()

    with Sinks([kept]) as sinks:
        for _ in range(3):
            sinks(raised(ValueError("the same")), "failed")

    assert [one.repeats for one in kept.reports] == [0, 2]


def test_a_finding_is_told_by_the_thread():
    kept = Kept()

    with Sinks([kept]) as sinks:
        sinks.found(FINDING)
        until(lambda: kept.reports)

    [told] = kept.reports
    assert kept.threads == ["unlost-sinks"]
    assert (told.verdict, told.site, told.origin) == ("swallowed", SITE, FINDING.origin)
    assert told.error["type"] == {"module": "jobs", "qualname": "Odd"}


def test_the_type_and_the_kind_of_a_finding_come_as_they_were_found():
    kept = Kept()
    nested = ErrorType("a.b", "Outer.f.<locals>.C")

    with Sinks([kept]) as sinks:
        sinks.found(Finding(Verdict.LOST, nested, "", (), kind="transient"))
        sinks.found(Finding(Verdict.LOST, nested, "", (SITE,)))

    assert kept.reports[0].error["type"] == {"module": "a.b", "qualname": "Outer.f.<locals>.C"}
    assert [report.error["kind"] for report in kept.reports] == ["transient", "unknown"]


def test_a_notice_is_told_once_for_its_place():
    kept = Kept()

    with Sinks([kept]) as sinks:
        for number in range(3):
            sinks.found(Notice("never awaited", f"coroutine {number} was never awaited", SITE))

    assert [(one.verdict, one.repeats, one.error) for one in kept.reports] == [
        ("never awaited", 0, None),
        ("never awaited", 2, None),
    ]


def test_a_failing_sink_is_reported_to_the_others_once():
    kept, broken = Kept(), Broken(OSError("no route"))

    with Sinks([broken, kept]) as sinks:
        sinks(ValueError("1"), "first")
        sinks(KeyError("2"), "second")

    assert kept.told == ["sink Broken failed; the others have what it could not take", "first", "second"]


def test_what_no_sink_can_take_is_printed(capfd):
    with Sinks([Broken(OSError("no route")), Broken(RuntimeError("full"))]) as sinks:
        sinks(ValueError("precious"), "first")

    shown = capfd.readouterr().err
    assert "ValueError: precious" in shown
    assert "OSError: no route" in shown
    assert "RuntimeError: full" in shown
    assert "1 report failed" in shown


def test_a_sink_that_recovers_is_given_reports_again():
    broken = Broken(OSError("no route"), times=1)

    with Sinks([broken]) as sinks:
        sinks(ValueError(), "first")
        sinks(KeyError(), "second")

    assert broken.told == ["second"]


def test_a_forked_child_is_told_of_a_failing_sink_anew():
    kept = Kept()

    with Sinks([Broken(OSError("no route")), kept]) as sinks:
        sinks(ValueError(), "first")
        sinks.begin_anew()
        sinks(ValueError(), "first")

    assert sum("sink Broken failed" in what for what in kept.told) == 2


def test_a_sink_cannot_cancel_who_reports():
    with Sinks([Broken(asyncio.CancelledError()), kept := Kept()]) as sinks:
        sinks(ValueError(), "first")

    assert "first" in kept.told


def test_sinks_in_two_threads_are_run_in_the_variables_of_one_report():
    stuck, kept = Stuck(), Kept()

    class Patient(Kept):
        def emit(self, told):
            super().emit(told)
            assert stuck.entered.wait(5)

    with Sinks([stuck, patient := Patient(), kept]) as sinks:
        sinks(ValueError(), "first")
        stuck.free.set()

    assert stuck.told == patient.told == kept.told == ["first"]


@pytest.mark.stock
async def test_a_sink_that_waits_does_not_hold_up_the_loop():
    stuck = Stuck()

    with Sinks([stuck]) as sinks, report_to(sinks):
        before = time.monotonic()
        async with Background() as background:
            background.spawn(asyncio.sleep, "a word")
        took = time.monotonic() - before
        assert stuck.entered.wait(5)
        stuck.free.set()

    assert took < 1
    assert [one.error["type"]["qualname"] for one in stuck.reports] == ["TypeError"]


def test_what_does_not_fit_the_queue_of_a_sink_that_waits_is_counted(capfd):
    stuck = Stuck()

    with Sinks([stuck], room=5, most=100) as sinks:
        sinks(ValueError(), "number 0")
        assert stuck.entered.wait(5)
        for number in range(1, 20):
            sinks(ValueError(f"{'a' * number}"), f"number {number}")
        stuck.free.set()

    unfit = 20 - len([one for one in stuck.reports if not one.repeats])
    assert unfit >= 14
    assert f"{unfit} did not fit" in capfd.readouterr().err


def test_what_did_not_fit_is_printed_where_no_other_sink_has_it(capfd):
    stuck = Stuck()

    with Sinks([stuck], room=1, most=100) as sinks:
        sinks(ValueError(), "number 0")
        assert stuck.entered.wait(5)
        for number in range(1, 4):
            sinks(ValueError(f"{'a' * number}"), f"number {number}")
        stuck.free.set()

    shown = capfd.readouterr().err
    assert all((f"number {number}" in shown) != (f"number {number}" in stuck.told) for number in range(4))


@pytest.mark.parametrize(("times", "says"), [(1, "1 report failed"), (2, "2 reports failed")])
def test_the_last_line_about_a_sink_has_the_cause_without_secrets(capfd, times, says):
    with Sinks([Broken(ConnectionError("password=hunter2\nrefused"), times), Kept()]) as sinks:
        for number in range(3):
            sinks(ValueError("a" * number), f"number {number}")

    shown = capfd.readouterr().err
    assert f"unlost: sink Broken: {says}, 0 did not fit; lately: ConnectionError: password=*** refused\n" in shown


def test_the_cause_is_masked_by_the_users_own_patterns(capfd):
    with Sinks([Broken(ConnectionError("account 4711")), Kept()], redact=Redactor([r"\d{4}"])) as sinks:
        sinks(ValueError(), "failed")

    assert "lately: ConnectionError: account ***\n" in capfd.readouterr().err


def test_what_comes_too_fast_for_the_thread_is_counted():
    kept = Kept()
    sinks = Sinks([kept], room=10)

    with sinks, sinks._turn:  # somebody is telling
        for _ in range(25):
            sinks.found(FINDING)
    total = sum(one.repeats or 1 for one in kept.reports)

    assert total == 25


def test_closing_does_not_wait_for_ever_for_a_stuck_sink(capfd):
    stuck = Stuck()
    sinks = Sinks([stuck], grace=0.2)
    sinks(ValueError(), "first")
    sinks(KeyError(), "second")
    assert stuck.entered.wait(5)

    before = time.monotonic()
    sinks.close()
    took = time.monotonic() - before
    stuck.free.set()

    shown = capfd.readouterr().err
    assert 0.1 < took < 2
    assert "2 things that sinks had to do were not done within 0.2 s" in shown
    assert shown.count("unlost: second") == 1


def test_what_a_stuck_sink_was_not_given_is_not_printed_where_another_has_it(capfd):
    stuck = Stuck()
    sinks = Sinks([stuck, kept := Kept()], grace=0.2)
    sinks(ValueError(), "first")
    sinks(KeyError(), "second")
    assert stuck.entered.wait(5)

    sinks.close()
    stuck.free.set()

    assert kept.told == ["first", "second"]
    assert "unlost: second" not in capfd.readouterr().err


def test_what_is_reported_after_they_were_closed_is_printed(capfd):
    sinks = Sinks([kept := Kept()])
    sinks.close()

    sinks(ValueError("late"), "failed")
    sinks.found(FINDING)

    shown = capfd.readouterr().err
    assert "ValueError: late" in shown
    assert "swallowed" in shown
    assert kept.reports == []


def test_a_sink_may_report_itself():
    class Reporting(Kept):
        def emit(self, told):
            super().emit(told)
            if len(self.reports) == 1:
                sinks(KeyError("inner"), "inner")

    sinks = Sinks([reporting := Reporting()])
    with sinks:
        sinks(ValueError("outer"), "outer")

    assert reporting.told == ["outer", "inner"]


def test_a_finding_in_the_middle_of_a_sink_does_not_lock_up():
    class Dying:
        def __del__(self):
            sinks.found(FINDING)

    class Collecting(Kept):
        def emit(self, told):
            super().emit(told)
            cycle = [Dying()]
            cycle.append(cycle)
            if len(self.reports) == 1:
                del cycle
                gc.collect()

    sinks = Sinks([kept := Collecting()])
    with sinks:
        sinks(ValueError("outer"), "outer")

    assert "swallowed" in [one.verdict for one in kept.reports]


def test_a_finding_may_come_while_a_thread_is_being_started():
    """``Thread.start`` holds a lock that is not reentrant while it fills a dictionary."""
    sinks = Sinks([kept := Kept()])

    with sinks, threading._active_limbo_lock:
        sinks.found(FINDING)

    assert kept.reports


def test_threads_that_report_at_once_lose_nothing():
    kept = Kept()

    def work():
        for _ in range(200):
            sinks(raised(ValueError("same")), "failed")

    with Sinks([kept], most=1000) as sinks:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sum(one.repeats or 1 for one in kept.reports) == 800


def test_there_is_no_thread_where_none_is_needed():
    with Sinks([Kept()]) as sinks:
        sinks(ValueError(), "failed")

        assert "unlost-sinks" not in [thread.name for thread in threading.enumerate()]


def test_the_thread_ends_with_them():
    with Sinks([Kept(waits=True)]) as sinks:
        sinks(ValueError(), "failed")
        until(lambda: "unlost-sinks" in [thread.name for thread in threading.enumerate()])

    assert "unlost-sinks" not in [thread.name for thread in threading.enumerate()]


def test_no_sink_at_all_is_refused():
    with pytest.raises(UsageError, match="no sink to tell"):
        Sinks([])
