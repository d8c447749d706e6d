"""blackd formats over HTTP, in processes of its own: good sources, broken ones, wrong headers, clients that go away."""

import signal
import socket
import time

from _driven import Program, ask, free_port, leave, send

port = free_port()
program = Program("-m", "blackd", "--bind-port", str(port), "--bind-host", "127.0.0.1")
program.opens(port)
for body in ("x = {  'a':1 }", "x = 1\n", "def f(:", "é = 1", ""):
    ask(port, "/", "POST", body.encode().decode("latin-1"))
ask(port, "/", "POST", "x=1", {"X-Line-Length": "wide"})
ask(port, "/", "POST", "x=1", {"X-Protocol-Version": "9"})
ask(port, "/", "POST", "print 1", {"X-Python-Variant": "py27"})
ask(port, "/nothing")
leave(port, "/", 0)
send(port, b"nonsense\r\n\r\n")
with socket.create_connection(("127.0.0.1", port)) as one:
    one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
time.sleep(0.5)
program.end(signal.SIGINT)
