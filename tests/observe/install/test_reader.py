from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unlost.observe.install._reader import closed, forsaken_for_a_day, is_forsaken, this_process

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing tells there whether a process runs")


def folder_of(tmp_path: Path, process: str) -> str:
    folder = tmp_path / f"unlost-{process}-0123"
    folder.mkdir()
    return str(folder)


def over() -> str:
    """Return the name of a process that is over."""
    return subprocess.run(
        [sys.executable, "-c", f"from {this_process.__module__} import *; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_folder_whose_process_runs_is_not_forsaken(tmp_path: Path) -> None:
    assert not is_forsaken(folder_of(tmp_path, this_process()))


def test_a_folder_whose_process_is_over_is_forsaken_as_long_as_it_is_there(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, over())

    assert is_forsaken(folder)
    os.rename(folder, closed(folder))
    assert is_forsaken(folder)
    os.rmdir(closed(folder))
    assert not is_forsaken(folder)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="when a process began is told on Linux")
def test_another_process_with_the_same_number_is_not_the_one_that_reads(tmp_path: Path) -> None:
    assert is_forsaken(folder_of(tmp_path, f"{os.getpid()}.1"))


def old_folder_of(tmp_path: Path, writer: str, *, folder: float, file: float) -> Path:
    """Return that of a program that is over, with the letters of one of its processes; the times are those of both."""
    old = tmp_path / f"unlost-{over()}-0123456789abcdef"
    old.mkdir()
    letters = old / f"{writer}-01234567"
    letters.touch()
    os.utime(letters, (file, file))
    os.utime(old, (folder, folder))
    return old


def test_what_nobody_has_written_to_for_a_day_is_forsaken_when_all_processes_are_over(tmp_path: Path) -> None:
    old = old_folder_of(tmp_path, over(), folder=0, file=0)

    assert [*forsaken_for_a_day(str(tmp_path))] == [str(old)]


def test_a_folder_in_which_a_living_process_writes_is_not_forsaken_however_old(tmp_path: Path) -> None:
    old_folder_of(tmp_path, this_process(), folder=0, file=0)

    assert not [*forsaken_for_a_day(str(tmp_path))]


def test_a_folder_with_a_letter_of_today_is_not_forsaken_for_a_day(tmp_path: Path) -> None:
    old_folder_of(tmp_path, over(), folder=0, file=time.time())

    assert not [*forsaken_for_a_day(str(tmp_path))]


def test_a_file_of_somebody_else_keeps_no_folder(tmp_path: Path) -> None:
    old = old_folder_of(tmp_path, "notes", folder=0, file=0)

    assert [*forsaken_for_a_day(str(tmp_path))] == [str(old)]
