"""``--unlost-report FILE``: what was found in all tests, as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from unlost.observe.watch import Collector, Finding, Notice


class Page:
    """
    The report, which the controller of xdist writes; nothing where nobody asks for one.

    Attributes:
        file: Its path; None where there is none.

    Raises:
        UsageError: The file cannot be the report's.
    """

    def __init__(self, config: pytest.Config) -> None:
        name = config.getoption("--unlost-report")
        self.file: Path | None = config.invocation_params.dir / name if name else None
        self._typed = [str(argument) for argument in config.invocation_params.args]
        self._title = config.invocation_params.dir.name or "pytest"
        if self.file is None:
            self._found = None
            return
        from unlost.report.found import FoundInTests  # loads the reports: a session without one has no need of them

        self._found = FoundInTests()
        if not hasattr(config, "workerinput"):
            _check(self.file)

    def add(self, test: str, found: Iterable[Finding | Notice]) -> None:
        """Add what was found in a test; the empty one is outside of all."""
        if self._found is not None:
            self._found.add(test, found)

    def count(self, total: Collector, unseen: Mapping[str, int], why: str) -> None:
        """Add what this process counted, and how much it could not see; ``why`` is a sentence about all of it."""
        if self._found is not None:
            self._found.count(total, unseen)
            if why:
                self._found.could_not_see(why)

    def sent(self) -> bytes:
        """Return all of it for the controller of xdist."""
        return self._found.sent() if self._found is not None else b""

    def receive(self, sent: bytes) -> None:
        """Add what a worker has sent."""
        if self._found is not None:
            self._found.receive(sent)

    def missing(self, node: Any) -> None:  # Any: xdist's, which need not be installed
        """Note that a worker sends nothing any more."""
        if self._found is not None:
            name = getattr(getattr(node, "gateway", None), "id", "one")
            self._found.could_not_see(f"Worker {name} ended before it told what it had found.")

    def write(self) -> str:
        """Write it; return what to say of that, empty where nobody asked."""
        if self.file is None or self._found is None:
            return ""
        from unlost.cli._html import write_report
        from unlost.errors import UsageError

        try:
            write_report(self.file, self._found.report(f"pytest {self._title}", self._typed))
        except (UsageError, OSError) as writing_error:  # told, and no more: the tests have run
            return f"{self.file} cannot be written: {writing_error}"
        return f"report {self.file}"


def _check(file: Path) -> None:
    from unlost.cli._html import check_html
    from unlost.errors import UsageError

    try:
        check_html(file)
    except UsageError as refused:
        raise pytest.UsageError(f"--unlost-report: {refused}") from refused
