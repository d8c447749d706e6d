"""mitmdump between a client and a site: pages, a site that is down, a tunnel, a client that leaves."""

import http.server
import signal
import socket
import threading
import time

from _driven import PROGRAMS, Program, free_port, say


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            return
        if self.path == "/slow":
            time.sleep(1)
        body = b"x" * 100_000
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def log_message(self, *_ignored: object) -> None:
        return


site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=site.serve_forever, daemon=True).start()
place = f"http://127.0.0.1:{site.server_address[1]}"
port = free_port()
program = Program(
    *(str(PROGRAMS / "mitmdump_main.py"), "-p", str(port), "--listen-host", "127.0.0.1"),
    *("--set", "confdir=.mitm", "--set", "keep_host_header=true"),
)
program.opens(port)


def through(first: str, *rest: str, until: float = 10, hurry: bool = False) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=until) as one:
        one.sendall("\r\n".join([first, *rest, "Host: x", "Connection: close", "", ""]).encode())
        if hurry:
            return
        got = b""
        try:
            while more := one.recv(65536):
                got += more
        except OSError as error:
            say(type(error).__name__)
        say(first.split()[0], got[:12], len(got) // 1000)


for path in ("/", "/nothing", "/cut", "/slow"):
    through(f"GET {place}{path} HTTP/1.1")
through(f"GET http://127.0.0.1:{free_port()}/ HTTP/1.1".replace("127.0.0.1", "localhost"))
through("CONNECT 127.0.0.1:1 HTTP/1.1")
through("nonsense")
through(f"GET {place}/slow HTTP/1.1", hurry=True)
with socket.create_connection(("127.0.0.1", port)) as tunnel:
    tunnel.sendall(f"CONNECT {place[7:]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    say(tunnel.recv(1000)[:12])
    tunnel.sendall(b"\x16\x03\x01\x00\x05hello")
    time.sleep(0.3)
time.sleep(1.5)
program.end(signal.SIGINT)
