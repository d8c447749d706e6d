"""What of all that is found has to be told, and what is only counted."""

from __future__ import annotations

from typing import Final

from unlost.observe.watch import DIED, HANGS, LOOP_ERROR, NEVER_AWAITED, TERMINATED, Finding, Notice, Verdict

ENDED_UNSEEN: Final = frozenset({Verdict.LOST, Verdict.UNDELIVERED})
_BAD: Final = frozenset({*ENDED_UNSEEN, Verdict.SWALLOWED, Verdict.ABSORBED})
_TOLD_ELSEWHERE: Final = frozenset({DIED, TERMINATED, HANGS, LOOP_ERROR})
"""Who ended it, who waits and who handled it knows, and an error that nobody asks for has a verdict of its own."""
_LOST_WITHOUT_AN_ERROR: Final = frozenset({DIED, TERMINATED})


def is_serious(found: Finding | Notice) -> bool:
    """
    Say whether an error was lost, or undelivered, or a cancellation swallowed, in the application's own code.

    For what was lost, that is where its task was started or any frame that it came through; for what was swallowed,
    the frame that did it. An exception swallowed by a broad handler is not serious by this rule: many are meant.
    """
    if isinstance(found, Notice):
        return found.kind in _LOST_WITHOUT_AN_ERROR and is_own(found)
    return (found.verdict in ENDED_UNSEEN or found.cancellation) and is_own(found)


def is_bad(found: Finding | Notice) -> bool:
    """
    Say whether a test should fail for it: all that is serious, and what the application swallowed or let be absorbed.

    A value that was returned in place of being raised is not: the test may have compared it. A coroutine that was never
    awaited, and a task that was destroyed while pending, are.
    """
    if isinstance(found, Notice):
        return found.kind not in _TOLD_ELSEWHERE and (found.kind == NEVER_AWAITED or is_own(found))
    return (found.verdict in _BAD or found.cancellation) and is_own(found)


def is_others(found: Finding | Notice) -> bool:
    """Say whether a test would fail for it if it had not ended in the code of Python or of an installed package."""
    return isinstance(found, Finding) and (found.verdict in _BAD or found.cancellation) and not is_own(found)


def is_of_session(found: Finding | Notice) -> bool:
    """Say whether a session of tests tells it, or how many of the like there were."""
    return is_bad(found) or is_others(found)


def is_own(found: Finding | Notice) -> bool:
    """Say whether the place where it ended, or what it came through if there is none, is the user's own code."""
    if found.site is not None:
        return found.site.app
    frames = found.frames if isinstance(found, Finding) else ()
    started = found.origin.spawned[:1] if found.origin is not None else ()
    sites = [*started, *frames]
    return not sites or any(site.app for site in sites)
