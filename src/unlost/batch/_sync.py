"""Making what was written to a file survive a power cut."""

from __future__ import annotations

import os
import sys


def sync(descriptor: int) -> None:
    """
    Return when the file's data is on the disk.

    Raises:
        OSError: It cannot be written there.
    """
    if sys.platform == "darwin":  # its fsync leaves the data in the drive's cache
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:  # some file systems do not know it; what else it may be, fsync says as well
            os.fsync(descriptor)
    else:
        os.fsync(descriptor)
