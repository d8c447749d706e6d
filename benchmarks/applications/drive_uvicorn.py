"""uvicorn serves an application of Starlette's: in two workers, then in one process."""

import os
import signal

from _driven import PROGRAMS, Program, ask, free_port, leave, say, send

for workers in ("2", "1"):
    say("workers", workers)
    port = free_port()
    program = Program(
        *("-m", "uvicorn", "shop_starlette:app", "--workers", workers, "--port", str(port)),
        *("--timeout-graceful-shutdown", "1"),
        environment={"PYTHONPATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PYTHONPATH", "")])},
    )
    program.opens(port)
    for path in ("/items/3", "/items/0", "/nothing", "/later", "/stream"):
        ask(port, path)
    leave(port, "/slow")
    send(port, b"nonsense\r\n\r\n")
    leave(port, "/slow", 0)
    program.end(signal.SIGTERM if workers == "2" else signal.SIGINT)
