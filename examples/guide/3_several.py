"""
Several tasks at once, one of which fails, the others unharmed.

A coroutine runs only while somebody awaits it, so that awaiting one after the other takes as long as all of them
together. Tasks run at once; but in an `asyncio.TaskGroup` one failure cancels the others, although each of them would
have come to something. Whether that is right depends on what they are for, so that a group should be told.
"""

import asyncio
from time import monotonic

import unlost

DELIVERY = 0.5  # seconds that a letter and its answer are under way
AUTHORS = ("Austen", "Bashō", "Conrad", "Dumas")


async def write_to(author: str) -> str:
    if author == "Bashō":
        raise LookupError("Bashō has moved")
    await asyncio.sleep(DELIVERY)
    return f"{author} sends greetings"


class Stopwatch:
    def __init__(self) -> None:
        self.began = monotonic()

    def __str__(self) -> str:
        return f"{(monotonic() - self.began) // DELIVERY:.0f} x the time of one letter"


async def plainly() -> None:
    watch, answers = Stopwatch(), []
    for author in AUTHORS:
        try:
            answers.append(await write_to(author))
        except LookupError as error:
            answers.append(f"({error})")
    print("  awaited one after the other:", ", ".join(answers))
    print("    after", watch)

    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(write_to(author)) for author in AUTHORS]
    except* LookupError as errors:
        print("  asyncio.TaskGroup:", errors.exceptions)
    print("    letters that nobody waited for:", sum(task.cancelled() for task in tasks), "of", len(tasks))


async def with_unlost() -> None:
    watch = Stopwatch()
    outcomes = await unlost.settle(*(write_to(author) for author in AUTHORS))
    print("  unlost.settle:")
    for author, outcome in zip(AUTHORS, outcomes, strict=True):
        match outcome:
            case unlost.Value(answer):
                print("    got", answer)
            case unlost.Failure(error):
                print("    failed for", author, repr(error))
            case unlost.Cancelled():
                print("    cancelled for", author, outcome.reason)
    print("    after", watch)

    # where children are started here and there, a group: its policy says what a failure means to the others
    async with unlost.TaskGroup(unlost.collect()) as collected:
        for author in AUTHORS:
            collected.start_soon(write_to, author)
    print("  unlost.TaskGroup(collect()) raises nothing:", collected.result, sep="\n    ")

    try:
        async with unlost.TaskGroup() as group:  # the default stops at the first failure, as asyncio's does
            for author in AUTHORS:
                group.start_soon(write_to, author)
    except* LookupError as errors:
        print("  unlost.TaskGroup() raises", errors.exceptions)
        print("    and hands over:", *(type(outcome).__name__ for outcome in unlost.partial(errors) or ()))


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)
