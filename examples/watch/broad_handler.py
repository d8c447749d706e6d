"""A handler that would have anything, and looks at nothing: the bug is a typing error."""

import asyncio


async def price_of(row: dict[str, float]) -> float:
    return row["prise"] * 1.2


async def main() -> None:
    total = 0.0
    for row in [{"price": 1.0}, {"price": 2.0}]:
        try:
            total += await price_of(row)
        except Exception:  # noqa: BLE001
            continue
    print(f"total: {total}")


asyncio.run(main())
