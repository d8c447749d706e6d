"""The paid API in a process of its own, which ends with whoever started it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVICE = Path(__file__).with_name("paid_api.py")


@dataclass(frozen=True, slots=True)
class Logged:
    """
    A call as the service logged it, before it answered.

    Attributes:
        at: Time of day, in seconds.
        prompt: What was to be completed.
        key: The idempotency key, or None.
        status: The HTTP status.
        word: ``ok``, ``failed`` (a 500), ``broken``: these are charged; ``replayed``, ``429``, ``quota``, ``key``,
            ``conflict``, ``mismatch``: these are not.
        usd: What it was charged.
    """

    at: float
    prompt: str
    key: str | None
    status: int
    word: str
    usd: Decimal


class PaidApi:
    """
    The service, while the block runs.

        with PaidApi(tmp_path, "--latency", "0.05", "--broken-every", "10") as api:
            ...  # POST {api.url}/v1/complete
        assert api.total_usd() == ...

    A restart (a second ``with``) has forgotten the idempotency keys; its log goes on.

    Args:
        folder: Where its log is: ``paid.log``.
        flags: Of ``paid_api.py``.
    """

    url: str
    _process: subprocess.Popen[str]

    def __init__(self, folder: Path, *flags: str) -> None:
        self._path = folder / "paid.log"
        self._flags = flags

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, SERVICE, "--until-stdin-ends", "--log", self._path, *self._flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url, self._control = self._told_url(), self._told_url()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        with self._process as process:  # closes the pipes and waits
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()

    def log(self) -> list[Logged]:
        """Return every call so far, in the order in which they came in."""
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True) if self._path.exists() else []
        calls = [json.loads(line) for line in lines if line.endswith("\n")]
        return [Logged(**{**call, "usd": Decimal(call["usd"])}) for call in calls]

    def total_usd(self) -> Decimal:
        """Return what was charged, failures included."""
        return sum((call.usd for call in self.log()), Decimal(0))

    def calls(self) -> int:
        """Return how many calls came in, those that were refused or replayed included."""
        return len(self.log())

    def charged(self) -> list[Logged]:
        """Return the calls that cost something."""
        return [call for call in self.log() if call.usd]

    def stats(self) -> Any:
        return self._ask("/stats")

    def down(self) -> None:
        """Nobody listens any more, and what is connected is reset."""
        self._ask("/control", {"down": True})

    def up(self) -> None:
        self._ask("/control", {"down": False})

    def _told_url(self) -> str:
        assert self._process.stdout is not None  # asked for as a pipe
        port = self._process.stdout.readline().strip()
        assert port, f"the paid API ended with status {self._process.wait()} before it named its ports"
        return f"http://127.0.0.1:{port}"

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self._control + path, data) as answer:
            return json.load(answer)
