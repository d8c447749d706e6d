"""
For the tests of programs: a clock that jumps instead of waiting, and a switch for all retries.

``import unlost`` does not load it; write ``import unlost.testing``. ``docs/testing.md`` has recipes for pytest.
"""

from unlost.testing._retries import RetrySwitch, retries, without_waits
from unlost.testing._run import run
from unlost.testing._virtual_time import VirtualTimeLoop

__all__ = ["RetrySwitch", "VirtualTimeLoop", "retries", "run", "without_waits"]
