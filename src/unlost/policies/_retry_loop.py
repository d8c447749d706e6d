"""The loop of a retry: attempts and the waits between them, until there is a value or an error has to come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

from unlost.errors import UnwantedResult
from unlost.policies._opening import EMPTY
from unlost.policies._retry_course import Course, Rules
from unlost.policies._retry_words import shortened

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def try_until(
    rules: Rules,
    course: Course,
    func: Callable[[*Ts], Awaitable[T]],
    args: tuple[*Ts],
    on_attempt: Callable[[int], object] | None,
    wait: float | None,
) -> T:
    """Try until there is a value, now or after ``wait``; raise the last error, with the earlier ones attached."""
    unwanted: UnwantedResult | None = None
    try:
        if wait is not None:
            await course.go_on(wait)
        elif rules.cooldown is None:
            course.begin()
        else:
            await course.begin_cooled(rules.cooldown)
        while True:
            if on_attempt is not None:
                on_attempt(course.number)
            try:
                value = await func(*args)
            except BaseException as error:
                wait = course.failed(error)
                if wait is None:
                    raise
            else:
                unwanted = _unwanted(rules, value, course)
                if unwanted is None:
                    return value
                wait = course.failed(unwanted, is_asked=False)
                if wait is None:
                    raise unwanted
            # out of the handler: a cancellation of the wait has not the error as its context
            await course.go_on(wait)
    except BaseException as last_error:
        course.attach_to(last_error)
        raise
    finally:
        del course, unwanted  # each error's traceback holds this frame


def _unwanted(rules: Rules, value: object, course: Course) -> UnwantedResult | None:
    if rules.on_result is None or value is EMPTY:  # a stream without an item has no result to ask about
        return None
    unwanted = UnwantedResult(f"{course.name} returned {shortened(value)}, which on_result does not want", value)
    try:
        return unwanted if rules.on_result(value) else None
    except Exception:  # raised on: the value goes with it
        course.errors.append(unwanted)
        raise
    finally:
        del course, unwanted  # the error's traceback holds this frame
