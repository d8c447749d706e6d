"""Errors are asked for as values, and nobody looks at the values."""

import asyncio


async def notify(user: str) -> None:
    await asyncio.sleep(0)
    if user == "bob":
        raise TimeoutError(f"no answer from {user}")


async def main() -> None:
    await asyncio.gather(*map(notify, ["ann", "bob", "cleo"]), return_exceptions=True)
    print("all were notified")


asyncio.run(main())
