"""A program that closes its standard streams, or puts something else in their place, under ``unlost watch``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import CommandLine

TOLD = "unlost watch: what became of the exceptions"


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.mark.parametrize(
    ("ending", "code"),
    [("", 0), ("sys.exit(3)\n", 3), ("sys.exit('bye')\n", 1), ("1 / 0\n", 1)],
    ids=["at its end", "by a number", "by a word", "by an error"],
)
def test_one_that_closes_its_standard_error_ends_as_it_would_and_all_is_told(
    unlost: CommandLine, ending: str, code: int
) -> None:
    unlost.write("app.py", f"import sys\nsys.stderr.close()\n{ending}")

    done = unlost("watch", "--json", "found.json", "app.py")

    assert done.returncode == code
    assert "counts" in json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert f"\n{TOLD}\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_closes_its_standard_output_ends_as_it_would(unlost: CommandLine) -> None:
    unlost.write("app.py", "import sys\nsys.stdout.close()\n")

    done = unlost("watch", "--json", "found.json", "app.py")

    assert done.returncode == 0
    assert "counts" in json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "stream",
    [
        "type('Closed', (), {'write': lambda self, text: 1 / 0, 'flush': lambda self: None})()",
        "open('log.txt', 'w', encoding='ascii')\nsys.stderr.close()",
        "None",
    ],
    ids=["that raises", "that is closed", "none"],
)
def test_where_its_own_stream_takes_nothing_the_one_that_it_was_given_does(unlost: CommandLine, stream: str) -> None:
    unlost.write("app.py", f"import sys\nsys.stderr = {stream}\n")

    done = unlost("watch", "app.py")

    assert done.returncode == 0
    assert TOLD in done.stderr


def test_where_it_put_a_stream_of_its_own_it_is_told_there(unlost: CommandLine) -> None:
    unlost.write("app.py", "import sys\nsys.stderr = open('log.txt', 'w', encoding='utf-8')\n")

    done = unlost("watch", "app.py")

    assert TOLD not in done.stderr
    assert TOLD in (unlost.folder / "log.txt").read_text(encoding="utf-8")


def test_a_file_that_has_the_number_of_standard_error_now_is_not_written_into(unlost: CommandLine) -> None:
    source = (
        "import os, sys\nsys.stderr.close()\nos.close(2)\nassert os.open('own.txt', os.O_CREAT | os.O_WRONLY) == 2\n"
    )
    unlost.write("app.py", source)

    done = unlost("watch", "app.py")

    assert done.returncode == 0
    assert (unlost.folder / "own.txt").read_bytes() == b""
