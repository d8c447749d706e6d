"""The journal of a run: its tables, its one writer, its readers, and the results file that follows it."""
