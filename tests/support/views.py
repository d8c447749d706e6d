"""Views for the tests of the reports: everything at rest, but for what the test says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from unlost.batch import Books, Group
from unlost.batch.journal._spend import NOTHING as NOTHING_PAID
from unlost.batch.journal._spend import Amount
from unlost.observe import record
from unlost.report import View

NOTHING = Books(
    inputs=0,
    ok=0,
    failed=0,
    in_doubt=0,
    pending=0,
    withdrawn=0,
    read=None,
    seen=0,
    blank=None,
    whole=True,
    changed=0,
    retries=0,
    recovered=0,
)


def books_of(**counts: int | None) -> Books:
    """Books with these counts, whose inputs are their sum unless it is given."""
    books = replace(NOTHING, **counts)  # type: ignore[arg-type]  # the test knows which count may be None
    return books if "inputs" in counts else replace(books, inputs=books.accounted)


def view_of(books: Books = NOTHING, **what: Any) -> View:  # Any: fields of View
    journal = Path(".unlost/fetch-3.db")
    return replace(View("fetch-3", journal, books, groups=[], in_doubt=[]), **what)


def group_of(
    error: BaseException, count: int = 1, *, fingerprint: str = "9c1e22aa", line: int = 1, spent: Amount = NOTHING_PAID
) -> Group:
    return Group(fingerprint, count, "transient", line, f"key-{line}", record(error), spent)


def raised(error: BaseException, file: str = "jobs.py", line: int = 42, function: str = "fetch") -> BaseException:
    """Return the error with a traceback that ends in a file of the user's."""
    source = "\n" * (line - 2) + f"def {function}(error):\n    raise error\n"
    names: dict[str, Any] = {"__name__": file.removesuffix(".py")}
    exec(compile(source, file, "exec"), names)
    try:
        names[function](error)
    except BaseException as caught:  # handed back
        return caught.with_traceback(caught.__traceback__.tb_next if caught.__traceback__ else None)
    raise AssertionError("it was raised")
