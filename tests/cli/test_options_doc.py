"""``docs/run.md`` names every option of ``unlost run``, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unlost.cli._parser import parse

_DOC = (Path(__file__).parents[2] / "docs" / "run.md").read_text(encoding="utf-8")
_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*[a-z]|-[a-z0](?![\w-]))")


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    return set(_OPTION.findall(capsys.readouterr().out)) - {"--help", "-h"}


def test_every_option_of_run_is_in_the_table_of_options(capsys: pytest.CaptureFixture[str]) -> None:
    table = _DOC.partition("## Options")[2].partition("Exit codes")[0]

    assert options_of("run", capsys) - set(_OPTION.findall(table)) == set()


def test_no_option_is_documented_that_no_command_has(capsys: pytest.CaptureFixture[str]) -> None:
    commands = ("run", "resume", "retry", "runs", "show", "export", "purge")
    there = {option for command in commands for option in options_of(command, capsys)}

    assert set(_OPTION.findall(_DOC)) - there - {"-9"} == set()
