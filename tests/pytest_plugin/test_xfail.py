"""``xfail`` and ``skip`` are about what a test does itself; what is lost in it fails all the same."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

LOSES = """
import asyncio
import pytest

async def boom():
    raise ValueError("it broke")

async def lose():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

MARK
async def test_it():
    await lose()
    END
"""
FORGIVEN = '@pytest.mark.unlost_forgive("known", "broke")\n'


def ended(tested: Tested, mark: str, end: str = "pass", *arguments: str) -> tuple[str, str]:
    """Return what pytest says last, without the time, and all that it says."""
    done = tested(LOSES.replace("MARK", mark).replace("END", end), "--unlost", *arguments)
    return done.stdout.strip().splitlines()[-1].strip("= ").partition(" in ")[0], done.stdout


@pytest.mark.parametrize(
    ("mark", "end"),
    [
        ("@pytest.mark.xfail", "pass"),
        ("@pytest.mark.xfail(strict=True)", "pass"),
        ("@pytest.mark.xfail(raises=ZeroDivisionError)", "pass"),
        ("@pytest.mark.xfail", "1 / 0"),
        ("@pytest.mark.xfail(strict=True)", "1 / 0"),
        ("@pytest.mark.xfail(raises=ZeroDivisionError)", "1 / 0"),
        ("", "pytest.xfail('so')"),
        ("", "pytest.skip('so')"),
    ],
)
def test_what_is_lost_fails_a_test_whose_own_failure_is_expected(tested: Tested, mark: str, end: str) -> None:
    last, said = ended(tested, mark, end)

    assert last == "1 failed"
    assert "FAILED test_it.py::test_it - Failed: unlost: lost: ValueError" in said
    assert said.count("raised at     test_it.py:6 in boom") == 1


@pytest.mark.parametrize(
    ("mark", "end", "last"),
    [
        ("@pytest.mark.xfail", "pass", "1 xpassed"),
        ("@pytest.mark.xfail(strict=True)", "pass", "1 failed"),
        ("@pytest.mark.xfail", "1 / 0", "1 xfailed"),
        ("@pytest.mark.xfail(raises=ZeroDivisionError)", "1 / 0", "1 xfailed"),
        ("", "pytest.xfail('so')", "1 xfailed"),
        ("", "pytest.skip('so')", "1 skipped"),
    ],
)
def test_where_what_is_lost_is_forgiven_it_ends_as_it_would(tested: Tested, mark: str, end: str, last: str) -> None:
    assert ended(tested, FORGIVEN + mark, end)[0] == last


@pytest.mark.parametrize("strict", ["", ", strict=True"])
@pytest.mark.parametrize(
    "raises", ["pytest.fail.Exception", "(KeyError, pytest.fail.Exception)", "pytest.RaisesExc(pytest.fail.Exception)"]
)
def test_an_xfail_that_says_so_expects_what_is_lost(tested: Tested, raises: str, strict: str) -> None:
    assert ended(tested, f"@pytest.mark.xfail(raises={raises}{strict})")[0] == "1 xfailed"


@pytest.mark.parametrize("end", ["pass", "1 / 0"])
@pytest.mark.parametrize("condition", ["False", "'False'", "condition=False"])
def test_an_xfail_whose_condition_does_not_hold_expects_nothing(tested: Tested, condition: str, end: str) -> None:
    mark = f"@pytest.mark.xfail({condition}, reason='not here', raises=pytest.fail.Exception)\n"

    assert ended(tested, mark + "@pytest.mark.xfail(reason='other')", end)[0] == "1 failed"


def test_a_mark_that_the_test_itself_adds_expects_what_is_lost(tested: Tested) -> None:
    source = LOSES.replace("MARK", "").replace("test_it()", "test_it(request)")
    source = source.replace("END", "request.node.add_marker(pytest.mark.xfail(raises=pytest.fail.Exception))")

    assert "1 xfailed" in tested(source, "--unlost").stdout


def test_what_is_expected_to_be_lost_and_is_not_is_an_unexpected_pass(tested: Tested) -> None:
    source = "import pytest\n@pytest.mark.xfail(raises=pytest.fail.Exception, strict=True)\ndef test_it():\n    pass\n"

    assert "[XPASS(strict)]" in tested(source, "--unlost").stdout


def test_a_test_that_is_not_run_loses_nothing(tested: Tested) -> None:
    assert ended(tested, "@pytest.mark.xfail(run=False)")[0] == "1 xfailed"


def test_what_is_lost_in_the_fixtures_of_an_expected_failure_is_an_error(tested: Tested) -> None:
    source = LOSES.replace(
        "MARK", "@pytest.fixture\ndef ends():\n    yield\n    asyncio.run(lose())\n@pytest.mark.xfail"
    )
    source = source.replace("async def test_it():\n    await lose()", "def test_it(ends):").replace("END", "1 / 0")

    done = tested(source, "--unlost")

    assert "1 xfailed, 1 error" in done.stdout
    assert "ERROR test_it.py::test_it - Failed: unlost: lost: ValueError" in done.stdout


def test_the_failure_says_how_to_expect_or_forgive_what_is_lost(tested: Tested) -> None:
    _, said = ended(tested, "@pytest.mark.xfail(reason='too early')")

    assert re.search(
        r"xfail \(too early\) is for what the test itself raises. For what is lost: @pytest.mark.unlost_forgive\(.*,\n"
        r"or xfail\(raises=pytest.fail.Exception\)",
        said,
    )


def test_where_the_test_fails_itself_it_does_so_with_its_own_error(tested: Tested) -> None:
    last, said = ended(tested, "", "1 / 0")

    assert last == "1 failed"
    assert "FAILED test_it.py::test_it - ZeroDivisionError" in said
    assert said.count("raised at     test_it.py:6 in boom") == 1


def test_where_nothing_fails_an_expected_failure_stays_one(tested: Tested) -> None:
    done = tested(LOSES.replace("MARK", "@pytest.mark.xfail").replace("END", "1 / 0"), "--unlost=report")

    assert "1 xfailed" in done.stdout
    assert "lost: ValueError: it broke" in done.stdout


def test_a_unittest_case_that_is_expected_to_fail_fails_for_what_it_loses(tested: Tested) -> None:
    source = LOSES.partition("MARK")[0] + (
        "import unittest\nclass Test(unittest.TestCase):\n    @unittest.expectedFailure\n"
        "    def test_it(self):\n        asyncio.run(lose())\n        1 / 0\n"
    )

    assert "1 failed" in tested(source, "--unlost").stdout


def test_what_was_found_before_ctrl_c_is_told(tested: Tested) -> None:
    _, said = ended(tested, "", "raise KeyboardInterrupt")

    assert "found after the test had ended: test_it.py::test_it\nlost: ValueError: it broke" in said


EXPECTED = "@pytest.mark.xfail(raises=pytest.fail.Exception, strict=True)"
WRITES = ("--unlost-baseline", "known.json", "--unlost-update-baseline")


def test_what_is_expected_to_be_lost_is_not_written_into_a_baseline(tested: Tested, tmp_path: Path) -> None:
    last, said = ended(tested, EXPECTED, "pass", *WRITES)

    assert last == "1 xfailed"
    assert "0 written to" in said
    assert json.loads((tmp_path / "known.json").read_text(encoding="utf-8"))["forgiven"] == {}


def test_a_green_suite_stays_green_when_a_baseline_was_written(tested: Tested) -> None:
    other = f"{EXPECTED}\nasync def test_other():\n    await lose()\n"
    source = LOSES.replace("MARK", "").replace("END", "pass") + other
    tested(source, "--unlost", *WRITES)

    done = tested(source, "--unlost", *WRITES[:2])

    assert "1 passed, 1 xfailed" in done.stdout
    assert done.returncode == 0


def test_what_an_xfail_expects_no_baseline_forgives(tested: Tested) -> None:
    ended(tested, "", "pass", *WRITES)

    last, said = ended(tested, EXPECTED, "pass", *WRITES[:2])

    assert last == "1 xfailed"
    assert "0 forgiven by known.json; 1 of its 1 entries forgave nothing in these tests" in said


@pytest.mark.parametrize("mark", [EXPECTED, "@pytest.mark.xfail(raises=pytest.fail.Exception)"])
def test_where_nothing_fails_an_xfail_that_expects_what_is_lost_is_met(tested: Tested, mark: str) -> None:
    done = tested(LOSES.replace("MARK", mark).replace("END", "pass"), "--unlost=report")

    assert "1 xfailed" in done.stdout
    assert "lost: ValueError: it broke" in done.stdout


@pytest.mark.parametrize("arguments", [("--unlost", *WRITES), ("--unlost=report",)])
def test_where_nothing_fails_a_skip_is_one_whatever_is_expected(tested: Tested, arguments: tuple[str, ...]) -> None:
    source = LOSES.replace("MARK", EXPECTED).replace("END", "pytest.skip('so')")

    done = tested(source, *arguments)

    assert "1 skipped" in done.stdout


def test_without_xfail_a_baseline_is_written_of_what_it_expects(tested: Tested) -> None:
    last, said = ended(tested, EXPECTED, "pass", *WRITES, "--runxfail")

    assert last == "1 passed"
    assert "1 written to" in said
