"""
`create_task`, and where its exception goes.

A task that nobody awaits fails in silence: asyncio tells of its exception when the task is collected as garbage, if
ever. A task that nobody refers to may itself be collected while it waits, since the event loop holds tasks weakly. And
what still runs when the main function returns is cancelled. Each comes from a task that nobody owns.
"""

import asyncio
import gc

import unlost

sent: list[str] = []


async def send_bill() -> None:
    raise ConnectionError("the post office is closed")


async def wait_for_payment() -> str:
    return await asyncio.get_running_loop().create_future()


async def write_memoirs() -> None:
    for chapter in ("childhood", "the sea", "old age"):
        await asyncio.sleep(0)
        sent.append(chapter)


async def plainly() -> None:
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context["message"]))

    bill = asyncio.create_task(send_bill())
    await asyncio.wait([bill])
    print("  the bill has failed; heard of it:", heard)
    del bill
    gc.collect()
    print("  when its task was collected:", heard)

    asyncio.create_task(wait_for_payment())  # noqa: RUF006  # that nobody keeps the task is the mistake shown
    await asyncio.sleep(0)
    gc.collect()
    print("  the payment that nobody kept:", heard[1:])

    memoirs = asyncio.create_task(write_memoirs())
    print("  main returns, and leaves", memoirs.get_coro().__qualname__)


def hear(error: BaseException, what: str) -> None:
    print("  reported:", what, "with", repr(error))


async def with_unlost() -> None:
    bill = unlost.spawn(send_bill)  # owned by unlost.run; the handle need not be kept
    await asyncio.wait([bill.task])
    print("  the bill has failed, see above")

    unlost.spawn(wait_for_payment, name="payment")
    await asyncio.sleep(0)
    gc.collect()
    print("  the payment is kept")

    second_bill = unlost.spawn(send_bill)
    try:
        await second_bill  # who waits is told: then there is nothing to report
    except ConnectionError as error:
        print("  the second bill:", repr(error))

    async with unlost.Background() as background:  # an owner for a part of the program: a server's lifespan
        background.spawn(write_memoirs)
    print("  the block waited for:", sent)
    sent.clear()

    unlost.spawn(write_memoirs)
    print("  main returns")


print("plain asyncio")
asyncio.run(plainly())
print("  sent after that:", sent)
print("with unlost")
with unlost.report_to(hear):  # by default, reports go to standard error, with their tracebacks
    try:
        unlost.run(with_unlost, grace=0.1)
    except* ConnectionError as errors:
        print("  and the program fails for what nobody awaited:", errors.exceptions)
print("  sent after that:", sent)
