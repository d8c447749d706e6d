"""The page of what was found by watching: the same keys, names and room as that of a run."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.found import COMMAND, found_report

LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    {"forced_colors": "active"},
]


def violations(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.textContent")
    return text


@pytest.mark.parametrize("how", LOOKS, ids=lambda how: "-".join(map(str, how)))
def test_no_rule_of_accessibility_is_broken_with_everything_opened(opened: Any, how: dict[str, Any]) -> None:
    page = opened(found_report(25, tests=True), **how)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

    assert violations(page) == []


def test_a_screen_reader_has_a_table_with_names(opened: Any) -> None:
    page = opened(found_report(3))

    table = page.get_by_role("table", name="5 kinds of error in 8 exceptions")
    assert table.get_by_role("columnheader").all_inner_texts() == [
        "#", "error", "count", "verdict", "when", "example", "group",
    ]  # fmt: skip
    assert table.get_by_role("rowheader").count() == 5
    bar = "9,000 handled, 2 swallowed, 3 absorbed, 1 lost, 1 never awaited, 1 loop error"
    assert page.get_by_role("img", name=bar).count() == 1
    assert page.get_by_role("main").get_by_role("region").count() == 4


def test_the_arrow_keys_enter_and_escape_go_through_what_was_found(opened: Any) -> None:
    page = opened(found_report(5))
    page.locator("td[colspan] > details > summary").first.focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    detail = page.locator("td[colspan] > details").nth(1)
    assert focused(page) == "Trace of #2"
    assert detail.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert detail.get_attribute("open") is None


def test_what_was_found_says_where_it_ended_where_its_task_came_from_and_why_it_is_one_group(opened: Any) -> None:
    page = opened(found_report(2))

    lost = page.locator(".groups tbody", has_text="Odd0")
    lost.locator("th").click()
    lost.locator("summary", has_text="Why grouped").click()

    assert "lost: nobody ever took it" in lost.inner_text()
    assert "In task 'Task-0', which was started" in lost.inner_text()
    assert lost.locator("li", has_text="type: shop.Odd0").is_visible()


def test_the_command_that_runs_just_these_tests_is_copied(opened: Any) -> None:
    page = opened(found_report(1, tests=True))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("td[colspan] > details > summary").first.click()

    page.get_by_role("button", name="Copy pytest").first.click()

    page.get_by_role("button", name="Copy pytest").filter(has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "pytest --unlost 'tests/test_shop.py::test_page[7]'"


def test_what_runs_a_program_again_and_what_could_not_be_seen_stand_on_the_page(opened: Any) -> None:
    page = opened(found_report(1))

    assert COMMAND in page.get_by_role("region", name="Facts").inner_text()
    assert "3 exceptions were only counted" in page.get_by_role("main").inner_text()


def test_five_hundred_bugs_are_there_at_once(opened: Any) -> None:
    page = opened(found_report(498))

    assert page.locator(".groups tbody").count() == 500
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive") < 3000
