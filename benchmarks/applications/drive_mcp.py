"""The client of MCP's and its server, each a process, over standard streams."""

from _driven import PROGRAMS, run, words

run([str(PROGRAMS / "tools_client.py"), *words(str(PROGRAMS / "tools_server.py"))])
