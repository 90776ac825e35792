"""One command, one table: `python -m benchmarks`."""
