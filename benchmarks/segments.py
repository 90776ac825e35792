"""`python -m benchmarks.segments [--customers 1000000] [--repeats 3]`: groups, tags and due dates, each beside a named peer.

Each task and each side runs in a process of its own, in turns; data are made and loaded before the clock starts. The groups are
beside scikit-learn's own k-means with its ten starts on all customers; the tags beside pandas' `eval`; the due dates beside
pandas' `groupby` and `diff`.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.simulate import write_order_lines
from benchmarks.value import cpu

AIM = {"k-means": 3.0, "tags": 3.0}  # CPU seconds of crmkit for a million customers
DAY = "2025-12-31"


def customers(count: int) -> pd.DataFrame:
    """One row a customer, with the columns that groups and rules speak of."""
    random = np.random.default_rng(1)
    orders = 1 + random.negative_binomial(0.8, 0.15, count)
    table = {
        "recency_days": random.integers(0, 730, count),
        "orders": orders,
        "spend": (orders * random.gamma(2.5, 14, count)).round(2),
        "age": np.where(random.random(count) < 0.2, np.nan, random.integers(18, 90, count)),
        "region": pd.Categorical.from_codes(
            random.integers(0, 5, count), ["north", "east", "south", "west", "islands"]
        ),
    }
    return pd.DataFrame(table, index=pd.Index(np.arange(count), name="customer_id"))


def rules(count: int = 20) -> list[tuple[str, str]]:
    """The same rules twice: for crmkit, and for pandas' eval."""
    both = []
    for number in range(count):
        least, days = 1 + number % 7, 30 * (1 + number)
        own = f"orders >= {least} AND recency_days <= {days} AND (age >= 30 OR spend / orders > {number + 10})"
        pandas = f"orders >= {least} & recency_days <= {days} & (age >= 30 | spend / orders > {number + 10})"
        if number % 4 == 0:
            own, pandas = f"{own} AND region IN ('north', 'east')", f"{pandas} & region in ['north', 'east']"
        both.append((own, pandas))
    return both


def k_means_crmkit(count: int, folder: Path):
    from crmkit.segmentation import clusters

    table = customers(count)
    clusters.cluster(table.head(1000), 4)  # loads scikit-learn
    return lambda: {"explained": round(float(clusters.cluster(table, 4).explained), 3)}


def k_means_sklearn(count: int, folder: Path):
    from sklearn.cluster import KMeans

    from crmkit.segmentation import clusters

    table = customers(count)
    KMeans(2, n_init=1).fit(np.zeros((9, 3)) + np.arange(9)[:, None])

    def work():
        points = clusters.prepare(table).apply(table).to_numpy()
        model = KMeans(4, n_init=10, random_state=1).fit(points)
        return {"explained": round(1 - model.inertia_ / float(((points - points.mean(axis=0)) ** 2).sum()), 3)}

    return work


def tags_crmkit(count: int, folder: Path):
    from crmkit.segmentation import tags

    table = customers(count)
    told = [
        {"name": f"tag {number}", "rule": own, "meaning": "", "from": "2024-01-01"}
        for number, (own, _) in enumerate(rules())
    ]
    return lambda: {"tags": len(tags.apply(table, {"tag": told}, as_of=DAY))}


def tags_pandas(count: int, folder: Path):
    table = customers(count)

    def work():
        found = [table.index[table.eval(rule)] for _, rule in rules()]
        return {"tags": sum(len(fits) for fits in found)}

    return work


def due_crmkit(count: int, folder: Path):
    from crmkit.segmentation import cycles
    from crmkit.tables import Transactions

    orders = Transactions.read(
        folder / "lines.parquet", customer_id="customer_id", ordered_at="ordered_at", amount="amount"
    )
    assert orders.ledger.rows_read
    return lambda: {"gaps": int(cycles.next_due(orders)["gaps"].sum())}


def due_pandas(count: int, folder: Path):
    lines = pd.read_parquet(folder / "lines.parquet")

    def work():
        bought = lines[lines["amount"] >= 0]
        days = bought.assign(day=bought["ordered_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates()
        days = days.sort_values(["customer_id", "day"])
        gaps = days.groupby("customer_id")["day"].diff().dt.days
        gaps.groupby(days["customer_id"]).median()
        return {"gaps": int(gaps.notna().sum())}

    return work


TASKS = {
    "k-means": {"crmkit": k_means_crmkit, "scikit-learn, 10 starts": k_means_sklearn},
    "tags": {"crmkit": tags_crmkit, "pandas eval": tags_pandas},
    "due dates": {"crmkit": due_crmkit, "pandas": due_pandas},
}


def work(task: str, who: str, count: int, folder: str) -> None:
    """One side of one task, once: prints one line of JSON."""
    import warnings

    warnings.simplefilter("ignore")
    run = TASKS[task][who](count, Path(folder))
    before, clock = cpu(), time.perf_counter()
    found = run()
    spent = {"cpu": cpu() - before, "wall": time.perf_counter() - clock}
    print(json.dumps(spent | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "found": found}))


def one_run(task: str, who: str, count: int, folder: Path) -> dict:
    code = f"from benchmarks.segments import work; work({task!r}, {who!r}, {count!r}, {str(folder)!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{task} by {who} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(count: int = 1_000_000, repeats: int = 3) -> bool:
    """Print a line a side; True if an aim is missed or the two sides of a task differ."""
    print(f"{count:,} customers (due dates: order lines), medians of {repeats} runs")
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        write_order_lines(Path(folder) / "lines.parquet", rows=count)
        for task, sides in TASKS.items():
            runs: dict[str, list[dict]] = {who: [] for who in sides}
            for _ in range(repeats):  # in turns, so that a slow minute of the machine meets both
                for who, own in runs.items():
                    own.append(one_run(task, who, count, Path(folder)))
            middle = {
                who: {what: median(one[what] for one in own) for what in ("cpu", "wall", "peak")}
                for who, own in runs.items()
            }
            for who, own in runs.items():
                told, aim = "", AIM.get(task) if who == "crmkit" else None
                if aim is not None:
                    late = count <= 1_000_000 and middle[who]["cpu"] > aim
                    told, bad = f"  aim {aim:g} CPU s: {'MISSED' if late else 'reached'}", bad or late
                found = ", ".join(f"{what} {value:,}" for what, value in own[0]["found"].items())
                row, ratio = middle[who], middle[who]["cpu"] / middle["crmkit"]["cpu"]
                print(
                    f"{task:10}{who:25}{row['cpu']:>7.2f} CPU s{ratio:>7.2f}{row['wall']:>7.2f} wall s{row['peak']:>6.2f} GB  "
                    f"{found}{told}"
                )
            if len({json.dumps(own[0]["found"]) for own in runs.values()}) > 1:
                print(f"{task}: the two sides DIFFER")
                bad = True
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segments", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3, help="median of so many runs (default 3)")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    sys.exit(run(chosen.customers, chosen.repeats))
