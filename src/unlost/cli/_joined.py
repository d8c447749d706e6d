"""Values that begin with a minus, given to the option before them: argparse takes them for options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_NEGATIVE = re.compile(r"-[\d.](?!$)|-[1-9]")  # not -0, which is an option


def joined(argv: Sequence[str]) -> list[str]:
    """Write ``-j -1`` as ``-j-1``, and ``--rate -5/s`` as ``--rate=-5/s``: so that the option itself can refuse it."""
    return list(_joined(argv))


def _joined(argv: Sequence[str]) -> Iterator[str]:
    before: str | None = None  # an option that may want a value
    for argument in argv:
        if before is not None and _NEGATIVE.match(argument):
            yield f"{before}={argument}" if before.startswith("--") else f"{before}{argument}"
            before = None
            continue
        if before is not None:
            yield before
        before = argument if argument.startswith("-") and argument.strip("-") and "=" not in argument else None
        if before is None:
            yield argument
    if before is not None:
        yield before
