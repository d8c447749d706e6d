"""Progress on standard error: drawn on a terminal and gone at the end, elsewhere a line now and then, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest

from support.command import CommandLine
from unlost.batch import Progress
from unlost.cli import _display
from unlost.cli._display import check_display, display_of
from unlost.cli._progress import ERASE, line_of
from unlost.errors import UsageError

_CONTROL = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def a_run(**counts: Any) -> Any:  # stands for a Run, of which progress alone is looked at
    return SimpleNamespace(progress=Progress(**counts))


class Terminal:
    """The other end of a pseudo-terminal; ``stream`` is what a program has as its standard error."""

    def __init__(self, columns: int = 100) -> None:
        self._own, self.fd = os.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.set_blocking(self._own, False)
        self.stream = os.fdopen(os.dup(self.fd), "w", encoding="utf-8")

    def written(self) -> str:
        """Return what was written since the last call."""
        parts = []
        try:
            while part := os.read(self._own, 65_536):
                parts.append(part)
        except (BlockingIOError, OSError):  # nothing more; nobody holds the other end any more
            pass
        return b"".join(parts).decode().replace("\r\n", "\n")  # the terminal itself adds the CR

    def close(self) -> None:
        self.stream.close()
        os.close(self.fd)
        os.close(self._own)


def screen(written: str) -> list[str]:
    """Return the lines that stand on a terminal after all that."""
    lines, row, column = [""], 0, 0
    for match in _CONTROL.finditer(written):
        text, final = match[0], match[2]
        if text == "\r":
            column = 0
        elif text == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif final == "K":
            lines[row] = "" if match[1] == "2" else lines[row][:column]
        elif final == "A":
            row -= int(match[1] or 1)
        elif final is None:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return lines


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    yield terminal
    terminal.close()


@contextlib.contextmanager
def progress_on(stream: TextIO | None, run: Any, display: str = "plain") -> Iterator[None]:
    """Show progress with ``stream`` as standard error (not by a fixture: pytest itself sets it before each test)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with display_of(run, display):
            yield


async def test_on_a_terminal_one_line_is_drawn_four_times_a_second(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True)

    with progress_on(terminal.stream, run):
        for run.progress.ok in range(1, 9):
            await asyncio.sleep(0.2501)
        drawn = terminal.written()

    frames = drawn.split(ERASE)[1:]
    assert [frame.split(" ok")[0] for frame in frames] == [str(number) for number in range(1, 9)]
    assert "\n" not in drawn
    assert screen(drawn) == ["8 ok · 0 failed · 0 running  of 10   2.0s   4/s"]


async def test_the_line_is_gone_at_the_end_also_where_that_is_an_error(terminal: Terminal) -> None:
    with pytest.raises(ZeroDivisionError), progress_on(terminal.stream, a_run()):
        await asyncio.sleep(1)
        raise ZeroDivisionError
    await asyncio.sleep(60)
    drawn = terminal.written()

    assert drawn.count("0 running") in (3, 4)
    assert screen(drawn) == [""]


async def test_a_line_that_the_terminal_would_wrap_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    narrow = Terminal(columns=30)

    with progress_on(narrow.stream, a_run(ok=123_456, known=1_000_000)):
        await asyncio.sleep(0.3)
        drawn = narrow.written()
    narrow.close()

    assert screen(drawn) == ["123,456 ok · 0 failed · 0 runn"[:29]]


async def test_a_terminal_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    lost = Terminal()

    with progress_on(lost.stream, a_run()):
        os.close(lost._own)
        await asyncio.sleep(1)

    lost.stream.close()
    os.close(lost.fd)


async def test_a_terminal_that_understands_nothing_gets_plain_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")

    with progress_on(terminal.stream, a_run(known=3)):
        await asyncio.sleep(10.1)

    assert terminal.written() == "unlost: 0 ok · 0 failed · 0 running  of 3 or more   10s   0.0/min\n"


async def test_elsewhere_there_is_a_plain_line_every_ten_seconds() -> None:
    no_terminal = io.StringIO()
    run = a_run(known=5000, scanned=True)

    with progress_on(no_terminal, run):
        await asyncio.sleep(9.9)
        before = no_terminal.getvalue()
        run.progress.ok = 1200
        await asyncio.sleep(10.2)

    assert before == ""
    assert no_terminal.getvalue().splitlines() == [
        "unlost: 1,200 ok · 0 failed · 0 running  of 5,000   10s   120/s",
        "unlost: 1,200 ok · 0 failed · 0 running  of 5,000   20s   60/s",
    ]


async def test_quiet_is_quiet(terminal: Terminal) -> None:
    with progress_on(terminal.stream, a_run(), "none"):
        await asyncio.sleep(100)

    assert terminal.written() == ""


async def test_without_standard_error_there_is_no_progress() -> None:
    with progress_on(None, a_run()):
        await asyncio.sleep(100)


@pytest.mark.parametrize(
    ("counts", "seconds", "line"),
    [
        ({}, 0.0, "0 ok · 0 failed · 0 running  of 0 or more   0.0s   0.0/min"),
        (
            {"ok": 12_000, "failed": 345, "running": 100, "known": 20_000, "scanned": True, "done_before": 45},
            100.0,
            "12,000 ok · 345 failed · 100 running  of 20,000   1m40s   123/s",
        ),
        ({"retries": 1234}, 1.0, "0 ok · 0 failed · 0 running  of 0 or more   1.0s   0.0/min   1,234 retries"),
        ({"retries": 1}, 1.0, "0 ok · 0 failed · 0 running  of 0 or more   1.0s   0.0/min   1 retry"),
    ],
)
def test_a_line_says_where_the_run_stands(counts: dict[str, Any], seconds: float, line: str) -> None:
    assert line_of(a_run(**counts), seconds) == line


JOB = "import asyncio\nasync def work(item):\n    await asyncio.sleep(0.25)\n    return item\n"


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.environment |= {"TERM": "xterm"}
    command.write("jobs.py", JOB)
    command.write_inputs(5)
    return command


async def test_rich_draws_a_bar_and_leaves_nothing(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True)

    with progress_on(terminal.stream, run, "auto"):
        for run.progress.ok in range(1, 6):
            await asyncio.sleep(0.2501)
        drawn = terminal.written()

    assert "50%" in drawn
    assert "5 ok · 0 failed" in drawn
    assert screen(drawn + terminal.written())[-1].strip() == ""


def test_rich_where_it_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_display, "_has_rich", lambda: False)

    with pytest.raises(UsageError, match=r"pip install 'unlost\[rich\]'"):
        check_display("rich")


@pytest.mark.stock
@pytest.mark.parametrize("display", ["plain", "rich"])
def test_the_summary_stands_alone_on_the_terminal(unlost: CommandLine, display: str) -> None:
    terminal = Terminal(140)

    subprocess.run(
        [sys.executable, "-m", "unlost", "run", "jobs:work", "in.jsonl", "-j", "1", "--display", display],
        cwd=unlost.folder,
        env=unlost.environment,
        stdout=terminal.fd,
        stderr=terminal.fd,
        timeout=60,
    )

    written = terminal.written()
    terminal.close()
    assert "of 5" in written
    assert [line.split("   ")[0] for line in screen(written)] == [
        " 5 ok · 0 failed · 0 in doubt",
        " journal .unlost/work-1.db",
        " exit 0",
        "",
    ]


@pytest.mark.stock
@pytest.mark.parametrize("where", ["a terminal", "a pipe"])
def test_quiet_prints_nothing_on_standard_error(unlost: CommandLine, where: str) -> None:
    terminal = Terminal()
    stderr = terminal.fd if where == "a terminal" else subprocess.PIPE
    command = [sys.executable, "-m", "unlost", "run", "jobs:work", "in.jsonl", "-j", "2", "--quiet"]

    done = subprocess.run(
        command, cwd=unlost.folder, env=unlost.environment, stdout=subprocess.PIPE, stderr=stderr, timeout=60
    )

    written = terminal.written()
    terminal.close()
    assert (done.returncode, done.stderr or b"", written) == (0, b"", "")
