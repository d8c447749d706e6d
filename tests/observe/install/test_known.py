"""The file of what is forgiven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unlost.observe.install import former_key_of, key_as_named, key_of
from unlost.observe.install._forgiving import Forgiving
from unlost.observe.install._known import Known
from unlost.observe.watch import ErrorType, Finding, Origin, Site, Verdict

RAISED = Site("app.py", 3, "send", app=True)


def lost_by(function: str, line: int = 5) -> Finding:
    origin = Origin("Task-2", (Site("lib.py", 9, "spawn", app=False), Site("app.py", line, function, app=True)))
    return Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), "x", (RAISED,), origin=origin)


def known(file: Path, version: int, key: str) -> Known:
    file.write_text(json.dumps({"version": version, "forgiven": {key: "lost"}}), encoding="utf-8")
    return Known(file, is_written=False)


def test_what_nobody_took_is_another_bug_in_another_function_and_the_same_on_another_line() -> None:
    assert key_of(lost_by("signup")) == key_of(lost_by("signup", 50))
    assert key_of(lost_by("signup")) != key_of(lost_by("reset"))


def test_it_forgives_no_loss_at_another_place(tmp_path: Path) -> None:
    file = known(tmp_path / "known.json", 2, key_of(lost_by("signup")))

    assert file.forgives(lost_by("signup"))
    assert not file.forgives(lost_by("reset"))


def test_one_of_an_earlier_version_forgives_what_it_did(tmp_path: Path) -> None:
    file = known(tmp_path / "known.json", 1, former_key_of(lost_by("signup")))

    assert file.forgives(lost_by("signup"))
    assert file.forgives(lost_by("reset"))
    assert list(file.said()) == ["2 forgiven by known.json"]


def test_a_mark_with_digits_of_an_earlier_version_forgives_what_it_did() -> None:
    assert Forgiving("known", former_key_of(lost_by("signup"))).covers(lost_by("signup"))


def test_a_call_of_an_executor_is_forgiven_by_its_key_of_when_it_had_no_place(tmp_path: Path) -> None:
    call = Origin("", (Site("app.py", 9, "load", app=True),))
    lost = Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), "x", (RAISED,), origin=call)
    file = known(tmp_path / "known.json", 2, former_key_of(lost))

    assert file.forgives(lost)
    assert key_of(lost) != former_key_of(lost)


COMPREHENSIONS = {
    "signup.<locals>.<listcomp>": "signup",
    "Users.signup.<locals>.<setcomp>.<dictcomp>": "Users.signup",
    "<listcomp>": "<module>",
}


@pytest.mark.parametrize(("of_3_11", "since"), COMPREHENSIONS.items())
def test_what_a_comprehension_starts_has_the_key_of_later_pythons_on_3_11(of_3_11: str, since: str) -> None:
    assert key_of(lost_by(of_3_11)) == key_of(lost_by(since))


def test_what_was_written_on_3_11_when_comprehensions_counted_is_forgiven_there(tmp_path: Path) -> None:
    lost = lost_by("signup.<locals>.<listcomp>")
    file = known(tmp_path / "known.json", 2, key_as_named(lost))

    assert file.forgives(lost)
    assert Forgiving("known", key_as_named(lost)).covers(lost)
    assert key_as_named(lost) != key_of(lost)
