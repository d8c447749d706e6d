"""Programs that are watched, each in a process of its own: hooks and monitoring belong to a whole process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_BEFORE = """
import asyncio, gc, json, logging, os, sys, threading, time, warnings
logging.getLogger("asyncio").addHandler(logging.NullHandler())
logging.getLogger("asyncio").propagate = False
warnings.simplefilter("ignore")
KIND, MODE = sys.argv[1:3]
if KIND == "uvloop":
    import uvloop
if MODE == "boundary" and sys.version_info >= (3, 12):
    for tool in range(6):
        try: sys.monitoring.use_tool_id(tool, "somebody")
        except ValueError: pass
from unlost.observe.watch import start
from unlost.observe.tasks import hang_report, watch_tasks, Stalled
class Boom(Exception): pass
async def fail(text="it failed"):
    await asyncio.sleep(0)
    raise Boom(text)
def run(main):
    if KIND == "uvloop": return uvloop.run(main)
    if KIND == "eager":
        async def eagerly():
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            return await main
        return asyncio.run(eagerly())
    return asyncio.run(main)
def tell(**more):
    around.stop()
    watch.stop()
    found = watch.collector
    print(json.dumps({
        "mode": watch.mode,
        "findings": [
            {"verdict": f.verdict.value, "type": f.type.qualname, "text": f.text, "by": f.by,
             "spawned": [s.function for s in f.origin.spawned] if f.origin else []}
            for f in found.findings if not f.site or f.site.app],
        "notices": [{"kind": n.kind, "text": n.text, "line": n.site.line if n.site else 0,
                     "function": n.site.function if n.site else ""} for n in found.notices],
        "counts": {verdict.value: count for verdict, count in found.counts.items()},
        "faults": dict(found.faults), "more": more}))
"""
_START = """
watch = start()
around = watch_tasks(watch, died_after=0.2)
"""


@dataclass
class Told:
    """What a program has told of itself at its end."""

    code: int
    out: str
    err: str
    mode: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        return sorted((one["verdict"], one["text"]) for one in self.findings)

    @property
    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.notices]


Run = Callable[..., Told]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs a program, with a loop of some kind, and returns what it told."""

    def run(program: str, kind: str = "asyncio", mode: str = "best", start: str = _START) -> Told:
        file = tmp_path / "program.py"
        file.write_text(_BEFORE + start + program, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(file), kind, mode], capture_output=True, text=True, timeout=100, check=False
        )
        last = done.stdout.strip().rpartition("\n")[2]
        told = json.loads(last) if last.startswith("{") else {}
        return Told(done.returncode, done.stdout, done.stderr, **told)

    return run


KINDS = ["asyncio", "uvloop", *(["eager"] if sys.version_info >= (3, 12) else [])]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of loop."""
    return str(request.param)


@pytest.fixture(params=["best", "boundary"])
def mode(request: pytest.FixtureRequest) -> str:
    """Whether the interpreter may tell who takes an exception."""
    return str(request.param)
