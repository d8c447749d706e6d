"""A cluster of dask's in one process."""

from _driven import PROGRAMS, run

run([str(PROGRAMS / "job_dask.py")])
