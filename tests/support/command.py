"""The command line in a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


class CommandLine:
    """``unlost`` as a user has it, with ``folder`` as the current one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": "", "PYTHONUNBUFFERED": "1"}

    def __call__(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "unlost", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "unlost", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def use_uvloop(self) -> None:
        """Let the commands run on uvloop, as where a user's environment makes it everybody's loop."""
        environment = self.folder / "environment"
        environment.mkdir()
        (environment / "sitecustomize.py").write_text(_USE_UVLOOP, encoding="utf-8")
        self.environment["PYTHONPATH"] = str(environment)

    def json(self, *arguments: str) -> Any:
        """Run a command with ``--json`` and return what it prints."""
        return json.loads(self(*arguments, "--json").stdout)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def write_inputs(self, count: int, name: str = "in.jsonl") -> Path:
        """Write inputs ``{"n": 0}``, ``{"n": 1}``, ..."""
        return self.write(name, "".join(json.dumps({"n": n}) + "\n" for n in range(count)))

    def results(self, name: str = "results.jsonl") -> list[dict[str, Any]]:
        """Return the complete lines of a results file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


_USE_UVLOOP = """
import asyncio.events
import uvloop

asyncio.events.new_event_loop = uvloop.new_event_loop
"""

LOGGING_JOB = """
import asyncio, os, random

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def log(word, n):
    os.write(_log, f"{word} {n}\\n".encode())


async def work(item):
    n = item["n"]
    log("start", n)
    await asyncio.sleep(random.uniform(0.001, 0.03))
    log("end", n)
    if n % 10 == 3:
        raise ConnectionError(f"item {n} was refused")
    return n * n
"""
"""A job that says in a log of its own what it did: the truth that a journal is measured by."""


def logged(folder: Path, word: str) -> list[int]:
    """Return the numbers that a job logged under a word, in order."""
    path = folder / "log.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith(f"{word} ")]
