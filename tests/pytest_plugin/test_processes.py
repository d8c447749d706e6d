"""What processes lose that tests start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

METHODS = ["spawn", *(["fork", "forkserver"] if hasattr(os, "fork") else [])]
LOSES = """
import asyncio, gc, multiprocessing, os, signal, subprocess, sys, time, warnings
from concurrent.futures import ProcessPoolExecutor

held = []

async def boom():
    raise ValueError("it broke")

async def lose():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

async def hold():
    held.append(asyncio.create_task(boom()))
    await asyncio.sleep(0.01)

def loses():
    asyncio.run(lose())
    return 7

def holds():
    asyncio.run(hold())

def is_right():
    try:
        asyncio.run(boom())
    except ValueError:
        return 7

def killed():
    loses()
    asyncio.run(hold())
    os.kill(os.getpid(), signal.SIGKILL)

def starts_another(method, target):
    run(method, target)

def run(method, target, *args):
    process = multiprocessing.get_context(method).Process(target=target, args=args)
    process.start()
    process.join()
"""
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
UNHEARD = "did not tell of their end (killed, os._exit, another program by then, still running): {}."


@pytest.mark.parametrize("method", METHODS)
def test_a_test_fails_for_what_a_process_loses_that_it_started(tested: Tested, method: str) -> None:
    done = tested(LOSES + f"def test_it(): run({method!r}, loses)\ndef test_next(): pass\n", "--unlost", "-W", "ignore")

    assert re.search(r"1 failed, 1 passed", done.stdout), done.stdout + done.stderr
    assert "unlost: lost: ValueError: it broke" in done.stdout
    assert "during        a process that the test started" in done.stdout
    assert "did not tell" not in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_what_a_process_holds_at_its_end_is_the_tests(tested: Tested, method: str) -> None:
    done = tested(LOSES + f"def test_it(): run({method!r}, holds)\n", "--unlost", "-W", "ignore")

    assert "unlost: undelivered: ValueError: it broke" in done.stdout, done.stdout + done.stderr
    assert "did not tell" not in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_loses_nothing_is_not_told_of(tested: Tested, method: str) -> None:
    done = tested(LOSES + f"def test_it(): run({method!r}, is_right)\n", "--unlost", "-W", "ignore")

    assert "1 passed" in done.stdout
    assert not re.search(r"unlost: |[1-9]\d* found in tests|[1-9]\d* after their ends", done.stdout), done.stdout


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("within", METHODS)
def test_a_process_that_a_process_starts_is_heard_of(tested: Tested, method: str, within: str) -> None:
    source = LOSES + f"def test_it(): run({method!r}, starts_another, {within!r}, loses)\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert "unlost: lost: ValueError: it broke" in done.stdout, done.stdout + done.stderr
    assert "did not tell" not in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_the_workers_of_an_executor_are_heard_of(tested: Tested, method: str) -> None:
    source = LOSES + (
        "def test_it():\n"
        f"    with ProcessPoolExecutor(1, multiprocessing.get_context({method!r})) as pool:\n"
        "        assert pool.submit(loses).result() == 7\n"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "unlost: lost: ValueError: it broke" in done.stdout, done.stdout + done.stderr
    assert "did not tell" not in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_of_a_process_that_is_killed_it_is_told_what_it_lost_and_that_its_end_is_not_known(
    tested: Tested, method: str
) -> None:
    done = tested(LOSES + f"def test_it(): run({method!r}, killed)\n", "--unlost", "-W", "ignore")

    assert "unlost: lost: ValueError: it broke" in done.stdout, done.stdout + done.stderr
    assert "undelivered" not in done.stdout
    assert UNHEARD.format(1) in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_of_a_process_that_a_process_starts_it_is_told_that_it_was_killed(tested: Tested, method: str) -> None:
    source = LOSES + f"def test_it(): run({method!r}, starts_another, {method!r}, killed)\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert UNHEARD.format(1) in done.stdout, done.stdout + done.stderr


@forking
def test_a_fork_that_leaves_by_os_exit_is_told_of(tested: Tested) -> None:
    source = LOSES + "def test_it():\n    if os.fork() == 0:\n        loses()\n        os._exit(0)\n    os.wait()\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert "unlost: lost: ValueError: it broke" in done.stdout
    assert UNHEARD.format(1) in done.stdout


@forking
def test_what_asyncio_logs_in_a_fork_that_leaves_by_os_exit_is_told_of(tested: Tested) -> None:
    logs = LOSES.replace("    asyncio.get_running_loop().set_exception_handler(lambda *_: None)\n", "")
    source = logs + "def test_it():\n    if os.fork() == 0:\n        loses()\n        os._exit(0)\n    os.wait()\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 failed" in done.stdout
    assert done.stdout.count("raised at     test_it.py") == 1


def test_under_xdist_what_was_not_watched_in_each_worker_is_added_up(tested: Tested) -> None:
    source = LOSES + "import pytest\n@pytest.mark.parametrize('number', range(4))\ndef test_it(number):\n"
    source += "    run('spawn', os._exit, 0)\n    subprocess.run([sys.executable, '-c', ''])\n"

    done = tested(source, "--unlost", "-n", "2", "-W", "ignore")

    assert "4 passed" in done.stdout
    assert UNHEARD.format(4) in done.stdout
    assert "Python programs that tests started by subprocess: 4." in done.stdout


@pytest.mark.parametrize(
    ("started", "count"),
    [
        ("subprocess.run([sys.executable, '-c', ''])", 1),
        ("subprocess.run(f'{sys.executable} -c pass', shell=True)", 1),
        ("subprocess.run([sys.executable, '-m', 'unlost', 'watch', '-m', 'this'], stdout=subprocess.DEVNULL)", 1),
        ("subprocess.run([sys.executable.encode(), '-c', ''])", 1),
        ("asyncio.run(program())", 1),
        ("subprocess.run(['true'])", 0),
        ("subprocess.run(['true'], preexec_fn=os.getpid)", 0),
    ],
)
@forking
def test_a_python_program_that_a_test_starts_is_counted(tested: Tested, started: str, count: int) -> None:
    source = LOSES + (
        "async def program():\n    await (await asyncio.create_subprocess_exec(sys.executable, '-c', '')).wait()\n"
        f"def test_it():\n    {started}\n"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 passed" in done.stdout
    assert ("Python programs that tests started by subprocess: 1." in done.stdout) is bool(count)
    assert "did not tell" not in done.stdout


def test_a_process_where_this_library_is_missing_runs_as_it_would_and_is_told_of(tested: Tested) -> None:
    source = LOSES + (
        "def puts(queue): queue.put('ran')\ndef test_it(monkeypatch):\n"
        "    spawn = multiprocessing.get_context('spawn')\n    queue = spawn.Queue()\n"
        "    monkeypatch.setattr('unlost.observe.install._started._STOWAWAY', 'import no_such_module')\n"
        "    process = spawn.Process(target=puts, args=[queue])\n    process.start()\n"
        "    assert queue.get(timeout=30) == 'ran'\n    process.join()\n"
    )
    source = source.replace(
        "'import no_such_module'", "'try:\\n    import no_such_module\\nexcept Exception:\\n    pass'"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert UNHEARD.format(1) in done.stdout


def test_on_the_page_is_what_they_lost_and_what_was_not_watched(tested: Tested, tmp_path: Path) -> None:
    source = LOSES + "def test_it():\n    run('spawn', loses)\n    run('spawn', os._exit, 0)\n"

    tested(source, "--unlost", "--unlost-report", "found.html", "-W", "ignore")

    text = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert "during a process that the test started" in text
    assert UNHEARD.format(1) in text
    assert "2 lost" not in re.sub(r"\s+", " ", text)


def test_nothing_is_left_of_it(tested: Tested, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    places = {"TMPDIR": str(temporary), "TEMP": str(temporary)}

    tested(LOSES + "def test_it(): run('spawn', loses)\n", "--unlost", environment=places)

    assert list(temporary.glob("unlost-*")) == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="seen from 3.12 on")
def test_a_swallowed_error_of_a_process_is_heard_of(tested: Tested) -> None:
    source = LOSES + "def swallows():\n    try:\n        1 / 0\n    except Exception:\n        pass\n"

    done = tested(source + "def test_it(): run('spawn', swallows)\n", "--unlost", "-W", "ignore")

    assert "unlost: swallowed: ZeroDivisionError" in done.stdout


RUNS_EACH_IN_A_FORK = """
import os, pickle, pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item):
    reading, writing = os.pipe()
    hook, config = item.config.hook, item.config
    if os.fork() == 0:
        reports = runtestprotocol(item, log=False)
        sent = [hook.pytest_report_to_serializable(config=config, report=report) for report in reports]
        os.write(writing, pickle.dumps(sent))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as read:
        for data in pickle.load(read):
            item.ihook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=config, data=data))
    os.wait()
    return True
"""


@forking
def test_where_each_test_runs_in_a_fork_it_is_told_there_and_once(tested: Tested, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(RUNS_EACH_IN_A_FORK, encoding="utf-8")

    done = tested(LOSES + "def test_it(): loses()\ndef test_next(): pass\n", "--unlost", "-W", "ignore")

    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("raised at     test_it.py") == 1
    assert "found after the test had ended" not in done.stdout
    assert "did not tell" not in done.stdout


@forking
def test_a_test_that_stands_in_for_files_is_let_alone(tested: Tested) -> None:
    source = LOSES + (
        "def refuses(*_, **__): raise AssertionError('a fault of ours')\ndef test_it(monkeypatch):\n"
        "    run('fork', is_right)\n    monkeypatch.setattr('builtins.open', refuses)\n"
        "    monkeypatch.setattr('os.listdir', refuses)\n    monkeypatch.setattr('os.open', refuses)\n"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert "did not tell" not in done.stdout


def test_nothing_is_made_where_no_process_is_started(tested: Tested, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    source = (
        f"import os\ndef test_it(): assert not [one for one in os.listdir({str(temporary)!r}) if 'unlost' in one]\n"
    )

    done = tested(source, "--unlost", environment={"TMPDIR": str(temporary), "TEMP": str(temporary)})

    assert "1 passed" in done.stdout


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@forking
def test_nothing_is_left_of_it_where_a_signal_ends_the_tests(tested: Tested, tmp_path: Path, name: str) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    source = LOSES + (
        f"def test_it():\n    run('fork', loses)\n    assert os.path.isdir({str(temporary)!r})\n"
        f"    assert [one for one in os.listdir({str(temporary)!r}) if 'unlost' in one]\n"
        f"    os.kill(os.getpid(), signal.{name})\n    time.sleep(10)\n"
    )

    done = tested(source, "--unlost", "-W", "ignore", environment={"TMPDIR": str(temporary)})

    assert "AssertionError" not in done.stdout
    assert list(temporary.glob("unlost-*")) == []


@forking
def test_what_a_process_writes_for_the_session_has_no_secrets(tested: Tested, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    source = LOSES + (
        "import base64, pathlib\nasync def tells(): raise ValueError('password=hunter2secret, it broke')\n"
        "async def names():\n    asyncio.get_running_loop().set_exception_handler(lambda *_: None)\n"
        "    asyncio.create_task(tells(), name='token=hunter2secret')\n    await asyncio.sleep(0.01)\n"
        "def loses_secrets():\n    asyncio.run(names())\n    os._exit(0)\n"
        "def test_it():\n    run('fork', loses_secrets)\n"
        f"    [file] = pathlib.Path({str(temporary)!r}).glob('unlost-*/*')\n"
        "    written = b''.join(map(base64.b64decode, file.read_bytes().split()))\n"
        "    assert b'it broke' in written\n    assert b'hunter2' not in written\n"
    )

    done = tested(source, "--unlost=report", "-W", "ignore", environment={"TMPDIR": str(temporary)})

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "lost: ValueError: password=***, it broke" in done.stdout


@pytest.mark.parametrize("method", METHODS)
def test_each_worker_that_a_pool_ends_is_one_that_did_not_tell(tested: Tested, method: str) -> None:
    source = LOSES + (
        "def test_it():\n    for _ in range(2):\n"
        f"        with multiprocessing.get_context({method!r}).Pool(2) as pool:\n            pool.map(abs, range(9))\n"
        "def test_killed():\n"
        f"    process = multiprocessing.get_context({method!r}).Process(target=time.sleep, args=[100])\n"
        "    process.start()\n    time.sleep(1)\n    process.terminate()\n    process.join()\n"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert UNHEARD.format(5) in done.stdout
