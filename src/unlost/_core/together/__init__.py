"""Operations that run at once: ``gather``, ``settle``, ``race``, ``as_completed``, and the engine under them."""

from unlost._core.together._as_completed import AsCompleted, as_completed
from unlost._core.together._gather import gather
from unlost._core.together._race import race, race_outcome
from unlost._core.together._settle import settle

__all__ = [
    "AsCompleted",
    "as_completed",
    "gather",
    "race",
    "race_outcome",
    "settle",
]
