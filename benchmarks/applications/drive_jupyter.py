"""A server of jupyter's with a kernel: cells that work and fail, an interrupt, a kernel that dies, files, Ctrl-C."""

import json
import signal
import time
import uuid

import websocket  # websocket-client
from _driven import Program, ask, free_port, leave, say

port = free_port()
program = Program(
    *("-m", "jupyter_server", f"--ServerApp.port={port}", "--no-browser", "--allow-root"),
    *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--ServerApp.root_dir=."),
    environment={"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"},
)
program.opens(port)
for path in ("/api", "/api/kernelspecs", "/api/contents", "/api/contents/nothing", "/api/kernels/nothing", "/x"):
    ask(port, path)
kernel = json.loads(ask(port, "/api/kernels", "POST", "{}"))["id"]
channel = websocket.create_connection(f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels", timeout=20)


def execute(code: str, wait: bool = True) -> None:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": "s",
        "username": "u",
        "version": "5",
    }
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    while wait:
        answer = json.loads(channel.recv())
        if answer["msg_type"] == "execute_reply" and answer["parent_header"]["msg_id"] == header["msg_id"]:
            say(code, answer["content"]["status"], answer["content"].get("ename"))
            return


execute("1 + 1")
execute("1 / 0")
execute("import asyncio; await asyncio.sleep(0.1)")
execute("import time; time.sleep(30)", wait=False)
time.sleep(0.5)
ask(port, f"/api/kernels/{kernel}/interrupt", "POST", "{}")
execute("2 + 2")
channel.send("nonsense")
ask(port, f"/api/kernels/{kernel}/restart", "POST", "{}")
channel.close()
channel = websocket.create_connection(f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels", timeout=20)
execute("import os; os.kill(os.getpid(), 9)", wait=False)
time.sleep(4)
channel.sock.close()
ask(port, f"/api/kernels/{kernel}", "DELETE")
kernel = json.loads(ask(port, "/api/kernels", "POST", "{}"))["id"]
leave(port, f"/api/kernels/{kernel}/channels")
ask(port, "/api/contents/new.txt", "PUT", json.dumps({"type": "file", "format": "text", "content": "x"}))
ask(port, "/api/contents/new.txt", "PUT", "{")
program.end(signal.SIGTERM)
