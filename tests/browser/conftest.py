"""A real browser, without a network; each test module has its own, since its driver brings an event loop along."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from unlost.report import Report
from unlost.report.html import html_of

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Open: TypeAlias = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("no Chromium here; write: apt-get install chromium (or CHROMIUM=/path/to/one)", pytrace=False)
    with sync_playwright() as playwright:
        # the sandbox needs rights that a container's root has not; what is opened is a file of ours
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def said() -> list[str]:
    """What the browser has to say of the pages: messages, errors, requests, dialogs; none may be left at the end."""
    return []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, said: list[str]) -> Iterator[Open]:
    """Open a report as a user does, from a file; nothing may be said on the console, loaded or blocked meanwhile."""
    pages: list[Page] = []

    def open_report(report: Report, **how: Any) -> Page:  # Any: options of new_page
        file = tmp_path / f"report-{len(pages)}.html"
        file.write_bytes(b"".join(html_of(report)))
        page = browser.new_page(**{"offline": True, "viewport": {"width": 1280, "height": 900}, **how})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url != file.as_uri() else None)
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        pages.append(page)
        page.goto(file.as_uri())
        return page

    yield open_report

    for page in pages:
        page.close()
    assert said == []
