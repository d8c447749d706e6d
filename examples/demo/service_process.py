"""The demo service in a process of its own, which ends with whoever started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVICE = Path(__file__).with_name("service.py")


@contextmanager
def running_service(log: Path | None = None) -> Iterator[str]:
    """
    Serve while the block runs.

    A Ctrl-C in the terminal does not reach the service: what is being fetched can still be answered. If this process
    is killed, the service notices that its standard input ended and stops too.

    Args:
        log: Where the service appends a line for each request; None for no log.

    Yields:
        The base URL, like ``http://127.0.0.1:40123``.

    Raises:
        RuntimeError: The service did not start; what it had to say is on standard error.
    """
    with service_process(*(["--log", str(log)] if log else [])) as process:
        yield base_url(process)


@contextmanager
def service_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the service with these command-line arguments; when the block ends, stop it, by force if need be."""
    process = subprocess.Popen(
        [sys.executable, SERVICE, "--until-stdin-ends", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:  # closes the pipes and waits
        try:
            yield process
        finally:
            _stop(process)


def base_url(process: subprocess.Popen[str]) -> str:
    """Wait until the service says which port it serves on."""
    assert process.stdout is not None  # start_service asked for a pipe
    port = process.stdout.readline().strip()
    if not port:
        raise RuntimeError(f"the demo service ended with status {process.wait()} before it named its port")
    return f"http://127.0.0.1:{port}"


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
