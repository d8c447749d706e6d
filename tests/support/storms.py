"""Simulated storms: many concurrent calls through a throttle against a service that refuses some, in virtual time."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from email.utils import formatdate
from random import Random
from typing import Protocol

from unlost.batch.gate._rest import Rest
from unlost.batch.gate._throttle import Throttle

ITEMS = 20_000


class Allowance(Protocol):
    """Allows a call, or says in how many seconds it would."""

    @property
    def rate(self) -> float: ...

    def wait(self, now: float) -> float: ...


@dataclass
class TokenBucket:
    """A bucket that holds ``burst`` tokens and gets ``rate`` a second."""

    rate: float
    burst: float
    level: float = math.inf
    at: float = 0.0

    def wait(self, now: float) -> float:
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return max((1 - self.level) / self.rate, 0.001)


@dataclass
class FixedWindow:
    """``count`` calls in each ``per`` seconds of the clock."""

    count: int
    per: float
    window: int = -1
    used: int = 0

    @property
    def rate(self) -> float:
        return self.count / self.per

    def wait(self, now: float) -> float:
        window = int(now / self.per)
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return 0.0 if self.used <= self.count else (window + 1) * self.per - now


@dataclass
class ByChance:
    """Refuses ``share`` of all calls at random, and asks for a rest of ``rest`` seconds; else what ``also`` does."""

    share: float
    rest: float
    also: Allowance | None = None
    seed: int = 1
    rate: float = math.inf

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def wait(self, now: float) -> float:
        if self._random.random() < self.share:
            return self.rest
        return 0.0 if self.also is None else self.also.wait(now)


class TooMany(Exception):
    status = 429

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("429 Too Many Requests")
        self.headers = headers


@dataclass
class Service:
    """Answers after ``latency``, a refusal after ``refusal``, with a hint in one of the forms that services use."""

    allowance: Allowance
    latency: float
    hint: str = "one"
    refusal: float | None = None
    began: float = 0.0
    refused_at: list[float] = field(default_factory=list)
    calls: int = 0

    async def call(self) -> None:
        loop = asyncio.get_running_loop()
        self.calls += 1
        wait = self.allowance.wait(loop.time() - self.began)
        if wait:
            self.refused_at.append(loop.time() - self.began)
            await asyncio.sleep(self.latency if self.refusal is None else self.refusal)
            raise TooMany(self.headers(wait, loop.time()))
        await asyncio.sleep(self.latency)

    def headers(self, wait: float, now: float) -> dict[str, str]:
        match self.hint:
            case "one":  # whatever is true
                return {"Retry-After": "1"}
            case "seconds":
                return {"Retry-After": str(math.ceil(wait))}
            case "ms":
                return {"retry-after-ms": f"{wait * 1000:.3f}"}
            case "date":
                return {"Retry-After": formatdate(1e9 + now + wait, usegmt=True), "Date": formatdate(1e9 + now)}
            case _:
                return {}


@dataclass
class Result:
    seconds: float
    refused: int
    rests: list[Rest]

    def is_within(self, calls: float, times: float, allowance: Allowance, items: int = ITEMS) -> bool:
        print(f"{self.refused} refused, {self.seconds * allowance.rate / items:.3f} × the best time")
        return self.refused <= calls * items and self.seconds <= times * items / allowance.rate


async def storm(service: Service, items: int = ITEMS, concurrency: int = 500) -> Result:
    """Perform all items, each until it is not refused."""
    loop = asyncio.get_running_loop()
    service.began = loop.time()
    rests: list[Rest] = []
    throttle = Throttle((), 3600, lambda rest: rests.append(rest) if rest.ended is not None else None)
    left = iter(range(items))

    async def worker() -> None:
        for _ in left:
            while not await performed():
                pass

    async def performed() -> bool:
        ticket = throttle.try_enter() or await throttle.enter()
        try:
            await service.call()
        except TooMany as too_many:
            throttle.refused(ticket, too_many)
            return False
        throttle.answered(ticket)
        return True

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return Result(loop.time() - service.began, len(service.refused_at), rests)
