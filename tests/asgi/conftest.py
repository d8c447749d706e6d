"""Applications that are called as a server calls them, each program in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unlost.asgi._service import end

Ran = Callable[..., str]

DRIVER = '''
import asyncio, contextlib, gc, logging, sys
from unlost.asgi import Middleware


async def call(app, path="/", kind="http", method="GET", **more):
    """Call an application as a server does that logs nothing."""
    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    scope = {"type": kind, "method": method, "path": path, "query_string": b"token=sesame", "headers": []} | more
    try:
        await app(scope, receive, send)
    except Exception:
        pass


async def live(app, serve, sent):
    """Call an application for its lifespan, and ``serve`` meanwhile; the server ignores what it raises."""
    messages = asyncio.Queue()
    await messages.put({"type": "lifespan.startup"})

    async def send(message):
        sent.append(message["type"])
        if message["type"] == "lifespan.startup.complete":
            await serve()
            await messages.put({"type": "lifespan.shutdown"})

    try:
        await app({"type": "lifespan"}, messages.get, send)
    except Exception:
        pass
'''


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """What a test in this process began does not go on under the tests after it."""
    yield
    end()


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """Run a program that has ``call`` and ``live``; return what it printed on standard error."""

    def run(source: str, **environment: str) -> str:
        server = tmp_path / "site-packages"  # none of the application's own code
        server.mkdir()
        (server / "driver.py").write_text(DRIVER, encoding="utf-8")
        (tmp_path / "app.py").write_text(f"from driver import *\n{source}", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(server), **environment},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run
