from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unlost.observe.install._by_key import KEYS, ByKey

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

SIX = (Path(__file__).parent / "six.txt").read_text(encoding="utf-8")
LOSES = """
import asyncio
import pytest

async def boom():
    raise ValueError("it broke")

MARK
async def test_loses():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

async def test_is_right():
    with pytest.raises(ValueError):
        await boom()
"""
FORGIVING = LOSES.replace("MARK", '@pytest.mark.unlost_forgive("known", WHAT)')


def summary(done: subprocess.CompletedProcess[str]) -> str:
    """Return what pytest says last, without the time."""
    return done.stdout.strip().splitlines()[-1].strip("= ").partition(" in ")[0]


def test_six_tests_that_lose_errors_pass_without_it(tested: Tested) -> None:
    assert summary(tested(SIX)) == "6 passed"


PLAINLY = """
import asyncio, logging, pytest

async def boom():
    raise ValueError("it broke")

async def lose():
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

MARK
async def test_it(caplog):
    await lose()
    END
"""


def test_what_asyncio_itself_logs_as_lost_fails_the_test_and_its_log_is_shown(tested: Tested) -> None:
    source = PLAINLY.replace("MARK", "").replace("END", "assert caplog.records[0].exc_info[1].args == ('it broke',)")

    done = tested(source, "--unlost")

    assert summary(done) == "1 failed"
    assert "FAILED test_it.py::test_it - Failed: unlost: lost: ValueError" in done.stdout
    assert "Captured log call" in done.stdout
    assert "Task exception was never retrieved" in done.stdout
    assert done.stdout.count("raised at     test_it.py") == 1
    assert "plugin.py" not in done.stdout


def test_what_asyncio_itself_logs_as_lost_can_be_expected(tested: Tested) -> None:
    mark = "@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)"

    assert summary(tested(PLAINLY.replace("MARK", mark).replace("END", ""), "--unlost")) == "1 xfailed"


def test_a_fixture_sees_the_records_of_what_was_told_as_lost(tested: Tested) -> None:
    looks = "@pytest.fixture(autouse=True)\ndef looks(caplog):\n    yield\n"
    looks += "    assert caplog.get_records('call')[0].exc_info[1].args == ('it broke',)\n"

    done = tested(PLAINLY.replace("MARK", looks).replace("END", ""), "--unlost")

    assert summary(done) == "1 failed"
    assert "0 after their ends" in done.stdout


def test_what_asyncio_logs_as_lost_while_fixtures_end_is_told_with_the_test(tested: Tested) -> None:
    fixture = "@pytest.fixture(autouse=True)\nasync def ends():\n    yield\n    await lose()\n"
    source = PLAINLY.replace("MARK", fixture).replace("await lose()\n    END", "pass")

    done = tested(source, "--unlost")

    assert summary(done) == "1 passed, 1 error"
    assert "0 after their ends" in done.stdout


@pytest.mark.skipif(sys.version_info < (3, 12), reason="what is swallowed inside of a task is seen from 3.12 on")
def test_all_six_fail_with_it_each_naming_where_it_was_raised_and_lost(tested: Tested) -> None:
    done = tested(SIX, "--unlost")

    assert summary(done) == "6 failed"
    lines = SIX.splitlines()
    raised = [number for number, line in enumerate(lines, 1) if "raised here" in line]
    for name in ("gather", "callback", "broad", "suppress", "threadsafe", "executor"):
        [text] = re.findall(rf"unlost: \w+: ValueError: {name} .*?\n\s+instead", done.stdout, re.DOTALL)
        lost = next(number for number, line in enumerate(lines, 1) if f"lost: {name}" in line)
        assert any(f"raised at     test_it.py:{line} " in text for line in raised)
        assert f"test_it.py:{lost} " in text or "where it was let go is not known" in text


def test_in_boundary_mode_what_left_a_task_fails_and_the_mode_is_told(tested: Tested) -> None:
    source = "import sys\nif sys.version_info >= (3, 12):\n    sys.monitoring.use_tool_id(3, 'a')\n"
    done = tested(f"{source}    sys.monitoring.use_tool_id(4, 'b')\n{SIX}", "--unlost")

    assert summary(done) == "4 failed, 2 passed"
    assert "is unknown." in done.stdout


def test_a_right_test_passes_beside_one_that_loses(tested: Tested) -> None:
    done = tested(LOSES.replace("MARK", ""), "--unlost")

    assert summary(done) == "1 failed, 1 passed"


def test_the_ini_file_asks_for_it_and_report_only_tells(tested: Tested) -> None:
    done = tested(LOSES.replace("MARK", ""), ini="unlost = report\n")

    assert summary(done) == "2 passed"
    assert "1 found in tests" in done.stdout


@pytest.mark.parametrize("asked", [["--unlost", "test_it.py"], ["test_it.py", "--unlost"], ["--unlost=fail", "."]])
def test_a_path_after_the_bare_option_is_a_path(tested: Tested, asked: list[str]) -> None:
    assert summary(tested(LOSES.replace("MARK", ""), *asked)) == "1 failed, 1 passed"


def test_a_conftest_beside_a_path_after_the_bare_option_may_add_options(tested: Tested, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "conftest.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--mirror')\n")
    (folder / "test_there.py").write_text("def test_there(pytestconfig):\n    assert pytestconfig.option.mirror\n")

    assert summary(tested("", "--unlost", "folder", "--mirror=1")) == "1 passed"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--unlost", "report"], "'report' would be a path, and there is none: write --unlost=report"),
        (["--unlost=raport"], "ERROR: --unlost=raport: expected fail, report or off\n"),
        (["--unlost="], "ERROR: --unlost=: expected fail, report or off\n"),
        (["-q", "test_it.py", "--unlost=1"], "ERROR: --unlost=1: expected fail, report or off\n"),
        (["-o", "addopts=--unlost=raport"], "--unlost=report/--unlost=off: ignored explicit argument 'raport'"),
    ],
)
def test_what_was_meant_for_a_mode_is_told_how_to_write_it(tested: Tested, asked: list[str], says: str) -> None:
    done = tested(SIX, *asked)

    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mode_that_is_none_is_told_wherever_options_stand(tested: Tested) -> None:
    done = tested(SIX, environment={"PYTEST_ADDOPTS": "--unlost=raport"})

    assert done.returncode == 4
    assert "ERROR: --unlost=raport: expected fail, report or off\n" in done.stderr


@pytest.mark.parametrize(("what", "ends"), [('""', "2 passed"), ('"broke"', "2 passed"), ('"x"', "1 failed, 1 passed")])
def test_a_mark_forgives_all_or_what_has_a_text(tested: Tested, what: str, ends: str) -> None:
    assert summary(tested(FORGIVING.replace("WHAT", what), "--unlost")) == ends


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ('reason="known", what="broke"', "2 passed"),
        ('what="broke", reason="known"', "2 passed"),
        ('what="other", reason="known"', "1 failed, 1 passed"),
    ],
)
def test_a_marks_arguments_have_names(tested: Tested, given: str, ends: str) -> None:
    assert summary(tested(FORGIVING.replace('"known", WHAT', given), "--unlost")) == ends


@pytest.mark.parametrize(
    "given", ["", '""', 'what="broke"', '"known", ["broke"]', '"known", "a", "b"', 'reason="a", why="b"', "None"]
)
def test_a_mark_that_says_no_reason_or_more_than_it_can_is_refused_before_any_test(tested: Tested, given: str) -> None:
    wrong = FORGIVING.replace('"known", WHAT', given).replace("await boom()", "pass").replace("boom())", "stay())")

    done = tested(wrong, "--unlost")

    assert done.returncode == 4
    assert f"test_it.py::test_loses: unlost_forgive({given.replace(chr(34), chr(39))}): write" in done.stderr
    assert "passed" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_under_xdist_a_wrong_mark_fails_its_tests_with_what_to_write(tested: Tested) -> None:
    done = tested(FORGIVING.replace('"known", WHAT', 'what="broke"'), "--unlost", "-n", "1")

    assert summary(done) == "1 passed, 1 error"
    assert "unlost_forgive(what='broke'): write unlost_forgive('why'" in done.stdout


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_where_nothing_fails_each_finding_is_told_once_with_its_key_and_its_tests(
    tested: Tested, how: list[str]
) -> None:
    many = '@pytest.mark.parametrize("number", range(7))'
    source = LOSES.replace("MARK", many).replace("test_loses()", "test_loses(number)")

    done = tested(source, "--unlost=report", *how)

    [told] = re.findall(r"lost: ValueError: it broke  \[[0-9a-f]{12}\]\n(?:  .*\n)+", done.stdout)
    assert "raised at     test_it.py:6 in boom" in told
    assert re.search(r"  in +test_it.py::test_loses\[\d\], (.*, ){3}.*\] and 2 more\n", told)
    assert "7 found in tests" in done.stdout
    assert summary(done) == "8 passed"


def test_more_bugs_than_fit_are_counted() -> None:
    by_key = ByKey()
    for number in range(KEYS + 3):
        by_key.add(f"{number}", f"bug {number}", "test_it")
        by_key.add(f"{number}", f"bug {number}", "test_it")
    told = list(by_key.lines())

    assert told[0] == "bug 0"
    assert told[-1] == "and 3 more; --unlost-report FILE has all"
    assert sum(line.startswith("bug") for line in told) == KEYS


def test_what_a_baseline_and_marks_forgave_is_counted_and_what_it_has_in_vain_is_named(
    tested: Tested, tmp_path: Path
) -> None:
    source = LOSES.replace("MARK", "")
    baseline = ["--unlost", "--unlost-baseline", "known.json"]
    tested(source, *baseline, "--unlost-update-baseline")
    known = json.loads((tmp_path / "known.json").read_text(encoding="utf-8"))
    known["forgiven"]["0123456789ab"] = "lost: OSError: mended long ago"
    (tmp_path / "known.json").write_text(json.dumps(known), encoding="utf-8")

    by_file = tested(source, *baseline)
    by_workers = tested(source, *baseline, "-n", "2")
    by_mark = tested(FORGIVING.replace("WHAT", '""'), "--unlost")

    for done in (by_file, by_workers):
        assert "1 forgiven by known.json; 1 of its 2 entries forgave nothing in these tests" in done.stdout
        assert "not met: lost: OSError: mended long ago" in done.stdout
    assert "1 forgiven by marks" in by_mark.stdout


def test_a_baseline_needs_the_watching_unless_that_is_turned_off_in_words(tested: Tested, tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text('{"version": 1, "forgiven": {}}', encoding="utf-8")

    alone = tested("def test_it(): pass", "--unlost-baseline", "known.json")
    off = tested("def test_it(): pass", "--unlost-baseline", "known.json", "--unlost=off")

    assert (alone.returncode, off.returncode) == (4, 0)
    assert "--unlost-baseline FILE needs --unlost" in alone.stderr


@pytest.mark.parametrize("text", ["[]", '{"forgiven": []}', "{}", "{"])
def test_a_file_that_is_no_baseline_is_told_from_what_one_is(tested: Tested, tmp_path: Path, text: str) -> None:
    (tmp_path / "known.json").write_text(text, encoding="utf-8")

    done = tested("def test_it(): pass", "--unlost", "--unlost-baseline", "known.json")

    assert done.returncode == 4
    assert "Write it with --unlost-update-baseline" in done.stderr
    assert "indices" not in done.stderr


def test_only_late_findings_are_in_the_last_lines_too(tested: Tested) -> None:
    source = "import asyncio\nkept = []\nasync def boom():\n    raise ValueError('late')\n"
    source += "async def test_late():\n    kept.append(asyncio.create_task(boom()))\n    await asyncio.sleep(0.01)\n"

    done = tested(source, "--unlost")

    assert done.returncode == 1
    assert re.search(r"ERROR test_it.py::test_late - unlost: undelivered: ValueError: late", done.stdout)
    assert summary(done) == "1 passed, 1 error"


def test_where_the_environment_turns_it_off_the_header_says_so(tested: Tested) -> None:
    done = tested("def test_it(): pass", "--unlost", environment={"UNLOST": "off"})

    assert "nothing is watched: the environment turns it off" in done.stdout


def test_a_baseline_forgives_what_it_was_written_with(tested: Tested, tmp_path: Path) -> None:
    source = LOSES.replace("MARK", "")
    baseline = ["--unlost", "--unlost-baseline", "known.json"]

    written = tested(source, *baseline, "--unlost-update-baseline")
    forgiven = tested("\n\n" + source, *baseline)
    another = tested(source.replace("boom", "crash"), *baseline)

    assert summary(written) == "2 passed"
    assert len(json.loads((tmp_path / "known.json").read_text(encoding="utf-8"))["forgiven"]) == 1
    assert summary(forgiven) == "2 passed"
    assert summary(another) == "1 failed, 1 passed"


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

def test_signup(): asyncio.run(signup())
"""
RESET = "def test_reset(): asyncio.run(reset())\n"


def test_a_baseline_forgives_no_loss_at_another_place(tested: Tested) -> None:
    baseline = ["--unlost", "--unlost-baseline", "known.json"]

    tested(TWO_PLACES, *baseline, "--unlost-update-baseline")
    done = tested(TWO_PLACES + RESET, *baseline)

    assert re.findall(r"lost at +\S+ in (\w+)", done.stdout) == ["reset"]
    assert done.returncode == 1


def test_a_baseline_that_is_not_there_is_a_usage_error(tested: Tested) -> None:
    assert tested(LOSES.replace("MARK", ""), "--unlost", "--unlost-baseline", "gone.json").returncode == 4


def test_the_workers_of_xdist_find_and_the_controller_tells(tested: Tested, tmp_path: Path) -> None:
    source = LOSES.replace("MARK", "")

    done = tested(source, "--unlost", "-n", "2")
    tested(source, "--unlost", "--unlost-baseline", "known.json", "--unlost-update-baseline", "-n", "2")

    assert summary(done) == "1 failed, 1 passed"
    assert len(json.loads((tmp_path / "known.json").read_text(encoding="utf-8"))["forgiven"]) == 1


LATE = """
import asyncio

held = []

async def boom():
    raise ValueError("held")

async def test_holds():
    held.append(asyncio.create_task(boom()))
    await asyncio.sleep(0.01)

async def test_another():
    await asyncio.sleep(0)
"""


@pytest.mark.parametrize("more", [[], ["-n", "1"]])
def test_a_late_verdict_belongs_to_the_test_of_its_birth(tested: Tested, more: list[str]) -> None:
    done = tested(LATE, "--unlost", *more)

    assert summary(done) == "2 passed, 1 error"
    assert "found after the test had ended: test_it.py::test_holds\nundelivered: ValueError: held" in done.stdout
    assert done.returncode == 1


def test_a_mark_forgives_what_comes_up_late(tested: Tested) -> None:
    marked = LATE.replace("async def test_holds", '@pytest.mark.unlost_forgive("known", "held")\nasync def test_holds')

    done = tested(f"import pytest\n{marked}", "--unlost")

    assert summary(done) == "2 passed"
    assert "0 found in tests, 0 after their ends" in done.stdout
    assert "1 forgiven by marks" in done.stdout


def test_what_one_test_let_go_in_another_is_still_the_firsts(tested: Tested) -> None:
    source = LATE.replace("await asyncio.sleep(0)\n", "asyncio.get_running_loop()\n    held.clear()\n")

    done = tested(source, "--unlost", "-W", "ignore")

    assert "found after the test had ended: test_it.py::test_holds\nlost: ValueError: held" in done.stdout
    assert done.returncode == 1


def test_a_task_that_runs_on_when_its_loop_is_closed_is_an_error(tested: Tested) -> None:
    source = (
        "import asyncio\nasync def test_leaves():\n    task = asyncio.create_task(asyncio.sleep(60), name='poller')\n"
    )

    done = tested(source, "--unlost")

    assert summary(done) == "1 passed, 1 error"
    assert "leaked task: task 'poller'" in done.stdout
    assert "test_it.py:3 in test_leaves" in done.stdout


def test_a_task_that_a_fixture_ends_is_none(tested: Tested) -> None:
    source = """
import asyncio, contextlib, pytest_asyncio
@pytest_asyncio.fixture
async def tasks():
    started = []
    yield started
    for task in started:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
async def test_is_right(tasks):
    tasks.append(asyncio.create_task(asyncio.sleep(60)))
    await asyncio.sleep(0)
"""
    assert summary(tested(source, "--unlost")) == "1 passed"


def test_a_coroutine_that_is_never_awaited_fails(tested: Tested) -> None:
    source = "async def f(): ...\nasync def test_forgets():\n    f()\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert summary(done) == "1 failed"
    assert "f() was called here and never awaited" in done.stdout


def test_it_works_beside_anyios_plugin(tested: Tested) -> None:
    source = LOSES.replace("MARK", "").replace("async def test", "@pytest.mark.anyio\nasync def test")
    backend = "\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"

    done = tested(source + backend, "--unlost", "-p", "no:asyncio", "-o", "addopts=", "-W", "ignore")

    assert summary(done).startswith("1 failed, 1 passed")


def test_failing_tests_fail_as_they_did(tested: Tested) -> None:
    source = "import pytest\ndef test_a():\n    assert 1 == 2\n@pytest.mark.xfail\ndef test_b():\n    1 / 0\n"

    done = tested(source + "def test_c():\n    pytest.skip('so')\n", "--unlost")

    assert summary(done) == "1 failed, 1 skipped, 1 xfailed"
    assert "assert 1 == 2" in done.stdout
    assert "found in tests" not in done.stdout


def test_nothing_is_imported_unless_it_is_asked_for(tested: Tested) -> None:
    source = "import sys\ndef test_it():\n    assert not [name for name in sys.modules if name.startswith('unlost')]\n"

    assert summary(tested(source)) == "1 passed"


COMPREHENSION = """
import asyncio

async def boom(number):
    raise ValueError("it broke")

async def test_starts():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    tasks = [asyncio.create_task(boom(number)) for number in range(2)]
    await asyncio.sleep(0.01)

class TestDrops:
    async def test_drops(self):
        {boom(letter) for letter in [word for word in "a"]}
"""


def test_in_comprehensions_keys_are_the_same_on_all_pythons(tested: Tested) -> None:
    done = tested(COMPREHENSION, "--unlost", "-W", "ignore")

    assert "lost: ValueError: it broke  [78d9ab7dffde]" in done.stdout
    assert "found at      test_it.py:14 in test_drops" in done.stdout
    assert "did nothing  [99ea8f377e68]" in done.stdout
