"""One file that needs nothing else, of bounded size, in which a stranger's text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from support.reports import HOSTILE, NOTHING, group_of, many, report_of
from support.views import raised
from unlost.errors import attach_attempts
from unlost.report import SLICES, Report, Tally
from unlost.report.html import MARK, html_of
from unlost.report.html._room import fair, fitting
from unlost.report.html._text import brief, size

MOST = 600_000


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, text, and whether each element is closed."""

    VOID = ("meta", "input", "br", "rect", "path")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def html(report: Report) -> str:
    return b"".join(html_of(report)).decode()


def everywhere(text: str) -> Report:
    """A report with this text wherever a text can be."""
    error = raised(RuntimeError(text), function="fetch")
    error.add_note(text)
    attach_attempts(error, (ConnectionError(text),))
    group = group_of(
        error, title=text, where=text, label=text, example=text, ended=text, command=text, look=text, spent=text,
        fingerprint=text,
    )  # fmt: skip
    return replace(
        report_of(group), title=text, subtitle=text, tallies=(Tally(text, 1, "bad"),), facts=((text, text),),
        lists=((text, (text,)),), alarms=(text,),
    )  # fmt: skip


def test_it_loads_nothing_and_says_so_to_the_browser() -> None:
    page = Page(html(many(12)))

    policy = next(e["content"] for _, e in page.elements if e.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [
        e for tag, e in page.elements if {"src", "style", "srcset"} & e.keys() or tag in ("link", "img", "base")
    ]
    assert {e["href"] for _, e in page.elements if "href" in e} == {"#errors"}


def test_the_policy_names_exactly_the_style_and_the_script_that_are_there() -> None:
    text = html(NOTHING)

    for name in ("style", "script"):
        (inside,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in text


def test_hostile_text_makes_no_element_no_attribute_and_no_control_character() -> None:
    harmless, hostile = html(everywhere("harmless")), html(everywhere(HOSTILE))

    tame, wild = Page(harmless), Page(hostile)
    assert [tag for tag, _ in wild.elements] == [tag for tag, _ in tame.elements]
    assert [set(attributes) for _, attributes in wild.elements] == [set(attributes) for _, attributes in tame.elements]
    assert wild.open == []
    assert {character for character in hostile if not character.isprintable()} <= {"\n"}
    assert r"\u202eevil" in wild.text


def test_half_a_character_is_spelled_out() -> None:
    assert r"\ud800" in html(report_of(title="\ud800", subtitle="\udfff"))


@pytest.mark.parametrize(
    "text", ["page {} of the catalogue", "<" * 400, "取引" * 300, HOSTILE * 20, "x" * 4000 + "\n" * 300]
)
def test_five_hundred_groups_stay_below_the_bound_whatever_they_hold(text: str) -> None:
    report = many(500, text.replace("{}", "") if text.count("{") > 1 else text)

    whole = html(report)

    assert size(whole) <= MOST
    assert whole.count('<td colspan="7">') == 500
    assert Page(whole).open == []


def test_the_worst_of_all_texts_in_every_place_stays_below_the_bound() -> None:
    group = everywhere("<\u202e" * 5000).groups[0]

    assert size(html(everywhere("<\u202e" * 5000))) <= MOST
    assert size(html(report_of(*[group] * 500))) <= MOST


def test_what_is_left_out_for_the_size_is_said() -> None:
    text = html(many(500, "x" * 3000 + "\n" + "y" * 3000))

    assert " lines left out<" in text


def test_a_small_report_has_every_trace_in_full() -> None:
    text = html(many(12))

    assert "left out<" not in text
    assert text.count("RuntimeError: page ") >= 12


def test_without_a_script_the_trace_and_the_reasons_are_there() -> None:
    page = Page(html(report_of(group_of(raised(KeyError("price"), line=57, function="parse"), 61))))

    assert 'File "jobs.py", line 57, in parse' in page.text
    assert "Why grouped" in page.text
    assert "frame: jobs:parse" in page.text
    assert "unlost retry fetch-3 --only " in page.text
    assert [tag for tag, _ in page.elements].count("details") == 3


def test_a_report_without_errors_says_so() -> None:
    page = Page(html(NOTHING))

    assert "There are no errors." in page.text
    assert "table" not in [tag for tag, _ in page.elements]


def test_groups_beyond_the_table_are_counted() -> None:
    report = report_of(group_of(ValueError("a"), 5), more_groups=1200, more_count=34567)

    assert "and 1,200 more kinds of error in 34,567 items" in Page(html(report)).text


def test_one_error_among_a_million_has_its_place_in_the_bar() -> None:
    page = Page(html(replace(NOTHING, tallies=(Tally("ok", 10**6, "good"), Tally("failed", 1, "bad")))))

    widths = [int(attributes["width"] or 0) for tag, attributes in page.elements if tag == "rect"]
    assert widths == [986, 10]


def test_a_group_without_times_has_no_sparkline_and_no_timeline() -> None:
    page = Page(html(replace(report_of(group_of(ValueError("a"), hits=())), began=None, ended=None)))

    assert "When" not in page.text
    assert [e.get("class") for tag, e in page.elements if tag == "svg"] == ["bar"]


def test_the_timeline_has_its_numbers_as_a_table_too() -> None:
    hits = (0,) * 30 + (7,) + (0,) * (SLICES - 31)

    page = Page(html(report_of(group_of(ValueError("a"), 7, hits=hits))))

    rows = [attributes for tag, attributes in page.elements if tag == "th" and attributes.get("scope") == "row"]
    assert len(rows) == 2  # one slice, one group
    assert "at most 7 at a time" in page.text


@pytest.mark.parametrize(
    ("seconds", "pattern"),
    [(5, r">\d\d:\d\d:\d\d\.\d{3}<"), (3600, r">\d\d:\d\d:\d\d<"), (200_000, r">\d\d-\d\d \d\d:\d\d<")],
)
def test_the_times_are_as_exact_as_the_report_is_long(seconds: int, pattern: str) -> None:
    report = report_of(group_of(ValueError("a"), 7))

    assert re.search(pattern, html(replace(report, ended=(report.began or 0) + seconds)))


def test_a_file_of_ours_is_known_by_its_beginning() -> None:
    assert MARK in html(NOTHING)[:1024]


def test_a_fair_share_leaves_to_others_what_it_does_not_need() -> None:
    assert fair([10, 10, 10], 30) == 10
    assert fair([1, 100, 100], 101) == 50
    assert fair([5, 5], 1000) == 5
    assert fair([5, 5], -3) == 0
    assert fair([], 10) == 0


@pytest.mark.parametrize("room", [0, 1, 7, 50, 99, 100])
def test_what_is_shown_of_the_lines_fits(room: int) -> None:
    lines = [f"line {number:04}\n" for number in range(10)]

    head, tail = fitting(lines, room)

    assert sum(map(len, (*head, *tail))) <= room
    assert [*head, *tail] == (lines if room == 100 else [*lines[: len(head)], *lines[len(lines) - len(tail) :]])


@pytest.mark.parametrize("text", ["abc", "<>&", "é" * 50, "a" * 500, "\u202e" * 9, "x" * 20, "<" * 5])
@pytest.mark.parametrize("room", [3, 10, 20, 40])
def test_a_brief_text_fits_and_says_that_it_was_cut(text: str, room: int) -> None:
    shown = brief(text, room)

    assert size(shown) <= room
    assert shown.endswith("…") == (size(brief(text, 10_000)) > room)
