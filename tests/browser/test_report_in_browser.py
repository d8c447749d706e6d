"""The HTML report as people have it: read, by keyboard, in the dark, on a telephone, on paper, without scripts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.reports import HOSTILE, group_of, many, report_of
from support.views import raised
from unlost.errors import attach_attempts
from unlost.report import Report, Tally

LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    {"color_scheme": "dark", "viewport": {"width": 320, "height": 600}, "reduced_motion": "reduce"},
    {"forced_colors": "active"},
]


def looks(how: dict[str, Any]) -> str:
    return "-".join(str(each["width"] if isinstance(each, dict) else each) for each in how.values())


def hostile() -> Report:
    error = raised(RuntimeError(HOSTILE))
    error.add_note(HOSTILE)
    attach_attempts(error, (ConnectionError(HOSTILE),))
    group = group_of(error, title=HOSTILE, where=HOSTILE, label=HOSTILE, example=HOSTILE, command=HOSTILE)
    return replace(report_of(group), title=HOSTILE, subtitle=HOSTILE, lists=((HOSTILE, (HOSTILE,)),))


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.textContent")
    return text


def is_open(page: Page, number: int) -> bool:
    detail = page.locator("td[colspan] > details").nth(number - 1)
    return detail.get_attribute("open") is not None


def violations(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


def screenshot(page: Page, name: str) -> None:
    """Leave a picture where somebody wants to look at it."""
    if folder := os.environ.get("UNLOST_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.parametrize("how", LOOKS, ids=looks)
def test_no_rule_of_accessibility_is_broken_with_everything_opened(opened: Any, how: dict[str, Any]) -> None:
    alarms = ("The books do not balance.",)
    page = opened(replace(many(25), alarms=alarms, lists=(("In doubt: 2", ("line 3, key a", "line 4, key b")),)), **how)
    screenshot(page, f"top-{looks(how)}")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    screenshot(page, f"opened-{looks(how)}")

    assert violations(page) == []


def test_hostile_text_runs_nothing_and_breaks_nothing(opened: Any) -> None:
    page = opened(hostile())
    page.locator("td[colspan] summary").first.click()
    screenshot(page, "hostile")

    assert page.locator("img").count() == 0
    assert page.locator("body > *").count() == 4  # the skip link, header, main, script
    assert "</script></style><img src=x onerror=alert(1)>" in page.locator("h1").inner_text()
    assert violations(page) == []


def test_the_policy_holds_against_what_is_put_into_the_page(opened: Any, said: list[str]) -> None:
    page = opened(many(2))
    blocked = page.evaluate(
        """() => new Promise((resolve) => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", (event) => {
                blocked.push(event.effectiveDirective);
                if (blocked.length === 2) resolve(blocked.sort());
            });
            document.body.append(Object.assign(new Image(), { src: "https://example.invalid/x.gif" }));
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        })"""
    )

    assert blocked == ["img-src", "script-src-elem"]
    assert page.evaluate("window.ran") is None
    assert sum("violates the following Content Security Policy" in line for line in said) == 2
    said.clear()


def test_the_arrow_keys_enter_and_escape_go_through_the_errors(opened: Any) -> None:
    page = opened(many(5))
    page.locator("td[colspan] > details > summary").first.focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Trace of #2"
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Trace of #5"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert focused(page) == "Trace of #1"
    assert is_open(page, 1)
    page.keyboard.press("Tab")
    assert focused(page) == "Copy"
    page.keyboard.press("Escape")
    assert focused(page) == "Trace of #1"
    assert not is_open(page, 1)


def test_the_tab_key_reaches_everything_and_the_errors_first_if_one_likes(opened: Any) -> None:
    page = opened(many(2))

    page.keyboard.press("Tab")
    assert focused(page) == "To the errors"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "Trace of #1"
    page.keyboard.press("Tab")
    assert focused(page) == "Trace of #2"


def test_a_screen_reader_has_a_table_with_names(opened: Any) -> None:
    page = opened(many(2))

    table = page.get_by_role("table", name="2 kinds of error in 2 items")
    assert table.get_by_role("columnheader").all_inner_texts() == [
        "#", "error", "count", "kind", "when", "example", "group",
    ]  # fmt: skip
    assert table.get_by_role("rowheader").count() == 2
    assert page.get_by_role("img", name="9,000 ok, 2 failed, 3 in doubt").count() == 1
    assert page.get_by_role("main").get_by_role("region").count() == 4


def test_a_click_on_a_row_opens_it_and_why_it_is_grouped_is_one_more(opened: Any) -> None:
    page = opened(many(3))

    page.locator(".groups tbody th").nth(1).click()
    page.locator("summary", has_text="Why grouped").nth(1).click()

    assert [is_open(page, number) for number in (1, 2, 3)] == [False, True, False]
    assert page.locator("li", has_text="type: RuntimeError").nth(1).is_visible()


def test_what_is_typed_narrows_the_table_and_says_so(opened: Any) -> None:
    page = opened(many(25))

    page.get_by_role("searchbox", name="Show only").fill("fetch_7 ")

    assert page.get_by_role("status").inner_text() == "1 of 25 shown"
    assert page.locator("tbody:visible th[scope=row]").all_inner_texts() != []
    assert page.locator(".groups tbody:visible").count() == 1


def test_a_command_is_copied(opened: Any) -> None:
    page = opened(many(1))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("td[colspan] > details > summary").click()

    page.get_by_role("button", name="Copy unlost retry").click()

    page.get_by_role("button", name="Copy unlost retry").filter(has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("unlost retry fetch-3 --only ")


def test_without_scripts_everything_can_be_read_and_opened(opened: Any) -> None:
    page = opened(many(3), java_script_enabled=False)

    page.locator("td[colspan] > details > summary").first.click()
    page.locator("summary", has_text="Why grouped").first.click()

    assert page.locator("pre").first.is_visible()
    assert page.locator("li", has_text="type: RuntimeError").first.is_visible()
    assert page.get_by_role("searchbox").count() == 0


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_no_width_needs_scrolling_to_the_side(opened: Any, width: int) -> None:
    report = many(30)
    page = opened(replace(report, title="x" * 200), viewport={"width": width, "height": 800})
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark_follow_the_system(opened: Any) -> None:
    grounds = [
        opened(many(1), color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]

    assert grounds == ["rgb(255, 255, 255)", "rgb(18, 22, 27)"]


def test_five_hundred_groups_are_there_at_once(opened: Any) -> None:
    page = opened(many(500))
    screenshot(page, "five-hundred")

    assert page.locator(".groups tbody").count() == 500
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive") < 3000


def test_on_paper_nothing_is_shown_that_only_a_hand_could_open(opened: Any, tmp_path: Path) -> None:
    page = opened(many(12))
    page.emulate_media(media="print")

    assert not page.locator("summary", has_text="Trace of").first.is_visible()
    assert page.locator(".groups tbody th").first.is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_a_report_without_errors_can_be_read(opened: Any) -> None:
    page = opened(replace(report_of(), tallies=(Tally("ok", 0, "good"),), began=None, ended=None))

    assert "There are no errors." in page.locator("main").inner_text()
    assert violations(page) == []
