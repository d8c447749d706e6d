"""Ctrl-C in a program that this command runs as it is."""

from __future__ import annotations


class Interrupted(Exception):  # what it is, and no error of the command
    """The program was ended by Ctrl-C and said so; the process is to end by that, as python's own does."""
