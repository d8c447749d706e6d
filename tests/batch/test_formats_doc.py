"""docs/formats.md says of the journal and of the lines what they are."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from support.journals import Session

DOC = Path(__file__).parents[2] / "docs" / "formats.md"


def rows_under(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    section = DOC.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"^\|.*?\n(?!\|)", section + "\n", re.DOTALL | re.MULTILINE)
    assert table is not None
    lines = [line.strip("|\n ") for line in table[0].splitlines()]
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def test_the_tables_of_the_journal_are_as_documented(tmp_path: Path) -> None:
    session = Session(tmp_path / "fetch-1.db")
    names = [name for (name,) in session.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = "SELECT group_concat(name, ', ') FROM pragma_table_info(?)"
    real = {name: next(iter(session.connection.execute(columns, (name,))))[0] for name in names}
    session.kill()

    documented = {row[0].strip("`"): row[1] for row in rows_under("The journal")}

    assert documented == real


def test_the_members_of_a_dead_letter_are_as_documented() -> None:
    schema = json.loads((files("unlost.batch") / "schemas" / "dead-letter.schema.json").read_text("utf-8"))

    documented = [name for row in rows_under("A dead letter") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(documented) == sorted(schema["properties"])


def test_the_result_line_that_is_shown_is_one() -> None:
    schema = json.loads((files("unlost.batch") / "schemas" / "result.schema.json").read_text("utf-8"))
    shown = re.search(r"```json\n(.*?)\n```", DOC.read_text(encoding="utf-8"))

    assert shown is not None
    assert list(json.loads(shown[1])) == schema["required"]
