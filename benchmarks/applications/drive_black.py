"""black formats a folder: many files in processes of its own, one that cannot be read, one that is no Python."""

import os
from pathlib import Path

from _driven import run

folder = Path("sources")
folder.mkdir()
for number in range(30):
    (folder / f"m{number}.py").write_text(f"x = {{ 'a':{number} }}\ndef f( a ):\n  return a\n" * 40)
(folder / "broken.py").write_text("def f(:\n")
(folder / "binary.py").write_bytes(b"\xff\xfe\x00x")
(folder / "gone.py").symlink_to("nowhere.py")
os.environ["BLACK_CACHE_DIR"] = os.path.abspath("cache")

run(["-m", "black", "--check", "--workers", "2", str(folder)])
run(["-m", "black", "--workers", "2", str(folder)])
run(["-m", "black", "--workers", "1", str(folder)])
run(["-m", "black", str(folder / "m1.py"), str(folder / "m2.py")])
