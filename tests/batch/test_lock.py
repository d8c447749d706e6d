"""One writer for a journal, and a message for the second one that says what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from unlost.batch._lock import Lock, Locked, is_held, try_lock
from unlost.errors import UsageError

OWNER = """
import sys
from pathlib import Path
from unlost.batch._lock import Lock
lock = Lock(Path(sys.argv[1]), "fetch-1")
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.lock"


@pytest.fixture
def owner(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(path)], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_with_the_process_id_of_the_first(path: Path, owner: subprocess.Popen[str]) -> None:
    with pytest.raises(Locked) as refused:
        Lock(path, "fetch-1")

    assert str(refused.value) == (
        f"run fetch-1 is being written by process {owner.pid}.\nWait for it, or end it; or start another run: --new"
    )
    assert is_held(path)


def test_a_stopped_owner_is_told_to_be_stopped(path: Path, owner: subprocess.Popen[str]) -> None:
    owner.send_signal(signal.SIGSTOP)
    os.waitpid(owner.pid, os.WUNTRACED)

    with pytest.raises(Locked) as refused:
        Lock(path, "fetch-1")

    message = str(refused.value)
    assert f"process {owner.pid}" in message
    if sys.platform == "linux":  # others do not say it without a library
        assert "which is stopped" in message
        assert f"kill -CONT {owner.pid}" in message


def test_the_lock_dies_with_a_killed_owner(path: Path, owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()

    assert not is_held(path)
    Lock(path, "fetch-1").release()


def test_a_released_lock_can_be_taken_by_a_process_that_waited_for_it(path: Path, owner: subprocess.Popen[str]) -> None:
    print("release it", file=owner.stdin, flush=True)
    assert owner.stdout.readline() == "released\n"

    lock = Lock(path, "fetch-1")

    assert path.read_text().strip() == str(os.getpid())
    lock.release()


def test_only_the_owner_of_now_is_named(path: Path) -> None:
    path.write_text("\n12345678901234567890\nand more\n")

    lock = Lock(path, "fetch-1")

    assert path.read_text() == f"\n{os.getpid()}\n"
    lock.release()


def test_the_same_process_is_refused_as_well(path: Path) -> None:
    lock = Lock(path, "fetch-1")

    with pytest.raises(Locked, match=f"process {os.getpid()}"):
        Lock(path, "fetch-1")
    lock.release()


def test_no_lock_is_held_where_there_is_no_file(path: Path) -> None:
    assert not is_held(path)
    assert not path.exists()


def test_looking_does_not_change_or_keep_the_lock(path: Path) -> None:
    Lock(path, "fetch-1").release()
    before = path.read_bytes()

    assert [is_held(path), is_held(path)] == [False, False]
    assert path.read_bytes() == before
    Lock(path, "fetch-1").release()


def test_a_look_at_the_lock_does_not_refuse_who_takes_it(path: Path) -> None:
    """``is_held`` has the lock for a moment: here for as long as it takes to see it refused once."""
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    assert try_lock(descriptor)
    let_go = threading.Timer(0.015, os.close, (descriptor,))
    let_go.start()

    lock = Lock(path, "fetch-1")

    lock.release()
    let_go.join()


def test_a_lock_that_cannot_be_made_says_where_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory") as refused:
        Lock(tmp_path / "no" / "fetch-1.lock", "fetch-1")

    assert "--folder DIR" in str(refused.value)
    assert not isinstance(refused.value, Locked)
