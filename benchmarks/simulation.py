"""`python -m benchmarks.simulation [--customers 100000] [--repeats 3]`: three years of a simulated firm, a line a firm."""

import argparse
import json
import subprocess
import sys
from statistics import median

AIM = {"shop": 5.0}  # CPU seconds for 100,000 customers of three years

CODE = """
import json, resource, sys, time
from crmkit import datasets
name, customers = sys.argv[1], int(sys.argv[2])
datasets.simulate(name, customers=10, seed=1)  # imports are not counted
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
cpu, wall = used(), time.perf_counter()
firm = datasets.simulate(name, customers=customers, seed=1)
found = {"cpu": used() - cpu, "wall": time.perf_counter() - wall}
rows = {table: len(getattr(firm, table)) for table in firm.tables}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps(found | {"peak": peak, "rows": dict(sorted(rows.items(), key=lambda row: -row[1])[:3])}))
"""


def run(customers: int = 100_000, repeats: int = 3) -> bool:
    """Print one line a firm, each in processes of its own; True if an aim is missed."""
    from crmkit.datasets.simulation import FIRMS

    missed = False
    for name in FIRMS:
        command = [sys.executable, "-W", "ignore", "-c", CODE, name, str(customers)]
        runs = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(repeats)
        ]
        middle = {what: median(one[what] for one in runs) for what in ("cpu", "wall", "peak")}
        aim = AIM.get(name)
        late = aim is not None and customers <= 100_000 and middle["cpu"] > aim
        missed |= late
        told = "" if aim is None else f"  aim {aim:g} CPU s: {'MISSED' if late else 'reached'}"
        rows = ", ".join(f"{count:,} {table}" for table, count in runs[0]["rows"].items())
        print(
            f"simulate {name:13}{customers:>9,} people{middle['cpu']:>7.2f} CPU s{middle['wall']:>7.2f} wall s"
            f"{middle['peak']:>6.2f} GB  {rows}{told}"
        )
    return missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3, help="median of so many runs (default 3)")
    chosen = parser.parse_args()
    sys.exit(run(chosen.customers, chosen.repeats))
