"""Two children fail; gather tells of one."""

import asyncio


async def fetch(name: str, seconds: float) -> str:
    await asyncio.sleep(seconds)
    raise ConnectionError(f"{name} is down")


async def main() -> None:
    try:
        await asyncio.gather(fetch("prices", 0.01), fetch("stock", 0.02))
    except ConnectionError as error:
        print(f"failed: {error}")
    await asyncio.sleep(0.05)


asyncio.run(main())
