"""
Runs a test suite of asyncio that ships with the interpreter, with or without the drop-in.

    python patched.py test_tasks patched      (or: stock)

It writes one JSON object to standard output: how each test ended, and what the drop-in had to do.
"""

import importlib
import io
import json
import sys
import unittest

from swapped import Result  # in the same folder

from unlost.observe.patch import patch_asyncio


def run(suite_name: str, whose: str) -> dict[str, object]:
    try:
        module = importlib.import_module(f"test.test_asyncio.{suite_name}")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != "test":
            raise
        return {"missing": f"{sys.executable} comes without its tests: {missing}"}
    patch = patch_asyncio() if whose == "patched" else None  # after the suite has imported what it wants
    result = Result()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    return {
        "ran": result.ran,
        "failed": {test.id(): text for test, text in [*result.failures, *result.errors]},
        "skipped": sorted(test.id() for test, _ in result.skipped),
        "unexpected": [test.id() for test in result.unexpectedSuccesses],
        "missed": patch.missed if patch else None,
        "kept": vars(patch.kept) if patch else None,
    }


if __name__ == "__main__":
    # what a test prints must not get in between; the report comes alone
    report, sys.stdout = sys.stdout, io.StringIO()
    json.dump(run(sys.argv[1], sys.argv[2]), report)
