"""What holds the run, told to those who look: the display while it lasts, the journal for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from unlost._core import wall
from unlost.batch._letters import letter_of, title_of
from unlost.batch._progress import Progress
from unlost.batch.gate._outage import Trouble
from unlost.batch.gate._rest import Rest
from unlost.batch.journal._pauses import Pause

_REMEMBERED: Final = 1000  # rests that have ended, and of which an answer may still come


class Pausing:
    """
    Args:
        progress: Is kept up to date.
        put: Hands a pause to the journal.
        own: Top-level packages whose code is the user's.
    """

    def __init__(self, progress: Progress, put: Callable[[Pause], None], own: Collection[str]) -> None:
        self._progress = progress
        self._put = put
        self._own = own
        self._count = 0
        self._rests: dict[Rest, Pause] = {}
        self._outage: tuple[Trouble, Pause] | None = None

    def rest(self, rest: Rest) -> None:
        """Hear that a rest began, ended, or has grown since."""
        known = self._rests.get(rest)
        if known is None:
            known = self._numbered("rest", _scope(rest), rest.error)
        ended = known.ended if known.ended is not None or rest.ended is None else wall()
        self._rests[rest] = known = known._replace(ended=ended, refused=rest.refused)
        self._put(known)
        self._forget()
        self._show()

    def outage(self, trouble: Trouble, *, ended: bool) -> None:
        """Hear that an outage began, goes on, or ended."""
        began = self._outage is None
        if self._outage is None:
            self._outage = (trouble, self._numbered("outage", "", trouble.error))
        pause = self._outage[1]._replace(ended=wall() if ended else None, refused=trouble.failed)
        self._outage = None if ended else (trouble, pause)
        if began or ended:
            self._put(pause)
        self._show()

    def _numbered(self, kind: str, scope: str, error: BaseException | None) -> Pause:
        self._count += 1
        record = None if error is None else letter_of(error, self._own).error
        return Pause(self._count, "rest" if kind == "rest" else "outage", scope, wall(), None, 0, record)

    def _forget(self) -> None:
        for rest in list(self._rests) if len(self._rests) > _REMEMBERED else ():
            if rest.ended is not None and len(self._rests) > _REMEMBERED // 2:
                del self._rests[rest]

    def _show(self) -> None:
        text, until = self._text()
        self._progress.pause, self._progress.pause_until = text, until

    def _text(self) -> tuple[str | None, float | None]:
        if self._outage is not None:
            trouble = self._outage[0]
            return f"outage: {title_of(trouble.error, self._own)}", trouble.next_probe
        now = asyncio.get_running_loop().time()
        rests = [rest for rest in self._rests if rest.ended is None and rest.until > now]
        if not rests:
            return None, None
        if len(rests) > 1:
            return f"{len(rests)} limit keys rest, as the server asked (429)", min(rest.until for rest in rests)
        what = "a rest" if rests[0].key is None else f"{_scope(rests[0])} rests"
        return f"{what}, as the server asked (429)", rests[0].until


def _scope(rest: Rest) -> str:
    """Return the limit key in words that can be written: it is whatever the user's function made of an item."""
    if rest.key is None:
        return ""
    try:
        text = str(rest.key)
    except (Exception, SystemExit):  # it says nothing of itself, and the rest is no less one  # noqa: BLE001
        text = f"<{type(rest.key).__name__}>"
    return text.encode(errors="backslashreplace").decode()
