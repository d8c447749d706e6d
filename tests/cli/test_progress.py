"""Progress on standard error: drawn on a terminal and gone at the end, elsewhere a line now and then, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest

from support.command import CommandLine
from support.terminal import Terminal
from unlost.batch import Progress
from unlost.batch._blocked import Blocked
from unlost.batch.journal._journal import Ended
from unlost.cli import _display
from unlost.cli._display import check_display, display_of
from unlost.cli._facts import facts_of
from unlost.cli._pace import Pace
from unlost.cli._progress import line_of
from unlost.errors import UsageError


def a_run(**counts: Any) -> Any:  # stands for a Run, of which progress alone is looked at
    return SimpleNamespace(progress=Progress(**counts))


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
        shown = terminal.lines()

    frames = drawn.split("\r\x1b[K\r\n")[1:]
    assert [frame.split(" ok")[0] for frame in frames] == [str(number) for number in range(1, 9)]
    assert shown == ["", "8 ok · 0 failed · 0 running  of 10   2.0s   4/s   0.5s left"]


async def test_the_line_is_gone_at_the_end_also_where_that_is_an_error(terminal: Terminal) -> None:
    with pytest.raises(ZeroDivisionError), progress_on(terminal.stream, a_run()):
        await asyncio.sleep(1)
        raise ZeroDivisionError
    await asyncio.sleep(60)
    drawn = terminal.written()

    assert drawn.count("0 running") in (3, 4)
    assert terminal.lines() == []


async def test_a_line_that_the_terminal_would_wrap_is_cut(terminal: Terminal) -> None:
    terminal.resize(30)

    with progress_on(terminal.stream, a_run(ok=123_456, known=1_000_000)):
        await asyncio.sleep(0.3)
        shown = terminal.lines()

    assert shown == ["", "123,456 ok · 0 failed · 0 ru…"]


async def test_a_terminal_that_becomes_narrower_gets_shorter_lines(terminal: Terminal) -> None:
    with progress_on(terminal.stream, a_run(ok=5)):
        await asyncio.sleep(0.3)
        terminal.resize(20)
        await asyncio.sleep(0.3)
        shown = terminal.lines()

    assert shown == ["", "5 ok · 0 failed ·…"]


async def test_a_terminal_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    lost = Terminal()

    with progress_on(lost.stream, a_run()):
        os.close(lost.own)
        await asyncio.sleep(1)

    lost.stream.close()
    os.close(lost.fd)


async def test_a_terminal_that_understands_nothing_gets_plain_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")

    with progress_on(terminal.stream, a_run(known=3), "rich"):
        await asyncio.sleep(10.1)

    assert terminal.written() == "unlost: 0 ok · 0 failed · 0 running  of 3 or more   10s   0.0/min\n"


async def test_elsewhere_there_is_a_plain_line_every_ten_seconds_with_the_rate_of_these() -> None:
    no_terminal = io.StringIO()
    run = a_run(known=5000, scanned=True)

    with progress_on(no_terminal, run):
        for run.progress.ok in range(0, 1000, 100):
            await asyncio.sleep(0.99)
        before = no_terminal.getvalue()
        for run.progress.ok in range(1000, 1020):
            await asyncio.sleep(0.52)

    assert before == ""
    assert no_terminal.getvalue().splitlines() == [
        "unlost: 1,000 ok · 0 failed · 0 running  of 5,000   10s   100/s   40s left",
        "unlost: 1,019 ok · 0 failed · 0 running  of 5,000   20s   2/s   34m55s left",
    ]


async def test_elsewhere_a_pause_is_said_when_it_begins_and_when_it_ends() -> None:
    no_terminal = io.StringIO()
    run = a_run(known=10, scanned=True)

    with progress_on(no_terminal, run):
        await asyncio.sleep(2.5)
        run.progress.pause = "api.example.com answered 429"
        run.progress.pause_until = asyncio.get_running_loop().time() + 120
        await asyncio.sleep(5)
        run.progress.pause = run.progress.pause_until = None
        await asyncio.sleep(2)

    assert no_terminal.getvalue().splitlines() == [
        "unlost: paused: api.example.com answered 429 (next try in 1m58s)",
        "unlost: going on after 5.0s",
    ]


async def test_what_a_job_prints_stands_above_the_line_whole_and_in_order(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(known=10, scanned=True)
    handler = logging.StreamHandler(terminal.stream)  # as basicConfig() in a job's module leaves one
    logger = logging.getLogger("a job")
    logger.addHandler(handler)

    with progress_on(terminal.stream, run), pytest.MonkeyPatch.context() as patch:
        await asyncio.sleep(0.3)
        print("to standard error", file=sys.stderr)
        logger.error("logged\nin two lines")
        print("in two ", end="", file=sys.stderr)
        await asyncio.sleep(0.3)
        print("parts", file=sys.stderr)
        patch.setattr(run.progress, "ok", 3)
        thread = threading.Thread(target=lambda: print("from a thread\nand more", file=sys.stderr))
        thread.start()
        thread.join()
        print("[red]no markup[/red] \x1b[1mbold\x1b[0m", file=sys.stderr)
        shown = terminal.lines()
        print("without an end", end="", file=sys.stderr)
        stream = sys.stderr
    print("\nafter it", file=stream)

    above = [
        "to standard error", "logged", "in two lines", "in two parts", "from a thread", "and more",
        "[red]no markup[/red] bold",
    ]  # fmt: skip
    assert shown == [*above, "", "0 ok · 0 failed · 0 running  of 10   0.5s   0.0/min"]
    assert terminal.lines() == [*above, "without an end", "after it"]
    assert handler.stream is terminal.stream
    logger.removeHandler(handler)


async def test_standard_output_is_let_alone_where_it_is_not_the_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_a_file = io.StringIO()

    with contextlib.redirect_stdout(to_a_file), progress_on(terminal.stream, a_run()):
        print("a result")
        await asyncio.sleep(0.3)

    assert to_a_file.getvalue() == "a result\n"


async def test_standard_output_on_the_same_terminal_stands_above_as_well(terminal: Terminal) -> None:
    with os.fdopen(os.dup(terminal.fd), "w", encoding="utf-8") as stdout, contextlib.redirect_stdout(stdout):
        with progress_on(terminal.stream, a_run()):
            await asyncio.sleep(0.3)
            print("a result")
            shown = terminal.lines()

        assert sys.stdout is stdout
    assert shown[0] == "a result"
    assert "running" in shown[2]


async def test_what_is_printed_past_it_is_not_lost(terminal: Terminal) -> None:
    with progress_on(terminal.stream, a_run()):
        await asyncio.sleep(0.3)
        os.write(terminal.fd, b"by a program in C\n")
        await asyncio.sleep(0.3)
        shown = terminal.lines()

    assert shown == ["by a program in C", "", "0 ok · 0 failed · 0 running  of 0 or more   0.5s   0.0/min"]
    assert terminal.lines() == ["by a program in C"]


@pytest.mark.stock
async def test_a_fork_prints_as_if_there_were_no_display(terminal: Terminal) -> None:
    with progress_on(terminal.stream, a_run(ok=5)):
        await asyncio.sleep(0.3)
        terminal.written()
        child = os.fork()
        if not child:
            print("from a fork", file=sys.stderr, flush=True)
            os._exit(0)
        os.waitpid(child, 0)  # noqa: ASYNC222  # it ends at once
        written = terminal.written()

    assert "from a fork\n" in written.partition("\r")[0]


async def test_quiet_is_quiet(terminal: Terminal) -> None:
    with progress_on(terminal.stream, a_run(), "none"):
        await asyncio.sleep(100)

    assert terminal.written() == ""


async def test_without_standard_error_there_is_no_progress() -> None:
    with progress_on(None, a_run()):
        await asyncio.sleep(100)


def a_failure(fingerprint: str, message: str) -> Ended:
    error = f'''{{"type": {{"module": "builtins", "qualname": "ValueError"}}, "message": "{message}", "frames": [],
        "kind": "defect", "notes": []}}'''
    return Ended(1, "k", 1, False, 1, 5, kind="defect", fingerprint=fingerprint, error=error)


@pytest.mark.parametrize(
    ("counts", "seconds", "line"),
    [
        ({}, 0.0, "0 ok · 0 failed · 0 running  of 0 or more   0.0s   0.0/min"),
        (
            {"ok": 12_000, "failed": 345, "running": 100, "known": 20_000, "scanned": True, "done_before": 45},
            100.0,
            "12,000 ok · 345 failed · 100 running  of 20,000   1m40s   123/s   1m02s left",
        ),
        (
            {"running": 100, "waiting": 97},
            0.0,
            "0 ok · 0 failed · 3 running · 97 waiting  of 0 or more   0.0s   0.0/min",
        ),
        ({"retries": 1234}, 1.0, "0 ok · 0 failed · 0 running  of 0 or more   1.0s   0.0/min   1,234 retries"),
        ({"retries": 1}, 1.0, "0 ok · 0 failed · 0 running  of 0 or more   1.0s   0.0/min   1 retry"),
        (
            {"nano_usd": 1_234_567_891_234},
            1.0,
            "0 ok · 0 failed · 0 running  of 0 or more   1.0s   0.0/min   $1,234.5678",
        ),
        (
            {"ok": 5, "known": 9, "scanned": True, "pause": "HTTP 429\n", "pause_until": 31.0},
            1.0,
            "5 ok · 0 failed · 0 running  of 9   1.0s   paused: HTTP 429\\n (next try in 30s)   5/s",
        ),
        (
            {"pause": "the network"},
            1.0,
            "0 ok · 0 failed · 0 running  of 0 or more   1.0s   paused: the network   0.0/min",
        ),
        (
            {"pause": "over soon", "pause_until": 0.5},
            1.0,
            "0 ok · 0 failed · 0 running  of 0 or more   1.0s   paused: over soon   0.0/min",
        ),
        (
            {"blocked": Blocked(4.2)},
            100.0,
            "0 ok · 0 failed · 0 running  of 0 or more   1m40s   0.0/min   event loop blocked 4.2s",
        ),
        ({"blocked": Blocked(0.3)}, 100.0, "0 ok · 0 failed · 0 running  of 0 or more   1m40s   0.0/min"),
    ],
)
def test_a_line_says_where_the_run_stands(counts: dict[str, Any], seconds: float, line: str) -> None:
    progress = Progress(**counts)
    pace = Pace(0.0, progress.done_before)
    if seconds > 50:  # that all of it ended in the last ten seconds would be another rate
        for second in range(1, int(seconds)):
            pace.note(second, progress.done_before + int((progress.done - progress.done_before) * second / seconds))
    pace.note(seconds, progress.done)

    assert line_of(facts_of(progress, pace, seconds, 0.0)) == line


def test_the_most_frequent_error_is_in_the_line() -> None:
    progress = Progress()
    for fingerprint in ("one", "two", "two"):
        progress.count(a_failure(fingerprint, f"bug {fingerprint}"))

    line = line_of(facts_of(progress, Pace(0.0, 0), 1.0, 0.0))

    assert line.endswith("   most: 2× ValueError bug two")


JOB = "import asyncio\nasync def work(item):\n    await asyncio.sleep(0.25)\n    return item\n"


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.environment |= {"TERM": "xterm"}
    command.write("jobs.py", JOB)
    command.write_inputs(5)
    return command


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
    shown = terminal.lines()
    terminal.close()
    assert "of 5" in written
    assert [line.split("   ")[0] for line in shown] == [
        " 5 ok · 0 failed · 0 in doubt",
        " journal .unlost/work-1.db",
        " exit 0",
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
