"""Whether a file can be written that is wanted at the end, found before anything is done that it would tell of."""

from __future__ import annotations

import os
from pathlib import Path


def try_folder(file: Path) -> None:
    """
    Make a file beside this one, and remove it.

    Not asked for instead: the superuser may write into any folder, also where nothing can be made (``/proc``).

    Raises:
        OSError: There can be none.
    """
    beside = file.resolve().with_name(f".unlost.{os.getpid()}.part")
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600))
    beside.unlink()
