"""
What happens around the tasks of a program that was not changed.

``watch_tasks`` meets every event loop, and hears what nobody awaited, asked for or caught; ``hang_report`` says who
waits for what, ``Stalled`` when to ask that; ``Ticker`` is the thread in which things are looked at.
"""

from unlost.observe.tasks._around import Around, watch_tasks
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._hang import hang_report
from unlost.observe.tasks._stalled import Stalled
from unlost.observe.tasks._ticker import Ticker

__all__ = [
    "Around",
    "Ends",
    "Stalled",
    "Ticker",
    "hang_report",
    "watch_tasks",
]
