"""A module that is met when it is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEETS = """
import sys
from unlost._core.hooks import on_import
class Old:
    def find_module(self, name, path=None): return None
met = []
def meet(module):
    met.append(module.__name__)
    return lambda: met.append("undone")
undo = on_import("colorsys", meet)
OTHER
import colorsys, colorsys
print(met, len(sys.meta_path) - before)
undo()
print(met)
"""


@pytest.mark.parametrize("other", ["", "sys.meta_path.insert(1, Old())"], ids=["alone", "beside one of an older kind"])
def test_it_is_met_once_and_what_finds_it_leaves(other: str) -> None:
    program = MEETS.replace("OTHER", f"{other}\nbefore = len(sys.meta_path)")

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout == "['colorsys'] -1\n['colorsys', 'undone']\n", done.stderr
