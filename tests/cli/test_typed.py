"""What is typed wrong: said as it was typed, with what to write instead."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from unlost.batch import Run
from unlost.batch.options._options import Resolved, resolve
from unlost.cli._joined import joined
from unlost.cli._parser import parse
from unlost.cli._run import FLAGS
from unlost.errors import UsageError
from unlost.policies._job import JobOptions


def resolved(*typed: str) -> Resolved:
    arguments = parse(["run", "jobs:fetch", "in.txt", *typed])
    return resolve({name: getattr(arguments, name) for name in FLAGS}, JobOptions())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("-j", "-1"), "-j -1: expected a whole number from 1"),
        (("--rate", "-5/s"), "--rate -5/s: expected an amount above 0"),
        (("--budget", "usd=-1"), "--budget usd=-1: expected an amount above 0"),
        (("--timeout", "-.5"), "--timeout -.5: expected a duration"),
        (("--rate", "50"), "--rate 50: expected a rate such as 50/s"),
        (("--rate", "50/s", "--rate", "x"), "--rate 50/s --rate x: expected a rate"),
        (("--max-hold", "none"), "it cannot be taken away, write 1h for the default"),
        (("--retry-on", "none"), "it cannot be taken away, write transient for the default"),
        (("-j", "none"), "it cannot be taken away, write 100 for the default"),
    ],
)
def test_a_refusal_shows_what_was_typed(typed: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        resolved(*typed)

    assert said in str(refused.value)


def test_none_undoes_what_an_earlier_opening_was_told() -> None:
    options = resolved(
        "--halt", "none", "--budget", "none", "--rate", "none", "--limit-key", "none", "--first", "none",
        "--timeout", "none", "--no-keep-going",
    ).options  # fmt: skip

    assert (options.halt, options.budget, options.rate, options.limit_key, options.first) == (None, (), (), None, None)
    assert (options.timeout, options.keep_going) == (None, False)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["-j", "-1", "-0"], ["-j-1", "-0"]),
        (["--first", "-0"], ["--first", "-0"]),
        (["run", "a:b", "-", "--new", "--out", "-x"], ["run", "a:b", "-", "--new", "--out", "-x"]),
        (["--rate=5/s", "-1"], ["--rate=5/s", "-1"]),
    ],
)
def test_only_what_looks_like_a_negative_number_is_joined_to_the_option_before_it(
    typed: list[str], meant: list[str]
) -> None:
    assert joined(typed) == meant


def test_what_a_watched_program_is_given_is_not_touched() -> None:
    assert parse(["watch", "app.py", "--level", "-1"]).program == ["app.py", "--level", "-1"]


async def test_a_wrong_argument_is_one_error(tmp_path: Path) -> None:
    async def job(item: str) -> str:
        return item

    with pytest.raises(UsageError, match="rate=fast: expected a rate such as 50/s") as refused:
        async with Run(job, ["a"], folder=tmp_path, rate="fast"):
            pass

    assert "During handling" not in "".join(traceback.format_exception(refused.value))
    assert "direct cause" not in "".join(traceback.format_exception(refused.value))
