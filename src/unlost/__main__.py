"""Lets `python -m unlost` do what the command `unlost` does."""

import sys

from unlost.cli import main

if __name__ == "__main__":
    sys.exit(main())
