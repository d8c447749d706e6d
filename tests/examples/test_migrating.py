"""``docs/migrating.md``: what it shows is what the files hold, and each of them does what it says there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import CommandLine
from support.service import running_service

pytestmark = [pytest.mark.stock, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "migrating"
ITEMS = 300


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with running_service() as url:
        yield url


def write_urls(folder: Path, service: str) -> Path:
    path = folder / "urls.txt"
    path.write_text("".join(f"{service}/items/{number}\n" for number in range(1, ITEMS + 1)))
    return path


def run_before(name: str, folder: Path, service: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run a program of the document; return it, and how many lines of results it left."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}_before.py"), str(write_urls(folder, service))],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    results = folder / "results.jsonl"
    return done, len(results.read_text().splitlines()) if results.exists() else 0


def test_the_document_shows_the_files_as_they_are() -> None:
    text = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    shown = {match[1]: match[2] for match in re.finditer(r"```python file=(\S+)\n(.*?)```", text, re.DOTALL)}

    assert shown == {f"examples/migrating/{path.name}": path.read_text() for path in FOLDER.glob("*.py")}


@pytest.mark.parametrize("name", ["gather", "tenacity", "tqdm", "async_batch_llm"])
def test_what_was_before_loses_the_failures_but_their_number(tmp_path: Path, service: str, name: str) -> None:
    done, lines = run_before(name, tmp_path, service)

    assert done.returncode == 0, done.stderr
    assert f"{ITEMS - lines} failed" in done.stdout
    assert lines < ITEMS


def test_aiometer_ends_with_the_first_failure(tmp_path: Path, service: str) -> None:
    done, lines = run_before("aiometer", tmp_path, service)

    assert done.returncode == 1
    assert lines < ITEMS // 2


def test_what_comes_after_accounts_for_every_input(tmp_path: Path, service: str) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", (FOLDER / "jobs.py").read_text())
    write_urls(tmp_path, service)

    done = unlost("run", "jobs:price", "urls.txt", "--out", "results.jsonl")

    books = unlost.json("show", "price-1")["books"]
    assert done.returncode == 1
    assert (books["inputs"], books["in_doubt"], books["pending"], books["balance"]) == (ITEMS, 0, 0, True)
    assert len(unlost.results()) == books["ok"] == ITEMS - books["failed"]
