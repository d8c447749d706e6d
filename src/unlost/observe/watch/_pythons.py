"""Whose business an exception is that Python's own library, or this one, raises and takes."""

from __future__ import annotations

import os
import sysconfig
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Final

_FOLDERS: Final = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")}
_ROOTS: Final = tuple(
    os.path.normcase(folder) + os.sep for folder in sorted(_FOLDERS | set(map(os.path.realpath, _FOLDERS)))
)
_OURS: Final = os.path.normcase(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))) + os.sep
_PACKAGES: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@lru_cache(maxsize=4096)
def is_pythons(file: str) -> bool:
    """Say whether code from a file belongs to Python itself, or to this library."""
    if file.startswith("<frozen "):
        return True
    path = os.path.normcase(file)
    if path.startswith(_OURS):
        return True
    return path.startswith(_ROOTS) and not any(packages in path for packages in _PACKAGES)


def never_left_python(traceback: TracebackType | None) -> bool:
    """
    Say whether an exception came through Python's own library and this one alone, so far.

    They try things and take what comes (``logging`` asks for the name of a task where there may be none): where they
    drop that again, nobody has lost anything.
    """
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not is_pythons(code.co_filename) and not _is_generated(code):
            return False
        traceback = traceback.tb_next
    return True


def _is_generated(code: CodeType) -> bool:
    """Say whether ``dataclasses`` made this function: a frozen one refuses what ``typing`` tries to set."""
    return code.co_filename == "<string>" and code.co_qualname.startswith("__create_fn__.<locals>.")
