"""The demo of textual without a screen: its pages, keys, a click, a worker that fails, the end."""

import asyncio

from textual.demo.demo_app import DemoApp


async def main() -> None:
    app = DemoApp()
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("g", "p", "w", "h", "tab", "tab", "down", "enter", "escape", "ctrl+p", "escape", "w"):
            await pilot.press(key)
            await pilot.pause(0.1)
        await pilot.click(offset=(10, 10))
        await pilot.pause()
        print(type(app.screen).__name__)
    app = DemoApp()
    try:
        async with app.run_test(size=(120, 40)) as pilot:

            async def work() -> None:
                await asyncio.sleep(0.1)
                raise ConnectionError("the worker failed")

            app.run_worker(work(), exit_on_error=True)
            await pilot.pause(0.5)
    except Exception as error:
        print(type(error).__name__, type(error.__cause__).__name__)


asyncio.run(main())
