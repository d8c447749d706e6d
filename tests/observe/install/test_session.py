from __future__ import annotations

import gc

import pytest

from unlost.observe.install import Session


def test_garbage_is_collected_only_while_something_is_outstanding(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[str] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(test))
    session = Session()
    for test in ("right", "holds"):
        session.begin(test)
        error = ValueError(test)
        if test == "holds":
            error.tracker = session._of[test]  # type: ignore[attr-defined]  # stands for evidence
        session.called(test)
        session.end(test)
    monkeypatch.undo()
    session.close()

    assert set(collected) == {"holds"}
