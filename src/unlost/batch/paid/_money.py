"""Dollars and tokens as jobs say them, made exact."""

from __future__ import annotations

import operator
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import SupportsIndex, TypeAlias

from unlost.batch.journal._spend import Amount
from unlost.batch.paid._names import MOST_NAME, is_name
from unlost.errors import UsageError

Usd: TypeAlias = int | float | Decimal | str

MOST_USD = 1_000_000
"""Dollars that one call can be said to have cost: what is more was meant in another unit."""

MOST_TOKENS = 10**12

_NANO_USD = Decimal(1).scaleb(-9)


def amount_of(usd: Usd | None, input_tokens: SupportsIndex | None, output_tokens: SupportsIndex | None) -> Amount:
    """
    Return what a call cost; what is None is nothing.

    Raises:
        UsageError: One of them is not what it should be, or all are None.
    """
    if usd is None and input_tokens is None and output_tokens is None:
        raise UsageError(
            "context.spend() was told no amount: all of usd, input_tokens and output_tokens are None.\n"
            "Write what is known: context.spend(usd=0.0012), context.spend(input_tokens=1200, output_tokens=80)"
        )
    return Amount(
        0 if usd is None else nano_of(usd),
        0 if input_tokens is None else _tokens("input_tokens", input_tokens),
        0 if output_tokens is None else _tokens("output_tokens", output_tokens),
    )


def nano_of(usd: Usd) -> int:
    """
    Return dollars as whole billionths, a half to the even one; a float counts as what it prints as.

    Raises:
        UsageError: It is no amount of dollars, or is more than ``MOST_USD``.
    """
    exact = _decimal(usd)
    if exact is None or not exact.is_finite() or exact < 0:
        raise UsageError(
            f"context.spend(usd={usd!r}) is no amount of dollars.\n"
            "Write a number of dollars, 0 or more, or a text of one: context.spend(usd=0.0012), or usd='0.0012'"
        )
    if exact > MOST_USD:
        raise UsageError(
            f"context.spend(usd=...) got {exact:.3E} dollars for one call; at most {MOST_USD:,} can be.\n"
            "Write dollars, not cents or millionths."
        )
    return nano_of_decimal(exact)


def nano_of_decimal(usd: Decimal) -> int:
    """Return finite dollars as whole billionths, a half to the even one, whatever the caller's decimal context says."""
    exact = Context(prec=100, rounding=ROUND_HALF_EVEN)
    return int(usd.quantize(_NANO_USD, context=exact).scaleb(9, exact))


def charge_of(charge: object) -> str | None:
    """
    Check what names a charge.

    Raises:
        UsageError: It cannot.
    """
    if charge is None:
        return None
    if is_name(charge):
        return charge
    raise UsageError(
        f"context.spend(id={charge!r}) is no name of a charge.\n"
        f"Write the id that the service gave it, 1 to {MOST_NAME} characters: context.spend(..., id=answer['id'])"
    )


def _decimal(usd: object) -> Decimal | None:
    if isinstance(usd, bool):
        return None
    if isinstance(usd, float):
        return Decimal(float.__repr__(usd))  # the repr of a subclass says more: np.float64(0.1)
    if not isinstance(usd, int | Decimal | str):
        return None
    try:
        return Decimal(usd, Context(traps=[InvalidOperation]))  # the caller's context may let pass what is none
    except InvalidOperation:
        return None


def _tokens(name: str, tokens: SupportsIndex) -> int:
    try:
        count = -1 if isinstance(tokens, bool) else operator.index(tokens)
    except TypeError:
        count = -1
    if not 0 <= count <= MOST_TOKENS:
        raise UsageError(
            f"context.spend({name}={tokens!r}) is no number of tokens.\n"
            f"Write a whole number, 0 to {MOST_TOKENS:,}: context.spend({name}=1200)"
        )
    return count
