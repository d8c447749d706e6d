"""Seats, and the line of those who want one."""

from __future__ import annotations

import asyncio

from unlost.batch.gate._seats import Seats


async def test_once_the_line_was_sent_away_nobody_waits_in_it_and_a_free_seat_is_still_taken() -> None:
    seats = Seats(1, lambda: None)
    seats.try_take()
    before = asyncio.ensure_future(seats.take())
    await asyncio.sleep(0)

    seats.send_away()
    later = await seats.take()
    seats.leave()

    assert (await before, later, await seats.take()) == (False, False, True)
