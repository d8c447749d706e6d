"""The results file: each key once after any number of kills, and nobody else's bytes touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support.journals import Session, indexed, value_of
from unlost.batch.journal._journal import Ended
from unlost.batch.journal._results import ResultsFile
from unlost.batch.journal._writer import JournalError
from unlost.errors import UsageError


class Run:
    """A session with a results file, used as the store does it."""

    def __init__(self, folder: Path, out: Path, keys: str = "abcdef", tag: str | None = None) -> None:
        self.session = Session(folder / "fetch-1.db", tag=tag)
        self.results = ResultsFile(out, tag)
        try:
            self.results.open(self.session.connection)
        except BaseException:
            self.kill()
            raise
        self.session.scan([indexed(line, key) for line, key in enumerate(keys, 1)])

    def commit(self, count: int) -> list[tuple[int, Ended]]:
        """Commit so many outcomes; do not append them yet."""
        self.session.end(*[value_of(one, json.dumps({"of": one.key})) for one in self.session.claim(count)])
        return self.session.journal.take_fresh()

    def append(self, count: int) -> None:
        self.results.append(self.commit(count))

    def sync(self) -> None:
        self.results.sync(self.session.connection)

    def kill(self) -> None:
        self.results.close()
        self.session.kill()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def keys_in(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_text().splitlines()]


def continued(folder: Path, out: Path) -> list[str]:
    """Open once more and return the keys in the file then."""
    Run(folder, out).kill()
    return keys_in(out)


def interrupted(tmp_path: Path, out: Path) -> bytes:
    """Leave a file of three lines of which one is noted; return it."""
    run = Run(tmp_path, out)
    run.append(1)
    run.sync()
    run.append(2)
    run.kill()
    return out.read_bytes()


def test_a_line_has_key_line_value_attempts_milliseconds_and_tag(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out, keys="é")

    run.append(1)

    assert out.read_text(encoding="utf-8") == (
        '{"key": "é", "line": 1, "value": {"of": "\\u00e9"}, "attempts": 1, "ms": 5, "tag": null}\n'
    )
    run.kill()


def test_a_line_has_the_tag_of_the_opening_in_which_its_item_ended(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out, tag="é1")
    run.append(1)
    run.commit(1)
    run.kill()
    run = Run(tmp_path, out)
    run.append(1)
    run.kill()
    run = Run(tmp_path, out, tag="v2")
    run.append(1)
    run.kill()

    Run(tmp_path, out).kill()

    tags = [json.loads(line)["tag"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert tags == ["é1", "é1", None, "v2"]


def test_a_tail_of_an_opening_with_a_tag_is_known_again(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out, tag="v1")
    run.append(2)
    run.kill()
    whole = out.read_bytes()

    Run(tmp_path, out, tag="v2").kill()

    assert out.read_bytes() == whole


def test_failures_have_no_line(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out)

    run.results.append([(1, Ended(1, "a", 1, False, 1, 1, kind="permanent", fingerprint="f", error="{}"))])

    assert out.read_bytes() == b""
    run.kill()


def test_what_was_committed_and_not_appended_is_appended_when_continued(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out)
    run.append(2)
    run.sync()
    run.commit(2)
    run.kill()

    assert continued(tmp_path, out) == ["a", "b", "c", "d"]


def test_what_is_appended_when_continued_is_noted_at_once(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out)
    run.commit(2)
    run.kill()
    run = Run(tmp_path, out)

    noted = list(run.session.connection.execute("SELECT length, lines, seq FROM results"))

    assert noted == [(out.stat().st_size, 2, 2)]
    run.kill()


def test_what_was_appended_and_not_noted_is_there_once_when_continued(tmp_path: Path, out: Path) -> None:
    whole = interrupted(tmp_path, out)

    assert continued(tmp_path, out) == ["a", "b", "c"]
    assert out.read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 20, 40, 60, 80, 100])
def test_a_torn_tail_is_made_whole(tmp_path: Path, out: Path, cut: int) -> None:
    whole = interrupted(tmp_path, out)
    out.write_bytes(whole[:-cut])

    assert continued(tmp_path, out) == ["a", "b", "c"]
    assert out.read_bytes() == whole


@pytest.mark.parametrize("cut", [0, 1, 30, 100])
def test_nul_bytes_of_a_power_cut_are_made_whole(tmp_path: Path, out: Path, cut: int) -> None:
    whole = interrupted(tmp_path, out)
    out.write_bytes(whole[: len(whole) - cut] + b"\0" * 4096)

    assert continued(tmp_path, out) == ["a", "b", "c"]
    assert out.read_bytes() == whole


def test_nul_bytes_in_the_place_of_what_a_power_cut_took_out_of_the_middle_are_made_whole(
    tmp_path: Path, out: Path
) -> None:
    whole = interrupted(tmp_path, out)
    hole = len(whole) // 2
    out.write_bytes(whole[:hole] + bytes(20) + whole[hole + 20 :])

    assert continued(tmp_path, out) == ["a", "b", "c"]
    assert out.read_bytes() == whole


@pytest.mark.parametrize(
    "tail",
    [b"appended by hand\n", b"\n", b'{"key": "z"}\n', b"\0\0x", b"\0" * 500 + b"x", b"~"],
    ids=["text", "line", "json", "nul", "nuls", "tilde"],
)
@pytest.mark.parametrize("cut", [0, 10])
def test_a_tail_of_others_is_refused_and_untouched(tmp_path: Path, out: Path, tail: bytes, cut: int) -> None:
    whole = interrupted(tmp_path, out)
    touched = whole[: len(whole) - cut] + tail
    out.write_bytes(touched)

    with pytest.raises(UsageError, match="something that it did not write"):
        Run(tmp_path, out)
    assert out.read_bytes() == touched


@pytest.mark.parametrize("content", [b"precious\n", b"\0" * 100, b"\n"], ids=["text", "nul", "line"])
def test_a_file_of_others_is_refused_and_untouched(tmp_path: Path, out: Path, content: bytes) -> None:
    out.write_bytes(content)

    with pytest.raises(UsageError, match=r"--out other\.jsonl"):
        Run(tmp_path, out)
    assert out.read_bytes() == content


def test_a_file_that_was_removed_is_written_anew(tmp_path: Path, out: Path) -> None:
    whole = interrupted(tmp_path, out)
    out.unlink()

    assert continued(tmp_path, out) == ["a", "b", "c"]
    assert out.read_bytes() == whole


def test_a_file_that_was_emptied_is_written_anew(tmp_path: Path, out: Path) -> None:
    interrupted(tmp_path, out)
    out.write_bytes(b"")

    assert continued(tmp_path, out) == ["a", "b", "c"]


def test_a_file_shorter_than_noted_is_refused_and_untouched(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out)
    run.append(2)
    run.sync()
    run.kill()
    out.write_bytes(out.read_bytes()[:-5])
    before = out.read_bytes()

    with pytest.raises(UsageError, match="and this run wrote"):
        Run(tmp_path, out)
    assert out.read_bytes() == before


def test_a_second_file_gets_all_results_so_far_and_the_first_goes_on_later(tmp_path: Path, out: Path) -> None:
    whole = interrupted(tmp_path, out)
    other = tmp_path / "other.jsonl"
    run = Run(tmp_path, other)
    assert other.read_bytes() == whole
    run.append(1)
    run.kill()

    assert continued(tmp_path, out) == keys_in(other) == ["a", "b", "c", "d"]


def test_a_file_that_was_moved_is_continued_where_it_is_now(tmp_path: Path, out: Path) -> None:
    whole = interrupted(tmp_path, out)
    out.rename(tmp_path / "moved.jsonl")

    assert continued(tmp_path, tmp_path / "moved.jsonl") == ["a", "b", "c"]
    assert (tmp_path / "moved.jsonl").read_bytes() == whole


def test_a_tail_is_known_again_after_the_source_was_reordered(tmp_path: Path, out: Path) -> None:
    whole = interrupted(tmp_path, out)
    Run(tmp_path, tmp_path / "other.jsonl", keys="fedcba").kill()

    Run(tmp_path, out, keys="fedcba").kill()

    assert out.read_bytes() == whole


def test_a_symbolic_link_is_followed_and_stays_one(tmp_path: Path, out: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(out)

    interrupted(tmp_path, link)

    assert link.is_symlink()
    assert keys_in(out) == ["a", "b", "c"]
    assert continued(tmp_path, out) == ["a", "b", "c"]


def make_fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("make", [make_fifo, lambda _: Path(os.devnull)], ids=["fifo", "null"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: object) -> None:
    out = make(tmp_path / "odd")

    with pytest.raises(UsageError, match="not a regular file"):
        Run(tmp_path, out)


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write the results file .*no/out.jsonl: No such file"):
        Run(tmp_path, tmp_path / "no" / "out.jsonl")


def test_a_file_that_another_run_writes_is_refused(tmp_path: Path, out: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Run(tmp_path / "other", out)

    with pytest.raises(UsageError, match="another run writes the results file"):
        Run(tmp_path, out)
    other.kill()


READ_ONLY = """
import os, sys
from pathlib import Path
from unlost.batch.journal._results import ResultsFile
from unlost.errors import UsageError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    ResultsFile(Path(sys.argv[1])).open(None)
except UsageError as refusal:
    print(refusal)
"""


def test_a_file_that_is_read_only_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:  # where another user gets as well, if the tests run as root
        Path(folder).chmod(0o755)
        out = Path(folder) / "out.jsonl"
        out.write_bytes(b"")
        out.chmod(0o444)

        refused = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(out)], capture_output=True, text=True, timeout=60
        )

    assert refused.stdout == f"cannot write the results file {out}: Permission denied\n", refused.stderr


class Full:
    """A file on a full disk."""

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_an_error_that_names_the_file_and_where_the_results_are(tmp_path: Path, out: Path) -> None:
    run = Run(tmp_path, out)
    run.append(1)
    run.results._file.close()
    run.results._file = run.results._opened = Full()

    with pytest.raises(JournalError, match=r"results file .*: No space left on device; the journal has all results"):
        run.append(2)
    run.kill()
    assert continued(tmp_path, out) == ["a", "b", "c"]


def test_a_sync_is_wanted_a_second_after_something_was_appended(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("unlost.batch.journal._results.monotonic", lambda: now)
    run = Run(tmp_path, out)
    now += 5
    nothing = run.results.wants_sync()
    run.append(1)
    later = run.results.wants_sync()
    run.sync()
    run.append(1)
    just_now = run.results.wants_sync()
    now += 1.1

    assert (nothing, later, just_now, run.results.wants_sync()) == (False, True, False, True)
    run.kill()


def test_a_file_that_was_there_is_not_called_this_runs_own(tmp_path: Path, out: Path) -> None:
    out.write_text('{"of": "another"}\n', encoding="utf-8")

    with pytest.raises(UsageError, match="it is there already, and this run has not written it"):
        Run(tmp_path, out)


def test_a_folder_is_answered_with_a_file_in_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"is a folder.\nName a file in it: --out {tmp_path}/results.jsonl"):
        Run(tmp_path, tmp_path)
