"""The published schemas hold for what the commands write, and describe all of it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from support.command import CommandLine
from unlost.errors import Kind

JOB = """
class Odd(Exception):
    retry_after = float("nan")
    status = 418


async def work(item, context):
    context.spend(usd="0.0012", input_tokens=10, output_tokens=2)
    await context.keep("raw", b"\\xff")
    await context.keep("page", {"n": [1, None]})
    n = item["n"]
    if n == 1:
        try:
            raise Odd("no")
        except Odd as odd:
            odd.add_note("noted")
            raise ExceptionGroup("two", [odd, KeyError("k")]) from OSError(2, "gone")
    if n == 2:
        return {"bytes": b""}
    if n == 3:
        def deep(depth):
            return deep(depth + 1)
        deep(0)
    return {"n": n, "half": 0.5, "nan": float("nan")}
"""


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((files("unlost.batch") / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name), format_checker=jsonschema.FormatChecker())


@pytest.fixture(scope="module")
def unlost(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with a run that has results, dead letters of every sort, and something kept and spent."""
    unlost = CommandLine(tmp_path_factory.mktemp("schemas"))
    unlost.write("jobs.py", JOB)
    lines = [json.dumps({"n": n}).encode() for n in range(6)] + [b"{", b"\xff\x00"]
    Path(unlost.folder / "in.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl", "--tag", "v1", "--keep-going")
    return unlost


@pytest.mark.parametrize("name", ["result", "dead-letter", "summary"])
def test_it_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.stock
def test_the_results_file_holds_to_it(unlost: CommandLine) -> None:
    results = unlost.results()

    assert len(results) == 3
    for line in results:
        validator("result").validate(line)
        assert set(schema("result")["required"]) == set(line)


@pytest.mark.stock
def test_an_export_holds_to_it(unlost: CommandLine) -> None:
    lines = [json.loads(line) for line in unlost("export", "work-1", "--all", "--with-input").stdout.splitlines()]

    results = [line for line in lines if "unlost" not in line]
    letters = [line for line in lines if "unlost" in line]
    assert (len(results), len(letters)) == (3, 5)
    for line in results:
        validator("result").validate(line)
    for line in letters:
        validator("dead-letter").validate(line)
    assert {line["kind"] for line in letters} >= {"output", "input", "defect"}
    assert any("input_base64" in line for line in letters)
    assert all(line["spent"] and line["kept"] for line in letters if line["attempts"])


@pytest.mark.stock
@pytest.mark.parametrize("command", [("run", "jobs:work", "in.jsonl"), ("show", "work-1")])
def test_a_summary_holds_to_it_and_is_described_in_full(unlost: CommandLine, command: tuple[str, ...]) -> None:
    summary = unlost.json(*command)

    validator("summary").validate(summary)
    properties = schema("summary")["properties"]
    assert set(summary) <= set(properties)
    assert set(summary["books"]) <= set(properties["books"]["properties"])
    assert set(summary["groups"][0]) <= set(properties["groups"]["items"]["properties"])


def test_the_kinds_are_all_there_are() -> None:
    assert set(schema("dead-letter")["properties"]["kind"]["enum"]) == {kind.value for kind in Kind}
