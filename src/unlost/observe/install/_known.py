"""A file of findings that are known, and forgiven."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from unlost.errors import UsageError
from unlost.observe.install._about import former_key_of, key_as_named, key_of
from unlost.observe.watch import Finding, Notice

VERSION: Final = 2

_FORMER: Final = 1  # its keys have no place where nobody took the exception

_MOST: Final = 5  # entries that were not met, told one by one


class Known:
    """
    Attributes:
        file: The file; None where there is none.
        is_written: Whether what is found goes into it, and nothing is forgiven.
        found: What was found that is not in it: its key, and a line about it.
        met: How often each of its entries forgave something.

    Raises:
        UsageError: The file cannot be read.
    """

    def __init__(self, file: Path | None, *, is_written: bool) -> None:
        self.file = file
        self.is_written = is_written
        self.found: dict[str, str] = {}
        self.met: Counter[str] = Counter()
        self._version, self._entries = (VERSION, {}) if file is None or is_written else _read(file)

    def forgives(self, found: Finding | Notice) -> bool:
        """Say whether it has this; count it if so."""
        keys = [former_key_of(found)] if self._version == _FORMER else [key_of(found), key_as_named(found)]
        if found.origin is not None and not found.origin.task:  # files that are older have no place of a call
            keys.append(former_key_of(found))
        key = next((one for one in keys if one in self._entries), None)
        if key is None:
            return False
        self.met[key] += 1
        return True

    def add(self, key: str, text: str, test: str) -> None:
        """Note what is not in it."""
        self.found.setdefault(key, f"{text.partition(chr(10))[0]} ({test})")

    def receive(self, found: dict[str, str], met: Iterable[tuple[str, int]]) -> None:
        """Add what another process of this session found and met."""
        self.found.update(found)
        self.met.update(dict(met))

    def write(self) -> None:
        """Write what was found, if that is asked for."""
        if self.file is not None and self.is_written:
            text = json.dumps({"version": VERSION, "forgiven": dict(sorted(self.found.items()))}, indent=1)
            self.file.write_text(text + "\n", encoding="utf-8")

    def said(self) -> Iterator[str]:
        """Yield what there is to say at the end: how many it forgave, and which entries had nothing to forgive."""
        if self.file is None:
            return
        if self.is_written:
            yield f"{len(self.found)} written to {self.file}"
            return
        idle = {key: text for key, text in self._entries.items() if key not in self.met}
        also = f"; {len(idle):,} of its {len(self._entries):,} entries forgave nothing in these tests" if idle else ""
        yield f"{self.met.total():,} forgiven by {self.file.name}{also}"
        yield from (f"  not met: {text}" for text in list(idle.values())[:_MOST])
        if len(idle) > _MOST:
            yield f"  and {len(idle) - _MOST:,} more"


def _read(file: Path) -> tuple[object, dict[str, str]]:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unreadable:
        raise UsageError(f"{file} cannot be read: {unreadable}. {_WRITE}") from unreadable
    forgiven = loaded.get("forgiven") if isinstance(loaded, dict) else None
    if not isinstance(forgiven, dict):
        expected = f'{{"version": {VERSION}, "forgiven": {{"12 digits": "text"}}}}'
        raise UsageError(f"{file} is no list of what is known: expected {expected}. {_WRITE}")
    return loaded.get("version"), {str(key): str(text) for key, text in forgiven.items()}


_WRITE: Final = "Write it with --unlost-update-baseline"
