"""Exceptions in groups: what becomes of a group becomes of its members."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio

from scenario import boom, expect, log, right


async def both() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(boom())
        group.create_task(boom())


@expect("swallowed", "swallowed")
async def task_group_swallowed() -> None:
    try:
        await both()
    except Exception:  # ends here
        pass


@right
async def task_group_taken_by_type() -> None:
    try:
        await both()
    except* ValueError:
        pass


@expect("swallowed", "swallowed")
async def blanket_except_star() -> None:
    try:
        await both()
    except* Exception:  # ends here
        pass


@right
async def blanket_except_star_that_looks() -> None:
    try:
        await both()
    except* Exception as group:
        print(group.exceptions)


@expect("swallowed")
async def except_star_takes_one_and_another_swallows_the_rest() -> None:
    try:
        try:
            raise ExceptionGroup("two", [ValueError("x"), KeyError("y")])
        except* KeyError:
            pass
    except Exception:  # ends here
        pass


@right
async def except_star_takes_all_by_name() -> None:
    try:
        raise ExceptionGroup("two", [ValueError("x"), ExceptionGroup("in", [KeyError("y")])])
    except* KeyError:
        pass
    except* ValueError as error:
        print(error)


@expect("swallowed")
async def group_of_one_swallowed_after_a_raise() -> None:
    try:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(boom())
        except Exception:
            print("cleaning up")
            raise
    except Exception:  # ends here
        pass


@right
async def group_logged() -> None:
    try:
        await both()
    except Exception:
        log.exception("failed")


@expect("swallowed")
async def group_whose_first_member_is_raised_and_swallowed() -> None:
    try:
        try:
            raise ExceptionGroup("one", [ValueError("x")])
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    except Exception:  # ends here
        pass


@right
async def group_whose_member_is_raised() -> None:
    try:
        try:
            await both()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    except ValueError:
        pass
