"""The code behind a callable: where it stands, and the hash that tells a resumed run that it has changed."""

from __future__ import annotations

import functools
import hashlib
import inspect
import marshal
from pathlib import Path
from types import CodeType
from typing import Any


def function_of(target: Any) -> Any:  # Any: whatever can be called, and the function inside of it
    """Return the plain function inside of partials, bound methods, wrappers and callable objects."""
    while True:
        if hasattr(target, "__wrapped__"):
            target = target.__wrapped__
        elif isinstance(target, functools.partial):
            target = target.func
        elif inspect.ismethod(target):
            target = target.__func__
        elif hasattr(target, "__code__") or isinstance(target, type):
            return target
        else:  # an object: its class holds the code
            target = type(target)


def source_file_of(function: Any) -> Path | None:  # Any: what function_of returns
    """Return the file that the function stands in; None where it is in none (a notebook, ``exec``)."""
    try:
        name = inspect.getsourcefile(function)
    except TypeError:  # a class of an interactive session
        return None
    path = Path(name).absolute() if name else None
    return path if path is not None and path.is_file() else None


def place_of(function: Any) -> str:  # Any: what function_of returns
    """Return ``jobs.py:12``, the line of the first decorator; only the module's name where there is no line."""
    code = getattr(function, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code is not None else str(function.__module__)


def file_hash(*files: Path) -> str:
    """Return the SHA-256 of the files' bytes, in hex."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def text_hash(function: Any) -> str:  # Any: what function_of returns
    """
    Return the SHA-256 of one function's source; of its byte code where there is no source (``exec``, an old REPL).

    For notebooks and scripts, whose file holds more than the job.
    """
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()
    except (OSError, TypeError):  # both mean: there is no source to be found
        code = getattr(function, "__code__", None)
        data = _portable(code) if code is not None else repr(function.__qualname__).encode()
        return hashlib.sha256(data).hexdigest()


def _portable(code: CodeType) -> bytes:
    """Write byte code without the place that it came from, in the format that does not depend on reference counts."""
    return marshal.dumps(code.replace(co_filename="", co_firstlineno=1, co_linetable=b""), 2)
