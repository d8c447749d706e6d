"""What became of a program's exceptions, as one JSON file: ``unlost watch --json FILE``."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any, Final

from unlost.cli._streams import say
from unlost.cli._writable import try_folder
from unlost.errors import UsageError
from unlost.observe.install import advice_on, all_in, ended_at, is_bad, key_of
from unlost.observe.install._running import Running
from unlost.observe.sinks import as_json
from unlost.observe.sinks._found import found as report_of_found
from unlost.observe.sinks._json import site_as_json
from unlost.observe.watch import Finding, Notice, Unknown

VERSION: Final = 1

_OURS: Final = re.compile(rb'\s*\{\s*"version":\s*\d+,\s*"counts":')
_BEGIN: Final = 200  # bytes in which that is
_STANDARD_OUTPUT: Final = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def json_file(name: str) -> Path:
    """
    Return the file that is to be written; a device or a pipe may be one, such as ``/dev/stderr``.

    Raises:
        UsageError: It cannot be written, or is there and was not written by this option.
    """
    if name in _STANDARD_OUTPUT:
        raise UsageError(f"--json {name}: the program has standard output for itself. Name a file, or /dev/stderr")
    file = Path(name).absolute()  # the program may change the folder
    if not file.parent.is_dir():
        raise UsageError(f"{name} cannot be written: there is no folder {file.parent}")
    _check(file)
    try:
        _try(file)
    except OSError as writing_error:
        raise UsageError(f"{name} cannot be written: {writing_error.strerror}") from writing_error
    return file


def write_json(file: Path, running: Running) -> bool:
    """Write all that was found; return False where that cannot be, which is told."""
    collector = running.collector
    counts = {verdict.value: count for verdict, count in collector.counts.items() if count}
    written = {
        "version": VERSION,
        "counts": {**counts, **collector.noted},
        "found": [_as_json(one) for one in all_in(collector)],
        "unknown": [_unknown_as_json(*one) for one in collector.unknown.counts().most_common()],
        "unseen": running.unseen(),
    }
    try:
        _check(file)  # the program may have made it
        with file.open("a" if _is_stream(file) else "w", encoding="utf-8") as opened:
            opened.write(json.dumps(written, indent=1) + "\n")
    except OSError as writing_error:
        say(f"unlost watch: {file} cannot be written: {writing_error.strerror}")
        return False
    except UsageError as refused:
        say(f"unlost watch: {refused}")
        return False
    return True


def _as_json(one: Finding | Notice) -> dict[str, Any]:  # Any: JSON
    raised, ended = one.raised if isinstance(one, Finding) else None, ended_at(one)
    return {
        **as_json(report_of_found(one)),
        "process": one.process or os.getpid(),
        "raised": raised and site_as_json(raised),
        "ended": ended and site_as_json(ended),
        "key": key_of(one),
        "bad": is_bad(one),
        "instead": advice_on(one),
    }


def _unknown_as_json(one: Unknown, count: int) -> dict[str, Any]:  # Any: JSON
    return {
        "type": one.type and str(one.type),
        "raised": one.raised and site_as_json(one.raised),
        "why": one.why,
        "count": count,
    }


def _try(file: Path) -> None:
    if not file.exists():
        try_folder(file)
    elif not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _is_stream(file: Path) -> bool:
    """Say whether it is named as what is open already, such as ``/dev/stderr``, whatever file that may be."""
    return str(file).startswith(("/dev/", "/proc/"))


def _check(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"{file} is a folder. Name a file for --json")
    if not file.is_file() or _is_stream(file):
        return
    try:
        with file.open("rb") as opened:
            begin = opened.read(_BEGIN)
    except OSError as reading_error:
        raise UsageError(f"{file} cannot be written: {reading_error.strerror}") from reading_error
    if begin and not _OURS.match(begin):
        message = f"{file} is there already, and was not written by unlost watch --json.\nName another file for --json"
        raise UsageError(message)
