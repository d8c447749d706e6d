"""A function of ``__main__``: of a script, of ``python -c``; the same again continues, a changed one is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine

pytestmark = pytest.mark.stock

SCRIPT = """
import asyncio
from unlost.batch import Run

async def work(item):
    if item == 3:
        raise ValueError(item)
    return 2 * item

async def main():
    async with Run(work, range(5){more}) as run:
        started = [outcome.key async for outcome in run]
    print(run, len(started))

asyncio.run(main())
"""
FIRST = "<Run work-1, complete: 4 ok · 1 failed of 5> 5\n"
AGAIN = "<Run work-1, complete: 4 ok · 1 failed of 5> 0\n"


def script(more: str = "", factor: int = 2) -> str:
    return SCRIPT.replace("{more}", more).replace("2 * item", f"{factor} * item")


def run(folder: Path, text: str, *, as_argument: bool = False) -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(text)
    arguments = ["-c", text] if as_argument else ["app.py"]
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("as_argument", [False, True])
def test_the_same_program_again_continues(tmp_path: Path, as_argument: bool) -> None:
    first = run(tmp_path, script(), as_argument=as_argument)
    again = run(tmp_path, script(), as_argument=as_argument)

    assert (first.stdout, first.stderr) == (FIRST, "")
    assert (again.stdout, again.stderr) == (AGAIN, "")


def test_another_line_elsewhere_in_the_script_is_no_change(tmp_path: Path) -> None:
    run(tmp_path, script())

    again = run(tmp_path, f"# a comment\n{script()}\nprint('done')")

    assert again.stdout == f"{AGAIN}done\n"


@pytest.mark.parametrize("as_argument", [False, True])
def test_a_changed_function_is_refused_in_the_words_of_a_program(tmp_path: Path, as_argument: bool) -> None:
    run(tmp_path, script(), as_argument=as_argument)

    refused = run(tmp_path, script(factor=3), as_argument=as_argument)
    accepted = run(tmp_path, script(", accept_code=True", factor=3), as_argument=as_argument)
    another = run(tmp_path, script(", new=True", factor=3), as_argument=as_argument)

    assert refused.stderr.endswith(
        "the code of __main__:work is not what run work-1 ran last (the text of that function has changed).\n"
        "Continue with the new code: accept_code=True. Or start another run: new=True\n"
    )
    assert accepted.stdout == AGAIN
    assert another.stdout == FIRST.replace("work-1", "work-2")


def test_its_dead_letters_are_run_again_by_the_program(tmp_path: Path) -> None:
    run(tmp_path, script())

    text = script(", again=Again()").replace("import Run", "import Again, Run").replace("item == 3", "item == 100")
    again = run(tmp_path, text)

    assert (again.stdout, again.stderr) == ("<Run work-1, complete: 5 ok · 0 failed of 5> 1\n", "")


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_a_command_says_that_the_function_is_not_there_and_what_to_write(tmp_path: Path, command: str) -> None:
    run(tmp_path, script())

    refused = CommandLine(tmp_path)(command, "work-1")

    assert refused.returncode == 2
    assert refused.stderr == (
        f"unlost {command}: run work-1 is of work in a program or a notebook, which a command cannot import.\n"
        "Go on there: the same Run(work, ...) continues it; again=Again() runs its dead letters again.\n"
    )


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (", key='id'", "", "named its items by key='id', and this call says no key="),
        ("", ", key='id'", "named its items by no key=, and this call says key='id'"),
    ],
)
def test_other_refusals_speak_of_arguments_too(tmp_path: Path, before: str, now: str, words: str) -> None:
    items = script(before).replace("range(5)", "[{'id': 1}]").replace("2 * item", "1")
    run(tmp_path, items)

    refused = run(tmp_path, items.replace(f"]{before})", f"]{now})"))

    assert words in refused.stderr
    assert "--" not in refused.stderr.rpartition("UsageError")[2]
    assert "new=True" in refused.stderr
