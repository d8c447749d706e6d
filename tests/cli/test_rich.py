"""The display of the extra ``rich``, as a terminal emulator shows it."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.command import CommandLine
from support.terminal import Terminal
from unlost.batch import Progress
from unlost.batch._blocked import Blocked
from unlost.batch.journal._journal import Ended
from unlost.cli._display import display_of

ERROR = """{"type": {"module": "builtins", "qualname": "ValueError"}, "message": "no [bold]price[/bold]",
    "frames": [{"file": "/x/jobs.py", "module": "jobs", "function": "work", "line": 7, "app": true}],
    "kind": "permanent", "notes": []}"""


def a_run(**counts: Any) -> Any:  # stands for a Run, of which progress alone is looked at
    return SimpleNamespace(progress=Progress(**counts))


def a_failure() -> Ended:
    return Ended(1, "k", 1, False, 1, 5, kind="permanent", fingerprint="f00d", error=ERROR)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    yield terminal
    terminal.close()


@contextmanager
def rich_on(terminal: Terminal, run: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal.stream)
        with display_of(run, "auto"):
            yield


async def test_it_draws_a_bar_and_leaves_nothing(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True, running=2)

    with rich_on(terminal, run):
        for run.progress.ok in range(1, 6):
            await asyncio.sleep(0.2501)
        shown = terminal.lines()

    assert shown[0] == ""
    assert re.fullmatch("50% of 10   1.2s left ━{19,20}.?━+", shown[1])
    assert shown[2:] == ["5 ok · 0 failed · 2 running   1.2s   4/s"]
    assert terminal.lines() == []


async def test_all_that_there_is_to_say(terminal: Terminal) -> None:
    run = a_run(known=100, scanned=True, ok=3, retries=7, nano_usd=1_500_000_000)
    run.progress.pause = "api.example.com answered 429"
    run.progress.blocked = Blocked(1.5, (("jobs.py:12 in parse", 1.4),))
    for _ in range(12):
        run.progress.count(a_failure())

    with rich_on(terminal, run):
        run.progress.pause_until = asyncio.get_running_loop().time() + 60
        await asyncio.sleep(0.26)
        shown = terminal.lines()

    assert shown[1].startswith("15% of 100 ━")
    assert shown[2:] == [
        "3 ok · 12 failed · 0 running   0.2s   0.0/min   7 retries   $1.50",
        "paused: api.example.com answered 429 (next try in 1m00s)",
        "event loop blocked 1.5s, longest at jobs.py:12 in parse",
        "12× ValueError no [bold]price[/bold]   jobs.py:7 in work",
    ]


async def test_forty_columns_are_enough_for_what_matters(terminal: Terminal) -> None:
    terminal.resize(40)
    run = a_run(known=20_000, scanned=True, ok=12_000, failed=345, running=100, retries=1234)
    run.progress.pause, run.progress.pause_until = "api.example.com answered 429 to 812 calls", 1e9

    with rich_on(terminal, run):
        run.progress.pause_until = asyncio.get_running_loop().time() + 90
        await asyncio.sleep(0.26)
        shown = terminal.lines()

    assert shown[1].startswith("62% of 20,000 ━")
    assert max(map(len, shown)) <= 39
    assert shown[2:] == [
        "12,000 ok · 345 failed · 100 running",
        "0.2s   0.0/min   1,234 retries",
        "paused: api.exampl… (next try in 1m30s)",
    ]


async def test_it_follows_the_size_of_the_window(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True, ok=5)

    with rich_on(terminal, run):
        for columns in (100, 12, 50, 200, 30):
            terminal.resize(columns)
            await asyncio.sleep(0.26)
            shown = terminal.lines()
            assert max(map(len, shown)) < columns, shown
            assert len([line for line in shown if "5" in line and "ok" in line]) == 1

    assert terminal.lines() == []


async def test_a_window_of_few_lines_shows_the_first_ones(terminal: Terminal) -> None:
    terminal.resize(80, 4)
    run = a_run(known=10, scanned=True, ok=5)
    for _ in range(12):
        run.progress.count(a_failure())

    with rich_on(terminal, run):
        await asyncio.sleep(1)
        shown = terminal.lines()

    assert len(shown) == 3
    assert "ok" in shown[2]


async def test_what_a_job_prints_stands_above_and_nothing_is_torn_at_the_end_of_the_window(terminal: Terminal) -> None:
    run = a_run(known=100, scanned=True)

    with rich_on(terminal, run):
        for number in range(60):
            run.progress.ok += 1
            print(f"line {number}", file=sys.stderr)
            await asyncio.sleep(0.1)
            terminal.written()  # or the pseudo-terminal is full: time passes too fast for anybody else to read it
        shown = terminal.lines()

    assert shown[:60] == [f"line {number}" for number in range(60)]
    assert shown[60] == ""
    assert len(shown) == 63
    assert terminal.lines() == shown[:60]


async def test_without_colours_where_that_is_asked_for(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = a_run(known=10, scanned=True, ok=5, pause="a rest")
    run.progress.count(a_failure())

    with rich_on(terminal, run):
        await asyncio.sleep(1)
        written = terminal.written()

    assert not re.search(r"\x1b\[[\d;]*m", written)
    assert re.search("60% of 10 ━{24}\x1b", written)


async def test_with_colours_else(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True, ok=5, pause="a rest")

    with rich_on(terminal, run):
        await asyncio.sleep(0.3)
        written = terminal.written()

    assert "\x1b[33mpaused: a rest\x1b[0m" in written


async def test_nothing_flickers(terminal: Terminal) -> None:
    run = a_run(known=10, scanned=True, ok=5)

    with rich_on(terminal, run):
        await asyncio.sleep(0.3)
        terminal.written()
        await asyncio.sleep(0.25)
        second = terminal.written()

    # what is drawn again is written over: erased is only the rest of a line, and at the very end what is below
    assert second.rstrip("\r").endswith("\x1b[J\x1b[2A")
    assert second.count("\x1b[J") == 1
    assert "\x1b[2K" not in second


async def test_the_cursor_is_never_hidden(terminal: Terminal) -> None:
    with rich_on(terminal, a_run(known=10)):
        await asyncio.sleep(1)
        written = terminal.written()

    assert "\x1b[?" not in written


JOB = """
import asyncio, logging, sys

logging.basicConfig(format="%(message)s")  # holds the standard error of before the run


async def work(item):
    n = item["n"]
    print(f"out {n}")
    print(f"err {n}", file=sys.stderr)
    logging.warning(f"log {n}")
    await asyncio.sleep(0.3)
    if n % 3 == 0:
        raise ValueError(f"price of {n}")
    return n


async def endless(item):
    await asyncio.sleep(1000)
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.environment |= {"TERM": "xterm-256color"}
    command.write("jobs.py", JOB)
    command.write_inputs(9)
    return command


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "unlost", *arguments]


@pytest.mark.stock
def test_a_real_run_leaves_what_its_job_printed_and_the_summary(unlost: CommandLine) -> None:
    terminal = Terminal(100)

    process = terminal.start(_command("run", "jobs:work", "in.jsonl", "-j", "1"), unlost.folder, unlost.environment)
    drawn = terminal.until(lambda lines: any("×" in line for line in lines))
    code = terminal.wait(process)
    shown = terminal.lines()
    terminal.close()

    assert code == 1
    assert any("━" in line for line in drawn)
    assert shown[:27] == [f"{word} {n}" for n in range(9) for word in ("out", "err", "log")]
    assert shown[27].startswith(" 6 ok · 3 failed · 0 in doubt")
    assert not [line for line in shown if "━" in line or "running" in line]


@pytest.mark.stock
@pytest.mark.parametrize(("times", "code"), [(2, 4), (3, -signal.SIGINT)])
def test_ctrl_c_leaves_the_cursor_visible_even_where_it_kills(unlost: CommandLine, times: int, code: int) -> None:
    terminal = Terminal(100)
    unlost.write(
        "stubborn.py",
        "import asyncio\nasync def work(item):\n    while True:\n        try:\n            await asyncio.sleep(60)\n"
        "        except asyncio.CancelledError:\n            if item['n']:\n                raise\n",
    )
    target = "stubborn:work" if times == 3 else "jobs:endless"

    process = terminal.start(_command("run", target, "in.jsonl"), unlost.folder, unlost.environment)
    terminal.until(lambda lines: any("9 running" in line for line in lines))
    for time in range(times):
        terminal.type("\x03")
        if time < 2:
            word = ("starting nothing more", "cancelling what runs")[time]
            terminal.until(lambda lines, word=word: any(word in line for line in lines))  # type: ignore[misc]
    ended = terminal.wait(process)
    hidden, shown = terminal.cursor_is_hidden, terminal.lines()
    terminal.close()

    assert ended == code
    assert not hidden
    if times == 2:
        assert not [line for line in shown if "━" in line]
        assert shown[-1].strip().endswith("exit 4")
