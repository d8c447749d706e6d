"""What can go wrong: the rows of the loss matrix, each a job that a program has and how it fails."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One row.

    Attributes:
        text: The job and its failure.
        python: The first Python that has what it needs.
        is_counted: Whether it goes into the totals. Not where the errors had reached other callers before.
    """

    text: str
    python: tuple[int, int] = (3, 11)
    is_counted: bool = True

    def runs_here(self) -> bool:
        return sys.version_info >= self.python


SCENARIOS: Final[dict[str, Scenario]] = {
    # groups
    "same_tick": Scenario("two children of a group fail in the same tick"),
    "stopped_raise": Scenario("one child fails, the two that are stopped for it raise in `finally`"),
    "body_and_child": Scenario("the group's body fails, the child stopped for it raises too"),
    "before_first_step": Scenario("the body fails before the child's first step; the child's cleanup would raise"),
    "nested_groups": Scenario("children of an inner and of the outer group fail in the same tick"),
    "child_exits": Scenario("a child raises `SystemExit`, its sibling raises when stopped"),
    "child_interrupts": Scenario("a child raises `KeyboardInterrupt`, its sibling raises when stopped"),
    "swallowed_cancel": Scenario("one child fails, the other swallows its cancellation and then fails"),
    "eager_child": Scenario("an eager child fails before it suspends, another one later", python=(3, 12)),
    "outside_cancel": Scenario("the caller is cancelled, two children raise in cleanup"),
    "cancel_same_tick": Scenario("a child fails in the tick in which the caller is cancelled"),
    "exit_fails": Scenario("a child fails, then the `__aexit__` around the group"),
    # values of several
    "gathered": Scenario("of two operations whose values are wanted, both fail in the same tick"),
    "gathered_later": Scenario("of two operations whose values are wanted, the second fails 30 ms after the first"),
    "gathered_cancel": Scenario("the caller of such a call is cancelled, both raise in cleanup"),
    "collected": Scenario("three operations, two fail, all outcomes are wanted"),
    "collected_cut": Scenario("all outcomes are wanted; two had failed when a deadline cuts it off"),
    "all_to_the_end": Scenario("all are to run to their end, nobody looks at the results; two fail"),
    "batch": Scenario("a batch of 1,000 of which 50 fail"),
    "first_exception": Scenario("wait until the first fails, then stop the rest, which raises"),
    "as_completed_left": Scenario("results as they complete, left after the first; one fails later, one when stopped"),
    "race_losers": Scenario("a race is won; one loser failed before, one raises when stopped"),
    "race_all_fail": Scenario("a race or hedge of three, all fail"),
    "hedge_survives": Scenario("a call fails, its hedge has the value; the listener, logging hook or receipt is on"),
    "hedge_fails": Scenario("a call and its hedge fail"),
    "hedge_cancelled": Scenario("cancelled while a call and its hedge run, both raise in cleanup"),
    # time
    "timeout_cleanup": Scenario("time runs out, and cleanup raises"),
    "timeout_group": Scenario("time runs out over a group, two children raise in cleanup"),
    "timeout_gathered": Scenario("time runs out over operations whose values are wanted, both raise in cleanup"),
    "thread_outlives": Scenario("time runs out over a call in a thread, which fails later"),
    "shield_outlived": Scenario("time runs out over a shielded operation, which fails later"),
    # retry, fallback
    "retry_fails": Scenario("three attempts, all fail"),
    "retry_fails_listening": Scenario("three attempts, all fail; the library's listener or logging hook is on"),
    "retry_survives": Scenario("the third attempt succeeds; the listener, logging hook or receipt is on"),
    "retry_in_group": Scenario("two children of a group, each tries twice, both fail"),
    "retry_cancelled": Scenario("cancelled while it waits for the second attempt"),
    "fallback_survives": Scenario(
        "an operation fails, its fallback has the value; the listener, logging hook or receipt is on"
    ),
    "fallback_fails": Scenario("an operation, its fallback and the next fallback fail"),
    # several policies around one call
    "total_runs_out": Scenario("the time for all attempts runs out during the wait after the second one"),
    "pipeline_fails": Scenario("a time limit around three attempts through a breaker, all fail"),
    "breaker_refuses_retry": Scenario("two attempts fail and open the breaker, which refuses the third"),
    "bulkhead_refuses_retry": Scenario("an attempt fails, the second is refused: too many calls run"),
    "rate_refuses_retry": Scenario("an attempt fails, the second is refused: too many calls in this minute"),
    # background
    "background_dropped": Scenario("a background task fails, nobody awaits it"),
    "background_held": Scenario("a background task fails, and is referred to until the program ends"),
    "background_shutdown": Scenario("the program ends, two background tasks raise when stopped"),
    "tasks_stopped": Scenario("two running tasks are stopped in an orderly way, both raise in cleanup"),
    "thread_hands_over": Scenario("a thread hands a coroutine to the loop, which fails; nobody looks"),
    "executor_dropped": Scenario("a call in a thread fails, nobody awaits it"),
    "callback_fails": Scenario("a task fails, and so does its done-callback"),
    "generator_abandoned": Scenario("an async generator is left half-way, its `finally` raises"),
    # longer-lived
    "queue_producer": Scenario("a queue's only producer dies, the consumer waits"),
    "queue_worker": Scenario("one of two workers of a queue dies, the other does the rest"),
    "cleanups_fail": Scenario("the operation fails, then three cleanup steps, one after the other"),
    "restarted": Scenario("a worker is restarted after two crashes, then ends well"),
    "restarts_end": Scenario("a worker crashes three times, its supervisor gives up"),
    "breaker_open": Scenario(
        "a breaker refuses a call: of what opened it, what does the refusal carry?", (3, 11), False
    ),
}
