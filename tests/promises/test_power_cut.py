"""
An acknowledged outcome survives a power cut, and nothing was started that is not known; not so with ``--durability
process``.

A run is recorded on a disk that knows what is synced (``support.disk``); then the power is cut at many moments of it,
with nothing left of what was not synced, and with any part of it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.disk import Disk, Event, restore
from unlost import Outcome, Value
from unlost.batch import Context, Run, Where
from unlost.batch._plan import plan_run
from unlost.batch.journal import _results
from unlost.batch.journal._books import read_books, read_in_doubt
from unlost.batch.journal._door import SQLITE, for_reading
from unlost.batch.target._target import target_of

pytestmark = pytest.mark.stock

ITEMS = 300
CUTS = 300
GOES_ON = 15  # cuts after which the run is taken to its end


class Recorded:
    """One run on a disk of ours, and the folder where it was."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.disk = Disk()
        self.journals = folder / ".unlost"
        self.results = folder / "results.jsonl"
        self.source = folder / "in.jsonl"
        self.source.write_text("".join(json.dumps({"n": n}) + "\n" for n in range(ITEMS)))
        monkeypatch.setattr(_results, "SYNC_EVERY", 0.02)
        self.full = False  # whether there is little room left from the first acknowledged outcome on
        self._monkeypatch = monkeypatch

    async def work(self, item: dict[str, int], context: Context) -> int:
        self.disk.say(f"start {item['n']}")
        if item["n"] % 10 == 5:
            await context.keep("answer", item["n"])
            self.disk.say(f"kept {item['n']}")
        if item["n"] % 10 == 3:
            raise LookupError("three")
        return item["n"]

    async def record(self, durability: str) -> None:
        with self._monkeypatch.context() as patch:
            patch.setattr(_results, "_open", self.disk.open_results)
            patch.setattr(_results, "sync", self.disk.sync_results)
            async for outcome in self._run(Where(self.journals, door=self.disk.door), durability):
                if isinstance(outcome, Value):
                    self.disk.say(f"acknowledged {outcome.value}")
                    if self.full:
                        self.disk.room = 20_000

    async def go_on(self) -> Run:
        """Take the run to its end, on the machine's own disk."""
        async for _outcome in self._run(Where(self.journals), "process"):
            pass
        return self.run

    async def _run(self, where: Where, durability: str) -> AsyncIterator[Outcome[Any]]:
        flags = {"durability": durability, "concurrency": 7, "in_doubt": "retry"}
        plan = plan_run(target_of(self.work), str(self.source), flags, where, out=self.results, spelling="argument")
        async with Run.of_plan(plan) as self.run:
            async for outcome in self.run:
                yield outcome

    def cut(self, moment: int, generator: random.Random | None) -> None:
        """Leave on the machine's disk what is on ours after a cut."""
        files = self.disk.cut(moment, generator)
        restore(files, [self.journals])
        if self.results not in files:
            self.results.unlink(missing_ok=True)

    def known(self) -> tuple[set[str], set[str], set[str]]:
        """Return what the journal knows after a cut: ended with a value; started or ended; kept."""
        nothing: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        path = self.journals / "work-1.db"
        if not path.exists() or not path.stat().st_size:
            return nothing
        with for_reading(SQLITE, path) as connection:
            if not list(connection.execute("SELECT 1 FROM sqlite_master")):
                return nothing
            assert list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
            assert read_books(connection).balance
            ok = {value for (value,) in connection.execute("SELECT value FROM outcome WHERE ok")}
            failed = {str(line - 1) for (line,) in connection.execute("SELECT line FROM outcome WHERE NOT ok")}
            kept = {value for (value,) in connection.execute("SELECT value FROM kept")}
            return ok, ok | failed | {str(one.line - 1) for one in read_in_doubt(connection)}, kept


@pytest.fixture
def generator() -> random.Random:
    seed = int(os.environ.get("UNLOST_SEED", random.randrange(10**6)))
    print(f"UNLOST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(tmp_path, monkeypatch)


async def test_after_a_power_cut_at_any_moment_all_that_was_acknowledged_kept_or_started_is_known(
    recorded: Recorded, generator: random.Random
) -> None:
    await recorded.record("power")
    disk = recorded.disk

    for at, moment in enumerate(sorted(generator.randint(0, len(disk.events)) for _ in range(CUTS))):
        recorded.cut(moment, generator if at % 2 else None)
        ok, known, kept = recorded.known()

        assert disk.said(moment, "acknowledged") <= ok
        assert disk.said(moment, "kept") <= kept
        assert disk.said(moment, "start") <= known

    counts = [len(disk.said(len(disk.events), word)) for word in ("start", "acknowledged", "kept")]
    assert counts == [ITEMS, ITEMS * 9 // 10, ITEMS // 10]


async def test_after_a_power_cut_the_run_goes_on_to_its_end_and_each_result_is_in_the_file_once(
    recorded: Recorded, generator: random.Random
) -> None:
    await recorded.record("power")
    events = len(recorded.disk.events)

    for moment in (*(generator.randint(0, events) for _ in range(GOES_ON)), events):
        recorded.cut(moment, generator)
        run = await recorded.go_on()
        lines = [json.loads(line) for line in recorded.results.read_text().splitlines()]

        assert (run.books.ok, run.books.failed, run.books.balance) == (ITEMS * 9 // 10, ITEMS // 10, True)
        assert sorted(line["value"] for line in lines) == [n for n in range(ITEMS) if n % 10 != 3]


async def test_with_durability_process_a_power_cut_loses_acknowledged_outcomes_but_nothing_that_ends_earlier(
    recorded: Recorded, generator: random.Random
) -> None:
    await recorded.record("process")
    disk = recorded.disk
    lost = 0

    for moment in range(0, len(disk.events), max(1, len(disk.events) // CUTS)):
        recorded.cut(moment, None)
        ok, _known, _kept = recorded.known()  # the journal is whole all the same
        lost += bool(disk.said(moment, "acknowledged") - ok)

    assert lost > 10


async def test_a_disk_that_takes_its_time_to_sync_holds_acknowledgements_back_and_groups_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(tmp_path, monkeypatch)
    recorded.disk = Disk(seconds=0.03)

    await recorded.record("power")

    events = recorded.disk.events
    first = next(at for at, event in enumerate(events) if event.name.startswith("acknowledged "))
    assert any(event.what == "sync" and event.name.endswith("-wal") for event in events[:first])
    assert recorded.run.books.balance
    assert recorded.disk.syncs < ITEMS  # and not two for each


async def test_a_full_disk_halts_the_run_with_what_was_acknowledged_and_with_room_it_goes_on(
    recorded: Recorded,
) -> None:
    recorded.full = True

    with pytest.raises(Exception, match="database or disk is full"):
        await recorded.record("power")
    acknowledged = recorded.disk.said(len(recorded.disk.events), "acknowledged")
    ok, _known, _kept = recorded.known()
    recorded.disk.room = None
    run = await recorded.go_on()

    assert acknowledged
    assert acknowledged <= ok
    assert (run.books.ok, run.books.failed, run.books.in_doubt) == (ITEMS * 9 // 10, ITEMS // 10, 0)


def test_the_disk_keeps_what_was_synced_and_any_part_of_the_rest(generator: random.Random) -> None:
    folder = Path("/nowhere")
    disk = Disk()
    name = str(folder / "file")
    disk.note(Event("write", name, 0, b"a" * 1024))
    disk.note(Event("sync", name))
    disk.note(Event("write", name, 512, b"b" * 1024))

    nothing = disk.cut(len(disk.events))[folder / "file"]
    parts = {disk.cut(len(disk.events), generator)[folder / "file"] for _ in range(200)}

    assert nothing == b"a" * 1024
    assert b"a" * 512 + b"b" * 1024 in parts
    assert b"a" * 1024 + b"b" * 512 in parts
    assert all(part.startswith(b"a" * 512) for part in parts)
