"""
Several tasks at once, one of which fails, the others unharmed.

A coroutine runs only while somebody awaits it, so that awaiting one after the other takes as long as all of them
together. Tasks run at once; but then one failure cancels the others (`asyncio.TaskGroup`), although each of them would
have come to something. Which is right depends on what they are for, so that a group should be told.
"""

import asyncio
from time import monotonic

import unlost

LETTER = 0.5  # seconds that a letter is under way
AUTHORS = ("Austen", "Bashō", "Conrad")


async def write_to(author: str) -> str:
    await asyncio.sleep(LETTER)
    if author == "Bashō":
        raise LookupError("Bashō has moved")
    await asyncio.sleep(0)  # the answer comes a step later than the failure
    return f"{author} sends greetings"


class Stopwatch:
    def __init__(self) -> None:
        self.began = monotonic()

    def __str__(self) -> str:
        return f"the time of {(monotonic() - self.began) // LETTER:.0f} letters"


async def plainly() -> None:
    watch, answers = Stopwatch(), []
    for author in AUTHORS:
        try:
            answers.append(await write_to(author))
        except LookupError as error:
            answers.append(str(error))
    print("  awaited in a loop:", answers, "in", watch)

    watch = Stopwatch()
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(write_to(author)) for author in AUTHORS]
    except* LookupError as errors:
        print("  asyncio.TaskGroup:", errors.exceptions, "in", watch)
    print("    answers thrown away:", sum(task.cancelled() for task in tasks), "of", len(tasks))


async def with_unlost() -> None:
    watch = Stopwatch()
    outcomes = await unlost.settle(*(write_to(author) for author in AUTHORS))
    print("  unlost.settle: in", watch)
    for author, outcome in zip(AUTHORS, outcomes, strict=True):
        match outcome:
            case unlost.Value(answer):
                print(f"    {author}: {answer}")
            case unlost.Failure(error):
                print(f"    {author}: failed, {error!r}")
            case unlost.Cancelled():
                print(f"    {author}: cancelled, {outcome.reason}")

    # a group, where children are started here and there; the policy says what a failure means to the others
    async with unlost.TaskGroup(unlost.collect()) as group:
        for author in AUTHORS:
            group.start_soon(write_to, author, name=author)
    print("  unlost.TaskGroup(collect()):", str(group.result).replace("\n", "\n    "))

    try:
        async with unlost.TaskGroup(unlost.wait_all()) as group:
            for author in AUTHORS:
                group.start_soon(write_to, author)
    except* LookupError as errors:
        print("  unlost.TaskGroup(wait_all()):", errors.exceptions)
        print("    and none is thrown away:", [type(outcome).__name__ for outcome in unlost.partial(errors) or ()])


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)
