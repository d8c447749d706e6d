"""Whose code is it: the user's, or a library's, Python's or ours?"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import lru_cache
from importlib.util import find_spec
from typing import Final

_PACKAGES: Final = ("site-packages", "dist-packages")


def _foreign_roots() -> tuple[str, ...]:
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = sysconfig.get_paths()
    known = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(os.path.normcase(root) + os.sep for root in sorted({ours, *known, *map(os.path.realpath, known)}))


_ROOTS: Final = _foreign_roots()
_OWN: Final = frozenset(os.environ.get("UNLOST_OWN", "").replace(",", " ").split())


@lru_cache(maxsize=4096)
def is_application(file: str) -> bool:
    """
    Say whether code from ``file`` (as its code object spells it) is the user's own.

    It is not where the file lies under the standard library, under a ``site-packages`` or ``dist-packages`` folder or
    in this package, or where Python or attrs generated it. What is typed at a prompt or in a notebook is the user's,
    and so is an installed package that the environment names: ``UNLOST_OWN=shop,shop_tools``.
    """
    if file.startswith(("<frozen ", "<attrs generated ", "<__array_function__")):
        return False
    path = os.path.normcase(file)
    if _OWN and _installed(path) in _OWN:
        return True
    if path.startswith(_ROOTS):
        return False
    return not any(part in _PACKAGES for part in path.split(os.sep))


def _installed(path: str) -> str:
    """Return the name by which what lies in a folder of packages is imported; empty for all else."""
    parts = path.split(os.sep)
    after = [index + 1 for index, part in enumerate(parts[:-1]) if part in _PACKAGES]
    return parts[after[-1]].removesuffix(".py") if after else ""


def not_found() -> list[str]:
    """Return the names in ``UNLOST_OWN`` under which nothing can be imported; nothing is imported for that."""
    return sorted(name for name in _OWN if not _is_found(name))


def _is_found(name: str) -> bool:
    if name in sys.modules:
        return "." not in name
    try:
        return name.isidentifier() and find_spec(name) is not None
    except Exception:  # a finder of somebody's raised it: then it is not known, and nothing is said  # noqa: BLE001
        return True
