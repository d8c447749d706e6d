"""How often, how long and for which errors an operation is given another chance."""

from unlost.policies._adaptive import AdaptiveLimit
from unlost.policies._adaptive_rules import Aimd, Gradient
from unlost.policies._breaker import Breaker
from unlost.policies._breaker_events import BreakerClosed, BreakerHalfOpen, BreakerOpened, CallRejected
from unlost.policies._budget import RetryBudget
from unlost.policies._bulkhead import Bulkhead
from unlost.policies._contest import Hedged
from unlost.policies._cooldown import Cooldown, CooledDown, KeyCooldown
from unlost.policies._cost import Cost
from unlost.policies._deadline import Deadline
from unlost.policies._deadline_calls import deadline, deadline_at, timeout, timeout_at
from unlost.policies._deadline_events import DeadlineFired
from unlost.policies._deadline_misuse import DeadlineStateError
from unlost.policies._explain import Explanation
from unlost.policies._fallback import Fallback, FellBack
from unlost.policies._hedge import Hedge
from unlost.policies._job import Estimate, JobOptions, job, job_options
from unlost.policies._layer import Layer, Pipeline
from unlost.policies._limit_events import LimitChanged, LimitRejected, LimitWaited
from unlost.policies._rate import RateLimit
from unlost.policies._remaining import remaining
from unlost.policies._retry import Retry, retry
from unlost.policies._retry_block import Attempt, Attempts
from unlost.policies._retry_events import GaveUp
from unlost.policies._retry_on import On
from unlost.policies._streaming import StreamBroke
from unlost.policies._testing_switch import Switch, attempts_cap, switch_retries

__all__ = [
    "AdaptiveLimit",
    "Aimd",
    "Attempt",
    "Attempts",
    "Breaker",
    "BreakerClosed",
    "BreakerHalfOpen",
    "BreakerOpened",
    "Bulkhead",
    "CallRejected",
    "Cooldown",
    "CooledDown",
    "Cost",
    "Deadline",
    "DeadlineFired",
    "DeadlineStateError",
    "Estimate",
    "Explanation",
    "Fallback",
    "FellBack",
    "GaveUp",
    "Gradient",
    "Hedge",
    "Hedged",
    "JobOptions",
    "KeyCooldown",
    "Layer",
    "LimitChanged",
    "LimitRejected",
    "LimitWaited",
    "On",
    "Pipeline",
    "RateLimit",
    "Retry",
    "RetryBudget",
    "StreamBroke",
    "Switch",
    "attempts_cap",
    "deadline",
    "deadline_at",
    "job",
    "job_options",
    "remaining",
    "retry",
    "switch_retries",
    "timeout",
    "timeout_at",
]
