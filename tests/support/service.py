"""
The demo service for tests: real HTTP over real sockets, in a process of its own, misbehaving in known proportions.

    with running_service() as url:
        ...  # GET {url}/items/17

The modules of ``examples/demo`` are loaded by their paths, since the examples are not on the import path of the tests.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DEMO = Path(__file__).parents[2] / "examples" / "demo"


def load_demo(name: str) -> ModuleType:
    """Import a file of ``examples/demo`` under a name that cannot collide."""
    qualified = f"examples_demo_{name}"
    if qualified not in sys.modules:
        spec = importlib.util.spec_from_file_location(qualified, DEMO / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[qualified] = module  # before it runs: dataclasses look their module up
        spec.loader.exec_module(module)
    return sys.modules[qualified]


_service_process = load_demo("service_process")
_misbehaviour = load_demo("misbehaviour")

running_service = _service_process.running_service
service_process = _service_process.service_process
base_url = _service_process.base_url
MISBEHAVIOUR = _misbehaviour.MISBEHAVIOUR
WELL_BEHAVED = _misbehaviour.WELL_BEHAVED
expected = _misbehaviour.expected
kind_of = _misbehaviour.kind_of


def item_of(kind: str, nth: int = 1) -> int:
    """Find the ``nth`` item (from 1) that the service treats this way: a key of ``MISBEHAVIOUR``, or ``"ok"``."""
    numbers = [number for number in range(1, 10_001) if kind_of(number) == kind]
    return numbers[nth - 1]
