"""The outcomes of a run as lines of JSON: results, and dead letters that are a source again."""
