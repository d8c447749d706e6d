"""What `import unlost` loads, and what it offers."""

import json
import subprocess
import sys

import unlost

SCRIPT = """
import sys, json
before = set(sys.modules)
import unlost
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by_import() -> set[str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_it_loads_errors_core_and_policies_and_nothing_outside_the_standard_library() -> None:
    """And ``_install``, a function that loads the observer when it is called."""
    loaded = loaded_by_import()

    ours = {name for name in loaded if name.split(".")[0] == "unlost"}
    parts = {name.split(".")[1] for name in ours if "." in name}
    foreign = {name.split(".")[0] for name in loaded - ours} - set(sys.stdlib_module_names)
    assert parts == {"errors", "_core", "policies", "_install"}
    assert foreign == set()


def test_everything_offered_exists_and_is_told_in_order() -> None:
    assert [name for name in unlost.__all__ if not hasattr(unlost, name)] == []
    assert unlost.__all__ == sorted(unlost.__all__)
