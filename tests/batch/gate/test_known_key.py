"""A limit key that no input has: refused before anything starts, with the names that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlost.batch import Run
from unlost.batch.gate._known_key import check_limit_key
from unlost.batch.options._options import resolve
from unlost.batch.source._source import open_source
from unlost.errors import UsageError
from unlost.policies._job import JobOptions


async def double(item: dict[str, int]) -> int:
    return 2 * item["n"]


def tenant(item: dict[str, int]) -> int:
    return item["n"] % 2


def check(path: Path, text: str, limit_key: str) -> None:
    path.write_text(text, encoding="utf-8")
    check_limit_key(resolve({"limit_key": limit_key}, JobOptions()), open_source(path, spool_folder=path.parent))


def test_a_misspelt_field_is_refused_with_the_fields_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        check(tmp_path / "in.jsonl", '{"tenant": 1, "url": "x"}\n{"tenant": 2}\n', "tenat")

    assert "--limit-key tenat: none of the first 2 inputs has a field 'tenat'" in str(refused.value)
    assert "Did you mean tenant?\nWrite one of host, tenant, url;" in str(refused.value)


def test_host_of_what_are_no_urls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of the first 2 inputs is a URL, nor has the field 'url'"):
        check(tmp_path / "in.txt", "a\nb\n", "host")


@pytest.mark.parametrize(
    ("name", "text", "limit_key"),
    [
        ("in.jsonl", '{"a": 1}\n{"account": {"id": null}}\n', "account.id"),
        ("in.txt", "no url\nhttps://example.org/\n", "host"),
        ("in.csv", "tenant,n\na,1\n", "tenant"),
        ("in.jsonl", "", "tenant"),
        ("in.jsonl", "{broken\n", "tenant"),
    ],
)
def test_what_one_input_has_is_taken_and_where_there_is_none_nothing_is_said(
    tmp_path: Path, name: str, text: str, limit_key: str
) -> None:
    check(tmp_path / name, text, limit_key)


def test_the_decorators_misspelt_field_is_named_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"n": 1}\n', encoding="utf-8")
    resolved = resolve({}, JobOptions(limit_key="m"), decorated_at="jobs.py:3")

    with pytest.raises(UsageError, match=r"@job at jobs.py:3: limit_key='m': the input has no field 'm'"):
        check_limit_key(resolved, open_source(tmp_path / "in.jsonl", spool_folder=tmp_path))


async def test_a_run_takes_a_function_of_the_item_and_keeps_its_name(tmp_path: Path) -> None:
    async with Run(double, [{"n": 1}, {"n": 2}], folder=tmp_path, limit_key=tenant) as run:
        pass
    again = resolve(run.plan.policy.given, JobOptions())

    assert run.books.ok == 2
    assert run.plan.policy.given == {"limit_key": f"{__name__}:tenant"}
    assert again.limit_key is tenant


def test_what_is_no_plain_function_is_no_limit_key() -> None:
    with pytest.raises(UsageError, match=r"limit_key=.*: expected a field's name, host, or a plain function"):
        resolve({"limit_key": double}, JobOptions(), spelling="argument")
