from __future__ import annotations

from _unlost_pytest._told import Told


def test_each_way_in_which_workers_could_not_see_all_is_told_once() -> None:
    told = Told()
    for why in (["places taken"], [], ["an old Python"], ["places taken"]):
        worker = Told()
        worker.why = why
        told.receive(worker.sent())

    assert told.why == ["places taken", "an old Python"]
