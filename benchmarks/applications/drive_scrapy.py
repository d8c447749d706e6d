"""scrapy crawls a site: pages, one that is missing, one that breaks off, a site that is down; Ctrl-C in the middle."""

import http.server
import signal
import threading
import time

from _driven import PROGRAMS, Program, run


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            return
        if self.path == "/slow":
            ASKED.set()
            time.sleep(2)
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"".join(b'<a href="/%s">x</a>' % link for link in LINKS))

    def log_message(self, *_ignored: object) -> None:
        return


ASKED = threading.Event()
LINKS = (b"one", b"two", b"missing", b"bad", b"cut", b"slow")
site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
site.daemon_threads = True
threading.Thread(target=site.serve_forever, daemon=True).start()
place = f"http://127.0.0.1:{site.server_address[1]}/"
spider = ("-m", "scrapy", "runspider", str(PROGRAMS / "spider.py"), "-a", f"place={place}")
run([*spider, "-o", "found.jsonl"])
ASKED.clear()
program = Program(*spider)
ASKED.wait(30)
time.sleep(0.3)
program.end(signal.SIGINT)
