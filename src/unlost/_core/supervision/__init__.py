"""Services that are restarted, after Erlang/OTP."""

from unlost._core.supervision._child import ChildStatus
from unlost._core.supervision._restarts import ChildRestarted
from unlost._core.supervision._supervisor import Supervisor

__all__ = [
    "ChildRestarted",
    "ChildStatus",
    "Supervisor",
]
