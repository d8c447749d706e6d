"""An await is missing."""

import asyncio


async def save(row: str) -> None:
    await asyncio.sleep(0)
    print(f"saved {row}")


async def main() -> None:
    save("first")
    await save("second")


asyncio.run(main())
