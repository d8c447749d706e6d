"""When the items of a run failed: how many in each slice of its time, by fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unlost.batch.journal._door import Connection


@dataclass(frozen=True, slots=True)
class Failures:
    """
    Failed items over time.

    Attributes:
        began: When the run was opened first, in seconds since the epoch.
        ended: When its last item ended, or it was opened, if that was later.
        counts: By fingerprint, how many items failed in each slice of the time between; all slices are equally long.
    """

    began: float
    ended: float
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def read_failures(connection: Connection, slices: int) -> Failures:
    """Count the dead letters of a run in so many slices of its time."""
    began, ended = next(iter(connection.execute(_SPAN)))
    began = began or 0.0
    ended = max(ended or began, began)
    counts: dict[str, list[int]] = {}
    for fingerprint, number, count in connection.execute(_COUNTS, (began, slices, max(ended - began, 1e-9))):
        of_this = counts.setdefault(fingerprint, [0] * slices)
        of_this[min(max(number, 0), slices - 1)] += count  # a clock that was set back: the first slice
    return Failures(began, ended, {fingerprint: tuple(each) for fingerprint, each in counts.items()})


_SPAN = "SELECT min(opened), max(coalesce((SELECT max(ended) FROM outcome), 0.0), max(opened)) FROM epoch"
_COUNTS = """SELECT fingerprint, CAST((outcome.ended - ?) * ? / ? AS INTEGER), count(*)
    FROM outcome JOIN item ON item.id = outcome.item
    WHERE NOT ok AND item.scan >= (SELECT coalesce(max(scan), 0) FROM scan WHERE complete) GROUP BY 1, 2"""
