"""``pytest --unlost --unlost-report FILE``: one page of what a session found."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

LOSES = """
import asyncio, gc, pytest

async def boom(name):
    raise ValueError(f"{name} broke")

@pytest.mark.parametrize("number", range(6))
async def test_lost(number):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom("one"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

@pytest.mark.filterwarnings("ignore")
async def test_never():
    boom("x")
    gc.collect()

async def test_right():
    with pytest.raises(ValueError):
        await asyncio.create_task(boom("right"))
"""


def page_of(folder: Path) -> str:
    return unescape((folder / "found.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_one_page_has_what_all_processes_found_and_what_runs_just_these_again(
    tested: Tested, tmp_path: Path, how: list[str]
) -> None:
    done = tested(LOSES, "--unlost=report", "--unlost-report", "found.html", *how)

    page = page_of(tmp_path)
    again = {
        " ".join(sorted(command.split()[2:]))
        for command in re.findall(r"<code>(pytest --unlost=report .*?)</code>", page)
    }
    assert done.returncode == 0, done.stdout
    assert f"report {tmp_path / 'found.html'}" in done.stdout
    assert len(list(tmp_path.glob("*.html"))) == 1
    assert "lost: nobody ever took it" in page
    assert "boom() was called here and never awaited" in page
    assert "6 lost" in page
    assert "1 never awaited" in page
    assert again == {" ".join(f"'test_it.py::test_lost[{number}]'" for number in range(6)), "test_it.py::test_never"}


def test_the_command_on_the_page_finds_the_same_again(tested: Tested, tmp_path: Path) -> None:
    tested(LOSES, "--unlost", "--unlost-report", "found.html")
    [command] = [one for one in re.findall(r"<code>pytest (--unlost .*?)</code>", page_of(tmp_path)) if "never" in one]

    done = tested(LOSES, *command.split())

    assert "1 failed" in done.stdout
    assert "never awaited" in done.stdout


def test_a_worker_that_died_is_among_what_could_not_be_seen(tested: Tested, tmp_path: Path) -> None:
    dies = "import os\ndef test_dies():\n    os._exit(3)\n"

    tested(dies, "--unlost", "--unlost-report", "found.html", "-n", "1", "--max-worker-restart", "0")

    assert "Worker gw0 ended before it told what it had found." in page_of(tmp_path)


def test_a_session_without_errors_has_a_page_that_says_so(tested: Tested, tmp_path: Path) -> None:
    done = tested("def test_it():\n    pass\n", "--unlost", "--unlost-report", "found.html")

    assert done.returncode == 0
    assert "There are no errors." in page_of(tmp_path)


def test_a_file_that_is_something_else_is_refused_before_anything_runs(tested: Tested, tmp_path: Path) -> None:
    (tmp_path / "found.html").write_text("mine", encoding="utf-8")

    done = tested("def test_it():\n    pass\n", "--unlost", "--unlost-report", "found.html")

    assert done.returncode == 4
    assert "is no report of unlost" in done.stderr
    assert (tmp_path / "found.html").read_text(encoding="utf-8") == "mine"


def test_without_the_watching_there_is_nothing_to_write(tested: Tested) -> None:
    done = tested("def test_it():\n    pass\n", "--unlost-report", "found.html")

    assert done.returncode == 4
    assert "needs --unlost" in done.stderr


def test_a_fault_of_the_watching_is_told_at_the_end(tested: Tested) -> None:
    faulty = "def test_it(request):\n    plugin = request.config.pluginmanager.getplugin('unlost-watch')\n"
    faulty += "    plugin._session._of[request.node.nodeid].fault(KeyError('x'))\n"

    done = tested(faulty, "--unlost")

    assert done.returncode == 0
    assert "The watching itself failed 1×: KeyError" in done.stdout
