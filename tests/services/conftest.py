"""Services in processes of their own, over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PATIENCE = 30.0  # seconds
UVICORN = ("-m", "uvicorn", "--no-access-log", "--port", "{port}")
HYPERCORN = ("-m", "hypercorn", "--bind", "127.0.0.1:{port}")
GUNICORN = ("-m", "gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--graceful-timeout", "5", "-b", "127.0.0.1:{port}")


class Service:
    """A server process that listens on a port, and what it printed once it has ended."""

    def __init__(self, command: list[str], port: int, log: Path, environment: dict[str, str]) -> None:
        self.port = port
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                cwd=TESTS,
                env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1", **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """How it ended."""
        return self._process.returncode

    def wait_until_up(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.02)
        raise AssertionError(f"it did not come up:\n{self.text()}")

    def get(self, path: str) -> str:
        """Return the body; empty where the server ends the connection in the middle."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read().decode()
        except http.client.HTTPException:
            return ""
        finally:
            connection.close()

    def leave_in_the_middle(self, path: str) -> None:
        with self.streaming(path):
            pass

    @contextlib.contextmanager
    def answered(self, path: str) -> Iterator[Callable[[], str]]:
        """Ask, and wait until the answer has begun; yield what waits for the body's end, and returns it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        try:
            yield lambda: answer.read().decode()
        finally:
            connection.close()

    @contextlib.contextmanager
    def streaming(self, path: str) -> Iterator[None]:
        """Be a client that reads no further than the beginning of the answer, and stays."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            client.recv(100)
            yield

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this so often."""
        end = time.monotonic() + PATIENCE
        while self.text().count(text) < times:
            assert time.monotonic() < end, f"{text!r} was never printed:\n{self.text()}"
            time.sleep(0.02)

    def change_until(self, file: Path, text: str) -> None:
        """Let a file become younger until this is printed: it may not have been looked at before."""
        end, changed = time.monotonic() + PATIENCE, file.stat().st_mtime
        for later in count(1):
            if text in self.text():
                return
            assert time.monotonic() < end, f"{text!r} was never printed:\n{self.text()}"
            os.utime(file, (changed + later, changed + later))
            time.sleep(0.02)

    def stop(self) -> str:
        """End it by SIGTERM, as those do who run services; return all that it printed."""
        self.send(signal.SIGTERM)
        return self.ended()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, which may have others."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def ended(self) -> str:
        """Wait until it ends by itself; return all that it printed."""
        self._process.wait(PATIENCE)
        return self.text()

    def text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


Serve = Callable[..., Service]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start ``python *command``, with ``{port}`` in it, and wait until it listens unless told not to."""
    services: list[Service] = []

    def start(*command: str, up: bool = True, **environment: str) -> Service:
        port = _free_port()
        words = [sys.executable, *(word.replace("{port}", str(port)) for word in command)]
        service = Service(words, port, tmp_path / f"service-{len(services)}.log", environment)
        services.append(service)
        if up:
            service.wait_until_up()
        return service

    yield start
    for service in services:
        service.kill()


@pytest.fixture
def on_uvicorn(serve: Serve) -> Serve:
    """Serve ``services.apps.APP`` by uvicorn."""

    def start(app: str, *options: str, up: bool = True, **environment: str) -> Service:
        return serve(*UVICORN, *options, f"services.apps.{app}:app", up=up, **environment)

    return start


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
