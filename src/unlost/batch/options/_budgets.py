"""Budgets as people write them: ``usd=50``, ``tokens=2M``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from unlost.batch.options._amounts import amount

Spent: TypeAlias = Literal["usd", "tokens", "input_tokens", "output_tokens"]

UNITS: tuple[Spent, ...] = ("usd", "tokens", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What a run may spend, all its openings together.

    Attributes:
        unit: Of what; ``tokens`` are those of the input and of the output.
        most: How much.
    """

    unit: Spent
    most: float


def budget_of(text: str) -> Budget:
    """
    Read one budget.

    Raises:
        ValueError: It is none.
    """
    unit, equals, most = text.partition("=")
    if not equals or unit.strip() not in UNITS:
        raise ValueError(f"expected a budget such as usd=50 or tokens=2M ({', '.join(UNITS)}), got {text!r}")
    return Budget(cast("Spent", unit.strip()), amount(most))


def read_budgets(value: object) -> tuple[str, ...]:
    """
    Check one text or several, or a mapping from unit to amount; return texts.

    Raises:
        ValueError: One of them is no budget, or two are of one unit.
    """
    if isinstance(value, Mapping):
        value = [f"{unit}={most}" for unit, most in value.items()]
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [str(value)]
    budgets = [budget_of(str(text)) for text in texts]
    if len({budget.unit for budget in budgets}) < len(budgets):
        raise ValueError("expected one budget for each unit; two of them are of the same")
    return tuple(str(text) for text in texts)
