"""pymodbus, both ends in one process."""

from _driven import PROGRAMS, run

run([str(PROGRAMS / "modbus.py")])
