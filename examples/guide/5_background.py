"""
`create_task`, and where its exception goes.

A task that nobody awaits fails in silence: asyncio tells of its exception when the task is collected as garbage, if
ever. A task that nobody refers to may itself be collected while it waits, since the event loop holds tasks weakly. And
what still runs when the main function returns is cancelled. Each comes from a task that nobody owns.
"""

import asyncio
import gc

import unlost

written: list[str] = []


async def send_bill() -> None:
    raise ConnectionError("the post office is closed")


async def wait_for_payment() -> None:
    await asyncio.get_running_loop().create_future()  # nobody else refers to it


async def write_memoirs() -> None:
    for chapter in ("childhood", "the sea", "old age"):
        await asyncio.sleep(0)
        written.append(chapter)


async def plainly() -> None:
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context["message"]))

    bill = asyncio.create_task(send_bill())
    await asyncio.wait([bill])
    print("  the bill has failed; heard of it:", heard)
    del bill
    gc.collect()
    print("  after its task was collected:", heard)

    asyncio.create_task(wait_for_payment())  # noqa: RUF006  # that nobody keeps the task is the mistake shown
    await asyncio.sleep(0)
    gc.collect()
    print("  the payment that nobody kept:", heard[1:])

    memoirs = asyncio.create_task(write_memoirs(), name="memoirs")
    print("  main returns before the", memoirs.get_name())


def hear(error: BaseException, what: str) -> None:
    print("  reported:", what, "with", repr(error))


async def with_unlost() -> None:
    bill = unlost.spawn(send_bill)  # owned by unlost.run; the handle need not be kept
    await asyncio.wait([bill.task])
    print("  the bill has failed, see above")

    async with unlost.Background() as background:  # an owner for a part of the program, such as a server's lifespan
        background.spawn(wait_for_payment)
        await asyncio.sleep(0)
        gc.collect()
        (payment,) = background.running
        print("  the payment that nobody kept:", payment.status)
        payment.cancel("nobody pays")
    print("  and when the block was left:", payment.status)

    second_bill = unlost.spawn(send_bill)
    try:
        await second_bill  # whoever waits is told: then there is nothing to report
    except ConnectionError as error:
        print("  the second bill, awaited:", repr(error))

    memoirs = unlost.spawn(write_memoirs, name="memoirs")
    print("  main returns before the", memoirs.name)


print("plain asyncio")
asyncio.run(plainly())
print("  what came of them:", written)
print("with unlost")
with unlost.report_to(hear):  # by default, reports go to standard error, with their tracebacks
    try:
        unlost.run(with_unlost)
    except* ConnectionError as errors:
        print("  the program fails at its end for what nobody awaited:", errors.exceptions)
print("  what came of them:", written)
