"""
What the paid API charges and answers, without a network: every decision is made at the moment when a call comes in.

Money is ``Decimal``, each price whole billionths of a dollar and follows from the prompt alone, so that a test can say
beforehand what a run has to cost.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from typing import Literal

RetryAfter = Literal["seconds", "ms", "date", "none"]

INPUT_USD = Decimal("0.000000151")
OUTPUT_USD = Decimal("0.000006007")
"""For a token; odd on purpose: rounding anywhere shows."""


@dataclass(frozen=True, slots=True)
class Rules:
    """
    How the service behaves.

    Attributes:
        allow: Calls a second that it bears; None: any number.
        burst: How many more it bears at once.
        retry_after: In which form a 429 says how long to wait.
        rest: How long it says, in seconds.
        fail_every: Each so-many-th charged call is answered 500; 0: none.
        broken_every: Each so-many-th charged call is answered with a text that is not quite JSON; 0: none.
        key: What ``Authorization: Bearer ...`` must say; None: anything.
        quota: Charged calls after which there is no more money; None: there is always.
        race: What becomes of a call whose idempotency key is being answered: it waits for that answer, or gets a 409.
    """

    allow: float | None = None
    burst: int = 0
    retry_after: RetryAfter = "seconds"
    rest: float = 1.0
    fail_every: int = 0
    broken_every: int = 0
    key: str | None = None
    quota: int | None = None
    race: Literal["wait", "conflict"] = "wait"


@dataclass(frozen=True, slots=True)
class Call:
    """
    A call as it came in.

    Attributes:
        prompt: What is to be completed.
        authorization: The header, or None.
        idempotency_key: The header, or None.
    """

    prompt: str
    authorization: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire, what it costs, and in a word what it is."""

    status: int
    body: bytes
    word: str
    usd: Decimal = Decimal(0)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Stored:
    prompt: str
    answer: Answer
    answered: bool = False


@dataclass(slots=True)
class Till:
    """Decides each call; ``clock`` counts seconds and ``wall`` is the time of day, both given with each call."""

    rules: Rules
    words: Counter[str] = field(default_factory=Counter)
    usd: Decimal = Decimal(0)
    _charged: int = 0
    _stored: dict[str, _Stored] = field(default_factory=dict)
    _level: float | None = None
    _filled: float = 0.0

    def take(self, call: Call, clock: float, wall: float) -> Answer:
        """Decide what a call is answered, and what it is charged: at once and for good, whoever hears of it."""
        answer = self._decide(call, clock, wall)
        self.words[answer.word] += 1
        self.usd += answer.usd
        return answer

    def answered(self, call: Call) -> None:
        """Note that a charged answer is on its way: a repetition no longer races with it."""
        stored = self._stored.get(call.idempotency_key or "")
        if stored is not None:
            stored.answered = True

    def stats(self) -> dict[str, object]:
        return {"calls": self.words.total(), "charged": self._charged, "usd": str(self.usd), "words": dict(self.words)}

    def _decide(self, call: Call, clock: float, wall: float) -> Answer:
        if self.rules.key is not None and call.authorization != f"Bearer {self.rules.key}":
            return _refusal(401, "key", "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
        stored = self._stored.get(call.idempotency_key or "")
        if stored is not None:
            return self._replay(stored, call)
        if not self._bears(clock):
            return self._too_many(wall)
        if self.rules.quota is not None and self._charged >= self.rules.quota:
            said = "You exceeded your current quota, please check your plan and billing details."
            return _refusal(429, "quota", said, "insufficient_quota", "insufficient_quota")
        answer = self._charge(call.prompt)
        if call.idempotency_key:
            self._stored[call.idempotency_key] = _Stored(call.prompt, answer)
        return answer

    def _replay(self, stored: _Stored, call: Call) -> Answer:
        if stored.prompt != call.prompt:
            return _refusal(422, "mismatch", "This key was used for another request.", "idempotency_error", "mismatch")
        if self.rules.race == "conflict" and not stored.answered:
            return _refusal(409, "conflict", "A request with this key is under way.", "idempotency_error", "in_use")
        first = stored.answer
        return Answer(first.status, first.body, "replayed", headers=(*first.headers, ("idempotent-replayed", "true")))

    def _charge(self, prompt: str) -> Answer:
        self._charged += 1
        number, rules = self._charged, self.rules
        usd = price_of(prompt)
        told = (("x-charge-id", f"resp-{number}"), ("x-charge-usd", f"{usd:f}"))  # in each answer, whatever its body
        if rules.fail_every and number % rules.fail_every == 0:
            return Answer(500, _error("The server had an error.", "server_error", None), "failed", usd, told)
        body = json.dumps(completion_of(prompt, number))
        if rules.broken_every and number % rules.broken_every == 0:
            return Answer(200, f"```json\n{body}\n```".encode(), "broken", usd, told)
        return Answer(200, body.encode(), "ok", usd, told)

    def _bears(self, clock: float) -> bool:
        """Take one from a bucket that fills with ``allow`` a second and holds ``burst``."""
        if self.rules.allow is None:
            return True
        most = max(1.0, self.rules.burst)
        level = most if self._level is None else min(most, self._level + (clock - self._filled) * self.rules.allow)
        self._level, self._filled = (level - 1 if level >= 1 else level), clock
        return level >= 1

    def _too_many(self, wall: float) -> Answer:
        rest = self.rules.rest
        headers = {
            "seconds": (("retry-after", str(math.ceil(rest))),),
            "ms": (("retry-after-ms", str(round(rest * 1000))),),
            "date": (("retry-after", formatdate(math.ceil(wall + rest), usegmt=True)),),
            "none": (),
        }[self.rules.retry_after]
        body = _error("Rate limit reached for requests.", "requests", "rate_limit_exceeded")
        return Answer(429, body, "429", headers=headers)


def tokens_of(prompt: str) -> tuple[int, int]:
    """Return how many tokens go in and come out for a prompt."""
    digest = hashlib.blake2b(prompt.encode(), digest_size=4).digest()
    return 10 + int.from_bytes(digest[:2], "big") % 1990, 1 + int.from_bytes(digest[2:], "big") % 400


def price_of(prompt: str) -> Decimal:
    """Return what a charged call with this prompt costs, in dollars."""
    sent, got = tokens_of(prompt)
    return sent * INPUT_USD + got * OUTPUT_USD


def completion_of(prompt: str, number: int) -> dict[str, object]:
    """Return the answer to a prompt as JSON holds it; ``number`` tells apart what was charged apart."""
    sent, got = tokens_of(prompt)
    return {
        "id": f"resp-{number}",
        "text": prompt[::-1],
        "usage": {"input_tokens": sent, "output_tokens": got},
        "cost_usd": f"{price_of(prompt):f}",
    }


def _refusal(status: int, word: str, message: str, kind: str, code: str) -> Answer:
    return Answer(status, _error(message, kind, code), word)


def _error(message: str, kind: str, code: str | None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
