"""A report as one HTML file: of a run, a program or a test session."""

from __future__ import annotations

from pathlib import Path

from unlost.batch import Folder, write_file
from unlost.batch.journal._failures import read_failures
from unlost.cli._writable import try_folder
from unlost.errors import UsageError
from unlost.report import SLICES, Report, View, report_of_run
from unlost.report.html import MARK, html_of

_BEGIN = 1024  # bytes in which the mark is


def check_html(path: Path | None) -> None:
    """
    Refuse a file that cannot be the report's, before anything is done that it would tell of.

    Raises:
        UsageError: Nothing can be written in its folder, or it is there and is something else than a report of ours.
    """
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise UsageError(f"the report {path} cannot be written: there is no folder {path.parent}")
    if path.exists() and not _is_ours(path):
        raise UsageError(f"{path} is there already, and is no report of unlost.\nName another file for the report")
    try:
        try_folder(path)
    except OSError as writing_error:
        raise UsageError(f"the report {path} cannot be written: {writing_error.strerror}") from writing_error


def write_html(path: Path, folder: Folder, view: View) -> None:
    """
    Write the report of a run; one that is there is replaced by the new one in one step.

    Raises:
        UsageError: It cannot be written.
    """
    meta = folder.read_meta(view.run)
    with folder.open(view.run) as connection:
        assert connection is not None  # the view was read from it
        report = report_of_run(view, meta, read_failures(connection, SLICES))
    write_report(path, report)


def write_report(path: Path, report: Report) -> None:
    """
    Write a report; one that is there is replaced by the new one in one step.

    Raises:
        UsageError: It cannot be written.
    """
    check_html(path)
    write_file(path, html_of(report), replace=True)


def _is_ours(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            begin = file.read(_BEGIN)
    except OSError as reading_error:
        raise UsageError(f"the report {path} cannot be written: {reading_error.strerror}") from reading_error
    return not begin or MARK.encode() in begin
