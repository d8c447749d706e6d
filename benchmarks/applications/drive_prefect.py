"""prefect runs flows, with a server of its own for the time."""

import os

from _driven import PROGRAMS, run

os.environ.update(PREFECT_HOME=os.path.abspath("home"), PREFECT_SERVER_ANALYTICS_ENABLED="false")
run([str(PROGRAMS / "flow_prefect.py")])
