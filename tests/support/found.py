"""What the observer found, made up for the tests of its reports."""

from __future__ import annotations

from unlost.observe.watch import LOOP_ERROR, NEVER_AWAITED, ErrorType, Finding, Notice, Origin, Site, Verdict
from unlost.report import Report
from unlost.report.found import report_of_findings

BEGAN = 1_800_000_000.0
COMMAND = "unlost watch --report found.html shop/app.py"

_ENDS = (Verdict.LOST, Verdict.SWALLOWED, Verdict.ABSORBED, Verdict.RETURNED, Verdict.UNDELIVERED)


def site(number: int, function: str = "fetch", *, app: bool = True) -> Site:
    folder = "/srv/shop" if app else "/usr/lib/python3/site-packages/client"
    return Site(f"{folder}/module_{number}.py", 10 + number, f"{function}_{number}", app, f"shop.module_{number}")


def finding(number: int, deep: int = 12) -> Finding:
    frames = tuple(site(number + depth, f"step{depth}", app=depth % 3 == 0) for depth in range(deep))
    origin = Origin(f"Task-{number}", tuple(site(number, f"spawn{depth}") for depth in range(3)))
    verdict = _ENDS[number % len(_ENDS)]
    ends = site(number, "handler") if verdict is Verdict.SWALLOWED else None
    return Finding(
        verdict, ErrorType("shop.errors", f"Odd{number}"), f"page {number} of the catalogue could not be read", frames,
        ends, "gather" if verdict is Verdict.ABSORBED else "", origin, at=BEGAN + 7 * number, kind="permanent",
    )  # fmt: skip


def notices() -> list[Notice]:
    late = BEGAN + 3000
    return [
        Notice(NEVER_AWAITED, "load() was called here and never awaited: it did nothing", site(1), at=late),
        Notice(LOOP_ERROR, "KeyError: 'x': only the event loop's exception handler was told", site(2), at=late + 9),
    ]


def found_report(count: int, deep: int = 12, *, tests: bool = False) -> Report:
    """Return the report of so many bugs, each found a few times, and two notices."""
    found = [finding(number, deep) for number in range(count) for _ in range(1 + number % 3)]
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    return report_of_findings(
        [*found, *notices()], {**counts, Verdict.HANDLED: 9_000}, "app.py",
        subtitle="what became of the exceptions", noted={NEVER_AWAITED: 1, LOOP_ERROR: 1},
        unseen=["3 exceptions were only counted: enough was told of their places."], command=COMMAND,
        rerun=(lambda _found: "pytest --unlost 'tests/test_shop.py::test_page[7]'") if tests else None,
    )  # fmt: skip
