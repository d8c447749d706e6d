"""
How the demo service misbehaves, and how often: the one table that the service, the demo and its tests read.

Which item gets which treatment follows from its number alone, so every figure of a run can be computed beforehand.
Of any 10,000 consecutive item numbers, exactly ``share`` get each treatment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

WELL_BEHAVED = "ok"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What goes over the wire.

    Attributes:
        status: The HTTP status.
        body: The body; None stands for the item itself, as JSON.
        headers: Headers beyond the usual ones.
        delay: Seconds from the request to the first byte; None stands for the item's usual few milliseconds.
        missing: How many bytes are announced and never sent, since the connection is closed before.
        reset: Whether a TCP reset takes the place of any answer.
    """

    status: int = 200
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    delay: float | None = None
    missing: int = 0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """
    One way to go wrong.

    Attributes:
        share: How many of 10,000 consecutive items get it.
        answer: What is answered to the first request.
        for_ever: Whether later requests for the same item get it too; otherwise they are answered properly.
    """

    share: int
    answer: Answer
    for_ever: bool = False


_BUSY = Answer(503, b"busy")
_TOO_MANY = Answer(429, b"too many requests", headers=(("retry-after", "0"), ("retry-after-ms", "20")))

MISBEHAVIOUR: Mapping[str, Misbehaviour] = MappingProxyType(
    {
        "503 once": Misbehaviour(150, _BUSY),
        "429 once": Misbehaviour(80, _TOO_MANY),
        "reset once": Misbehaviour(60, Answer(reset=True)),
        "truncated once": Misbehaviour(58, Answer(body=b'{"id": ', missing=40)),
        "slow once": Misbehaviour(40, Answer(delay=6.0)),
        "503 for ever": Misbehaviour(98, _BUSY, for_ever=True),
        "404 for ever": Misbehaviour(35, Answer(404, b"no such item"), for_ever=True),
        "invalid JSON for ever": Misbehaviour(22, Answer(body=b"<html>out of order</html>"), for_ever=True),
        # valid JSON; that the price may be missing is what the job's parser forgot
        "no price for ever": Misbehaviour(16, Answer(body=b'{"name": "not for sale"}'), for_ever=True),
    }
)


def kind_of(number: int) -> str:
    """Name the treatment of an item: a key of ``MISBEHAVIOUR``, or ``"ok"``."""
    # 7919 has no factor in common with 10,000, so any 10,000 consecutive numbers fall on different places
    return _KIND_AT.get(number * 7919 % 10_000, WELL_BEHAVED)


def answer_to(number: int, asked: int) -> Answer:
    """Decide what the request number ``asked`` (counted from 1) for an item is answered."""
    misbehaviour = MISBEHAVIOUR.get(kind_of(number))
    misbehaves = misbehaviour is not None and (misbehaviour.for_ever or asked == 1)
    answer = misbehaviour.answer if misbehaviour is not None and misbehaves else Answer()
    return replace(
        answer,
        body=_item(number) if answer.body is None else answer.body,
        delay=_usual_delay(number) if answer.delay is None else answer.delay,
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """The figures of a run that retries what can recover: ``ok`` includes the ``recovered``, ``failed`` is by kind."""

    ok: int
    recovered: int
    failed: Mapping[str, int]


def expected(numbers: Iterable[int]) -> Expected:
    """Compute what has to come out of a run over these items, each given once."""
    kinds = Counter(map(kind_of, numbers))
    failed = {name: kinds[name] for name, each in MISBEHAVIOUR.items() if each.for_ever}
    recovered = sum(kinds[name] for name, each in MISBEHAVIOUR.items() if not each.for_ever)
    return Expected(ok=kinds[WELL_BEHAVED] + recovered, recovered=recovered, failed=failed)


def _places() -> dict[int, str]:
    names = [name for name, misbehaviour in MISBEHAVIOUR.items() for _ in range(misbehaviour.share)]
    return dict(enumerate(names))


_KIND_AT = _places()


def _item(number: int) -> bytes:
    price = (number * 37 % 9_900 + 100) / 100
    return json.dumps({"id": number, "price": price, "name": f"item {number}"}).encode()


def _usual_delay(number: int) -> float:
    """Return 2 to 10 ms, always the same for the same item."""
    # Knuth's multiplicative hash: spreads consecutive numbers evenly (TAOCP vol. 3, 6.4)
    return 0.002 + 0.008 * (number * 2_654_435_761 % 2**32) / 2**32
