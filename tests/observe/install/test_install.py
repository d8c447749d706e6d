from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unlost import install
from unlost.errors import UsageError
from unlost.observe.watch import Finding, Notice

Ran = Callable[..., str]

LOSES = """
import asyncio, logging
from unlost import install

async def boom():
    raise ValueError("it broke")

async def main():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

INSTALL
asyncio.run(main())
"""


def test_what_is_lost_is_logged_once_with_its_counts_at_the_end(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install()"))

    assert told.count("lost: nobody ever took it") == 1
    assert "it broke" in told
    assert "what became of the exceptions: lost 1" in told


def test_a_program_that_loses_nothing_is_told_nothing(ran: Ran) -> None:
    told = ran("import unlost\nunlost.install()\ntry: 1/0\nexcept ZeroDivisionError: pass\n")

    assert told == ""


def test_the_environment_turns_it_off(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "assert install().mode == 'off'"), UNLOST="off")

    assert "unlost" not in told
    assert "what became" not in told


def test_sinks_that_are_named_are_told_in_place_of_the_logger(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install(sinks=['jsonl:found.jsonl'])"))

    assert "nobody ever took it" not in told


def test_a_block_ends_it_and_what_is_held_by_then_is_undelivered(ran: Ran) -> None:
    told = ran(
        LOSES.replace("asyncio.run(main())", "").replace("INSTALL", "")
        + "async def hold():\n    task = asyncio.create_task(boom())\n    await asyncio.wait([task])\n    return task\n"
        "with install() as watching:\n    held = asyncio.run(hold())\n"
        "assert watching.collector.counts[type(watching.collector.findings[0].verdict).UNDELIVERED] == 1\n"
        "watching.uninstall()\n"
    )

    assert "undelivered" in told


def test_a_second_one_shares_the_watching_until_both_have_ended() -> None:
    heard: list[Finding | Notice] = []
    with install(report=lambda found: bool(heard.append(found))) as outer:
        with install() as inner:
            shared = inner.collector is outer.collector
        inner.uninstall()
        with install() as again:
            still = again.collector is outer.collector
    with install() as fresh:
        anew = fresh.collector is not outer.collector

    assert shared
    assert still
    assert anew


def test_a_sink_that_does_not_exist_leaves_nothing_installed() -> None:
    with pytest.raises(Exception, match="no sink 'nowhere'"):
        install(sinks=["nowhere"])

    with install() as watching:
        assert watching.mode != "off"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"sinks": "jsonl:found.jsonl"}, r"Write sinks=\['jsonl:found.jsonl'\]"),
        ({"sinks": []}, "tells nobody"),
        ({"sinks": 3}, "is no list"),
        ({"sinks": ["jsonl:"]}, "names no file"),
        ({"report": 3}, "cannot be called"),
        ({"report": lambda: True}, "cannot be called"),
        ({"patch": "yes"}, "Write patch=True"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_nothing_installed(
    wrong: dict[str, Any],  # Any: what a user might write
    says: str,
) -> None:
    with pytest.raises(UsageError, match=says):
        install(**wrong)

    with install() as installed:
        assert installed.collector.listeners
        assert repr(installed) == f"<unlost.install(): {installed.mode}; nothing found>"


def test_what_is_asked_for_twice_is_told_once(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install(); again = install()"))

    assert told.count("lost: nobody ever took it") == 1
    assert told.count("what became of the exceptions") == 1


def test_the_one_who_stays_is_told_what_comes_after_the_other_has_gone(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install(); install().uninstall()"))

    assert told.count("lost: nobody ever took it") == 1


def test_a_choice_of_its_own_is_told_besides(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install(); install(sinks=['stderr'], report=lambda found: True)"))

    assert told.count("lost: nobody ever took it") == 2


def test_what_of_asyncio_could_not_be_told_anything_is_said_at_the_end(ran: Ran) -> None:
    stand_in = "import asyncio\nasyncio.tasks.wait_for = asyncio.wait_for = 'another'\n"
    told = ran(f"{stand_in}import unlost\nunlost.install(patch=True)\n")

    assert "asyncio.wait_for drops what it always did: asyncio.wait_for is 'another'" in told


def test_a_fault_of_the_watching_is_never_silent(ran: Ran) -> None:
    told = ran("import unlost\nunlost.install().collector.fault(KeyError('x'))\n")

    assert "The watching itself failed 1×: KeyError" in told


def test_what_went_well_is_there_for_who_asks_for_it(ran: Ran) -> None:
    told = ran("import logging, unlost\nlogging.basicConfig(level='INFO')\nunlost.install()\n")

    assert "INFO:unlost:what became of the exceptions: there were none to follow: what is caught" in told


def test_what_is_held_when_sigterm_ends_the_process_is_told_once(tmp_path: Path) -> None:
    program = LOSES.replace(
        "    asyncio.create_task(boom())", "    global held\n    held = asyncio.create_task(boom())"
    )
    program = program.replace("INSTALL", "install()")
    program = program.replace("sleep(0.01)", "sleep(0.01)\n    import os, signal; os.kill(os.getpid(), signal.SIGTERM)")

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.returncode == -15
    assert done.stderr.count("undelivered: it was still held when the program ended") == 1
    assert "ended the process" not in done.stderr


def test_sigterm_is_told_where_libraries_held_errors_that_are_only_counted(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    library = "import asyncio\nasync def fails(): raise OSError('theirs')\nheld = []\n"
    library += "def begin(): held.append(asyncio.create_task(fails()))\n"
    (packages / "library.py").write_text(library, encoding="utf-8")
    program = f"import asyncio, os, signal, sys\nsys.path.insert(0, {str(packages)!r})\nimport library, unlost\n"
    program += "unlost.install()\nasync def main():\n    library.begin()\n    await asyncio.sleep(0.01)\n"
    program += "    os.kill(os.getpid(), signal.SIGTERM)\nasyncio.run(main())\n"

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.returncode == -15
    assert "SIGTERM ended the process while 1 error was held that nobody is told of otherwise" in done.stderr
    assert "theirs" not in done.stderr


def test_a_teller_that_fails_keeps_nobody_from_being_told(ran: Ran) -> None:
    program = LOSES.replace("INSTALL", "install()").replace("asyncio.run(main())", "")
    program += "from unlost.observe.install import join\nleaving = join().leaving\n"
    program += "leaving.insert(0, lambda: [].pop())\nasyncio.run(main())\n"

    told = ran(program)

    assert "unlost: telling what was found raised IndexError: pop from empty list" in told
    assert "what became of the exceptions: lost 1" in told


@pytest.mark.parametrize(
    ("factory", "is_told"), [("logging.LogRecord", True), ("lambda *a, **k: before(*a, **k)", False)]
)
def test_a_factory_of_log_records_that_shuts_it_out_is_told_at_the_end(ran: Ran, factory: str, is_told: bool) -> None:
    program = "import logging\nbefore = None\n" + LOSES.replace("INSTALL", "install()")
    program = program.replace(
        "asyncio.run", f"before = logging.getLogRecordFactory()\nlogging.setLogRecordFactory({factory})\nasyncio.run"
    )

    told = ran(program)

    assert "what became of the exceptions: lost 1" in told
    assert ("what was logged since is not known to be reported" in told) is is_told


LOCKED = """
import asyncio, logging, os, signal, threading, time, unlost
lock = threading.Lock()

class Locked(logging.Handler):
    def emit(self, record):
        with lock:
            os.write(2, self.format(record).encode() + b"\\n")

async def boom():
    raise ValueError("it broke")

async def main():
    global held
    held = asyncio.create_task(boom())
    await asyncio.sleep(0)

logging.basicConfig(handlers=[Locked()])
unlost.install()
asyncio.run(main())
with lock:  # as logging itself has one for a part of each call
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(HOLDS)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
@pytest.mark.parametrize(
    ("holds", "told"),
    [
        ("0.1", "undelivered: it was still held when the program ended"),
        ("60", "SIGTERM ended the process before what became of its exceptions was told: that took more than 2 s"),
    ],
)
def test_sigterm_ends_the_process_whatever_lock_it_came_upon(tmp_path: Path, holds: str, told: str) -> None:
    program = LOCKED.replace("HOLDS", holds)

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=30)

    assert done.returncode == -15
    assert told in done.stderr


FORKS = """
import asyncio, gc, json, multiprocessing, os, sys
import unlost

async def boom(text):
    raise ValueError(text)

async def hold(text):
    held.append(asyncio.create_task(boom(text)))
    await asyncio.sleep(0)

held = []
"""


def told_by_process(folder: Path, program: str) -> list[tuple[str, bool]]:
    """Run a program; return the text of each error that a sink was told of, and whether by a child."""
    done = subprocess.run(
        [sys.executable, "-c", FORKS + program], cwd=folder, capture_output=True, text=True, timeout=60
    )
    lines = [json.loads(line) for line in (folder / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    return sorted((line["error"]["message"], str(line["process"]) != done.stdout.strip()) for line in lines)


def test_what_is_undelivered_at_the_end_reaches_the_sinks(tmp_path: Path) -> None:
    told = told_by_process(
        tmp_path,
        "unlost.install(sinks=['jsonl:told.jsonl'])\nasyncio.run(hold('held'))\nprint(os.getpid())\n",
    )

    assert told == [("held", False)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_leaves_to_its_parent_what_was_there_before(tmp_path: Path) -> None:
    told = told_by_process(
        tmp_path,
        "unlost.install(sinks=['jsonl:told.jsonl'])\nasyncio.run(hold('of the parent'))\n"
        "if os.fork() == 0:\n    asyncio.run(hold('of the child'))\n    held.pop(0)\n    gc.collect()\n    sys.exit()\n"
        "os.wait()\nprint(os.getpid())\n",
    )

    assert told == [("of the child", True), ("of the parent", False)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_an_inherited_error_that_leaves_a_task_of_the_child_is_the_childs_as_well(tmp_path: Path) -> None:
    told = told_by_process(
        tmp_path,
        "unlost.install(sinks=['jsonl:told.jsonl'])\n"
        "error = ValueError('of both')\nasync def again():\n    raise error\nboom = lambda text: again()\n"
        "asyncio.run(hold('of the parent'))\n"
        "if os.fork() == 0:\n    asyncio.run(hold('of the child'))\n    sys.exit()\n"
        "os.wait()\nprint(os.getpid())\n",
    )

    assert told == [("of both", False), ("of both", True)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("imported", ["before", "after"])
def test_a_process_of_multiprocessing_tells_what_is_lost_and_held_in_it(tmp_path: Path, imported: str) -> None:
    install = "unlost.install(sinks=['jsonl:told.jsonl'])\n"
    told = told_by_process(
        tmp_path,
        (f"import multiprocessing.util\n{install}" if imported == "before" else install)
        + "def work():\n    asyncio.run(hold('held'))\n    asyncio.run(hold('lost'))\n"
        "    held.pop()\n    gc.collect()\n"
        "child = multiprocessing.get_context('fork').Process(target=work)\nchild.start()\nchild.join()\n"
        "print(os.getpid())\n",
    )

    assert told == [("held", True), ("lost", True)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_of_multiprocessing_that_installs_it_itself_tells_what_is_held_in_it(tmp_path: Path) -> None:
    told = told_by_process(
        tmp_path,
        "def work():\n    unlost.install(sinks=['jsonl:told.jsonl'])\n    asyncio.run(hold('held'))\n"
        "child = multiprocessing.get_context('fork').Process(target=work)\nchild.start()\nchild.join()\n"
        "print(os.getpid())\n",
    )

    assert told == [("held", True)]


def test_what_ended_the_program_is_reported_though_another_hook_was_put_on_since(tmp_path: Path) -> None:
    program = (
        "import logging, sys, unlost\nlogging.basicConfig(level='INFO')\nunlost.install()\n"
        "sys.excepthook = lambda *_: print('told')\nraise ValueError('it broke')\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.stdout == "told\n"
    assert "what became of the exceptions: reported 1" in done.stderr
