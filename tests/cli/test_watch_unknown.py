"""Of what came to an unknown end, `unlost watch` says why that is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import CommandLine

TAKES = """\
import asyncio

async def boom():
    raise ValueError("it broke")

kept = []

async def main():
    task = asyncio.create_task(boom())
    task.add_done_callback(lambda done: kept.append(done.exception()))
    await asyncio.sleep(0.01)

asyncio.run(main())
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_it_is_in_the_text_in_the_file_and_on_the_page(unlost: CommandLine) -> None:
    unlost.write("app.py", TAKES)

    told = unlost("watch", "--json", "found.json", "--report", "found.html", "app.py").stderr

    why = "callback main.<locals>.<lambda> of its task took it"
    sentence = f"unknown 1×, ValueError, raised at app.py:4 in boom: {why}."
    written = json.loads((unlost.folder / "found.json").read_text(encoding="utf-8"))
    [unknown] = written["unknown"]
    assert sentence in told
    assert sentence in written["unseen"]
    assert (unknown["type"], unknown["why"], unknown["count"]) == ("ValueError", why, 1)
    assert (unknown["raised"]["function"], unknown["raised"]["line"]) == ("boom", 4)
    assert "raised at app.py:4 in boom: callback main" in (unlost.folder / "found.html").read_text(encoding="utf-8")
