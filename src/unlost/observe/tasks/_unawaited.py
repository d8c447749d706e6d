"""Coroutines that nobody awaited."""

from __future__ import annotations

from types import CodeType, CoroutineType
from typing import Any

from unlost.observe._code import is_application
from unlost.observe._place import is_comprehension
from unlost.observe._text import encodable
from unlost.observe.tasks._origin import origin_here
from unlost.observe.watch import Collector, Notice, Site, site_of
from unlost.observe.watch._notice import NEVER_AWAITED


class Unawaited:
    """Notes each coroutine that dies without ever having run."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def died(self, coroutine: CoroutineType[Any, Any, Any], code: CodeType | None, instruction: int) -> None:
        """Note a coroutine, and the frame in which it died. Any: coroutines of every sort."""
        name = encodable(getattr(coroutine, "__qualname__", "?"))
        made = coroutine.cr_origin
        site: Site | None
        if made:
            file, line, name_there = made[0]
            function = next((name for _, _, name in made if not is_comprehension(name)), name_there)
            site = Site(encodable(file), line, encodable(function), is_application(file))
            text = f"{name}() was called here and never awaited: it did nothing"
        else:
            site = site_of((code, instruction)) if code is not None else None
            text = f"{name}() was never awaited: it did nothing; it was dropped here"
        self._collector.note(Notice(NEVER_AWAITED, text, site, origin_here()))
