"""Every nasty error that we know goes through the journal and comes back, and none of them harms the run."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from support import zoo
from support.command import CommandLine
from support.service import MISBEHAVIOUR, item_of, running_service

pytestmark = pytest.mark.stock

EVERY = ""  # what each fingerprint begins with


@dataclass(frozen=True)
class Visit:
    """A run over the whole zoo, and what the commands say about it afterwards."""

    unlost: CommandLine
    run: subprocess.CompletedProcess[str]
    view: dict[str, Any]
    letters: dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=["plain", "with policies"])
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    unlost = CommandLine(tmp_path_factory.mktemp("zoo"))
    shutil.copy(zoo.__file__, unlost.folder / "jobs.py")
    unlost.write("in.jsonl", "".join(f"{json.dumps({'animal': name})}\n" for name in ["tame", *zoo.ZOO, "tame"]))
    policies = ["--attempts", "2", "--timeout", "30", "--deadline", "60", "--retry-on", "permanent,defect"]
    options = policies if request.param == "with policies" else []
    with running_service() as url:
        numbers = {kind: str(item_of(kind)) for kind in MISBEHAVIOUR}
        unlost.environment |= {"ZOO_URL": url, "ZOO_ITEMS": json.dumps(numbers)}
        run = unlost("run", "jobs:visit", "in.jsonl", "-j", "7", "--out", "results.jsonl", *options)
    letters = {json.loads(dead["input"])["animal"]: dead for dead in unlost.json("show", "visit-1", EVERY)}
    return Visit(unlost, run, unlost.json("show", "visit-1"), letters)


def test_the_run_goes_on_and_its_books_balance(visit: Visit) -> None:
    assert visit.run.returncode == 1, visit.run.stderr
    assert f" 2 ok · {len(zoo.ZOO)} failed · 0 in doubt" in visit.run.stdout
    assert visit.view["books"]["balance"] is True
    assert [line["value"] for line in visit.unlost.results()] == ["tame", "tame"]


def test_nothing_but_an_exit_in_a_task_of_a_job_is_told_on_standard_error(visit: Visit) -> None:
    told = [line for line in visit.run.stderr.splitlines() if line.startswith("unlost: ")]

    assert sorted(told) == [
        f"unlost: a job's task or callback raised {name}; the run goes on"
        for name in ("KeyboardInterrupt", "SystemExit")
    ]


@pytest.mark.parametrize("name", zoo.ZOO)
def test_each_error_is_there_with_its_type_and_message(visit: Visit, name: str) -> None:
    animal = zoo.ZOO[name]

    error = visit.letters[name]["error"]

    assert error["type"]["qualname"].endswith(animal.type_name)
    assert error["message"].startswith(animal.message)


def test_show_lists_every_error(visit: Visit) -> None:
    shown = visit.unlost("show", "visit-1")

    assert shown.returncode == 0, shown.stderr
    listed = shown.stdout
    for group in visit.view["groups"]:
        assert group["fingerprint"][:6] in listed
    assert sum(group["count"] for group in visit.view["groups"]) == len(zoo.ZOO)


def test_show_prints_every_error_in_full_and_harmlessly(visit: Visit) -> None:
    shown = visit.unlost("show", "visit-1", EVERY)

    assert shown.returncode == 0, shown.stderr
    for name, animal in zoo.ZOO.items():
        assert f'{{"animal": "{name}"}}' in shown.stdout
        assert animal.type_name in shown.stdout
    assert {character for character in shown.stdout if not character.isprintable()} <= {"\n"}


def test_what_hangs_on_an_error_is_there_too(visit: Visit) -> None:
    errors = {name: letter["error"] for name, letter in visit.letters.items()}

    assert errors["with_context"]["context"]["message"] == "'seen'"
    assert {"cause", "context"}.isdisjoint(errors["from_none"])
    assert errors["with_notes"]["notes"] == ["the first note", "<__str__ raised ValueError>"]
    assert errors["cycle"]["cause"]["seen"] is True
    inner = errors["groups_of_groups"]["members"][1]
    assert [member["message"] for member in inner["members"]] == ["'b'", "<__str__ raised ValueError>"]
    assert len(errors["wide_group"]["members"]) + errors["wide_group"]["cut"]["members"] == 500
    assert sorted(member["message"] for member in errors["task_group"]["members"]) == ["one", "two"]
    assert errors["unavailable"]["attributes"]["status"] == 503
    assert errors["keyword_only"]["attributes"]["status"] == 418
    assert errors["nobody_listens"]["kind"] == "transient"
    assert errors["recursion"]["kind"] == errors["key_error"]["kind"] == "defect"


def test_the_root_of_a_long_chain_of_causes_is_kept_and_what_is_left_out_is_counted(visit: Visit) -> None:
    error, depth = visit.letters["cause_chain"]["error"], 0
    while "cause" in error:
        error, depth = error["cause"], depth + 1

    assert error["message"] == "root cause"
    assert depth + error["cut"]["between"] == 100
