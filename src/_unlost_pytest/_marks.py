"""``@pytest.mark.unlost_forgive("why", "what")``: what a test forgives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import pytest

from unlost.errors import UsageError
from unlost.observe.install._forgiving import Forgiving, forgiving

NAME: Final = "unlost_forgive"

_MOST: Final = 5  # wrong ones that are told one by one


class Mark(NamedTuple):
    """
    Attributes:
        name: Where it stands, and what it says; the same for each test that it is of, whatever its parameters.
        forgiving: What it forgives.
    """

    name: str
    forgiving: Forgiving


def marks_of(item: pytest.Item) -> list[Mark]:
    """
    Return what a test forgives.

    Raises:
        UsageError: A mark does not say what, or why.
    """
    return [_mark(node, mark) for node, mark in item.iter_markers_with_node(NAME)]


def wrong_in(item: pytest.Item) -> str:
    """Return what is wrong with a test's marks; empty where nothing is."""
    try:
        marks_of(item)
    except UsageError as refused:
        return str(refused)
    return ""


def refuse_wrong(items: Iterable[pytest.Item]) -> None:
    """
    Look at the marks of all tests.

    Raises:
        UsageError: One does not say what, or why; each mistake is told once, as a mark of a class is one.
    """
    wrong: dict[str, str] = {}
    for item in items:
        if said := wrong_in(item):
            wrong.setdefault(said, f"{item.nodeid}: {said}")
    if wrong:
        more = f"\nand {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
        raise pytest.UsageError("\n".join(list(wrong.values())[:_MOST]) + more)


def _mark(node: Any, mark: pytest.Mark) -> Mark:  # Any: pytest's nodes have more than it says of them
    means = forgiving(mark.args, mark.kwargs, NAME)
    said = ", ".join(map(repr, filter(None, means)))
    parameters = f"[{node.callspec.id}]" if hasattr(node, "callspec") else ""
    return Mark(f"{node.nodeid.removesuffix(parameters)} {NAME}({said})", means)
