"""How often, how long and for which errors an operation is given another chance."""

from unlost.policies._deadline import Deadline, deadline, timeout
from unlost.policies._job import JobOptions, job, job_options
from unlost.policies._retry import Retry, retry
from unlost.policies._retry_on import On

__all__ = ["Deadline", "JobOptions", "On", "Retry", "deadline", "job", "job_options", "retry", "timeout"]
