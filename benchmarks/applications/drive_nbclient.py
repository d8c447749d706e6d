"""nbclient executes notebooks: all well, a cell that fails, one that takes too long, one that ends its kernel."""

import json

from _driven import PROGRAMS, run

MAIN = str(PROGRAMS / "nbclient_main.py")
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(name: str, *cells: str) -> None:
    written = [
        {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]
    with open(name, "w", encoding="utf-8") as file:
        json.dump({"cells": written, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}, file)


notebook("good.ipynb", "print(1 + 1)", "import asyncio; await asyncio.sleep(0.1)")
notebook("bad.ipynb", "1 / 0", "print('never')")
notebook("slow.ipynb", "import time; time.sleep(20)")
notebook("exits.ipynb", "import os; os._exit(3)")
for name, *options in (
    ["good.ipynb"],
    ["bad.ipynb"],
    ["bad.ipynb", "--allow-errors"],
    ["slow.ipynb", "--timeout=2"],
    ["exits.ipynb"],
):
    run([MAIN, name, *options])
run([MAIN, "good.ipynb", "bad.ipynb"])
