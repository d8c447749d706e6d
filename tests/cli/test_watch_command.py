from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine
from unlost.observe.install import is_bad
from unlost.observe.watch import DESTROYED, DIED, LOOP_ERROR, NEVER_AWAITED, ErrorType, Finding, Notice, Site, Verdict

EXAMPLES = Path(__file__).parents[2] / "examples" / "watch"
LOSES = """\
import asyncio
async def f():
    1 / 0
async def main():
    asyncio.create_task(f())
    await asyncio.sleep(0.01)
"""

_ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="there is no folder in which nothing can be made")


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="what is swallowed inside of a task is seen from 3.12 on")
@pytest.mark.parametrize("program", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_examples_say_what_is_written_beside_them(program: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "unlost", "watch", program.name],
        cwd=EXAMPLES, env={**os.environ, "UNLOST": ""}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said = done.stderr[done.stderr.index("unlost watch:") :]

    assert said == program.with_suffix(".txt").read_text(encoding="utf-8")
    assert done.returncode == 0


def test_a_program_has_its_arguments_its_path_and_its_main_module(unlost: CommandLine) -> None:
    source = (
        "import sys, os, pickle, __main__\n"
        "class Own: pass\n"
        "print(sys.argv, sys.path[0] == os.path.dirname(os.path.abspath(__file__)), __name__, __main__.Own is Own)\n"
        "assert type(pickle.loads(pickle.dumps(Own()))) is Own\n"
    )
    unlost.write("app.py", source)

    done = unlost("watch", "app.py", "--fail", "-m", "x")

    assert done.stdout == "['app.py', '--fail', '-m', 'x'] True __main__ True\n"
    assert "there were none" in done.stderr
    assert done.returncode == 0


def test_a_folder_with_a_main_is_run_as_python_runs_it(unlost: CommandLine) -> None:
    folder = unlost.folder / "tool"
    folder.mkdir()
    (folder / "beside.py").write_text("name = 'beside'\n", encoding="utf-8")
    (folder / "__main__.py").write_text(
        "import os, sys, beside\n"
        "print(sys.argv, beside.name, sys.path[0] == os.path.dirname(os.path.abspath(__file__)), __name__)\n",
        encoding="utf-8",
    )

    done = unlost("watch", "tool", "x")

    assert done.stdout == "['tool', 'x'] beside True __main__\n"


@pytest.mark.parametrize("how", [["app.py"], ["-m", "app"]])
def test_a_program_that_does_not_compile_is_told_without_our_frames(unlost: CommandLine, how: list[str]) -> None:
    unlost.write("app.py", "def f(:\n")

    done = unlost("watch", *how)

    assert done.returncode == 1
    assert re.findall(r'File ".*?([\w.]+)"', done.stderr) == ["app.py"]
    assert "SyntaxError" in done.stderr


def test_a_module_has_its_options_for_itself(unlost: CommandLine) -> None:
    package = unlost.folder / "pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "other.py").write_text("name = 'other'\n", encoding="utf-8")
    (package / "__main__.py").write_text("import sys\nfrom .other import name\nprint(sys.argv[1:], name)\n", "utf-8")

    done = unlost("watch", "--fail", "-m", "pack", "--json", "x", "--", "y")

    assert done.stdout == "['--json', 'x', '--', 'y'] other\n"


@pytest.mark.parametrize(
    ("ending", "code"), [("raise SystemExit(7)", 7), ("raise SystemExit", 0), ("exit('no')", 1), ("1 / 0", 1)]
)
def test_the_exit_code_is_the_programs(unlost: CommandLine, ending: str, code: int) -> None:
    unlost.write("app.py", ending + "\n")

    assert unlost("watch", "app.py").returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="nothing ends by a signal there")
def test_ctrl_c_ends_it_as_python_ends_by_the_signal_after_all_is_told(unlost: CommandLine) -> None:
    source = "import atexit, os, signal\natexit.register(lambda: print('at exit'))\n"
    unlost.write("app.py", f"{source}os.kill(os.getpid(), signal.SIGINT)\n")

    done = unlost("watch", "--json", "found.json", "app.py")

    assert done.returncode == -2
    assert done.stdout == "at exit\n"
    assert done.stderr.count("KeyboardInterrupt") == 1
    assert (unlost.folder / "found.json").exists()


def test_an_uncaught_error_is_printed_with_the_programs_frames_only(unlost: CommandLine) -> None:
    unlost.write("app.py", "def f():\n    raise ValueError('at the end')\nf()\n")

    done = unlost("watch", "app.py")

    assert re.findall(r'File ".*?([\w.]+)"', done.stderr) == ["app.py", "app.py"]
    assert "ValueError: at the end" in done.stderr
    assert "reported  1" in done.stderr


def test_fail_makes_a_loss_an_exit_code(unlost: CommandLine) -> None:
    unlost.write("app.py", f"{LOSES}asyncio.run(main())\n")

    assert unlost("watch", "app.py").returncode == 0
    assert unlost("watch", "--fail", "app.py").returncode == 1


def test_a_task_that_may_still_be_asked_is_no_reason_to_fail() -> None:
    assert not is_bad(Notice(DIED, "task 'feed' died 10 s ago", Site("app.py", 1, "f", app=True)))


def test_the_help_and_the_page_of_documentation_define_each_verdict(unlost: CommandLine) -> None:
    said = unlost("watch", "--help").stdout
    page = (EXAMPLES.parents[1] / "docs" / "watch.md").read_text(encoding="utf-8")

    in_help = {name: bool(star) for name, star in re.findall(r"^  (\w+)( \*)?  ", said, re.MULTILINE)}
    on_page = {name: bool(yes) for name, yes in re.findall(r"^\| (\w+) \| .* \| (yes)? ?\|$", page, re.MULTILINE)}
    own = Site("app.py", 1, "f", app=True)
    fails = {verdict.value: is_bad(Finding(verdict, ErrorType("", "E"), "", (own,), site=own)) for verdict in Verdict}
    assert in_help == on_page == fails


def test_the_help_says_what_else_is_a_reason_to_fail(unlost: CommandLine) -> None:
    also = unlost("watch", "--help").stdout.partition("also: *")[2].partition(".")[0].replace("\n", " ")

    site = Site("app.py", 1, "f", app=True)
    said = {NEVER_AWAITED: "never awaited", DESTROYED: "destroyed while pending", DIED: "dead", LOOP_ERROR: "loop"}
    assert {kind: words in also for kind, words in said.items()} == {
        kind: is_bad(Notice(kind, "", site)) for kind in said
    }


def test_it_is_written_behind_what_stands_in_standard_error_already(unlost: CommandLine) -> None:
    unlost.write("app.py", f"{LOSES}asyncio.run(main())\n")
    log = unlost.folder / "log.txt"

    with log.open("w", encoding="utf-8") as opened:
        subprocess.run(
            [sys.executable, "-m", "unlost", "watch", "--json", "/dev/stderr", "app.py"],
            cwd=unlost.folder, stderr=opened, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip

    told, begin, written = log.read_text(encoding="utf-8").partition('\n{\n "version"')
    assert "what became of the exceptions" in told
    assert json.loads(begin + written)["counts"]["lost"] == 1


def test_what_was_found_is_written_as_json(unlost: CommandLine) -> None:
    unlost.write("app.py", f"{LOSES}asyncio.run(main())\n")

    unlost("watch", "--json", "found.json", "app.py")

    written = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    assert written["counts"] == {"lost": 1}
    [found] = written["found"]
    assert (found["verdict"], found["error"]["message"], found["bad"]) == ("lost", "division by zero", True)
    assert (found["raised"]["line"], found["raised"]["function"]) == (3, "f")
    assert (found["ended"]["line"], found["ended"]["function"]) == (5, "main")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--json", "app.py"], "was not written by unlost watch --json"),
        (["--json", "."], "is a folder"),
        (["--json", "-"], "Name a file, or /dev/stderr"),
        (["--json", "/dev/stdout"], "--json /dev/stdout: the program has standard output for itself"),
        pytest.param(
            ["--json", "/proc/found.json"], "/proc/found.json cannot be written: No such file", marks=_ON_LINUX
        ),
        pytest.param(["--report", "/proc/found.html"], "/proc/found.html cannot be written: No such", marks=_ON_LINUX),
        (["--json", "gone/found.json"], "there is no folder"),
        (["--json", "./found", "--report", "found"], "--json and --report both name ./found"),
    ],
)
def test_a_file_that_is_not_to_be_written_is_refused_before_the_program_begins(
    unlost: CommandLine, options: list[str], says: str
) -> None:
    program = unlost.write("app.py", "print('begun')\n")

    done = unlost("watch", *options, "app.py")

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert program.read_text(encoding="utf-8") == "print('begun')\n"
    assert not list(unlost.folder.glob(".unlost*"))


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--json", "gone/found cannot be written: No such file or directory\n"),
        ("--report", "gone/found cannot be written: there is no folder "),
    ],
)
def test_a_file_that_cannot_be_written_at_the_end_is_told_once_and_a_reason_to_fail(
    unlost: CommandLine, option: str, says: str
) -> None:
    unlost.write("app.py", "import os\nos.path.exists('gone') and os.rmdir('gone')\n")
    (unlost.folder / "gone").mkdir()
    failing = unlost("watch", "--fail", option, "gone/found", "app.py")
    (unlost.folder / "gone").mkdir()
    done = unlost("watch", option, "gone/found", "app.py")

    assert says in done.stderr
    assert done.stderr.count("cannot be written") == 1
    assert (done.returncode, failing.returncode) == (0, 1)


def test_the_json_of_an_earlier_run_is_written_anew_and_what_the_program_wrote_there_is_kept(
    unlost: CommandLine,
) -> None:
    unlost.write("app.py", f"{LOSES}asyncio.run(main())\n")
    unlost.write("writes.py", "open('own.json', 'w').write('[1]')\n")

    unlost("watch", "--json", "found.json", "app.py")
    unlost("watch", "--json", "found.json", "app.py")
    done = unlost("watch", "--json", "own.json", "writes.py")

    assert json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["counts"] == {"lost": 1}
    assert (unlost.folder / "own.json").read_text(encoding="utf-8") == "[1]"
    assert "own.json is there already" in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("word", ["off", "0", "False"])
def test_where_the_environment_turns_it_off_that_is_said(unlost: CommandLine, word: str) -> None:
    unlost.write("app.py", f"{LOSES}asyncio.run(main())\n")
    unlost.environment["UNLOST"] = word

    done = unlost("watch", "--fail", "--json", "found.json", "app.py")

    assert "nothing is watched, and nothing written" in done.stderr
    assert (done.returncode, (unlost.folder / "found.json").exists()) == (0, False)


def test_the_report_is_one_page_with_the_command_that_runs_it_again(unlost: CommandLine) -> None:
    unlost.write("app.py", f"{LOSES}import os, sys\nos.chdir('/')\nasyncio.run(main())\nsys.exit(3)\n")

    done = unlost("watch", "--report", "found.html", "app.py", "--port", "80 80")

    page = (unlost.folder / "found.html").read_text(encoding="utf-8")
    assert done.returncode == 3
    assert "<h1>app.py</h1>" in page
    assert "lost: nobody ever took it" in page
    assert "<dd>unlost watch --report found.html app.py --port &#x27;80 80&#x27;</dd>" in page


def test_a_report_that_cannot_be_written_is_refused_before_the_program_begins(unlost: CommandLine) -> None:
    unlost.write("app.py", "print('begun')\n")
    unlost.write("notes.txt", "mine\n")

    done = unlost("watch", "--report", "notes.txt", "app.py")

    assert done.returncode == 2
    assert "is no report of unlost" in done.stderr
    assert done.stdout == ""


def test_a_program_that_nobody_wants_a_page_of_loads_no_reports(unlost: CommandLine) -> None:
    unlost.write(
        "app.py", "import sys\nprint(sorted(name for name in sys.modules if 'sqlite' in name or '.report' in name))\n"
    )

    assert unlost("watch", "app.py").stdout == "[]\n"


ADVICE = """\
import asyncio, concurrent.futures
async def pages():
    try:
        yield 1
    finally:
        raise OSError("generator")
async def main():
    async for page in pages():
        break
    await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    future = loop.create_future()
    future.set_exception(ValueError("bare"))
    del future
    loop.run_in_executor(None, lambda: 1 / 0)
    await asyncio.sleep(0.05)
    global held
    held = concurrent.futures.ThreadPoolExecutor(1).submit(lambda: int("x"))
asyncio.run(main())
"""


def test_the_advice_fits_what_was_lost(unlost: CommandLine) -> None:
    unlost.write("app.py", ADVICE)

    said = unlost("watch", "app.py").stderr

    advice = dict(re.findall(r"^\w+: (?:\w+): (\S+).*?instead +(.*?)$", said, re.DOTALL | re.MULTILINE))
    assert "contextlib.aclosing" in advice["generator"]
    assert advice["bare"] == advice["division"] == "await the future, or ask it: future.result()"
    assert advice["invalid"].startswith("ask the future: future.result()")


AT_MODULE_LEVEL = """\
import asyncio
from concurrent.futures import ThreadPoolExecutor
async def slow():
    await asyncio.sleep(0)
    raise ConnectionError("slow")
async def several():
    return await asyncio.gather(slow(), slow(), return_exceptions=True)
async def one():
    task = asyncio.create_task(slow())
    await asyncio.wait([task])
    return task
results = asyncio.run(several())
print([result for result in results if isinstance(result, Exception)])
task = asyncio.run(one())
print(task.exception())
with ThreadPoolExecutor(1) as executor:
    future = executor.submit(int, "x")
    if future.exception():
        print(future.exception())
"""


def test_what_a_module_holds_and_was_asked_for_is_not_undelivered(unlost: CommandLine) -> None:
    unlost.write("app.py", AT_MODULE_LEVEL)

    done = unlost("watch", "app.py", "--fail")

    assert "undelivered" not in done.stderr
    assert done.returncode == 0


def test_texts_that_differ_under_one_key_are_told_too(unlost: CommandLine) -> None:
    source = LOSES.replace("def f()", "def f(n)").replace("1 / 0", "raise OSError(f'slow {n}')")
    source = source.replace("asyncio.create_task(f())", "[asyncio.create_task(f(n)) for n in (1, 2, 2, 3, 4, 5)]")
    unlost.write("app.py", f"{source}asyncio.run(main())\n")

    said = unlost("watch", "app.py").stderr

    told = r"^lost: OSError: (slow \d)  \[.*\]  6×$[\s\S]*?((?:^  also .*\n)+)"
    [(first, texts)] = re.findall(told, said, re.MULTILINE)
    assert {first, *re.findall(r"slow \d", texts)} < {"slow 1", "slow 2", "slow 3", "slow 4", "slow 5"}
    assert len(re.findall(r"slow \d", texts)) == 3
    assert re.search(r"^ +and 1 more$", said, re.MULTILINE)


TWO_PLACES = """\
import asyncio
async def send():
    raise ConnectionError("down")
async def signup():
    asyncio.create_task(send())
    await asyncio.sleep(0.01)
async def reset():
    asyncio.create_task(send())
    await asyncio.sleep(0.01)
    asyncio.create_task(send())
    await asyncio.sleep(0.01)
async def main():
    await signup()
    await reset()
asyncio.run(main())
"""


def test_each_place_that_loses_the_same_is_told(unlost: CommandLine) -> None:
    unlost.write("app.py", TWO_PLACES)

    said = unlost("watch", "app.py").stderr

    assert re.findall(r"^  lost at +(\S+) in (\w+)", said, re.MULTILINE) == [
        ("app.py:5", "signup"),
        ("app.py:8", "reset"),
    ]
    assert re.findall(r"^  also at +(.*)", said, re.MULTILINE) == ["app.py:10 in reset"]


def test_a_hang_says_who_waits(unlost: CommandLine) -> None:
    unlost.write("app.py", "import asyncio\nasync def stuck():\n  await asyncio.sleep(1.5)\nasyncio.run(stuck())\n")

    done = unlost("watch", "--hang", "300ms", "app.py")

    assert re.search(r"no task has made a step for (0\.[3-9]|1\.\d) s", done.stderr)
    assert "app.py:3 in stuck" in done.stderr


def test_a_hang_is_in_the_json_with_who_waits_for_what_and_is_no_reason_to_fail(unlost: CommandLine) -> None:
    source = "import asyncio\nasync def stuck():\n  queue = asyncio.Queue()\n"
    source += (
        "  asyncio.get_running_loop().call_later(1.5, queue.put_nowait, 1)\n  await queue.get()\nasyncio.run(stuck())\n"
    )
    unlost.write("app.py", source)

    done = unlost("watch", "--fail", "--hang", "300ms", "--json", "found.json", "app.py")

    written = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    [found] = written["found"]
    assert done.returncode == 0
    assert (found["verdict"], found["site"]["line"], found["bad"]) == ("hangs", 5, False)
    assert "'Task-1' (stuck()) waits for an item from queue queue" in found["what"]


def test_an_error_that_only_the_loops_handler_saw_is_told_and_no_reason_to_fail(unlost: CommandLine) -> None:
    source = "import asyncio\ndef broken():\n  raise ValueError('in a callback')\n"
    source += "async def main():\n  asyncio.get_running_loop().call_soon(broken)\n  await asyncio.sleep(0.01)\n"
    unlost.write("app.py", f"{source}asyncio.run(main())\n")

    done = unlost("watch", "--fail", "app.py")

    assert "loop error: ValueError: in a callback: only the event loop's exception handler was told" in done.stderr
    assert re.search(r"found at +app.py:3 in broken", done.stderr)
    assert done.returncode == 0


def test_where_all_was_caught_by_who_expects_it_that_is_what_is_said(unlost: CommandLine) -> None:
    unlost.write("app.py", "try: 1 / 0\nexcept ZeroDivisionError: pass\n")

    done = unlost("watch", "app.py")

    assert "there were none to follow: what is caught at once by who expects it is not counted" in done.stderr


def test_what_the_programs_own_handler_logs_is_no_loop_error(unlost: CommandLine) -> None:
    source = "import asyncio, logging\ndef broken():\n  raise ValueError('in a callback')\n"
    source += "def heard(loop, context):\n  logging.error('failed', exc_info=context['exception'])\n"
    source += "async def main():\n  loop = asyncio.get_running_loop()\n  loop.set_exception_handler(heard)\n"
    source += "  loop.call_soon(broken)\n  await asyncio.sleep(0.01)\nasyncio.run(main())\n"
    unlost.write("app.py", source)

    done = unlost("watch", "app.py")

    assert "loop error" not in done.stderr
    assert "reported  1" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_process_that_a_signal_ends_says_what_nobody_had_been_told_of(unlost: CommandLine, name: str) -> None:
    source = LOSES.replace("    asyncio.create_task(f())\n", "    global held\n    held = asyncio.create_task(f())\n")
    source += f"    import os, signal\n    os.kill(os.getpid(), signal.{name})\n    await asyncio.sleep(5)\n"
    unlost.write("app.py", f"{source}asyncio.run(main())\n")

    done = unlost("watch", "--json", "found.json", "app.py")

    assert done.returncode == -signal.Signals[name]
    assert json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["counts"]["undelivered"] == 1
    assert done.stderr.count("undelivered: ZeroDivisionError: division by zero") == 1
    assert "terminated" not in done.stderr


def test_a_program_that_installs_it_too_shares_the_watching(unlost: CommandLine) -> None:
    unlost.write("app.py", f"from unlost import install\n{LOSES}install()\nasyncio.run(main())\n")

    done = unlost("watch", "app.py")

    assert "lost  1" in done.stderr
    assert "nobody ever took it" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], [""], ["nowhere.py"], ["-m", "nowhere.at.all"], ["-m", ""], ["-m", "."], ["--hang", "soon", "app.py"]],
)
def test_what_cannot_be_run_is_a_usage_error(unlost: CommandLine, arguments: list[str]) -> None:
    done = unlost("watch", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith("unlost watch: ")
    assert "Traceback" not in done.stderr


def test_an_option_that_is_none_is_told_with_those_of_this_command(unlost: CommandLine) -> None:
    unlost.write("app.py", "print('begun')\n")

    done = unlost("watch", "--jsn", "found.json", "app.py")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: unlost watch ")
    assert done.stderr.endswith("unlost watch: error: unrecognized arguments: --jsn\n")


def test_what_follows_two_dashes_is_the_program(unlost: CommandLine) -> None:
    unlost.write("app.py", "import sys\nprint(sys.argv)\n")

    done = unlost("watch", "--fail", "--", "app.py", "x", "--", "y")

    assert done.stdout == "['app.py', 'x', '--', 'y']\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["python", "app.py", "--port", "80 80"], "Write: unlost watch app.py --port '80 80'\n"),
        (["python3.12", "-m", "app"], "Write: unlost watch -m app\n"),
        ([sys.executable, "app.py"], "Write: unlost watch app.py\n"),
        (["python", "-X", "dev", "app.py"], "python -X ... -m unlost watch ...\n"),
        (["python"], "Write: unlost watch app.py, or unlost watch -m module\n"),
    ],
)
def test_where_python_is_named_it_is_said_what_to_leave_out(unlost: CommandLine, words: list[str], says: str) -> None:
    unlost.write("app.py", "print('begun')\n")

    done = unlost("watch", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert "runs by python already" in done.stderr
    assert done.stderr.endswith(says)


def test_a_program_may_be_called_python(unlost: CommandLine) -> None:
    unlost.write("python", "print('begun')\n")

    assert unlost("watch", "python").stdout == "begun\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_what_forked_processes_find_is_in_the_one_report(unlost: CommandLine) -> None:
    unlost.write(
        "app.py",
        LOSES + "import multiprocessing\n"
        "def bad(): asyncio.run(main())\n"
        "def good(): pass\n"
        "for work in (good, bad):\n"
        "    child = multiprocessing.get_context('fork').Process(target=work)\n    child.start()\n    child.join()\n",
    )

    done = unlost("watch", "--json", "found.json", "app.py")

    assert "what became of the exceptions\n  lost  1\n" in done.stderr
    assert done.stderr.count("unlost watch: what became of the exceptions") == 1
    [found] = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["found"]
    assert found["bad"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_what_a_process_never_awaited_is_told_in_the_same_words_and_with_the_process(unlost: CommandLine) -> None:
    unlost.write(
        "app.py",
        "import multiprocessing\nasync def send(): pass\ndef forgets(): send()\nforgets()\n"
        "child = multiprocessing.get_context('fork').Process(target=forgets)\nchild.start()\nchild.join()\n",
    )

    done = unlost("watch", "--json", "found.json", "app.py")

    here, there = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))["found"]
    assert "never awaited: send() was called here and never awaited: it did nothing  [" in done.stderr
    assert there["what"] == f"{here['what']}, during a process that the program started"
    assert there["key"] == here["key"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="what is swallowed is seen from 3.12 on")
def test_what_a_library_swallows_is_counted_and_told_where_it_is_called_ones_own(
    unlost: CommandLine,
) -> None:
    package = unlost.folder / "site-packages" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def sell():\n    try: 1 / 0\n    except Exception: pass\n", encoding="utf-8")
    unlost.write("app.py", "import sys\nsys.path.append('site-packages')\nimport shop\nshop.sell()\n")

    done = unlost("watch", "app.py")
    unlost.environment["UNLOST_OWN"] = "shop"
    as_ones_own = unlost("watch", "app.py")

    assert "1 of them ended in the code of Python or of installed packages" in done.stderr
    assert "swallowed at" not in done.stderr
    assert "of them ended" not in as_ones_own.stderr
    assert "swallowed at  site-packages/shop/__init__.py:3 in sell" in as_ones_own.stderr


def test_what_ended_the_program_is_reported_by_a_hook_of_its_own(unlost: CommandLine) -> None:
    unlost.write("app.py", "import sys\nsys.excepthook = lambda *_: print('told')\nraise ValueError('it broke')\n")

    done = unlost("watch", "app.py")

    assert done.stdout == "told\n"
    assert "reported  1" in done.stderr
