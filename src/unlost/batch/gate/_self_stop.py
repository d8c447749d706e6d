"""Why a run stopped by itself."""

from __future__ import annotations

from typing import Literal, TypeAlias

from unlost.errors import UnlostError

Reason: TypeAlias = Literal["authentication", "quota", "disk", "outage", "defect", "failures"]


class SelfStop(UnlostError):
    """
    The run stopped by itself: what it met will not pass by trying the next item; the cause is what was raised, if any.

    Attributes:
        reason: ``authentication``, ``quota``, ``disk``: such an error came up; ``outage``: it lasted for longer than is
            waited for; ``defect``: the first items all failed by one defect; ``failures``: as ``--halt`` says.
        text: The reason in words.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(reason, text)
        self.reason: Reason = reason
        self.text = text

    def __str__(self) -> str:
        return self.text
