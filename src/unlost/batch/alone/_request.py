"""What the child is told: the item, and all that decides how it is performed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unlost.batch._plan import Plan
from unlost.batch.alone._wire import packed, unpacked
from unlost.batch.journal._journal import Claimed
from unlost.batch.source._reader import Reader


@dataclass(frozen=True, slots=True)
class Request:
    """
    Attributes:
        claimed: The item.
        spec: The target, as ``module:function``.
        source_hash: Of the target's code when the run began.
        given: The options that were given; with the decorator's the same hold as in the run.
        run_id: Of the run, for the idempotency key.
        epoch: Of the journal's opening.
        own: Top-level packages whose code is the user's.
        reader: Reads the item's record.
        argv: Of the run's process: a module may look at it when it is imported.
    """

    claimed: Claimed
    spec: str
    source_hash: str
    given: Mapping[str, Any]  # Any: built-ins, by option
    run_id: str
    epoch: int
    own: tuple[str, ...]
    reader: Reader
    argv: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan, epoch: int, claimed: Claimed) -> Request:
        target, reader, argv = plan.target, plan.source.reader(), tuple(sys.argv)
        given, run_id = plan.policy.given, plan.meta["run_id"]
        return cls(claimed, target.spec, target.source_hash, given, run_id, epoch, plan.own, reader, argv)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Request:  # Any: what to_json made
        path, *how = told["reader"]
        return cls(
            **{
                **told,
                "claimed": _claimed(**told["claimed"]),
                "own": tuple(told["own"]),
                "reader": Reader(Path(path), *how),
                "argv": tuple(told["argv"]),
            }
        )

    def to_json(self) -> dict[str, Any]:  # Any: built-ins that JSON can hold
        reader, claimed = self.reader, self.claimed
        kept = {name: packed(value) for name, value in (claimed.kept or {}).items()}
        return {
            "claimed": {**asdict(replace(claimed, raw=b"", kept=None)), "raw": packed(claimed.raw), "kept": kept},
            "spec": self.spec,
            "source_hash": self.source_hash,
            "given": dict(self.given),
            "run_id": self.run_id,
            "epoch": self.epoch,
            "own": self.own,
            "reader": (str(reader.path), reader.format, reader.inputs, reader.limit),
            "argv": self.argv,
        }


def _claimed(raw: list[str], kept: dict[str, list[str]], **plain: Any) -> Claimed:  # Any: the other fields
    record = unpacked(raw)
    assert isinstance(record, bytes)
    return Claimed(raw=record, kept={name: unpacked(value) for name, value in kept.items()} or None, **plain)
