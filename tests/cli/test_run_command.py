"""``unlost run``, ``resume``, ``runs`` and ``show`` as typed: what they print, refuse and exit with."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from support.command import LOGGING_JOB, CommandLine, logged

pytestmark = pytest.mark.stock

JOBS = """
import asyncio, contextlib, unlost


async def square(item):
    return item["n"] ** 2


async def picky(item):
    n = item["n"]
    if n == 1:
        raise SystemExit(3)
    if n == 2:
        raise KeyboardInterrupt
    if n == 3:
        raise type("Odd", (BaseException,), {})("not an Exception")
    if n == 4:
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)
    if n == 5:
        return {1, 2}
    if n == 6:
        return {1}  # a set
    if n == 7:
        raise GeneratorExit
    return n


@unlost.job(attempts=2, timeout=0.05)
async def slow(item):
    await asyncio.sleep(5)


_tries = {}


async def flaky(item, context):
    if context.attempt < 3:
        raise ConnectionError(f"attempt {context.attempt}")
    return context.idempotency_key


@contextlib.asynccontextmanager
async def client():
    async def fetch(item):
        return item["n"]

    yield fetch


@contextlib.asynccontextmanager
async def no_client():
    raise ConnectionRefusedError("no database here")
    yield


@contextlib.asynccontextmanager
async def bad_close():
    async def fetch(item):
        return item["n"]

    yield fetch
    raise OSError("could not be closed")
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOBS)
    return command


def test_all_ok_exits_with_0_and_writes_each_result_once(unlost: CommandLine) -> None:
    unlost.write_inputs(250)

    done = unlost("run", "jobs:square", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert "250 ok · 0 failed · 0 in doubt" in done.stdout
    assert "250 of 250 accounted for" in done.stdout
    assert sorted(line["value"] for line in unlost.results()) == [n * n for n in range(250)]


def test_whatever_a_job_raises_is_its_own_outcome_and_the_others_go_on(unlost: CommandLine) -> None:
    unlost.write_inputs(10)

    done = unlost("run", "jobs:picky", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 1, done.stderr
    assert sorted(line["value"] for line in unlost.results()) == [0, 8, 9]
    view = unlost.json("show", "picky-1")
    titles = {group["title"].split()[0]: group["kind"] for group in view["groups"]}
    assert set(titles) >= {"SystemExit", "KeyboardInterrupt", "Odd", "CancelledError", "OutputError", "GeneratorExit"}
    assert titles["OutputError"] == "output"
    assert titles["CancelledError"] == "cancelled"
    assert (view["books"]["failed"], view["books"]["in_doubt"]) == (7, 0)


def test_bad_lines_are_failed_items_of_kind_input_with_their_line(unlost: CommandLine) -> None:
    text = b'{"n": 1}\n{"n": \n\xff\xfe\n\n{"n": 2}\n{"n": 3'
    (unlost.folder / "in.jsonl").write_bytes(text)

    done = unlost("run", "jobs:square", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 1, done.stderr
    groups = unlost.json("show", "square-1")["groups"]
    assert {(group["kind"], group["example"]["line"]) for group in groups} == {("input", 2), ("input", 3), ("input", 6)}
    assert sorted(line["line"] for line in unlost.results()) == [1, 5]


def test_a_duplicate_under_key_is_a_failure_that_names_the_first_line(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", '{"id": "a", "n": 1}\n{"id": "b", "n": 2}\n{"id": "a", "n": 3}\n{"n": 4}\n')

    done = unlost("run", "jobs:square", "in.jsonl", "--key", "id", "--out", "results.jsonl")

    assert done.returncode == 1, done.stderr
    shown = unlost("show", "square-1").stdout
    assert sorted(line["key"] for line in unlost.results()) == ["a", "b"]
    assert "line 3" in shown
    fingerprints = [group["fingerprint"] for group in unlost.json("show", "square-1")["groups"]]
    details = "".join(unlost("show", "square-1", fingerprint).stdout for fingerprint in fingerprints)
    assert "which line 1 has already" in details
    assert "has no field 'id'" in details


def test_timeouts_are_per_attempt_and_every_attempt_is_in_the_journal(unlost: CommandLine) -> None:
    unlost.write_inputs(1)

    done = unlost("run", "jobs:slow", "in.jsonl")

    assert done.returncode == 1, done.stderr
    (group,) = unlost.json("show", "slow-1")["groups"]
    (dead,) = unlost.json("show", "slow-1", group["fingerprint"])
    assert group["title"].startswith("DeadlineExceeded")
    assert dead["attempts"] == 2
    assert [attempt["type"]["qualname"] for attempt in dead["error"]["attempts"]] == ["DeadlineExceeded"]


def test_a_flag_overrides_the_decorator_and_explain_says_so(unlost: CommandLine) -> None:
    unlost.write_inputs(1)

    explained = unlost("run", "jobs:slow", "in.jsonl", "--attempts", "4", "--explain")

    assert explained.returncode == 0
    lines = {line.split()[0]: line for line in explained.stdout.splitlines()}
    assert "flag --attempts" in lines["attempts"]
    assert "@job at jobs.py:" in lines["timeout"]
    assert not (unlost.folder / ".unlost").exists()


def test_what_a_retry_survived_is_in_the_journal(unlost: CommandLine) -> None:
    unlost.write_inputs(3)

    done = unlost("run", "jobs:flaky", "in.jsonl", "--attempts", "3", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert "6 retries (3 recovered)" in done.stdout
    with sqlite3.connect(unlost.folder / ".unlost" / "flaky-1.db") as journal:
        survived = [json.loads(text) for (text,) in journal.execute("SELECT survived FROM outcome")]
    journal.close()
    assert [[one["title"] for one in item] for item in survived] == [["ConnectionError attempt <…>"] * 2] * 3
    assert len({line["value"] for line in unlost.results()}) == 3


def test_a_context_manager_target_shares_its_client(unlost: CommandLine) -> None:
    unlost.write_inputs(5)

    done = unlost("run", "jobs:client", "in.jsonl")

    assert done.returncode == 0, done.stderr


def test_a_target_that_cannot_be_opened_halts_the_run_and_everything_is_pending(unlost: CommandLine) -> None:
    unlost.write_inputs(5)

    done = unlost("run", "jobs:no_client", "in.jsonl")

    assert done.returncode == 3
    assert "no database here" in done.stderr
    assert "5 pending" in done.stdout


def test_an_error_while_the_target_is_closed_is_reported_and_loses_no_outcome(unlost: CommandLine) -> None:
    unlost.write_inputs(5)

    done = unlost("run", "jobs:bad_close", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 3
    assert "could not be closed" in done.stderr
    assert len(unlost.results()) == 5


def test_the_same_command_again_continues_and_new_starts_another(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write_inputs(20)
    first = unlost("run", "jobs:work", "in.jsonl", "--first", "5", "--out", "results.jsonl")

    again = unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl")
    complete = unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl")
    new = unlost("run", "jobs:work", "in.jsonl", "--new")

    assert "4 ok · 1 failed" in first.stdout
    assert "continuing run work-1" in again.stderr
    assert "18 ok · 2 failed" in again.stdout
    assert "18 ok · 2 failed" in complete.stdout
    assert "work-2.db" in new.stdout
    assert " results results.jsonl" in unlost("show", "work-1").stdout
    assert sorted(logged(unlost.folder, "start")) == sorted([*range(20), *range(20)])
    assert len(unlost.results()) == 18
    assert "work-1" in unlost("runs").stdout


def test_a_changed_and_reordered_file_continues_and_what_is_gone_is_withdrawn(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write("in.jsonl", '{"n": 0}\n{"n": 1}\n{"n": 2}\n{"n": 2}\n')
    unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl")
    unlost.write("in.jsonl", '{"n":2}\n{"n": 4}\n\n{ "n": 0 }\n')

    done = unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert "3 ok · 0 failed · 0 in doubt · 2 withdrawn" in done.stdout
    assert "5 of 5 accounted for" in done.stdout
    assert sorted(logged(unlost.folder, "start")) == [0, 1, 2, 2, 4]
    assert sorted(line["value"] for line in unlost.results()) == [0, 1, 4, 4, 16]


def test_standard_input_is_spooled_and_can_be_resumed(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    text = "".join(f'{{"n": {n}}}\n' for n in range(10))

    first = unlost("run", "jobs:work", "-", "--format", "jsonl", "--first", "3", stdin=text)
    again = unlost("run", "jobs:work", "-", "--format", "jsonl", stdin=text)
    resumed = unlost("resume", "work-1")

    assert first.returncode == 0, first.stderr
    assert "9 ok · 1 failed" in again.stdout
    assert "9 ok · 1 failed" in resumed.stdout
    assert sorted(logged(unlost.folder, "start")) == list(range(10))


def test_changed_code_needs_to_be_accepted(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl", "--first", "1")
    unlost.write("jobs.py", JOBS + "\n# another thought\n")

    refused = unlost("run", "jobs:square", "in.jsonl")
    accepted = unlost("run", "jobs:square", "in.jsonl", "--accept-code")

    assert refused.returncode == 2
    assert "--accept-code" in refused.stderr
    assert accepted.returncode == 0


def test_a_results_file_of_others_is_never_touched(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost.write("results.jsonl", "precious\n")

    refused = unlost("run", "jobs:square", "in.jsonl", "--out", "results.jsonl")

    assert refused.returncode == 2
    assert "--out other.jsonl" in refused.stderr
    assert (unlost.folder / "results.jsonl").read_text() == "precious\n"


def test_a_results_file_that_was_taken_away_is_written_anew_and_one_that_was_edited_is_refused(
    unlost: CommandLine,
) -> None:
    unlost.write_inputs(3)
    path = unlost.folder / "results.jsonl"
    unlost("run", "jobs:square", "in.jsonl", "--out", "results.jsonl")
    whole = path.read_text()
    path.unlink()
    unlost("resume", "square-1")
    anew = path.read_text()
    path.write_text(whole + "appended by hand\n")

    refused = unlost("resume", "square-1")

    assert anew == whole
    assert refused.returncode == 2
    assert path.read_text() == whole + "appended by hand\n"


def test_another_results_file_gets_all_results_so_far(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl", "--out", "results.jsonl")

    unlost("resume", "square-1", "--out", "other.jsonl")

    assert unlost.results("other.jsonl") == unlost.results()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "jobs", "in.jsonl"), "jobs:"),
        (("run", "jobs:sqare", "in.jsonl"), "Did you mean 'square'?"),
        (("run", "jbos:square", "in.jsonl"), "jobs"),
        (("run", "jobs:square", "im.jsonl"), "in.jsonl"),
        (("run", "jobs:square", "."), "folder"),
        (("run", "jobs:square", "in.jsonl", "-j", "0"), "from 1"),
        (("run", "jobs:square", "in.jsonl", "--attempts", "many"), "whole number"),
        (("run", "jobs:square", "in.jsonl", "--timeout", "soon"), "500ms"),
        (("run", "jobs:square", "in.jsonl", "--timeout", "9", "--deadline", "3"), "longer than the deadline"),
        (("run", "jobs:square", "in.jsonl", "--key", "id", "--format", "lines"), "--key"),
        (("resume", "nothing-1"), "there is no run"),
        (("show", "nothing"), "there is no run"),
        (("show", "../nothing-1"), "there is no run"),
        (("frobnicate",), "invalid choice"),
        (("run",), "required"),
    ],
)
def test_what_cannot_be_is_refused_with_2_and_with_what_to_write(
    unlost: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    unlost.write_inputs(3)

    refused = unlost(*arguments)

    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_damaged_or_foreign_journal_is_refused(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl")
    journal = unlost.folder / ".unlost" / "square-1.db"
    journal.write_bytes(b"not a database at all" * 100)

    damaged = unlost("resume", "square-1")
    journal.unlink()
    with sqlite3.connect(journal) as foreign:
        foreign.execute("CREATE TABLE something(a)")
    foreign.close()
    other = unlost("show", "square-1")

    assert damaged.returncode == other.returncode == 2
    assert "not a database" in damaged.stderr
    assert "not a journal of unlost" in other.stderr


def test_a_journal_of_a_newer_version_is_refused(unlost: CommandLine) -> None:
    unlost.write_inputs(1)
    unlost("run", "jobs:square", "in.jsonl")
    with sqlite3.connect(unlost.folder / ".unlost" / "square-1.db") as journal:
        journal.execute("PRAGMA user_version=99")
    journal.close()

    refused = unlost("resume", "square-1")

    assert refused.returncode == 2
    assert "pip install --upgrade unlost" in refused.stderr


def test_a_folder_that_cannot_be_made_is_refused(unlost: CommandLine) -> None:
    unlost.write_inputs(1)
    unlost.write("file", "")

    refused = unlost("run", "jobs:square", "in.jsonl", "--folder", "file/journals")

    assert refused.returncode == 2
    assert "--folder" in refused.stderr


def test_the_folder_is_for_its_user_only_and_not_for_version_control(unlost: CommandLine) -> None:
    unlost.write_inputs(1)

    unlost("run", "jobs:square", "in.jsonl")

    folder = unlost.folder / ".unlost"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_json_is_all_there_is_on_standard_output(unlost: CommandLine) -> None:
    unlost.write_inputs(3)

    done = unlost("run", "jobs:square", "in.jsonl", "--json")
    listed = unlost.json("runs")

    summary = json.loads(done.stdout)
    assert (summary["run"], summary["exit"], summary["books"]["ok"]) == ("square-1", 0, 3)
    assert [(entry["run"], entry["state"]) for entry in listed] == [("square-1", "complete")]


def test_an_empty_file_is_a_run_of_no_inputs(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", "")

    done = unlost("run", "jobs:square", "in.jsonl")

    assert done.returncode == 0, done.stderr
    assert "0 of 0 accounted for" in done.stdout


def test_a_job_may_change_the_current_folder(unlost: CommandLine) -> None:
    unlost.write("jobs.py", "import os\n\n\nasync def move(line):\n    os.chdir('/')\n    return line\n")
    unlost.write("in.txt", "a\nb\n")

    done = unlost("run", "jobs:move", "in.txt", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert "journal .unlost/move-1.db   2 of 2" in done.stdout
    assert len(unlost.results()) == 2


def test_text_lines_are_items_as_they_stand(unlost: CommandLine) -> None:
    unlost.write("jobs.py", "async def shout(line):\n    return line.upper()\n")
    unlost.write("in.txt", "one\ntwo words\r\n  three\n")

    done = unlost("run", "jobs:shout", "in.txt", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert {line["value"] for line in unlost.results()} == {"ONE", "TWO WORDS", "  THREE"}


def test_show_into_a_closed_pipe_ends_quietly(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl")
    process = unlost.start("show", "square-1")
    assert process.stdout is not None
    process.stdout.close()

    process.stdout = None
    _out, err = process.communicate(timeout=20)

    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_journal_in_a_folder_without_write_permission_can_be_shown(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl")

    (unlost.folder / ".unlost").chmod(0o500)
    shown = unlost("show", "square-1")
    (unlost.folder / ".unlost").chmod(0o700)

    assert shown.returncode == 0, shown.stderr
    assert "3 ok" in shown.stdout


def test_what_a_job_prints_does_not_come_between_json(unlost: CommandLine) -> None:
    unlost.write("jobs.py", "async def noisy(line):\n    print('NOISE', line)\n    return line\n")
    unlost.write("in.txt", "a\nb\n")

    done = unlost("run", "jobs:noisy", "in.txt", "--json")

    assert json.loads(done.stdout)["books"]["ok"] == 2
    assert "NOISE a" in done.stderr


def test_a_run_with_nothing_left_to_do_says_so(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    unlost("run", "jobs:square", "in.jsonl")

    again = unlost("run", "jobs:square", "in.jsonl")

    assert "had nothing left to do" in again.stderr


def test_an_input_that_was_edited_under_its_key_after_it_ended_is_told(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", '{"id": "a", "n": 1}\n{"id": "b", "n": 2}\n')
    unlost("run", "jobs:square", "in.jsonl", "--key", "id", "--out", "results.jsonl")
    unlost.write("in.jsonl", '{"id": "a", "n": 1}\n{"id": "b", "n": 3}\n')

    again = unlost("run", "jobs:square", "in.jsonl", "--key", "id", "--out", "results.jsonl")

    assert "1 record has changed since its item began and counts as it was then; --new runs it again" in again.stdout
    assert sorted(line["value"] for line in unlost.results()) == [1, 4]


def test_a_part_of_the_source_is_no_complete_run_and_resuming_reads_it_all(unlost: CommandLine) -> None:
    unlost.write_inputs(9)

    first = unlost("run", "jobs:square", "in.jsonl", "--first", "4", "--out", "results.jsonl")
    listed, table = unlost.json("runs"), unlost("runs").stdout
    resumed = unlost("resume", "square-1")

    assert first.returncode == 0
    assert "the first 4 inputs have ended, as --first said; all: unlost resume square-1      exit 0" in first.stdout
    assert [entry["state"] for entry in listed] == ["unfinished"]
    assert "  first 4  " in table
    assert "9 ok" in resumed.stdout
    assert "\n results results.jsonl\n" in resumed.stdout


def test_code_under_which_nothing_ran_may_change(unlost: CommandLine) -> None:
    unlost.write_inputs(3)
    halted = unlost("run", "jobs:no_client", "in.jsonl")
    unlost.write("jobs.py", JOBS.replace('raise ConnectionRefusedError("no database here")', "pass"))

    again = unlost("run", "jobs:no_client", "in.jsonl")

    assert halted.returncode == 3
    assert "--accept-code" not in again.stderr


def test_journals_that_cannot_be_read_are_not_called_no_runs(unlost: CommandLine) -> None:
    folder = unlost.folder / ".unlost"
    folder.write_text("", encoding="utf-8")
    instead = [unlost("runs"), unlost("show", "square-1")]
    folder.unlink()
    folder.mkdir()
    (folder / "square-1.db").write_text("this is no database, however long one looks at it", encoding="utf-8")
    broken = [unlost("runs"), unlost("show", "square-1")]

    assert [done.returncode for done in (*instead, *broken)] == [2, 2, 2, 2]
    assert [done.stdout for done in (*instead, *broken)] == ["", "", "", ""]
    assert all("cannot read the journals in .unlost: Not a directory" in done.stderr for done in instead)
    assert all("is not a journal of unlost" in done.stderr for done in broken)


def test_a_source_without_items_is_said_to_be_one(unlost: CommandLine) -> None:
    unlost.write("in.txt", "\n")

    done = unlost("run", "jobs:square", "in.txt")
    piped = unlost("run", "jobs:square", "-", stdin="")

    assert (done.returncode, piped.returncode) == (0, 0)
    assert "no items in in.txt" in done.stdout
    assert "no items in standard input" in piped.stdout
