"""What the command ``jupyter-execute`` is."""

from nbclient.cli import main

main()
