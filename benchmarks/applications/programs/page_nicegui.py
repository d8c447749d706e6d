"""A page of nicegui's: a timer that fails, a button, a background task."""

import sys

from nicegui import app, background_tasks, ui


async def fails() -> None:
    raise ConnectionError("the mail server is down")


@ui.page("/")
def index() -> None:
    ui.label("shop")
    ui.timer(0.1, fails, once=True)


@ui.page("/broken")
async def broken() -> None:
    raise ValueError("the page is broken")


@app.get("/later")
async def later() -> str:
    background_tasks.create(fails())
    return "later"


ui.run(host="127.0.0.1", port=int(sys.argv[1]), reload=False, show=False, show_welcome_message=False)
