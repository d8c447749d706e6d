"""What is half spooled when its process is killed is removed by a later one, and only then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from unlost.batch._lock import try_lock
from unlost.batch.source._spool import spool

SPOOLING = """
import os, sys
from pathlib import Path
from unlost.batch.source._spool import spool

def chunks():
    yield b"half"
    print("spooling", flush=True)
    sys.stdin.read()

spool(chunks(), Path(sys.argv[1]), ".txt")
"""


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".input-*.part"))


def make_old(path: Path) -> None:
    two_hours_ago = time.time() - 7200
    os.utime(path, (two_hours_ago, two_hours_ago))


def start_spooling(folder: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", SPOOLING, str(folder)], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "spooling\n"
    (part,) = parts(folder)
    make_old(part)
    return process


def test_what_a_killed_process_left_is_removed_after_an_hour(tmp_path: Path) -> None:
    process = start_spooling(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    final, _ = spool([b"all"], tmp_path, ".txt")

    assert list(tmp_path.iterdir()) == [final]


def test_what_is_being_spooled_stays_however_long_its_source_says_nothing(tmp_path: Path) -> None:
    process = start_spooling(tmp_path)

    final, _ = spool([b"all"], tmp_path, ".txt")

    assert len(parts(tmp_path)) == 1
    process.communicate()
    assert process.returncode == 0
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"all", b"half"}
    assert parts(tmp_path) == []
    assert final.exists()


def test_what_was_just_begun_stays_although_nobody_has_locked_it_yet(tmp_path: Path) -> None:
    (tmp_path / ".input-abc.part").touch()

    spool([b"all"], tmp_path, ".txt")

    assert len(parts(tmp_path)) == 1


def test_only_what_was_half_spooled_is_removed(tmp_path: Path) -> None:
    for name in ("input-abc.txt", ".input-abc.txt", "fetch-1.db"):
        (tmp_path / name).touch()
        make_old(tmp_path / name)

    spool([b"all"], tmp_path, ".txt")

    assert len(list(tmp_path.iterdir())) == 4


def test_a_spooled_file_is_not_locked_any_more(tmp_path: Path) -> None:
    final, _ = spool([b"all"], tmp_path, ".txt")
    descriptor = os.open(final, os.O_RDONLY)

    assert try_lock(descriptor)
    os.close(descriptor)
