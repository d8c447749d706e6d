"""Tasks that are asked for their error after what waited for them took it."""

from __future__ import annotations

import pytest

from .conftest import Run

GATHERED = """
async def main():
    tasks = [asyncio.create_task(fail("first")), asyncio.create_task(fail("second"))]
    try:
        await asyncio.gather(*tasks)
    except Boom as error:
        print(error)
    await asyncio.wait(tasks)
    for task in tasks:
        {}
run(main())
tell()
"""


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])  # an eager factory makes tasks of its own
def test_what_a_gather_took_and_somebody_asks_for_is_not_absorbed(kind: str, run: Run) -> None:
    told = run(GATHERED.format("print(task.exception())"), kind)

    assert told.findings == []
    assert told.counts["unknown"] >= 1
    assert told.faults == {}


@pytest.mark.parametrize("dropped", ["task.exception()", "if task.exception() is None: print('well')", "pass"])
def test_what_is_asked_for_and_dropped_stays_absorbed(dropped: str, run: Run, kind: str) -> None:
    told = run(GATHERED.format(dropped), kind)

    assert told.verdicts == [("absorbed", "second")]
    assert told.faults == {}


def test_asyncio_asks_for_nobody(run: Run, kind: str) -> None:
    told = run(
        """
async def main():
    try:
        await asyncio.gather(fail("first"), fail("second"))
    except Boom as error:
        print(error)
run(main())
tell()
""",
        kind,
    )

    assert told.verdicts == [("absorbed", "second")]


def test_a_task_that_is_asked_is_asyncios_own_when_the_watching_has_ended(run: Run) -> None:
    told = run(
        """
async def main():
    around.stop()
    task = asyncio.current_task()
    assert type(task) is not asyncio.Task
    assert "exception" not in vars(type(task))
run(main())
tell()
"""
    )

    assert told.code == 0
