"""hypercorn serves an application of Quart's, in one process: pages, failures, clients that go away, a bad request."""

import os
import signal

from _driven import PROGRAMS, Program, ask, free_port, leave, send

port = free_port()
program = Program(
    *("-m", "hypercorn", "shop_quart:app", "-w", "0", "-b", f"127.0.0.1:{port}", "--graceful-timeout", "2"),
    environment={"PYTHONPATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PYTHONPATH", "")])},
)
program.opens(port)
for path in ("/", "/items/3", "/items/0", "/items/101", "/nothing", "/later", "/stream", "/echo"):
    ask(port, path)
ask(port, "/items", "POST", "[1]", {"Content-Type": "application/json"})
ask(port, "/items", "POST", "{", {"Content-Type": "application/json"})
leave(port, "/slow")
leave(port, "/stream")
send(port, b"nonsense\r\n\r\n")
leave(port, "/slow", 0)
program.end(signal.SIGTERM)
