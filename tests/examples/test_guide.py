"""
The guide tells the truth: each of its programs prints exactly what the text beside it says.

After a change to a program: ``python -u 1_fetch.py > 1_fetch.txt 2>&1``, and read what came.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import unlost

GUIDE = Path(__file__).parents[2] / "examples" / "guide"
PROGRAMS = sorted(path.stem for path in GUIDE.glob("*.py"))


@pytest.mark.stock
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_all_of_its_transcript_and_nothing_else(program: str, tmp_path: Path) -> None:
    told = _run(GUIDE / f"{program}.py", tmp_path)

    assert told.stdout == (GUIDE / f"{program}.txt").read_text(encoding="utf-8")
    assert told.returncode == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_shows_plain_asyncio_first_and_then_this_library(program: str) -> None:
    lines = (GUIDE / f"{program}.txt").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not line.startswith((" ", "unlost: "))] == ["plain asyncio", "with unlost"]


def test_there_is_a_program_for_each_of_the_six_things() -> None:
    assert [program[0] for program in PROGRAMS] == list("123456")


def test_the_table_has_one_row_for_each_program_in_order() -> None:
    linked = re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\) \|", _readme(), re.MULTILINE)

    assert linked == PROGRAMS


def test_the_table_names_nothing_that_the_library_does_not_have() -> None:
    names = re.findall(r"\bunlost\.(\w+)", _readme())

    assert [name for name in names if not hasattr(unlost, name)] == []
    assert len(names) >= 10


def _run(program: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it as in a terminal: one stream, in the order of writing."""
    return subprocess.run(
        [sys.executable, "-u", "-X", "utf8", str(program)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )


def _readme() -> str:
    return (GUIDE / "README.md").read_text(encoding="utf-8")
