"""
What watching costs a service, in instructions of the processor: the same on a busy machine as on a quiet one.

    python benchmarks/observe_instructions.py [--requests 1000]     # needs valgrind

The service of ``observe.py``, on its sockets, runs under valgrind's cachegrind, which counts what it executes outside
of the kernel, for a few requests and for many: the difference is theirs. It says nothing of caches and of memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from observe import HERE, answers, free_port

FEW = 400  # the first errors of a place are dear: byte code is read
REFS = re.compile(r"I\s+refs:\s+([\d,]+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    requests = parser.parse_args().requests
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind was not found. Install it: apt-get install valgrind")
    executed(1, {"WATCHED": "1", "FAILS_EVERY": "1"})  # what is compiled in the first life is in none that counts
    print(f"CPython {platform.python_version()}, instructions a request, {requests} requests")
    for fails_every in (1_000_000_000, 100):
        plain, watched = (each(requests, fails_every, **side) for side in ({}, {"WATCHED": "1"}))
        share = "none fails" if fails_every > requests else f"one in {fails_every} fails"
        print(f"{share:20} without {plain:11,.0f}, watched {watched:11,.0f}: × {watched / plain:.4f}")


def each(requests: int, fails_every: int, **environment: str) -> float:
    environment["FAILS_EVERY"] = str(fails_every)
    return (executed(FEW + requests, environment) - executed(FEW, environment)) / requests


def executed(requests: int, environment: dict[str, str]) -> int:
    """Return the instructions of a server's life, in which it answers so many requests."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        command += [f"--log-file={log}", sys.executable, "-m", "uvicorn", "--no-access-log", "--port", str(port)]
        command += ["--loop", "asyncio", "--http", "h11", "_observe_service:app"]
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env={**os.environ, "PYTHONHASHSEED": "0", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not answers(port):
                if process.poll() is not None:
                    raise SystemExit(f"the server ended with {process.returncode}")
                time.sleep(0.2)
            asyncio.run(ask(port, requests))
        finally:
            process.terminate()
            process.wait()
        found = REFS.search(log.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("valgrind has counted nothing")
    return int(found[1].replace(",", ""))


async def ask(port: int, requests: int) -> None:
    """Ask one after the other; a server closes the connection after an error."""
    writer: asyncio.StreamWriter | None = None
    for _ in range(requests):
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /items/7 HTTP/1.1\r\nHost: here\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if b" 500 " in head.partition(b"\r\n")[0]:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    main()
