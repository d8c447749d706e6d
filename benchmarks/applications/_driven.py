"""
What the drivers of this folder share: they start a program, with or without the watch, and say what it does.

``UNLOST_FOUND`` in the environment names the folder for what is found; without it the programs run as they are. What a
driver prints is the same both times, but for what the watch changes: that is what ``public_applications.py`` compares.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PROGRAMS: Final = Path(__file__).parent / "programs"
PATIENCE: Final = 40.0  # seconds until a port is open, or a program has ended

_FOUND: Final = os.environ.get("UNLOST_FOUND")
_TOLD: Final = re.compile(
    r"\nunlost watch: what became of the exceptions.*\n"
    r"(?:(?:  .*|.*\[[0-9a-f]{12}\].*|What could not be seen:|and [\d,]+ more.*|)\n)*"
)
_VARIES: Final = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8}-[0-9a-f-]{20,}\b|\b[0-9a-f]{24,}\b|(?<={)'[^{}]*'(?=})|\d+")


def words(*arguments: str) -> list[str]:
    """Return the command that runs a program, watched if that is asked for; the numbers count up."""
    if _FOUND is None:
        return [sys.executable, *arguments]
    count = len(list(Path(_FOUND).glob("*.begun")))
    begun = Path(_FOUND, f"{count}.begun")
    begun.touch()
    return [str(Path(sys.executable).parent / "unlost"), "watch", "--json", f"{_FOUND}/{count}.json", *arguments]


class Program:
    """One that runs, and whose output goes into a file."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._log = Path(f"output-{time.monotonic_ns()}.log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "120", **(environment or {})},
            )

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def output(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def until(self, text: str) -> None:
        """Wait until it has written a text."""
        ends = time.monotonic() + PATIENCE
        while text not in self.output():
            if time.monotonic() > ends or self._process.poll() is not None:
                sys.exit(f"{text!r} never came:\n{self.output()}")
            time.sleep(0.05)

    def opens(self, port: int) -> None:
        """Wait until it takes connections."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > ends or self._process.poll() is not None:
                    sys.exit(f"nothing listens:\n{self.output()}")
                time.sleep(0.05)

    def end(self, number: int | None = signal.SIGINT) -> None:
        """End it by a signal, or let it end by itself; say how it ended and what it had written."""
        if number is not None:
            self.send(number)
        began = time.monotonic()
        try:
            code: object = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = "never"
            self._process.kill()
            self._process.wait()
        took = time.monotonic() - began
        print(f"took {took:.1f} s to end", file=sys.stderr)
        say("ended", code)
        for line in sorted(set(shown(self.output()).splitlines())):
            print("  |", line)


def shown(output: str) -> str:
    """Return what a program wrote, without what the watch did, and without numbers and the folder."""
    return _VARIES.sub("#", _TOLD.sub("", output).replace(os.getcwd(), "PLACE"))


def say(*what: object) -> None:
    """Print what was seen."""
    print(*what, flush=True)


def ask(
    port: int, path: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Ask over HTTP, and say what came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        content = answer.read()
        say(method, _VARIES.sub("#", path), answer.status, len(content) // 100)
        return content
    except (OSError, http.client.HTTPException) as error:
        say(method, _VARIES.sub("#", path), type(error).__name__)
        return b""
    finally:
        connection.close()


def leave(port: int, path: str, after: float = 0.2) -> None:
    """Ask over HTTP, and go away."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(after)
        # so that it is reset, rather than closed
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def send(port: int, what: bytes) -> None:
    """Send bytes, and say with what the answer begins."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(what)
        try:
            say("sent", what[:20], "got", connection.recv(200)[:20])
        except OSError as error:
            say("sent", what[:20], "got", type(error).__name__)


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def run(arguments: Sequence[str]) -> None:
    """Run a program to its end."""
    Program(*arguments).end(None)
