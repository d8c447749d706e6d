"""Outages, rests and stops of whole runs: what becomes of each item, and what the books say."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import unlost
from unlost import Failure, Value
from unlost.batch import Context, Halted, Run
from unlost.batch.gate import _judge, _outage
from unlost.batch.gate._rest import HoldTooLong
from unlost.batch.gate._self_stop import SelfStop
from unlost.batch.journal._pauses import read_paused, read_why
from unlost.errors import DeadlineExceeded, attempts

pytestmark = pytest.mark.stock

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_outage, "FIRST", 0.01)
    monkeypatch.setattr(_outage, "LONGEST", 0.05)


class Refused(Exception):
    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(f"status {status}")
        self.status_code = status
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}


class Service:
    """Is down from one call to another."""

    def __init__(self, down: range) -> None:
        self.down = down
        self.calls: Counter[int] = Counter()
        self.busy = self.most = 0

    async def __call__(self, item: int) -> int:
        number = self.calls.total()
        self.calls[item] += 1
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await asyncio.sleep(0.001)
        finally:
            self.busy -= 1
        if number in self.down:
            raise ConnectionError("down")
        return item


def books(run: Run) -> dict[str, int]:
    found = run.books
    assert found.balance, found
    names = ("ok", "failed", "in_doubt", "pending", "withdrawn")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


def journaled(run: Run, query: str) -> list[tuple[Any, ...]]:
    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        return list(connection.execute(query))


@pytest.mark.parametrize("concurrency", [1, 7, 100])
async def test_an_outage_costs_no_item_an_attempt(options: Options, concurrency: int) -> None:
    service = Service(range(30, 60))

    async def job(item: int) -> int:
        return await service(item)

    async with Run(job, range(120), concurrency=concurrency, **options) as run:
        pass

    assert books(run) == {"ok": 120}
    assert journaled(run, "SELECT max(attempts) FROM outcome") == [(1,)]
    assert service.most <= concurrency
    [(kind, scope, refused, ended, error)] = journaled(run, "SELECT kind, scope, refused, ended, error FROM pause")
    assert (kind, scope, ended is not None, "ConnectionError" in error) == ("outage", "", True, True)
    assert refused >= 20


@pytest.mark.parametrize("concurrency", [1, 100])
async def test_few_items_that_all_fail_end_at_once(options: Options, concurrency: int) -> None:
    async def job(item: int) -> int:
        raise ConnectionError("down")

    async with Run(job, range(5), attempts=2, concurrency=concurrency, **options) as run:
        pass

    assert books(run) == {"failed": 5}
    assert journaled(run, "SELECT attempts, count(*) FROM outcome GROUP BY 1") == [(2, 5)]


async def test_failures_between_successes_are_outcomes(options: Options) -> None:
    async def job(item: int) -> int:
        if item % 3:
            raise ConnectionError("down")
        return item

    async with Run(job, range(300), concurrency=10, **options) as run:
        pass

    assert books(run) == {"ok": 100, "failed": 200}


async def test_an_outage_that_lasts_too_long_halts_and_leaves_what_was_parked_pending(options: Options) -> None:
    async def job(item: int) -> int:
        if item < 10:
            return item
        raise ConnectionRefusedError("down")

    with pytest.raises(Halted, match="outage has lasted for 100ms") as halted:
        async with Run(job, range(100), concurrency=4, outage=0.1, **options) as run:
            pass

    stop = halted.value.__cause__
    assert isinstance(stop, SelfStop)
    assert (stop.reason, type(stop.__cause__)) == ("outage", ConnectionRefusedError)
    assert (run.how, books(run)) == ("halted", {"ok": 10, "pending": 90})
    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        assert "outage" in (read_why(connection) or "")
        assert read_paused(connection).outages == 1


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_a_stop_in_an_outage_ends_at_once_and_leaves_nothing_in_doubt(options: Options, way: str) -> None:
    async def job(item: int) -> int:
        raise ConnectionRefusedError("down")

    async with Run(job, range(100), concurrency=4, **options) as run:
        while run.progress.pause is None:  # noqa: ASYNC110  # of another task: there is no event to wait for
            await asyncio.sleep(0.001)
        getattr(run, way)()

    assert books(run) == {"pending": 100}


@pytest.mark.parametrize(
    "error", [TimeoutError("no answer"), ConnectionResetError("by peer"), Refused(504)], ids=lambda error: str(error)
)
async def test_what_may_have_been_done_and_was_parked_is_in_doubt_when_the_run_stops(
    options: Options, error: Exception
) -> None:
    async def job(item: int) -> int:
        raise error

    async with Run(job, range(100), concurrency=4, **options) as run:
        while run.progress.pause is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.001)
        run.stop()

    found = books(run)
    assert found["in_doubt"] >= 20
    assert found["in_doubt"] + found["pending"] == 100


async def test_a_429_uses_up_no_attempt_and_is_in_the_books(options: Options) -> None:
    refusals = 0

    async def job(item: int) -> int:
        nonlocal refusals
        if item == 3 and refusals < 2:
            refusals += 1
            raise Refused(429, retry_after_ms="20")
        return item

    async with Run(job, range(10), **options) as run:
        outcomes = {outcome.value: outcome async for outcome in run if isinstance(outcome, Value)}

    assert books(run) == {"ok": 10}
    assert [type(error) for error in outcomes[3].survived] == [Refused]
    assert journaled(run, "SELECT attempts, held FROM outcome WHERE held") == [(1, 2)]
    assert journaled(run, "SELECT kind, sum(refused), count(ended) = count(*) FROM pause") == [("rest", 2, 1)]
    assert run.progress.pause is None


async def test_the_deadline_of_an_item_fires_while_it_rests_with_the_last_429(options: Options) -> None:
    async def job(item: int) -> int:
        raise Refused(429, retry_after="30")

    async with Run(job, [1], deadline=0.05, **options) as run:
        [outcome] = [outcome async for outcome in run]

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, DeadlineExceeded)
    assert [type(error) for error in attempts(outcome.error)] == [Refused]


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_a_stop_in_a_rest_ends_at_once_and_leaves_nothing_in_doubt(options: Options, way: str) -> None:
    async def job(item: int) -> int:
        raise Refused(429, retry_after="1000")

    async with Run(job, range(50), concurrency=5, **options) as run:
        while run.progress.pause is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.001)
        getattr(run, way)()

    assert books(run) == {"pending": 50}


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_what_is_given_back_after_an_attempt_that_stands_is_in_doubt_with_its_error(
    options: Options, way: str
) -> None:
    calls = 0

    async def job(item: int) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("placed, but the answer was unreadable")
        raise Refused(429, retry_after="50")

    async with Run(job, [1], attempts=3, retry_on=ValueError, **options) as run:
        while run.progress.pause is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.001)
        getattr(run, way)()

    assert books(run) == {"in_doubt": 1}
    [(survived,)] = journaled(run, "SELECT survived FROM claim")
    assert "ValueError placed" in survived


async def test_a_rest_of_one_limit_key_holds_no_other(options: Options) -> None:
    refused = False

    async def job(item: dict[str, str]) -> str:
        nonlocal refused
        if item["site"] == "slow" and not refused:
            refused = True
            raise Refused(429, retry_after_ms="300")
        ended.append(item["site"])
        return item["site"]

    ended: list[str] = []
    items = [{"site": site, "n": str(n)} for n in range(5) for site in ("slow", "quick")]
    async with Run(job, items, concurrency=2, limit_key="site", **options) as run:
        pass

    assert books(run) == {"ok": 10}
    assert ended == ["quick"] * 5 + ["slow"] * 5
    assert journaled(run, "SELECT scope FROM pause") == [("slow",)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused(401), "authentication"),
        (Refused(402), "quota"),
    ],
)
async def test_what_no_other_item_would_survive_stops_the_run(options: Options, error: Exception, reason: str) -> None:
    async def job(item: int) -> int:
        if item == 5:
            raise error
        return item

    with pytest.raises(Halted, match="was halted") as halted:
        async with Run(job, range(100), concurrency=1, attempts=3, **options) as run:
            pass

    stop = halted.value.__cause__
    assert isinstance(stop, SelfStop)
    assert (stop.reason, stop.__cause__) == (reason, error)
    assert books(run) == {"ok": 5, "pending": 95}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Refused(401)], ids=["disk", "401"])
async def test_an_item_that_paid_and_then_stopped_the_run_is_in_doubt(options: Options, error: Exception) -> None:
    async def job(item: int, context: Context) -> int:
        context.spend(usd=1)
        raise error

    with pytest.raises(Halted):
        async with Run(job, range(10), concurrency=1, **options) as run:
            pass

    assert books(run) == {"in_doubt": 1, "pending": 9}


async def test_a_full_disk_stops_the_run_and_leaves_its_item_in_doubt_with_the_error(options: Options) -> None:
    async def job(item: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Halted) as halted:
        async with Run(job, range(10), concurrency=1, keep_going=True, **options) as run:
            pass

    stop = halted.value.__cause__
    assert isinstance(stop, SelfStop)
    assert (stop.reason, books(run)) == ("disk", {"in_doubt": 1, "pending": 9})
    [(survived,)] = journaled(run, "SELECT survived FROM claim")
    assert "ENOSPC" in survived


async def test_a_limit_key_that_cannot_be_hashed_is_the_failure_of_its_item_and_not_the_end_of_looking(
    options: Options,
) -> None:
    down = True

    def key(item: int) -> Any:  # what a function returns, whatever it promised
        return [item] if item >= 20 else "all"

    @unlost.job(limit_key=key)
    async def job(item: int) -> int:
        if down:
            raise ConnectionRefusedError("down")
        return item

    async with Run(job, range(60), concurrency=20, keep_going=True, **options) as run:
        await asyncio.sleep(0.2)
        down = False

    assert books(run) == {"ok": 20, "failed": 40}


@pytest.mark.parametrize("key", ["half \ud800", "whole"])
async def test_a_limit_key_that_is_no_text_can_rest(options: Options, key: str) -> None:
    refused = False

    @unlost.job(limit_key=lambda _item: key)
    async def job(item: int) -> int:
        nonlocal refused
        if not refused:
            refused = True
            raise Refused(429, retry_after_ms="1")
        return 1

    async with Run(job, [1], **options) as run:
        pass

    assert books(run) == {"ok": 1}
    assert journaled(run, "SELECT scope FROM pause") == [(key.encode(errors="backslashreplace").decode(),)]


async def test_after_an_outage_items_that_fail_by_themselves_have_all_seats_again(options: Options) -> None:
    service = Service(range(30))

    async def job(item: int) -> int:
        await service(item)
        if item:
            raise ValueError(item % 7)
        return item

    async with Run(job, range(300), concurrency=20, keep_going=True, **options) as run:
        while service.calls.total() < 40:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.001)
        service.most = 0

    assert (books(run), service.most) == ({"ok": 1, "failed": 299}, 20)


async def test_a_hundred_calls_that_meet_the_same_stop_say_it_once(options: Options) -> None:
    async def job(item: int) -> int:
        await asyncio.sleep(0.01)
        raise Refused(401)

    with pytest.raises(Halted) as halted:
        async with Run(job, range(200), concurrency=50, **options) as run:
            pass

    assert str(halted.value).count("credentials") == 1
    assert books(run) == {"pending": 200}


async def test_keep_going_makes_a_refusal_the_failure_of_its_item(options: Options) -> None:
    async def job(item: int) -> int:
        raise Refused(401 if item % 2 else 402)

    async with Run(job, range(100), concurrency=5, keep_going=True, **options) as run:
        pass

    assert books(run) == {"failed": 100}


async def test_a_server_that_asks_for_longer_than_is_waited_for_stops_the_run(options: Options) -> None:
    async def job(item: int) -> int:
        raise Refused(429, retry_after="7200")

    with pytest.raises(Halted, match="asks to wait 2h") as halted:
        async with Run(job, range(10), **options) as run:
            pass

    assert isinstance(halted.value.__cause__, HoldTooLong)
    assert books(run) == {"pending": 10}


async def test_twenty_first_items_of_one_defect_stop_the_run_unless_it_keeps_going(options: Options) -> None:
    async def job(item: int) -> int:
        raise KeyError("price")

    with pytest.raises(Halted, match="first 20 items all failed by one defect, KeyError 'price'"):
        async with Run(job, range(100), concurrency=1, **options) as run:
            pass
    stopped = books(run)
    async with Run(job, range(100), keep_going=True, **options) as again:
        pass

    assert 20 <= stopped["failed"] <= 22
    assert books(again) == {"failed": 100}


async def test_twenty_items_of_one_defect_that_are_all_there_are_stop_nothing(options: Options) -> None:
    async def job(item: int) -> int:
        raise KeyError("price")

    async with Run(job, range(20), **options) as run:
        pass

    assert (run.how, books(run)) == ("complete", {"failed": 20})


async def test_halt_soon_lets_what_runs_end(options: Options) -> None:
    async def job(item: int, context: Context) -> int:
        await asyncio.sleep(0.001)
        if item in (2, 4):
            raise ValueError(item)
        await asyncio.sleep(0.02)
        return item

    with pytest.raises(Halted, match=r"2 of \d+ items failed: --halt soon,fail=2"):
        async with Run(job, range(100), concurrency=6, halt="soon,fail=2", **options) as run:
            pass

    found = books(run)
    assert (found["failed"], "in_doubt" in found) == (2, False)
    assert found["ok"] >= 4


async def test_halt_now_cancels_what_runs(options: Options) -> None:
    async def job(item: int) -> int:
        if item == 4:
            raise ValueError(item)
        await asyncio.sleep(1000)
        return item

    with pytest.raises(Halted, match="1 of 1 items failed: --halt now,fail=1"):
        async with Run(job, range(100), concurrency=6, halt="now,fail=1", **options) as run:
            pass

    found = books(run)
    assert (found["failed"], found["in_doubt"] >= 4) == (1, True)


async def test_items_that_always_fail_are_no_outage_when_they_are_left_among_themselves(options: Options) -> None:
    async def job(item: int) -> int:
        await asyncio.sleep(0)
        if item % 5 == 0:
            raise ConnectionError("refused")
        return item

    async with Run(job, range(500), attempts=3, **options) as run:
        pass

    assert books(run) == {"ok": 400, "failed": 100}
    assert journaled(run, "SELECT attempts, count(*) FROM outcome WHERE NOT ok GROUP BY 1") == [(3, 100)]
    assert journaled(run, "SELECT * FROM pause") == []


@pytest.mark.parametrize("concurrency", [1, 100])
async def test_twenty_inputs_of_one_dead_host_do_not_hold_up_the_others(options: Options, concurrency: int) -> None:
    """What looks like an outage, of which the next item shows that it is none."""
    dead = range(5, 40)

    async def job(item: int) -> int:
        await asyncio.sleep(0.001)
        if item in dead:
            raise ConnectionError("no such host")
        return item

    async with Run(job, range(100), concurrency=concurrency, **options) as run:
        pass

    assert books(run) == {"ok": 65, "failed": 35}


async def test_an_item_that_is_always_sent_away_fails_by_that_in_the_end(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One input that a service will never take must not hold up the run for ever."""
    monkeypatch.setattr(_judge, "REFUSALS", 2)

    async def job(item: int) -> int:
        if item == 3:
            raise Refused(429, retry_after_ms="0")
        return item

    async with Run(job, range(10), **options) as run:
        pass

    assert books(run) == {"ok": 9, "failed": 1}
    assert journaled(run, "SELECT held, attempts FROM outcome WHERE NOT ok") == [(2, 1)]


async def test_what_waits_for_a_rate_is_told_from_what_runs(options: Options) -> None:
    busy = asyncio.Event()

    async def job(item: int) -> int:
        await busy.wait()
        return item

    async with Run(job, range(5), concurrency=5, rate="1/hour", **options) as run:
        while run.progress.running < 5 or run.progress.waiting < 4:  # there is no event to wait for  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        told = (run.progress.running, run.progress.waiting)
        run.stop()
        busy.set()

    assert told == (5, 4)
    assert (run.progress.running, run.progress.waiting) == (0, 0)
    assert books(run) == {"ok": 1, "pending": 4}
