"""A task that nobody keeps, and nobody awaits."""

import asyncio


async def send_receipt(order: int) -> None:
    await asyncio.sleep(0.01)
    raise ConnectionError(f"mail server refused order {order}")


async def main() -> None:
    asyncio.create_task(send_receipt(17))  # noqa: RUF006
    await asyncio.sleep(0.05)
    print("order 17 is done")


asyncio.run(main())
