"""The library's own loop of virtual time, as these tests use it."""

from unlost.testing import VirtualTimeLoop
from unlost.testing._virtual_time import hangs_after

__all__ = ["VirtualTimeLoop", "hangs_after"]
