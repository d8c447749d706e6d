"""What the README shows is what happens: its files are written, its commands typed, its transcripts compared."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import CommandLine
from support.service import expected, kind_of, running_service

pytestmark = pytest.mark.stock

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = (
    (re.compile(r"\b\d+(\.\d+)?s\b|\b\d+m\d\ds\b"), "TIME"),
    (re.compile(r"\b[\d,.]+/(s|min)\b"), "RATE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\bkey [0-9a-f]{20}\b"), "KEY"),  # of an input that holds the port
    (re.compile(r"exceeded after [\d.]+ s"), "exceeded after TIME"),
    # how many calls were under way when the first 429 came is the machine's affair; the sums are not
    (re.compile(r"held for TIME: \d rests?"), "held for TIME: some rests"),
    (re.compile(r" +"), " "),
)
RETRIED = re.compile(r"(\d+) retries \((\d+) recovered\)")


def _blocks() -> Iterator[tuple[str, str]]:
    for match in BLOCK.finditer(README.read_text(encoding="utf-8")):
        yield match["info"], match["body"]


def _needs(info: str) -> tuple[int, ...]:
    """Return the Python that a block's first line asks for."""
    return tuple(map(int, info.partition("python=")[2].split("."))) if "python=" in info else ()


def _transcripts(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it prints."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def _steady(text: str) -> str:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return RETRIED.sub(lambda found: f"{int(found[1]) - int(found[2])} retries in vain", text).strip()


def _recovered(text: str) -> int:
    return sum(int(found[2]) for found in RETRIED.finditer(text))


@pytest.mark.timeout(180)
def test_every_transcript_of_the_readme_is_true(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    typed = []
    with running_service() as url:
        port = url.rpartition(":")[2]
        for info, body in _blocks():
            if "file=" in info:
                unlost.write(info.partition("file=")[2], body)
            if not info.startswith("console") or _needs(info) > sys.version_info:
                continue
            for command, shown in _transcripts(body):
                printed = _type(unlost, command.replace("8765", port))
                assert _steady(printed) == _steady(shown), command
                # a busy machine answers some calls too late, and those recover as well
                assert _recovered(printed) >= _recovered(shown), command
                typed.append(command.split()[0])

    watched = ["unlost"] if sys.version_info >= (3, 12) else []  # CI runs it there too
    assert typed == ["seq", "unlost", "unlost", "python", "python", "python", *watched]


def test_as_many_are_shown_to_recover_as_the_service_treats_badly_once() -> None:
    items = range(1, 501)
    asked_to_wait = sum(kind_of(number) == "429 once" for number in items)

    assert _recovered(README.read_text(encoding="utf-8")) == expected(items).recovered - asked_to_wait


def _type(unlost: CommandLine, command: str) -> str:
    if ">" in command or not command.startswith(("unlost ", "python ")):
        subprocess.run(command, shell=True, cwd=unlost.folder, check=True)
        return ""
    program, *arguments = shlex.split(command)
    if program == "unlost":
        done = unlost(*arguments)
        return done.stdout + (done.stderr if arguments[0] == "watch" else "")
    done = subprocess.run(
        [sys.executable, *arguments], cwd=unlost.folder, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_readme_names_no_file_that_is_not_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README.read_text(encoding="utf-8"))

    assert [link for link in links if not (README.parent / link).exists()] == []
    assert len(links) >= 3
