"""What the command ``mitmdump`` is."""

from mitmproxy.tools.main import mitmdump

mitmdump()
