"""A worker that takes its cancellation for one more error."""

import asyncio


async def poll() -> None:
    for _ in range(3):
        try:
            await asyncio.sleep(0.02)
        except BaseException:  # noqa: BLE001
            print("poll failed, trying again")


async def main() -> None:
    worker = asyncio.create_task(poll())
    await asyncio.sleep(0.01)
    worker.cancel()
    await asyncio.wait([worker])
    print(f"cancelled: {worker.cancelled()}")


asyncio.run(main())
