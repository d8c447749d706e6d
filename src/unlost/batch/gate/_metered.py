"""What a job says it spends, heard by the throttle too, which goes by tokens where there is a rate of them."""

from __future__ import annotations

import asyncio

from unlost.batch._paper import Paper
from unlost.batch.gate._need import Amounts
from unlost.batch.gate._throttle import Throttle
from unlost.batch.gate._visit import Visit
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend


def metered(paper: Paper, throttle: Throttle, visit: Visit) -> Paper:
    """Return ``paper`` with the throttle told of the tokens that each call of ``visit`` spends."""
    return _Metered(paper, throttle, visit, asyncio.get_running_loop())


class _Metered:
    def __init__(self, paper: Paper, throttle: Throttle, visit: Visit, loop: asyncio.AbstractEventLoop) -> None:
        self._paper = paper
        self._throttle = throttle
        self._visit = visit
        self._loop = loop

    def spend(self, spent: Spend) -> None:
        self._paper.spend(spent)
        tokens: Amounts = {"input_tokens": spent.input_tokens, "output_tokens": spent.output_tokens}
        # in the loop's turn before the job's answer is looked at, whichever thread this is
        if asyncio._get_running_loop() is self._loop:
            self._tell(tokens)
        else:
            self._loop.call_soon_threadsafe(self._tell, tokens)

    async def keep(self, kept: Keep) -> None:
        await self._paper.keep(kept)

    def _tell(self, tokens: Amounts) -> None:
        if self._visit.ticket is not None:
            self._throttle.used(self._visit.ticket, tokens)
