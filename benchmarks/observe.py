"""
What watching costs: a service under load, tasks, exceptions; each with and without.

    python benchmarks/observe.py [http] [tasks] [errors] [--starts 6] [--rounds 4]

``http``: uvicorn with Starlette, a handler that awaits, every hundredth request fails and is logged (to a file that
keeps nothing). Two servers, one watched, are loaded in turns from another process; the one that is not asked sleeps.
Two that are alike differ by some percent for as long as they live, so they are started anew after a few rounds. Ratios
of medians, of requests a second and of the server's processor time for one request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CONNECTIONS = 16
SECONDS = 2.0
WARMING = (
    2  # rounds that do not count: a hundred errors of a place are told one by one, those that follow by their number
)
PARTS = ("http", "tasks", "errors")


class Round(NamedTuple):
    """Requests a second, and microseconds of the server's processor for one."""

    rate: float
    cost: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--starts", type=int, default=6, help="how often both servers are started")
    parser.add_argument("--rounds", type=int, default=4, help="after each start")
    parser.add_argument("--alike", action="store_true", help="watch neither: how far two that are alike differ")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part == "http":
            http(arguments.starts, arguments.rounds, alike=arguments.alike)
        else:
            subprocess.run([sys.executable, str(HERE / f"_observe_{part}.py")], check=True)


def http(starts: int, rounds: int, *, alike: bool) -> None:
    pairs = []
    for _ in range(starts):
        with server() as plain, server(**({} if alike else {"WATCHED": "1"})) as watched:
            pairs += [(loaded(*plain), loaded(*watched)) for _ in range(rounds + WARMING)][WARMING:]
    times = f"{starts} starts, {rounds} rounds of {SECONDS:g} s after each"
    print(f"CPython {platform.python_version()}, {times}, {CONNECTIONS} connections")
    for name, unit, at in (("requests", "/s", 0), ("processor time", "µs a request", 1)):
        without, with_watch = (statistics.median(pair[side][at] for pair in pairs) for side in (0, 1))
        ratios = sorted(pair[1][at] / pair[0][at] for pair in pairs)
        spread = f"{ratios[len(ratios) // 4]:.3f} to {ratios[-1 - len(ratios) // 4]:.3f}"
        print(
            f"{name:15} without {without:9,.1f} {unit}, watched {with_watch:9,.1f}: × {with_watch / without:.3f} "
            f"(pairs: {statistics.median(ratios):.3f}, half of them {spread})"
        )


@contextlib.contextmanager
def server(**environment: str) -> Iterator[tuple[int, int]]:
    """Yield the port and the process number of a server, when it answers."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--no-access-log", "--port", str(port), "_observe_service:app"]
    command += ["--loop", "asyncio", "--http", "h11"]
    process = subprocess.Popen(
        command, cwd=HERE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit(f"the server ended with {process.returncode}")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def loaded(port: int, pid: int) -> Round:
    """Load a server for a while."""
    used, began = used_by(pid), time.perf_counter()
    requests = asyncio.run(load(port))
    elapsed = time.perf_counter() - began
    return Round(requests / elapsed, (used_by(pid) - used) / requests * 1e6)


def used_by(pid: int) -> float:
    """Return the seconds of processor time of a process, of all its threads (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int) -> int:
    end = time.perf_counter() + SECONDS
    return sum(await asyncio.gather(*(one_after_the_other(port, end) for _ in range(CONNECTIONS))))


async def one_after_the_other(port: int, end: float) -> int:
    """Ask for as long as there is time; a server closes the connection after an error."""
    asked = 0
    while time.perf_counter() < end:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while time.perf_counter() < end:
                writer.write(b"GET /items/7 HTTP/1.1\r\nHost: here\r\n\r\n")
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                asked += 1
                if b"connection: close" in head:
                    break
        writer.close()
    return asked


if __name__ == "__main__":
    main()
