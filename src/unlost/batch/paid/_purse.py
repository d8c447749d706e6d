"""Budgets: what a run may spend, all its openings together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_UP, Decimal

from unlost.batch.journal._spend import Amount, dollars, usd_text
from unlost.batch.options._budgets import Budget, Spent, budget_of
from unlost.batch.paid._money import nano_of_decimal
from unlost.errors import UnlostError


class BudgetSpent(UnlostError):
    """
    The run has spent what it may: nothing more is started.

    Attributes:
        unit: ``usd``, ``tokens``, ``input_tokens`` or ``output_tokens``.
        spent: How much it had spent when that was seen; what ran then may have added to it.
        budget: How much it may.
        before: Whether it had before this opening of the run began, which has then started nothing.
    """

    def __init__(self, unit: Spent, spent: Decimal, budget: Decimal, *, before: bool = False) -> None:
        super().__init__(unit, spent, budget)
        self.unit: Spent = unit
        self.spent = spent
        self.budget = budget
        self.before = before

    def __str__(self) -> str:
        when = "was spent before, and nothing was started" if self.before else "is spent"
        return (
            f"the budget of {_shown(self.unit, self.budget)} {when}: {_shown(self.unit, self.spent)}. "
            f"To go on, write a larger one: --budget {self.larger}"
        )

    @property
    def larger(self) -> str:
        """A budget that lets the run spend as much again, rounded up to two digits: ``usd=11``."""
        most = self.spent + self.budget
        digit = Decimal(1).scaleb(most.adjusted() - 1)
        return f"{self.unit}={most.quantize(digit, ROUND_UP).normalize():f}"


class Purse:
    """
    Args:
        budgets: As ``budget_of`` reads them.
    """

    def __init__(self, budgets: Iterable[str]) -> None:
        self._budgets: list[tuple[Spent, int]] = [(budget.unit, _parts(budget)) for budget in map(budget_of, budgets)]

    def over(self, spent: Amount, *, before: bool = False) -> BudgetSpent | None:
        """Return what to say where that reaches a budget or exceeds it, ``before`` the opening or in it."""
        for unit, most in self._budgets:
            parts = _spent(unit, spent)
            if parts >= most:
                return BudgetSpent(unit, _whole(unit, parts), _whole(unit, most), before=before)
        return None


def larger_budgets(budgets: Sequence[str], spent: Amount) -> tuple[str, ...]:
    """Return all budgets with a larger one in the place of each that is spent; nothing where none is."""
    over = [Purse([text]).over(spent) for text in budgets]
    if not any(over):
        return ()
    return tuple(text if spent_one is None else spent_one.larger for text, spent_one in zip(budgets, over, strict=True))


def _parts(budget: Budget) -> int:
    """Return a budget in billionths of a dollar, or in tokens."""
    most = Decimal(repr(budget.most))
    return nano_of_decimal(most) if budget.unit == "usd" else int(most)


def _spent(unit: Spent, amount: Amount) -> int:
    match unit:
        case "usd":
            return amount.nano_usd
        case "input_tokens":
            return amount.input_tokens
        case "output_tokens":
            return amount.output_tokens
        case "tokens":
            return amount.tokens


def _whole(unit: Spent, parts: int) -> Decimal:
    return Decimal(usd_text(parts)) if unit == "usd" else Decimal(parts)


def _shown(unit: Spent, whole: Decimal) -> str:
    return dollars(nano_of_decimal(whole)) if unit == "usd" else f"{whole:,f} {unit.replace('_', ' ')}"
