"""What attempts say they spent: exact, told once, summed over openings, generations and failures."""

from __future__ import annotations

import asyncio
import decimal
import math
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.journals import Session, failure_of, indexed, value_of
from unlost import UsageError
from unlost._core import report_to
from unlost.batch import Again, Context, JournalError, Run
from unlost.batch.journal._books import read_dead, read_groups
from unlost.batch.journal._journal import Claimed
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Amount, Spend, Spent, dollars, read_spent, read_total, spend, usd_text
from unlost.batch.journal._writer import Writer
from unlost.batch.paid._money import nano_of
from unlost.batch.paid._purse import Purse
from unlost.batch.paid._till import Till

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


class Sheet:
    """A paper that is only written on."""

    def __init__(self) -> None:
        self.spends: list[Spend] = []

    def spend(self, spent: Spend) -> None:
        self.spends.append(spent)

    async def keep(self, kept: Keep) -> None:
        raise AssertionError(kept)


class Cents(float):
    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


class Whole:
    def __index__(self) -> int:
        return 7


# Dollars


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        (0, 0),
        (-0.0, 0),
        (3, 3_000_000_000),
        (0.1, 100_000_000),
        (0.1 + 0.2, 300_000_000),
        (1e-9, 1),
        (Cents(0.07), 70_000_000),
        ("0.0012", 1_200_000),
        (" 12.5 ", 12_500_000_000),
        (Decimal("0.000000001"), 1),
        (Decimal("1E-400"), 0),
        (1_000_000, 10**15),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("0.00000000250000000000000000000000000000000000000000000000001", 3),
    ],
)
def test_dollars_are_kept_as_whole_billionths_a_half_to_the_even_one(usd: Any, nano: int) -> None:
    assert nano_of(usd) == nano


def test_the_decimal_context_of_the_caller_changes_no_amount() -> None:
    with decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP, traps=[decimal.Inexact])):
        nano = nano_of(Decimal("12.3456789019"))
        amount = Amount(nano).usd

    assert (nano, amount) == (12_345_678_902, Decimal("12.345678902"))


@pytest.mark.parametrize(
    "usd", [-1, "-0.1", True, math.nan, math.inf, "NaN", "sNaN", "Infinity", "$1", "", "1,5", [1], b"1", 1j]
)
def test_what_is_no_amount_of_dollars_is_refused_with_what_to_write(usd: Any) -> None:
    with decimal.localcontext(decimal.Context(traps=[])), pytest.raises(UsageError) as refused:
        nano_of(usd)

    assert f"context.spend(usd={usd!r}) is no amount of dollars." in str(refused.value)
    assert "Write a number of dollars" in str(refused.value)


@pytest.mark.parametrize("usd", ["1000000.01", 1e300, "1e999999", pytest.param(10**5000, id="huge")])
def test_an_amount_that_was_meant_in_another_unit_is_refused(usd: Any) -> None:
    with pytest.raises(UsageError, match="Write dollars, not cents or millionths"):
        nano_of(usd)


@pytest.mark.parametrize(
    ("nano", "text", "shown"),
    [
        (0, "0", "$0.00"),
        (1, "0.000000001", "$0.000000001"),
        (1_200_000, "0.0012", "$0.0012"),
        (500_000_000, "0.5", "$0.50"),
        (50 * 10**9, "50", "$50.00"),
        (1_234_500_000_000, "1234.5", "$1,234.50"),
    ],
)
def test_dollars_are_written_in_full(nano: int, text: str, shown: str) -> None:
    assert (usd_text(nano), dollars(nano)) == (text, shown)


# context.spend


def test_an_attempt_says_what_it_spent_under_its_own_number() -> None:
    paper = Sheet()
    context = Context("run", "key", 1, 3, item=17, epoch=2, paper=paper)
    context.attempt = 4
    context.spend("0.25", 12, Whole(), id="resp-1")
    context.spend(output_tokens=5)

    assert paper.spends == [Spend(17, 3, 2, 4, 250_000_000, 12, 7, "resp-1"), Spend(17, 3, 2, 4, 0, 0, 5, None)]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"usd": None, "id": "resp-1"},
        {"input_tokens": -1},
        {"output_tokens": 1.0},
        {"input_tokens": True},
        {"input_tokens": "12"},
        {"output_tokens": 10**12 + 1},
        {"usd": 1, "id": ""},
        {"usd": 1, "id": 7},
        {"usd": 1, "id": "x" * 201},
        {"usd": 1, "id": "\ud800"},
    ],
)
def test_what_cannot_be_noted_is_refused_and_nothing_is(told: dict[str, Any]) -> None:
    paper = Sheet()
    with pytest.raises(UsageError, match=r"\nWrite .*context.spend\("):
        Context("run", "key", 1, paper=paper).spend(**told)

    assert paper.spends == []


def test_a_context_of_no_run_checks_what_it_is_told() -> None:
    context = Context("run", "key", 1)
    context.spend(usd=1)

    with pytest.raises(UsageError):
        context.spend(usd="much")


# Sums


def _paid(claimed: Claimed, usd: float = 1, *, epoch: int = 1, attempt: int = 1, charge: str | None = None) -> Spend:
    return Spend(claimed.item, claimed.generation, epoch, attempt, nano_of(usd), 10, 1, charge)


def test_a_charge_of_an_item_counts_once_and_as_it_was_told_first(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    session.scan([indexed(1, "a"), indexed(2, "b")])
    a, b = session.claim()
    told = [_paid(a, 1, charge="r"), _paid(a, 5, charge="r", attempt=2), _paid(b, 2, charge="r"), _paid(b, 3)]

    counted = spend(session.connection, told)

    assert list(counted) == [True, False, True, True]
    assert read_total(session.connection) == Amount(nano_of(6), 30, 3)
    session.kill()


def test_of_what_was_spent_the_failed_attempts_are_those_that_gave_no_value(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    session.scan([indexed(n, key) for n, key in enumerate("abcd", 1)])
    ok, failed, doubt, restarted = session.claim()
    spend(session.connection, [_paid(ok, 1, attempt=1)])  # value_of ends in attempt 1
    spend(session.connection, [_paid(failed, 2, attempt=1), _paid(failed, 4, attempt=2)])
    spend(session.connection, [_paid(doubt, 8), _paid(restarted, 16, epoch=0), _paid(restarted, 32)])
    session.end(value_of(ok), failure_of(failed, attempts=2), value_of(restarted))

    spent = read_spent(session.connection)

    assert (spent.total.nano_usd, spent.failed.nano_usd) == (nano_of(63), nano_of(2 + 4 + 16))
    assert spent.failed == Amount(nano_of(22), 30, 3)
    session.kill()


def test_what_earlier_generations_spent_stays_in_the_sums(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    session.scan([indexed(1, "a")])
    (first,) = session.claim()
    spend(session.connection, [_paid(first, 1)])
    session.end(failure_of(first))
    session.connection.execute("INSERT INTO past SELECT * FROM outcome")
    session.connection.execute("DELETE FROM outcome")
    second = Claimed(first.item, first.key, first.line, first.raw, 2)
    spend(session.connection, [_paid(second, 2)])
    session.connection.execute(
        "INSERT INTO outcome SELECT item, 2, 2, epoch, ended, line, 1, 1, 0, 5, '1', NULL, NULL, NULL, NULL FROM past"
    )

    assert read_spent(session.connection) == Spent(Amount(nano_of(3), 20, 2), Amount(nano_of(1), 10, 1))
    session.kill()


def test_each_error_and_each_dead_letter_says_what_it_cost(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    session.scan([indexed(n, key) for n, key in enumerate("abcd", 1)])
    a, b, c, d = session.claim()
    spend(session.connection, [_paid(a, 1), _paid(a, 1, attempt=2), _paid(b, 2), _paid(d, 100)])
    session.end(failure_of(a, "f0", attempts=2), failure_of(b, "f0"), failure_of(c, "c0"), value_of(d))

    groups = {group.fingerprint: group.spent for group in read_groups(session.connection)}
    dead = {letter["key"]: letter["spent"] for letter in read_dead(session.connection, "")}

    assert groups == {"f0": Amount(nano_of(4), 30, 3), "c0": Amount()}
    assert dead == {"a": Amount(nano_of(2), 20, 2), "b": Amount(nano_of(2), 10, 1), "c": None}
    session.kill()


def test_what_the_run_does_not_want_any_more_has_still_been_paid(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = Session(path)
    first.scan([indexed(1, "a"), indexed(2, "b")])
    a, b = first.claim()
    spend(first.connection, [_paid(a, 1), _paid(b, 2)])
    first.end(failure_of(a), failure_of(b))
    first.kill()
    second = Session(path)
    second.scan([indexed(1, "b")])

    assert read_spent(second.connection).total == Amount(nano_of(3), 20, 2)
    assert [group.spent for group in read_groups(second.connection)] == [Amount(nano_of(2), 10, 1)]
    second.kill()


# In a run


@pytest.mark.stock
async def test_the_run_sums_what_its_attempts_spent_from_tasks_and_threads(options: Options) -> None:
    async def work(item: int, context: Context) -> int:
        context.spend(usd="0.001", input_tokens=10)
        if context.attempt == 1 and item % 2:
            raise ConnectionError
        await asyncio.to_thread(context.spend, usd="0.002", output_tokens=3)
        return item

    async with Run(work, range(20), attempts=2, **options) as run:
        pass

    assert run.books.ok == 20
    assert run.spent.total == Amount(70_000_000, 300, 60)
    assert run.spent.failed == Amount(10_000_000, 100, 0)
    assert run.progress.nano_usd == 70_000_000


@pytest.mark.stock
async def test_an_outcome_is_not_acknowledged_before_what_it_cost_is_durable(options: Options) -> None:
    async def work(item: int, context: Context) -> int:
        context.spend(usd=1)
        return item

    seen = []
    async with Run(work, range(30), concurrency=3, **options) as run:
        count = 0
        async for _outcome in run:
            count += 1
            seen.append((count, run.spent.total.nano_usd // nano_of(1)))

    assert len(seen) == 30
    assert all(spent >= acknowledged for acknowledged, spent in seen)


@pytest.mark.stock
async def test_earlier_openings_are_in_the_total_and_a_rerun_adds_to_it(options: Options) -> None:
    broken = True

    async def work(item: int, context: Context) -> int:
        context.spend(usd=1)
        if broken:
            raise LookupError(item)
        return item

    async with Run(work, range(3), **options):
        pass
    broken = False
    async with Run(work, range(3), again=Again(), **options) as run:
        before = run.progress.nano_usd

    assert before == nano_of(3)
    assert (run.spent.total.nano_usd, run.spent.failed.nano_usd) == (nano_of(6), nano_of(3))


@pytest.mark.stock
async def test_what_is_said_after_the_item_has_ended_counts_and_after_the_run_it_is_refused(options: Options) -> None:
    contexts: list[Context] = []
    first_ended = asyncio.Event()

    async def work(item: int, context: Context) -> int:
        contexts.append(context)
        if item == 1:
            await first_ended.wait()
            contexts[0].spend(usd=2)
        return item

    async with Run(work, [0, 1], concurrency=2, **options) as run:
        async for _outcome in run:
            first_ended.set()
    with pytest.raises(JournalError, match=r"the journal of run .* is closed: .* what a call cost, \$1\.00"):
        contexts[0].spend(usd=1)

    assert run.spent.total.nano_usd == nano_of(2)


def test_what_could_not_be_written_is_reported_with_its_sum() -> None:
    def connect() -> Any:
        raise_later: Any = Refusing()  # a connection that refuses everything
        return raise_later

    class Refusing:
        def execute(self, *_what: object) -> list[object]:
            raise OSError("no space left")

    broken: list[JournalError] = []
    writer = Writer(connect, lambda _connection: None, lambda: None, broken.append)
    writer.start()
    till = Till("work-1", writer, Purse(()), lambda what: what(), lambda *_told: None)
    context = Context("run", "key", 1, item=1, paper=till)
    told: list[tuple[BaseException, str]] = []
    context.spend(usd=1)
    context.spend(usd=2)
    till.close()
    writer.close()
    with report_to(lambda error, what: told.append((error, what))):
        till.report_lost()
        till.report_lost()

    assert [(type(error), what) for error, what in told] == [
        (JournalError, "run work-1 could not note what 2 calls cost: $3.00")
    ]


@pytest.mark.stock
async def test_many_threads_at_once_lose_no_cent(options: Options) -> None:
    async def work(item: int, context: Context) -> int:
        def say() -> None:
            for _ in range(50):
                context.spend(usd="0.01")

        threads = [threading.Thread(target=say) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        return item

    async with Run(work, range(5), **options) as run:
        pass

    assert run.spent.total.usd == Decimal(10)
    assert run.progress.nano_usd == nano_of(10)
