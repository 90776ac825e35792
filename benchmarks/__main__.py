"""`python -m benchmarks [--rows 1000000 10000000] [--peers polars lifetimes] [--repeats 3]`: one table from one run."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import baskets, segments, simulation, value
from benchmarks.peers import PEERS
from benchmarks.simulate import write_order_lines

BASE = "crmkit: summary"


def one_run(name: str, path: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.one_run", name, str(path)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def import_seconds(statement: str, repeats: int) -> float:
    """CPU seconds of a Python that does nothing else."""
    code = f"{statement}\nimport resource\nused = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_utime + used.ru_stime)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(repeats)]
    return median(float(run.stdout) for run in runs)


def agree(found: dict, expected: dict) -> bool:
    """Customers and occasions to the last one; money, which some peers add up in floats, to nine digits."""
    return all(abs(found[what] - expected[what]) <= 1e-9 * abs(expected[what]) for what in found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument(
        "--peers", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="PEER", help=", ".join(PEERS)
    )
    parser.add_argument("--repeats", type=int, default=3, help="median of so many runs (default 3)")
    parser.add_argument("--no-value", action="store_true", help="leave out lifetime value (python -m benchmarks.value)")
    chosen = parser.parse_args()
    names = [BASE, *(name for name in chosen.peers if name != BASE)]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; Parquet file to pandas frame; medians of {chosen.repeats} runs"
    )
    print(f"{'rows':>11}  {'':32}{'CPU s':>7}{'ratio':>7}{'wall s':>8}{'import s':>10}{'peak GB':>9}  same result")
    differs = False
    with tempfile.TemporaryDirectory(prefix="crmkit-benchmarks-") as folder:
        for rows in chosen.rows:
            path = Path(folder) / "order_lines.parquet"
            write_order_lines(path, rows)
            runs: dict[str, list[dict]] = {name: [] for name in names}
            for _ in range(chosen.repeats):  # in turns, so that a slow minute of the machine meets everybody
                for name in names:
                    runs[name].append(one_run(name, path))
            middle = {
                name: {what: median(run[what] for run in own) for what in ("cpu", "wall", "import", "peak")}
                for name, own in runs.items()
            }
            for name, own in runs.items():
                same = all(agree(run["found"], runs[BASE][0]["found"]) for run in own)
                differs |= not same
                row, verdict = middle[name], "yes" if same else f"NO: {own[0]['found']}"
                print(
                    f"{rows:>11,}  {name:32}{row['cpu']:>7.2f}{row['cpu'] / middle[BASE]['cpu']:>7.2f}{row['wall']:>8.2f}"
                    f"{row['import']:>10.2f}{row['peak']:>9.2f}  {verdict}"
                )
            print(
                f"{'':13}agreed on: " + ", ".join(f"{what} {value:,}" for what, value in runs[BASE][0]["found"].items())
            )
    bare = import_seconds("", 5)
    print(f"import crmkit: {import_seconds('import crmkit', 5) - bare:.3f} CPU s beyond Python's own {bare:.3f}")
    differs |= simulation.run()
    differs |= baskets.run()
    differs |= segments.run()
    if not chosen.no_value:
        differs |= value.run(1_000_000, list(value.TASKS), repeats=1)
    sys.exit(differs)


if __name__ == "__main__":
    main()
