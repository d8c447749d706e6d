"""Task groups: children that live as long as a block, handles, and the policies that decide when to stop."""

from unlost._core.groups._group import TaskGroup
from unlost._core.groups._handle import Handle, Status
from unlost._core.groups._policies import collect, fail_fast, quorum, tolerate, wait_all
from unlost._core.groups._policy import Continue, Decision, Policy, Stop
from unlost._core.groups._ready import TaskStatus

__all__ = [
    "Continue",
    "Decision",
    "Handle",
    "Policy",
    "Status",
    "Stop",
    "TaskGroup",
    "TaskStatus",
    "collect",
    "fail_fast",
    "quorum",
    "tolerate",
    "wait_all",
]
