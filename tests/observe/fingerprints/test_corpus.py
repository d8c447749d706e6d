"""Bugs fall into as many groups as there are bugs: none is split, no two are merged."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from support.bugs import BUGS
from support.corpus import Corpus
from unlost.observe import digest, fingerprint, record, variant, why

EXPECTED = Path(__file__).with_name("expected.json")


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """By bug and digest, why the errors with that digest have it."""
    corpus = Corpus(tmp_path_factory.mktemp("corpus"))
    found: dict[str, dict[str, list[str]]] = {}
    for name, source in BUGS.items():
        found[name] = defaultdict(list)
        for error in corpus.variants(source):
            error_record = record(error)
            found[name][digest(error_record)].append("\n".join(why(error_record)))
    return found


def test_the_corpus_has_at_least_twenty_bugs_with_thirty_variants_each(
    groups: dict[str, dict[str, list[str]]],
) -> None:
    assert len(groups) >= 20
    assert {sum(map(len, by_digest.values())) for by_digest in groups.values()} == {30}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_one_group(groups: dict[str, dict[str, list[str]]], bug: str) -> None:
    assert len(groups[bug]) == 1, "\n\n".join(reasons[0] for reasons in groups[bug].values())


def test_no_two_bugs_are_one_group(groups: dict[str, dict[str, list[str]]]) -> None:
    owners = defaultdict(set)
    for bug, by_digest in groups.items():
        for key in by_digest:
            owners[key].add(bug)

    assert [bugs for bugs in owners.values() if len(bugs) > 1] == []


def test_every_version_of_python_makes_the_same_groups(groups: dict[str, dict[str, list[str]]]) -> None:
    found = {bug: sorted(key[:12] for key in by_digest) for bug, by_digest in groups.items()}

    assert found == json.loads(EXPECTED.read_text(encoding="utf-8"))


TWO_CALLERS = """
def find(ONE):
    raise LookupError(f"nothing for {ONE}")

async def one(data):
    find(data.word)

async def other(data):
    find(data.word)

async def job(data):
    await (one(data) if data.n % 2 else other(data))
"""


def test_two_callers_of_one_failing_function_are_one_bug_with_two_variants(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    errors = [record(corpus.error(TWO_CALLERS, 0)) for _ in range(12)]

    assert len({fingerprint(error) for error in errors}) == 1
    assert len({variant(error) for error in errors}) == 2


def test_the_same_type_and_message_from_two_functions_are_two_bugs(tmp_path: Path) -> None:
    source = "def {name}(): raise ValueError('no price')\nasync def job(data): {name}()"
    prints = {fingerprint(record(Corpus(tmp_path).error(source.format(name=name), 0))) for name in ("find", "seek")}

    assert len(prints) == 2
