"""The input of the demo: one JSON object a line; line n asks for item n."""

from __future__ import annotations

import json
from pathlib import Path


def write_inputs(path: Path, count: int = 10_000) -> None:
    """Write ``count`` lines, replacing what ``path`` held."""
    with path.open("w", encoding="utf-8") as lines:
        for number in range(1, count + 1):
            # no host and port: they change with each start of the service, and the input has to stay what it was
            lines.write(json.dumps({"id": number, "path": f"/items/{number}"}) + "\n")
