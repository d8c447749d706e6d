"""A budget: once it is spent, nothing more is started; what runs goes on to its end."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.command import CommandLine
from unlost.batch import Context, Halted, Run
from unlost.batch.journal._spend import Amount
from unlost.batch.paid._purse import BudgetSpent, Purse, larger_budgets

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


async def dollar(item: int, context: Context) -> int:
    context.spend(usd=1, input_tokens=10, output_tokens=2)
    await asyncio.sleep(0.001)
    return item


@pytest.mark.parametrize(
    ("budget", "enough"),
    [
        ("usd=1.5", Amount(1_500_000_000)),
        ("usd=0.1", Amount(100_000_000)),
        ("tokens=2k", Amount(0, 1500, 500)),
        ("input_tokens=7", Amount(0, 7, 0)),
        ("output_tokens=7", Amount(0, 0, 7)),
    ],
)
def test_a_budget_is_spent_when_it_is_reached_and_not_before(budget: str, enough: Amount) -> None:
    purse = Purse([budget])
    missing = Amount(-1 if enough.nano_usd else 0, -1 if enough.input_tokens else 0, 0)
    just_below = enough + (missing if missing else Amount(0, 0, -1))

    assert purse.over(just_below) is None
    assert isinstance(purse.over(enough), BudgetSpent)


def test_of_several_budgets_the_first_that_is_spent_counts() -> None:
    over = Purse(["usd=50", "tokens=100"]).over(Amount(10**9, 60, 50))

    assert over is not None
    assert (over.unit, over.spent, over.budget) == ("tokens", Decimal(110), Decimal(100))
    assert str(over) == (
        "the budget of 100 tokens is spent: 110 tokens. To go on, write a larger one: --budget tokens=210"
    )


def test_without_a_budget_nothing_is_too_much() -> None:
    assert Purse(()).over(Amount(10**18, 10**18, 10**18)) is None


@pytest.mark.stock
async def test_a_spent_budget_starts_nothing_more_and_what_runs_ends(options: Options) -> None:
    with pytest.raises(Halted, match=r"the budget of \$5\.00 is spent") as halted:
        async with Run(dollar, range(200), concurrency=2, budget="usd=5", **options) as run:
            pass

    books = run.books
    cause = halted.value.__cause__
    assert isinstance(cause, BudgetSpent)
    assert (run.how, books.in_doubt, books.failed) == ("halted", 0, 0)
    assert run.spent.total.usd == books.ok
    assert 5 <= books.ok < 100
    assert books.ok + books.pending == 200


@pytest.mark.stock
async def test_continuing_with_a_spent_budget_starts_nothing_and_a_larger_one_goes_on(options: Options) -> None:
    opened = 0

    async def count(item: int, context: Context) -> int:
        nonlocal opened
        opened += 1
        return await dollar(item, context)

    started = []
    for _ in range(2):
        with pytest.raises(Halted):
            async with Run(count, range(30), concurrency=1, budget={"usd": 3}, **options):
                pass
        started.append(opened)
    async with Run(count, range(30), concurrency=1, budget={"usd": 1000}, **options) as run:
        pass

    assert 3 <= started[0] < 30
    assert started[1] == started[0]
    assert (opened, run.books.ok, run.spent.total.usd) == (30, 30, 30)


@pytest.mark.stock
async def test_a_budget_that_is_reached_by_the_last_item_has_stopped_nothing(options: Options) -> None:
    async with Run(dollar, range(10), concurrency=1, budget="usd=10", **options) as run:
        pass
    async with Run(dollar, range(10), concurrency=1, budget="usd=10", **options) as again:
        pass

    assert (run.how, run.books.ok) == ("complete", 10)
    assert (again.how, int(again.spent.total.usd)) == ("complete", 10)


@pytest.mark.stock
async def test_a_charge_that_is_told_again_does_not_spend_the_budget(options: Options) -> None:
    async def replayed(item: int, context: Context) -> int:
        for _ in range(10):
            context.spend(usd=1, id="resp-1")
        return item

    async with Run(replayed, range(4), concurrency=1, budget="usd=5", **options) as run:
        pass

    assert (run.how, int(run.spent.total.usd)) == ("complete", 4)


@pytest.mark.stock
def test_the_command_halts_with_3_says_why_and_goes_on_with_a_larger_budget(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write(
        "jobs.py",
        "import asyncio\n"
        "async def work(item, context):\n"
        "    context.spend(usd='0.5', input_tokens=100, output_tokens=20)\n"
        "    await asyncio.sleep(0.001)\n"
        "    if item['n'] == 0:\n"
        "        raise LookupError('zero')\n",
    )
    unlost.write_inputs(60)

    halted = unlost("run", "jobs:work", "in.jsonl", "-j", "2", "--budget", "usd=2")
    again = unlost("resume", "work-1")
    done = unlost("resume", "work-1", "--budget", "usd=100")
    shown = unlost.json("show", "work-1")

    assert (halted.returncode, again.returncode, done.returncode) == (3, 3, 1)
    assert "the budget of $2.00 is spent: $" in halted.stderr
    assert "the budget of $2.00 was spent before, and nothing was started: $" in again.stderr
    spent = re.search(
        r"nothing was started: \$([\d.]+)\. To go on, write a larger one: --budget usd=([\d.]+)\n", again.stderr
    )
    assert spent is not None
    assert Decimal(spent[2]) == Decimal(spent[1]) + 2  # what starts during a slow commit has cost something too
    assert f" go on: unlost resume work-1 --budget usd={spent[2]}  " in halted.stdout
    assert " spent $30.00 (6,000 tokens in, 1,200 out); $0.50 (100 tokens in, 20 out) of it by attempts" in done.stdout
    assert shown["spent"] == {
        "usd": "30",
        "input_tokens": 6000,
        "output_tokens": 1200,
        "failed_attempts": {"usd": "0.5", "input_tokens": 100, "output_tokens": 20},
        "unknown_items": 0,
    }
    assert [group["spent"]["usd"] for group in shown["groups"]] == ["0.5"]


@pytest.mark.parametrize(
    ("budgets", "spent", "larger"),
    [
        (["usd=5"], Amount(6_000_123_000), ("usd=12",)),
        (["usd=0.01"], Amount(10_400_000), ("usd=0.021",)),
        (["usd=5", "tokens=2M"], Amount(5_000_000_000, 3, 4), ("usd=10", "tokens=2M")),
        (["tokens=2M"], Amount(0, 2_000_000, 123), ("tokens=4100000",)),
        (["usd=5"], Amount(4_999_999_999), ()),
    ],
)
def test_what_to_write_instead_lets_as_much_again_be_spent_and_keeps_the_other_budgets(
    budgets: list[str], spent: Amount, larger: tuple[str, ...]
) -> None:
    assert larger_budgets(budgets, spent) == larger
    assert not larger or Purse(larger).over(spent) is None
