"""Which commit the target's code is from."""

from __future__ import annotations

import subprocess
from pathlib import Path

_PATIENCE = 5.0


def revision_of(file: Path | None) -> str | None:
    """
    Return the commit of the repository that the file is in, with ``-dirty`` where tracked files differ from it.

    None where there is no file, repository or git, or where git takes longer than 5 s.
    """
    if file is None:
        return None
    command = ["git", "-C", str(file.parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):  # no git, or one that hangs: the hash of the code is kept all the same
        return None
    return told.stdout.strip() or None if told.returncode == 0 else None
