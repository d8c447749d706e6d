"""Every promise of the documentation names the test that proves it, and that test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_proof_that_the_documentation_names_exists() -> None:
    missing = []
    named = 0
    for document in ROOT.glob("docs/*.md"):
        for path, function in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", document.read_text(encoding="utf-8")):
            named += 1
            file = ROOT / path
            tree = ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
            defined = (ast.FunctionDef, ast.AsyncFunctionDef)
            functions = {node.name for node in ast.walk(tree) if isinstance(node, defined)}
            if not file.exists() or (function and function not in functions):
                missing.append(f"{document.name}: {path}::{function}")

    assert missing == []
    assert named >= 10
