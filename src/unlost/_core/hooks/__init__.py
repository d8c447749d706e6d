"""Process-wide hooks by which a program is watched: each is put on and taken away again, and calls what was there."""

from unlost._core.hooks._children import at_end_of_child
from unlost._core.hooks._ending import aside_from_all, before_termination, is_ours, on_request
from unlost._core.hooks._errors import end_interrupted, last_uncaught, on_uncaught, tell_uncaught
from unlost._core.hooks._file_limit import past_file_limit
from unlost._core.hooks._forks import on_fork, soon, wait_until_gone
from unlost._core.hooks._futures import on_futures
from unlost._core.hooks._holding import hold_termination
from unlost._core.hooks._imports import on_import
from unlost._core.hooks._loops import on_loops
from unlost._core.hooks._own_end import before_own_end
from unlost._core.hooks._own_signal import before_own_signal
from unlost._core.hooks._records import on_records, records_are_heard
from unlost._core.hooks._replaced import Switch, Undo, on_lookup, replace, together
from unlost._core.hooks._spawning import Making, Spot, Task, spawned_of
from unlost._core.hooks._unawaited import on_unawaited, with_origins

__all__ = [
    "Making",
    "Spot",
    "Switch",
    "Task",
    "Undo",
    "aside_from_all",
    "at_end_of_child",
    "before_own_end",
    "before_own_signal",
    "before_termination",
    "end_interrupted",
    "hold_termination",
    "is_ours",
    "last_uncaught",
    "on_fork",
    "on_futures",
    "on_import",
    "on_lookup",
    "on_loops",
    "on_records",
    "on_request",
    "on_unawaited",
    "on_uncaught",
    "past_file_limit",
    "records_are_heard",
    "replace",
    "soon",
    "spawned_of",
    "tell_uncaught",
    "together",
    "wait_until_gone",
    "with_origins",
]
