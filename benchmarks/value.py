"""`python -m benchmarks.value [--customers 1000000] [--tasks …] [--repeats 1]`: lifetime value beside lifetimes, in one run.

Each task runs in a process of its own, crmkit and lifetimes in turns, on the same customers. What is compared is CPU
time, for the hold-out wall time; data are loaded before the clock starts.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.simulate import DAYS, write_order_lines

SHARE_OF_PARETO = 10  # Pareto/NBD is fitted on a tenth of the customers: lifetimes takes half a minute for 100,000
UNTIL, HOLDOUT_DAYS = np.datetime64("2024-01-01") + DAYS - 181, 180


def write_histories(path: Path, customers: int, seed: int = 1) -> None:
    """A BG/NBD world in whole days: customers of up to two years, one purchase after the other."""
    random = np.random.default_rng(seed)
    rate, chance = random.gamma(0.6, 1 / 60, customers), random.beta(0.8, 2.5, customers)
    age = random.integers(30, DAYS, customers).astype(float)
    x, t_x, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    going = np.arange(customers)
    while len(going):
        now[going] += np.maximum(1, np.ceil(random.exponential(1 / np.maximum(rate[going], 1e-9))))
        going = going[now[going] <= age[going]]
        x[going] += 1
        t_x[going] = now[going]
        going = going[random.random(len(going)) > chance[going]]
    mean = random.gamma(6 * np.maximum(x, 1), 1 / (random.gamma(4, 1 / 15, customers) * np.maximum(x, 1)))
    money = np.where(x > 0, mean.round(2) + 0.01, np.nan)
    pd.DataFrame({"x": x.astype(int), "t_x": t_x, "T": age, "mean_repeat_value": money}).to_parquet(path)


def read_histories(folder: Path) -> pd.DataFrame:
    frame = pd.read_parquet(folder / "histories.parquet")
    frame.attrs = {"unit": "days"}
    return frame


def log_likelihood(fitter, frame: pd.DataFrame, total: float) -> float:
    """lifetimes scales time by the largest T; this is its likelihood in days."""
    return -total - frame.x.sum() * np.log(frame["T"].max())


def bg_nbd_crmkit(folder: Path):
    from crmkit.lifecycle.value import BetaGeometric

    frame = read_histories(folder)
    return lambda: BetaGeometric().fit(frame), lambda model: {"log-likelihood": model.log_likelihood_}


def bg_nbd_lifetimes(folder: Path):
    import lifetimes

    frame = read_histories(folder)

    def found(fitter):
        return {"log-likelihood": log_likelihood(fitter, frame, fitter._negative_log_likelihood_ * len(frame))}

    return lambda: lifetimes.BetaGeoFitter().fit(frame.x, frame.t_x, frame["T"]), found


def pareto_crmkit(folder: Path):
    from crmkit.lifecycle.value import ParetoNBD

    frame = read_histories(folder).iloc[::SHARE_OF_PARETO]
    return lambda: ParetoNBD().fit(frame), lambda model: {"log-likelihood": model.log_likelihood_}


def pareto_lifetimes(folder: Path):
    import lifetimes

    frame = read_histories(folder).iloc[::SHARE_OF_PARETO]
    np.random.seed(1)  # noqa: NPY002  (it starts at a random point, from numpy's old generator)

    def found(fitter):
        return {"log-likelihood": log_likelihood(fitter, frame, fitter._negative_log_likelihood_)}

    return lambda: lifetimes.ParetoNBDFitter().fit(frame.x, frame.t_x, frame["T"]), found


def models(frame: pd.DataFrame):
    from crmkit.lifecycle.value import BetaGeometric, GammaGamma

    some = frame.head(20_000)
    return BetaGeometric().fit(some), GammaGamma().fit(some)


def lifetime_value_crmkit(folder: Path):
    from crmkit.lifecycle.value import customer_lifetime_value

    frame = read_histories(folder)
    purchases, money = models(frame)
    like_lifetimes = {"horizon": "360 days", "step": "30 days", "timing": "end", "margin": 1}
    discount = 1.01 ** (365.25 / 30) - 1
    return (
        lambda: customer_lifetime_value(purchases, money, frame, discount=discount, **like_lifetimes).clv,
        lambda clv: {"value": float(clv.sum()), "of the best": float(clv.max())},
    )


def lifetime_value_lifetimes(folder: Path):
    frame = read_histories(folder)
    purchases, money = models(frame)
    fitter, spent = purchases.to_lifetimes(frame), money.to_lifetimes(frame)
    mean = frame.mean_repeat_value.fillna(0)
    return (
        lambda: spent.customer_lifetime_value(fitter, frame.x, frame.t_x, frame["T"], mean, 12, 0.01, "D"),
        lambda clv: {"value": float(clv.sum()), "of the best": float(clv.max())},
    )


def holdout_crmkit(folder: Path):
    from crmkit.lifecycle.value import holdout
    from crmkit.tables import Transactions

    orders = Transactions.read(str(folder / "orders.parquet"))
    return (
        lambda: holdout(orders, calibration_until=str(UNTIL), horizon=f"{HOLDOUT_DAYS} days"),
        lambda held: {"customers": len(held), "before": int(held.x.sum()), "after": int(held.x_holdout.sum())},
    )


def holdout_lifetimes(folder: Path):
    from lifetimes.utils import calibration_and_holdout_data

    lines = pd.read_parquet(folder / "orders.parquet")
    lines["ordered_at"] = lines.ordered_at.astype("datetime64[ns]")
    end = f"{UNTIL + HOLDOUT_DAYS} 23:59:59"

    def found(held):
        after = int(held.frequency_holdout.sum())
        return {"customers": len(held), "before": int(held.frequency_cal.sum()), "after": after}

    return (
        lambda: calibration_and_holdout_data(
            lines, "customer_id", "ordered_at", f"{UNTIL} 23:59:59", end, monetary_value_col="amount"
        ),
        found,
    )


@dataclass(frozen=True)
class Task:
    crmkit: Callable
    lifetimes: Callable
    clock: str
    aim: float


TASKS = {
    "BG/NBD fit": Task(bg_nbd_crmkit, bg_nbd_lifetimes, "cpu", 4),
    "Pareto/NBD fit, a tenth": Task(pareto_crmkit, pareto_lifetimes, "cpu", 10),
    "12-month value": Task(lifetime_value_crmkit, lifetime_value_lifetimes, "cpu", 10),
    "hold-out split": Task(holdout_crmkit, holdout_lifetimes, "wall", 10),
}


def work(task: str, who: str, folder: str) -> None:
    """One task, once: prints one line of JSON."""
    import warnings

    import scipy.optimize
    import scipy.special  # noqa: F401  (lifetimes loads them on import, crmkit when it fits)

    warnings.simplefilter("ignore")
    run, found = getattr(TASKS[task], who)(Path(folder))
    before, clock = cpu(), time.perf_counter()
    result = run()
    spent = {"cpu": cpu() - before, "wall": time.perf_counter() - clock}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    print(json.dumps(spent | {"peak": peak, "found": found(result)}))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def one_run(task: str, who: str, folder: Path) -> dict:
    code = f"from benchmarks.value import work; work({task!r}, {who!r}, {str(folder)!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{task} by {who} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def digits(ours: dict, theirs: dict) -> float:
    """To how many digits the two agree, in the figure where they differ most; 12 is all that is asked for."""
    apart = max(abs(ours[what] - theirs[what]) / max(abs(theirs[what]), 1e-300) for what in theirs)
    return min(12.0, -np.log10(apart)) if apart else 12.0


def run(customers: int, tasks: list[str], repeats: int) -> bool:
    """Print the table; True if a figure differs more than it may or an aim is missed."""
    print(f"lifetime value, {customers:,} customers; medians of {repeats} runs; ratio is lifetimes over crmkit")
    print(
        f"{'':25}{'CPU s':>7}{'theirs':>8}{'ratio':>7}{'wall s':>9}{'theirs':>8}{'ratio':>7}  {'aim':10}{'peak GB':>12}  same digits"
    )
    missed = False
    with tempfile.TemporaryDirectory(prefix="crmkit-benchmarks-") as name:
        folder = Path(name)
        write_histories(folder / "histories.parquet", customers)
        if "hold-out split" in tasks:
            write_order_lines(folder / "orders.parquet", 5 * customers)
        for title in tasks:
            task, runs = TASKS[title], {"crmkit": [], "lifetimes": []}
            for _ in range(repeats):  # in turns, so that a slow minute of the machine meets both
                for who, own in runs.items():
                    own.append(one_run(title, who, folder))
            clocks = {clock: [median(one[clock] for one in own) for own in runs.values()] for clock in ("cpu", "wall")}
            ratios = {clock: theirs / ours for clock, (ours, theirs) in clocks.items()}
            same = digits(*(own[0]["found"] for own in runs.values()))
            missed |= ratios[task.clock] < task.aim or same < (6 if "Pareto" in title else 9)
            (cpu_ours, cpu_theirs), (wall_ours, wall_theirs) = clocks["cpu"], clocks["wall"]
            peaks = " / ".join(f"{median(one['peak'] for one in own):.2f}" for own in runs.values())
            print(
                f"{title:25}{cpu_ours:>7.2f}{cpu_theirs:>8.2f}{ratios['cpu']:>7.1f}{wall_ours:>9.2f}{wall_theirs:>8.2f}"
                f"{ratios['wall']:>7.1f}  {task.aim:g} in {task.clock:<5}{peaks:>12}  {same:.0f}"
            )
            print(f"{'':4}" + ", ".join(f"{what} {value:,.10g}" for what, value in runs["crmkit"][0]["found"].items()))
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.value", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument(
        "--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), metavar="TASK", help=", ".join(TASKS)
    )
    parser.add_argument("--repeats", type=int, default=1, help="median of so many runs (default 1: lifetimes is slow)")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    sys.exit(run(chosen.customers, chosen.tasks, chosen.repeats))


if __name__ == "__main__":
    main()
