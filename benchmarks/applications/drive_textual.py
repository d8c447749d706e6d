"""The demo of textual, without a screen."""

from _driven import PROGRAMS, run

run([str(PROGRAMS / "demo_textual.py")])
