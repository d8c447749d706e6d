"""nicegui serves pages: some that work, one that is broken, tasks that fail in the background."""

import signal
import time

from _driven import PROGRAMS, Program, ask, free_port, leave

port = free_port()
program = Program(str(PROGRAMS / "page_nicegui.py"), str(port))
program.opens(port)
for path in ("/", "/broken", "/later", "/nothing", "/_nicegui/nothing"):
    ask(port, path)
leave(port, "/", 0)
time.sleep(1)
program.end(signal.SIGINT)
