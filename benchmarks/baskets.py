"""`python -m benchmarks.baskets [--support 0.02] [--repeats 3]`: rules on Complete Journey's categories, beside mlxtend's fpgrowth.

Each runs in a process of its own, in turns; data are loaded before the clock starts. mlxtend is a peer only: crmkit does not
need it, and without it the table holds crmkit alone and says so. Compared are support, confidence and lift of every rule.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from statistics import median

from benchmarks.value import cpu

AIM = 1.5  # CPU seconds of crmkit
FIGURES = ("support", "confidence", "lift")


def crmkit_rules(support: float):
    import scipy.stats  # noqa: F401  (crmkit loads it when it tests)

    from crmkit import datasets
    from crmkit.segmentation import baskets

    journey = datasets.load("complete_journey").transactions
    assert journey.ledger.rows_read
    return lambda: baskets.rules(journey, support=support)


def mlxtend_rules(support: float):
    import pandas as pd
    from mlxtend.frequent_patterns import association_rules, fpgrowth

    from crmkit import datasets

    table = datasets.load("complete_journey").transactions.table
    lines = table.filter(table.category.notnull(), table.order_id.notnull(), table.amount >= 0)
    frame = lines.select("customer_id", "order_id", "category").to_pandas()

    def work():
        pairs = frame.drop_duplicates()
        held = pd.crosstab([pairs["customer_id"], pairs["order_id"]], pairs["category"]).astype(bool)
        sets = fpgrowth(held, min_support=support, use_colnames=True, max_len=2)
        found = association_rules(sets, metric="support", min_threshold=support)
        sides = {"if_bought": found["antecedents"].map(min), "also_bought": found["consequents"].map(min)}
        return found.assign(**sides)

    return work


PEERS = {"crmkit": crmkit_rules, "mlxtend": mlxtend_rules}


def work(who: str, support: float) -> None:
    """One peer, once: prints one line of JSON."""
    import warnings

    warnings.simplefilter("ignore")
    run = PEERS[who](support)
    before, clock = cpu(), time.perf_counter()
    found = run()
    spent = {"cpu": cpu() - before, "wall": time.perf_counter() - clock}
    rules = {
        f"{row.if_bought} > {row.also_bought}": [getattr(row, name) for name in FIGURES] for row in found.itertuples()
    }
    print(json.dumps(spent | {"rules": rules}))


def one_run(who: str, support: float) -> dict:
    code = f"from benchmarks.baskets import work; work({who!r}, {support!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"baskets by {who} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def same(ours: dict, theirs: dict) -> bool:
    """The same rules, and each figure to nine digits."""
    if ours.keys() != theirs.keys():
        return False
    return all(abs(a - b) <= 1e-9 * abs(b) for rule in ours for a, b in zip(ours[rule], theirs[rule], strict=True))


def run(support: float = 0.02, repeats: int = 3) -> bool:
    """Print a line a peer; True if crmkit misses its aim or the two differ."""
    names = [name for name in PEERS if name == "crmkit" or importlib.util.find_spec(name)]
    print(f"rules of Complete Journey's categories, support {support:g}; medians of {repeats} runs")
    runs: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(repeats):  # in turns, so that a slow minute of the machine meets both
        for name, own in runs.items():
            own.append(one_run(name, support))
    spent = {name: median(one["cpu"] for one in own) for name, own in runs.items()}
    late = spent["crmkit"] > AIM
    for name, own in runs.items():
        told = f"  aim {AIM:g} CPU s: {'MISSED' if late else 'reached'}" if name == "crmkit" else ""
        clock = median(one["wall"] for one in own)
        print(f"{name:10}{len(own[0]['rules']):>7,} rules{spent[name]:>8.2f} CPU s{clock:>8.2f} wall s{told}")
    if len(names) == 1:
        print("mlxtend is not installed here, so there is nothing to compare with: pip install mlxtend")
        return late
    equal = same(*(own[0]["rules"] for own in runs.values()))
    print(f"ratio {spent['mlxtend'] / spent['crmkit']:.1f}; same rules and figures: {'yes' if equal else 'NO'}")
    return late or not equal


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baskets", description=__doc__)
    parser.add_argument("--support", type=float, default=0.02)
    parser.add_argument("--repeats", type=int, default=3, help="median of so many runs (default 3)")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    sys.exit(run(chosen.support, chosen.repeats))
