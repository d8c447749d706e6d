"""Errors that left the application: who runs that may have been meant to take them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is 3.12's")

SERVER = """
import asyncio
from unlost.observe import watch

class Problem(Exception): pass

async def application(kind):
    try:
        raise kind("no such item")
    except Exception as error:
        watch.owed(error, "the server")
        raise

async def serve(kind):
    try:
        await application(kind)
    except {caught}:
        return 404
"""
PROGRAM = """
import asyncio, json, server
from unlost.observe import watch
collector = watch.Collector()
watching = watch.start(collector)
asyncio.run(server.serve({kind}))
watching.stop()
print(json.dumps([[found.verdict.value, found.by] for found in collector.findings]))
"""


def found(caught: str, kind: str, folder: Path) -> list[list[str]]:
    """Return what is found where an error of a kind leaves the application to a library that catches so."""
    library = folder / "site-packages"
    library.mkdir()
    (library / "server.py").write_text(SERVER.format(caught=caught), encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(library)!r})\n" + PROGRAM.format(kind=kind)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder)
    answer: list[list[str]] = json.loads(done.stdout)
    return answer


def test_a_librarys_own_type_that_it_catches_was_meant_for_it(tmp_path: Path) -> None:
    assert found("Problem", "server.Problem", tmp_path) == []


@pytest.mark.parametrize("caught", ["Exception", "OSError", "(OSError, ValueError)"])
def test_what_a_library_would_have_caught_of_anybody_is_lost(caught: str, tmp_path: Path) -> None:
    assert found(caught, "OSError", tmp_path) == [["lost", "the server"]]
