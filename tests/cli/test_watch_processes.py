"""What the processes lose that a watched program starts: told once, by the process that was started first."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import CommandLine

METHODS = ["spawn", *(["fork", "forkserver"] if hasattr(os, "fork") else [])]
PROGRAM = """
import asyncio, atexit, gc, multiprocessing, os, signal, subprocess, sys, time
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
    holds()
    os.kill(os.getpid(), signal.SIGKILL)

def leaves():
    loses()
    holds()
    os._exit(0)

def waits(file):
    loses()
    open(file, "w").close()
    time.sleep(100)

def starts_another(method, target):
    run(method, target)

def start(method, target, *args, **kwargs):
    process = multiprocessing.get_context(method).Process(target=target, args=args, **kwargs)
    process.start()
    return process

def run(method, target, *args):
    start(method, target, *args).join()

def until(file):
    while not os.path.exists(file):
        time.sleep(0.01)

if __name__ == "__main__":
"""
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
DURING = re.compile(r"^  during +a process that the program started$", re.MULTILINE)
HEADING = "unlost watch: what became of the exceptions"
UNHEARD = (
    "Processes that the program started, and that did not tell of their end here (killed, os._exit, another program by "
    "then, still running; or another user's by then, which prints a report of its own): {}. What they lost last is not "
    "known here."
)


@pytest.fixture
def unlost(tmp_path: Path) -> Iterator[CommandLine]:
    # its name is short, as it is part of a socket's
    with tempfile.TemporaryDirectory(prefix="u", ignore_cleanup_errors=True) as temporary:
        command = CommandLine(tmp_path)
        command.environment |= {"TMPDIR": temporary, "TEMP": temporary}
        yield command


def write(unlost: CommandLine, *lines: str) -> None:
    unlost.write("app.py", PROGRAM + "".join(f"    {line}\n" for line in lines))


def left(unlost: CommandLine) -> list[Path]:
    """Return what is left in the folder for temporary files."""
    return list(Path(unlost.environment["TMPDIR"]).glob("unlost-*"))


def wait_for(file: Path, text: str = "") -> None:
    end = time.monotonic() + 30
    while not file.exists() or text not in file.read_text(encoding="utf-8"):
        assert time.monotonic() < end, file.read_text(encoding="utf-8") if file.exists() else "it is not there"
        time.sleep(0.02)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_process_loses_is_told_once_and_counts_for_all(unlost: CommandLine, method: str) -> None:
    write(unlost, f"run({method!r}, loses)", f"run({method!r}, is_right)")

    done = unlost("watch", "--fail", "--json", "found.json", "--report", "found.html", "app.py")

    assert done.returncode == 1, done.stderr
    assert done.stderr.count(HEADING) == 1
    assert done.stderr.count("lost: ValueError: it broke") == 1
    assert re.search(rf"{HEADING}\n(  handled +\d+\n)?  lost +1\n", done.stderr), done.stderr
    assert DURING.search(done.stderr)
    assert "did not tell" not in done.stderr
    found = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert found["counts"]["lost"] == len(found["found"]) == 1
    assert "a process that the program started" in (unlost.folder / "found.html").read_text(encoding="utf-8")
    assert left(unlost) == []


@pytest.mark.parametrize("method", METHODS)
def test_what_a_process_holds_at_its_end_is_told(unlost: CommandLine, method: str) -> None:
    write(unlost, f"run({method!r}, holds)")

    told = unlost("watch", "app.py").stderr

    assert "undelivered: ValueError: it broke" in told
    assert told.count(HEADING) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("within", METHODS)
def test_a_process_that_a_process_starts_is_heard_of(unlost: CommandLine, method: str, within: str) -> None:
    write(unlost, f"run({method!r}, starts_another, {within!r}, loses)")

    told = unlost("watch", "app.py").stderr

    assert told.count("lost: ValueError: it broke") == 1
    assert told.count(HEADING) == 1
    assert "did not tell" not in told


@pytest.mark.parametrize("method", METHODS)
def test_the_workers_of_an_executor_are_heard_of(unlost: CommandLine, method: str) -> None:
    write(
        unlost,
        f"with ProcessPoolExecutor(1, multiprocessing.get_context({method!r})) as pool:",
        "    print(pool.submit(loses).result())",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == "7\n"
    assert done.stderr.count("lost: ValueError: it broke") == 1
    assert "did not tell" not in done.stderr


@pytest.mark.parametrize("method", METHODS)
def test_of_a_pools_workers_it_is_told_what_they_lost_and_that_their_ends_are_not_known(
    unlost: CommandLine, method: str
) -> None:
    write(unlost, f"with multiprocessing.get_context({method!r}).Pool(1) as pool:", "    print(pool.apply(loses))")

    done = unlost("watch", "app.py")

    assert done.stdout == "7\n"
    assert done.stderr.count("lost: ValueError: it broke") == 1
    assert UNHEARD.format(1) in done.stderr


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ends", ["killed", "leaves"])
def test_what_a_process_lost_is_told_though_it_tells_nothing_of_its_end(
    unlost: CommandLine, method: str, ends: str
) -> None:
    write(unlost, f"run({method!r}, {ends})")

    done = unlost("watch", "--fail", "app.py")

    assert done.returncode == 1
    assert done.stderr.count("lost: ValueError: it broke") == 1, done.stderr
    assert "undelivered" not in done.stderr
    assert UNHEARD.format(1) in done.stderr
    assert left(unlost) == []


@forking
def test_what_a_fork_holds_that_runs_to_the_programs_end_is_told_by_the_first(unlost: CommandLine) -> None:
    write(
        unlost, "if os.fork() == 0:", "    holds()", "    sys.exit(3)", "print(os.waitstatus_to_exitcode(os.wait()[1]))"
    )

    done = unlost("watch", "--fail", "app.py")

    assert done.stdout == "3\n"
    assert done.stderr.count("undelivered: ValueError: it broke") == 1
    assert done.stderr.count(HEADING) == 1


@forking
def test_a_forks_exit_code_is_its_own(unlost: CommandLine) -> None:
    write(unlost, "if os.fork() == 0:", "    holds()", "else:", "    print(os.wait()[1])")

    done = unlost("watch", "--fail", "app.py")

    assert (done.stdout, done.returncode) == ("0\n", 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_nobody_waited_for_is_waited_for_as_python_does(unlost: CommandLine, method: str) -> None:
    write(unlost, f"start({method!r}, loses)", "print('done')")

    done = unlost("watch", "app.py")

    assert done.stderr.count("lost: ValueError: it broke") == 1, done.stderr
    assert "did not tell" not in done.stderr


@forking
def test_a_process_that_waits_for_what_is_done_at_exit_does_not_hang_it(unlost: CommandLine) -> None:
    write(
        unlost,
        "event = multiprocessing.get_context('fork').Event()",
        "atexit.register(event.set)",
        "start('fork', lambda: (event.wait(), loses()))",
    )

    told = unlost("watch", "app.py").stderr

    assert UNHEARD.format(1) in told
    assert told.count(f"{HEADING} of a process that the program started\n  lost  1\n") == 1


@forking
@pytest.mark.parametrize("watching", ["watched", "installed"])
def test_what_a_program_registers_before_is_done_after_its_processes_have_ended(
    unlost: CommandLine, watching: str
) -> None:
    write(unlost, "start('fork', loses)")
    path = unlost.folder / "app.py"
    install = "import unlost; unlost.install()" if watching == "installed" else ""
    begin = f"import atexit, sys\nprint([name for name in sys.modules if 'multiprocessing' in name])\n{install}\n"
    begin += "atexit.register(print, 'cleanup', flush=True)\n"
    source = path.read_text(encoding="utf-8").replace("    return 7", "    print('lost', flush=True)", 1)
    path.write_text(begin + source, encoding="utf-8")

    done = unlost("watch", "app.py")

    assert done.stdout == "[]\nlost\ncleanup\n"
    assert done.stderr.count("lost: ValueError: it broke") == 1
    assert "did not tell" not in done.stderr


@forking
def test_what_the_standard_library_registers_for_the_end_is_not_the_programs(unlost: CommandLine) -> None:
    write(
        unlost,
        "import multiprocessing.util, tempfile",
        "folder = tempfile.TemporaryDirectory()",
        "start('fork', loses)",
    )

    told = unlost("watch", "app.py").stderr

    assert told.count(HEADING) == 1
    assert "did not tell" not in told


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_process_that_could_not_be_started_is_not_counted(unlost: CommandLine, method: str) -> None:
    write(
        unlost,
        f"run({method!r}, loses)",
        "try:",
        f"    start({method!r}, lambda: 0)",
        "except Exception:",
        "    print('refused')",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == "refused\n"
    assert "lost: ValueError: it broke" in done.stderr
    assert "did not tell" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the signal is kept away on Linux")
def test_a_process_whose_files_may_not_grow_ends_as_it_would(unlost: CommandLine) -> None:
    write(
        unlost,
        "import resource",
        "if os.fork() == 0:",
        "    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)",
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))",
        "    loses()",
        "    sys.exit(3)",
        "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == "3\n"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the signal is kept away on Linux")
@pytest.mark.parametrize("first", ["SIG_DFL", "SIG_IGN"])
def test_a_process_that_blocks_the_signal_of_a_full_file_is_left_none_to_end_it(
    unlost: CommandLine, first: str
) -> None:
    write(
        unlost,
        "import resource",
        "if os.fork() == 0:",
        f"    signal.signal(signal.SIGXFSZ, signal.{first})",
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGXFSZ])",
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))",
        "    loses()",
        "    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)",
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGXFSZ])",
        "    sys.exit(3)",
        "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    )

    assert unlost("watch", "app.py").stdout == "3\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give that up")
def test_a_process_that_gives_up_its_user_tells_by_itself(unlost: CommandLine) -> None:
    write(unlost, "if os.fork() == 0:", "    os.setuid(65534)", "    loses()", "    sys.exit(3)", "os.wait()")

    told = unlost("watch", "app.py").stderr

    assert told.count("\nlost: ValueError: it broke") == 1
    assert told.count(f"{HEADING} of a process that the program started\n") == 1
    assert UNHEARD.format(1) in told


@forking
def test_what_outlives_the_program_tells_by_itself_what_nobody_has_read(unlost: CommandLine) -> None:
    write(
        unlost,
        "if os.fork() == 0:",
        "    loses()",
        "    open('lost', 'w').close()",
        "    until('over')",
        "    holds()",
        "    sys.stderr = open('told', 'w')",
        "    sys.exit()",
        "until('lost')",
    )

    with unlost.start("watch", "--fail", "app.py") as watched:
        assert watched.stderr is not None
        told = watched.stderr.readline()
        while UNHEARD.format(1) not in told:
            told += (line := watched.stderr.readline())
            assert line, told
        code = watched.wait(30)
        (unlost.folder / "over").touch()
        told += watched.stderr.read()

    assert code == 1
    assert told.count("lost: ValueError: it broke") == 1
    assert "undelivered" not in told
    own = (unlost.folder / "told").read_text(encoding="utf-8")
    assert f"{HEADING} of a process that the program started\n  undelivered  1\n" in own
    assert "\nlost: " not in own
    assert "failed" not in own
    assert left(unlost) == []


@forking
def test_a_process_whose_first_one_is_gone_without_a_word_tells_all_that_was_written(unlost: CommandLine) -> None:
    write(
        unlost,
        "run('fork', loses)",
        "if os.fork() == 0:",
        "    if os.fork():",
        "        os._exit(0)",
        "    os.setsid()",
        "    loses()",
        "    open('lost', 'w').close()",
        "    until('over')",
        "    holds()",
        "    sys.stderr = open('told', 'w')",
        "    sys.exit()",
        "until('lost')",
        "os.kill(os.getpid(), signal.SIGKILL)",
    )

    with unlost.start("watch", "app.py") as watched:
        wait_for(unlost.folder / "lost")
        os.waitid(os.P_PID, watched.pid, os.WEXITED | os.WNOWAIT)  # it is not buried yet
        (unlost.folder / "over").touch()
        assert watched.stderr is not None
        told = watched.stderr.read()  # to the end of the last process

    own = (unlost.folder / "told").read_text(encoding="utf-8")
    assert HEADING not in told
    assert own.startswith(f"\n{HEADING} of a process that the program started\n")
    assert re.search(r"\n  lost +2\n", own)
    assert re.search(r"\n  undelivered +1\n", own)
    assert "failed" not in own
    assert UNHEARD.format(1) in own  # the one between, that ended by os._exit
    assert left(unlost) == []


@forking
@pytest.mark.parametrize(
    "ends", ["os._exit(3)", "os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(3)'])"]
)
def test_a_program_that_ends_itself_without_a_word_tells_before(unlost: CommandLine, ends: str) -> None:
    write(unlost, "run('fork', loses)", "holds()", ends)

    done = unlost("watch", "--json", "found.json", "app.py")

    assert done.returncode == 3
    assert done.stderr.count(HEADING) == 1
    assert done.stderr.count("\nlost: ValueError: it broke") == 1
    assert done.stderr.count("\nundelivered: ValueError: it broke") == 1
    assert len(json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["found"]) == 2
    assert left(unlost) == []


@forking
def test_a_program_that_another_one_cannot_take_the_place_of_is_watched_on(unlost: CommandLine) -> None:
    write(
        unlost, "try:", "    os.execlp('no-such-program', 'it')", "except FileNotFoundError:", "    run('fork', loses)"
    )

    told = unlost("watch", "app.py").stderr

    assert told.count(HEADING) == 1
    assert told.count("\nlost: ValueError: it broke") == 1


REFUSED = {
    "no interpreter": "os.execv('./script', ['script'])",
    "too long": "os.execv(sys.executable, [sys.executable, '-c', 'pass', 'x' * 3_000_000])",
    "no arguments": "os.execv(sys.executable, [])",
    "in each folder of PATH": "os.execvp('script', ['script'])",
    "no status": "os._exit(2**40)",
}


@forking
@pytest.mark.parametrize("ends", REFUSED.values(), ids=REFUSED)
def test_what_comes_after_an_end_that_is_refused_is_told_at_the_end(unlost: CommandLine, ends: str) -> None:
    script = unlost.folder / "script"
    script.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    script.chmod(0o755)
    write(
        unlost,
        "os.environ['PATH'] = os.pathsep.join([os.getcwd()] * 2)",
        "holds()",
        "try:",
        f"    {ends}",
        "except (OSError, ValueError, OverflowError) as refused:",
        "    print(type(refused).__name__)",
        "run('fork', loses)",
        "run('spawn', loses)",
        "loses()",
    )

    done = unlost("watch", "--fail", "--json", "found.json", "--report", "found.html", "app.py")

    written = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert done.returncode == 1
    assert done.stdout.endswith("Error\n")
    assert written["counts"]["lost"] == 3
    assert written["counts"]["undelivered"] == 1
    assert not [text for text in written["unseen"] if "place of this one" in text or "did not tell" in text]
    assert left(unlost) == []


@forking
def test_a_program_that_another_one_takes_the_place_of_says_that_this_is_not_watched(unlost: CommandLine) -> None:
    write(unlost, "os.execv(sys.executable, [sys.executable, '-c', 'pass'])")

    told = unlost("watch", "--json", "found.json", "app.py").stderr

    said = "Another program takes the place of this one by os.execv, unless that is refused. It is not watched:"
    assert said in told
    assert said in "".join(json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["unseen"])


@forking
def test_a_status_that_is_a_number_by_its_index_ends_the_program_as_told(unlost: CommandLine) -> None:
    write(unlost, "holds()", "class Three:", "    def __index__(self):", "        return 3", "os._exit(Three())")

    done = unlost("watch", "app.py")

    assert done.returncode == 3
    assert done.stderr.count("\nundelivered: ValueError: it broke") == 1


@forking
def test_an_end_where_no_thread_can_be_started_is_told_before(unlost: CommandLine) -> None:
    write(
        unlost,
        "import _thread",
        "def refuse(*_, **__):",
        "    raise RuntimeError('no thread')",
        "holds()",
        "_thread.start_new_thread = refuse",
        "os._exit(3)",
    )

    done = unlost("watch", "app.py")

    assert done.returncode == 3
    assert done.stderr.count("\nundelivered: ValueError: it broke") == 1
    assert "more than 2 s" not in done.stderr


@forking
def test_what_becomes_a_daemon_tells_by_itself_and_leaves_nothing(unlost: CommandLine) -> None:
    write(
        unlost,
        "if os.fork():",
        "    os._exit(0)",
        "os.setsid()",
        "if os.fork():",
        "    os._exit(0)",
        "until('over')",
        "loses()",
    )

    with unlost.start("watch", "app.py") as watched:
        watched.wait(30)
        (unlost.folder / "over").touch()
        assert watched.stderr is not None
        told = watched.stderr.read()

    assert watched.returncode == 0
    assert told.count(f"{HEADING} of a process that the program started\n") == 1
    assert told.count("\nlost: ValueError: it broke") == 1
    assert left(unlost) == []


@forking
def test_folders_of_programs_that_were_killed_with_all_their_processes_are_removed_a_day_after(
    unlost: CommandLine,
) -> None:
    write(unlost, "run('fork', loses)", "os.kill(os.getpid(), signal.SIGKILL)")
    for _ in range(2):
        unlost("watch", "app.py")
    old, young = left(unlost)
    for one in (*old.iterdir(), old):
        os.utime(one, (0, 0))
    write(unlost, "run('fork', loses)")

    unlost("watch", "app.py")

    assert left(unlost) == [young]


@forking
@pytest.mark.parametrize("ends", ["os._exit(0)", "sys.exit()"])
def test_what_a_process_finds_thousands_of_times_is_counted_and_told_a_hundred_times(
    unlost: CommandLine, ends: str
) -> None:
    write(
        unlost,
        "import warnings",
        "warnings.simplefilter('ignore')",
        "if os.fork() == 0:",
        "    for _ in range(3100):",
        "        boom()",
        f"    {ends}",
        "os.wait()",
        "[folder] = os.listdir(os.environ['TMPDIR'])",
        "gc.disable()  # it is not read before the end",
        "files = os.scandir(os.environ['TMPDIR'] + '/' + folder)",
        "print(sum(file.stat().st_size for file in files))",
    )

    done = unlost("watch", "--json", "found.json", "app.py")

    assert int(done.stdout) < 100_000
    found = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert len(found["found"]) == 100
    assert 2_100 <= found["counts"]["never awaited"] <= 3_100
    assert found["counts"]["never awaited"] == 3_100 or "exit" in ends
    assert "findings were let go again, for want of room" in done.stderr


@forking
def test_what_a_process_found_has_its_number(unlost: CommandLine) -> None:
    write(unlost, "process = start('fork', loses)", "process.join()", "loses()", "print(os.getpid(), process.pid)")

    done = unlost("watch", "--json", "found.json", "app.py")

    found = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["found"]
    assert sorted(one["process"] for one in found) == sorted(map(int, done.stdout.split()))


@forking
def test_where_ctrl_c_comes_while_all_is_read_what_was_read_is_told_and_the_rest_is_left(unlost: CommandLine) -> None:
    write(
        unlost,
        "import threading",
        "from unlost.observe.install import _heard",
        "for number in range(9):",
        "    run('fork', loses)",
        "read = _heard.read_letters",
        "def slowly(*args):",
        "    time.sleep(0.2)",
        "    return read(*args)",
        "_heard.read_letters = slowly",
        "threading.Timer(0.9, os.kill, (os.getpid(), signal.SIGINT)).start()",
        "threading._shutdown = lambda: None",
    )

    done = unlost("watch", "app.py")

    [number] = re.findall(r"\nlost: ValueError.*?(\d+)×", done.stderr)
    told = int(number)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.count(HEADING) == 1
    assert 1 <= told < 9
    assert f"that were not read to their ends: {9 - told}. They were left there." in done.stderr
    [folder] = left(unlost)
    assert len(list(folder.iterdir())) == 9 - told


@forking
def test_what_a_signals_handler_raises_comes_out_of_no_hook(unlost: CommandLine) -> None:
    write(
        unlost,
        "from unlost.observe.install import _heard",
        "read = _heard.read_letters",
        "def slowly(*args):",
        "    time.sleep(0.01)",
        "    return read(*args)",
        "_heard.read_letters = slowly",
        "def raises(*_):",
        "    raise TimeoutError('too long')",
        "signal.signal(signal.SIGALRM, raises)",
        "for number in range(110):",
        "    is_late = number > 97",
        "    try:",
        "        signal.setitimer(signal.ITIMER_REAL, 0.2 if is_late else 0)",
        "        if os.fork() == 0:",
        "            loses() if number % 50 == 0 else None",
        "            sys.exit()",
        "        os.wait()",
        "        time.sleep(0.4 if is_late else 0)",
        "        print('went on' * is_late, end='')",
        "    except TimeoutError:",
        "        continue",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == ""
    assert "Exception ignored" not in done.stderr
    assert re.search(r"\nlost: ValueError.* 3×", done.stderr)


@forking
def test_a_process_goes_on_though_the_folder_of_its_letters_is_gone(unlost: CommandLine) -> None:
    write(
        unlost,
        "if os.fork() == 0:",
        "    import glob, shutil",
        "    [shutil.rmtree(one) for one in glob.glob(os.environ['TMPDIR'] + '/unlost-*')]",
        "    loses()",
        "    print('goes on', flush=True)",
        "    sys.exit(3)",
        "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == "goes on\n3\n"
    assert done.stderr.count("\nlost: ValueError: it broke") == 1
    assert "failed" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
@pytest.mark.parametrize("method", METHODS)
def test_what_sigterm_ends_has_told_what_was_final(unlost: CommandLine, method: str) -> None:
    write(
        unlost,
        f"process = start({method!r}, waits, 'lost')",
        "until('lost')",
        "process.terminate()",
        "process.join()",
        "print(process.exitcode)",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == f"{-signal.SIGTERM}\n"
    assert done.stderr.count("lost: ValueError: it broke") == 1
    assert UNHEARD.format(1) in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_ends_itself_by_sigterm_has_told_what_it_held(unlost: CommandLine, method: str) -> None:
    source = PROGRAM.replace(
        'if __name__ == "__main__":\n', "def ends():\n    holds()\n    signal.raise_signal(signal.SIGTERM)\n\n"
    )
    unlost.write("app.py", source + f'if __name__ == "__main__":\n    run({method!r}, ends)\n')

    told = unlost("watch", "app.py").stderr

    assert "undelivered: ValueError: it broke" in told
    assert "did not tell" not in told


@forking
def test_where_sigterm_ends_the_first_it_tells_what_the_others_lost(unlost: CommandLine) -> None:
    write(unlost, "process = start('fork', waits, 'lost')", "time.sleep(100)")

    with unlost.start("watch", "app.py") as watched:
        wait_for(unlost.folder / "lost")
        [child] = _children_of(watched.pid)
        watched.terminate()
        watched.wait(30)
        os.kill(child, signal.SIGKILL)
        assert watched.stderr is not None
        told = watched.stderr.read()

    assert watched.returncode == -signal.SIGTERM
    assert told.count("\nlost: ValueError: it broke") == 1
    assert UNHEARD.format(1) in told
    assert left(unlost) == []


def _children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(number) for number in listed.split()]


@forking
def test_the_letters_of_many_processes_are_read_as_it_goes(unlost: CommandLine) -> None:
    write(
        unlost,
        "for number in range(210):",
        "    if os.fork() == 0:",
        "        loses() if number == 5 else None",
        "        sys.exit()",
        "    os.wait()",
        "[folder] = os.listdir(os.environ['TMPDIR'])",
        "while len(os.listdir(os.environ['TMPDIR'] + '/' + folder)) > 9:",
        "    gc.collect()",
        "    time.sleep(0.05)",
        "print('read')",
    )

    done = unlost("watch", "app.py")

    assert done.stdout == "read\n"
    assert done.stderr.count("\nlost: ValueError: it broke") == 1
    assert "did not tell" not in done.stderr


@pytest.mark.parametrize("method", METHODS)
def test_where_none_was_to_follow_and_not_all_were_heard_that_is_said(unlost: CommandLine, method: str) -> None:
    write(unlost, f"run({method!r}, os._exit, 0)")

    told = unlost("watch", "app.py").stderr

    assert "not all processes that were started were heard" in told
    assert UNHEARD.format(1) in told


@pytest.mark.parametrize("method", METHODS)
def test_where_all_were_heard_and_none_was_to_follow_just_that_is_said(unlost: CommandLine, method: str) -> None:
    write(unlost, f"run({method!r}, abs, 1)")

    told = unlost("watch", "app.py").stderr

    assert "there were none to follow: what is caught at once" in told
    assert "What could not be seen" not in told or sys.version_info < (3, 12)


def test_python_programs_are_counted_and_others_are_not(unlost: CommandLine) -> None:
    write(unlost, "subprocess.run([sys.executable, '-c', ''])", "subprocess.run(['true'])")

    told = unlost("watch", "app.py").stderr

    assert "Python programs that the program started by subprocess: 1. They are not watched from here" in told
    assert "not all processes that were started were heard" in told


@pytest.mark.parametrize("watching", [("watch", "app.py"), ("watch", "installs.py")])
def test_a_command_that_is_given_by_an_iterator_is_started_as_it_is(unlost: CommandLine, watching: list[str]) -> None:
    source = "import subprocess, sys\nsubprocess.run(iter([sys.executable, '-c', 'print(7)']))\n"
    unlost.write("app.py", source)
    unlost.write("installs.py", f"import unlost\nunlost.install()\n{source}")

    done = unlost(*watching)

    assert (done.stdout, done.returncode) == ("7\n", 0)
    assert "failed" not in done.stderr


def test_where_none_is_started_nothing_is_said_or_made(unlost: CommandLine) -> None:
    write(unlost, "print(os.listdir(os.environ['TEMP']))")

    done = unlost("watch", "app.py")

    assert done.stdout == "[]\n"
    assert "Processes" not in done.stderr


def test_what_is_turned_off_in_the_environment_of_a_process_is_not_watched_there(unlost: CommandLine) -> None:
    write(unlost, "os.environ['UNLOST'] = 'off'", "run('spawn', loses)")

    told = unlost("watch", "app.py").stderr

    assert "ValueError" not in told
    assert UNHEARD.format(1) in told


@forking
def test_where_no_folder_can_be_made_each_tells_by_itself(unlost: CommandLine) -> None:
    unlost.write("sitecustomize.py", NO_FOLDER)
    unlost.environment["PYTHONPATH"] = str(unlost.folder)
    write(unlost, "run('spawn', loses)", "run('fork', loses)")

    done = unlost("watch", "app.py")

    assert done.returncode == 0
    assert done.stderr.count("\nlost: ValueError: it broke") == 2
    assert "failed" not in done.stderr


NO_FOLDER = """
import tempfile

def refuses():
    raise FileNotFoundError("no usable temporary directory")

tempfile._get_default_tempdir = refuses
"""


def test_the_programs_own_folder_for_temporary_files_is_not_settled_by_it(unlost: CommandLine) -> None:
    write(unlost, "import tempfile", "os.environ['TMPDIR'] = os.getcwd()", "print(tempfile.gettempdir())")

    assert unlost("watch", "app.py").stdout == f"{unlost.folder}\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="seen from 3.12 on")
@pytest.mark.parametrize("method", METHODS)
def test_what_no_test_fails_for_is_told_as_in_the_program_itself(unlost: CommandLine, method: str) -> None:
    source = PROGRAM.replace(
        'if __name__ == "__main__":\n',
        "def gathers():\n    asyncio.run(gather())\n\nasync def gather():\n"
        "    await asyncio.gather(boom(), return_exceptions=True)\n\n",
    )
    unlost.write("app.py", source + f'if __name__ == "__main__":\n    run({method!r}, gathers)\n')

    done = unlost("watch", "--fail", "--json", "found.json", "app.py")

    assert done.returncode == 0
    assert "returned: ValueError: it broke" in done.stderr
    [found] = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["found"]
    assert not found["bad"]
