"""How often, how long and for which errors an operation is given another chance."""

from unlost.policies._deadline import Deadline
from unlost.policies._deadline_calls import deadline, deadline_at, timeout, timeout_at
from unlost.policies._deadline_misuse import DeadlineStateError
from unlost.policies._job import JobOptions, job, job_options
from unlost.policies._retry import Retry, retry
from unlost.policies._retry_on import On

__all__ = [
    "Deadline",
    "DeadlineStateError",
    "JobOptions",
    "On",
    "Retry",
    "deadline",
    "deadline_at",
    "job",
    "job_options",
    "retry",
    "timeout",
    "timeout_at",
]
