"""`python -m benchmarks.reports [--rows 10000000] [--kinds lifecycle segments]`: whole reports on a large Parquet file.

Nobody else makes these reports, so there is no peer: what counts is that a laptop can do it. CPU seconds are those of the command
and the notebook that it runs; the peak is that of the largest process (the notebook; the command holds 0.25 GB beside it).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.simulate import write_order_lines

AIM = {"CPU s": 300.0, "peak GB": 4.0}  # five minutes of one core, on a machine of 8 GB
KINDS = ("lifecycle", "rfm", "segments")


def run(kind: str, path: Path, out: Path) -> dict[str, float]:
    """One report in a process of its own: CPU s, wall s, and peak GB of its largest process."""
    # children of this process add up, so a process between counts one report alone
    code = (
        "import resource, subprocess, sys, time\n"
        "begin = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)\n"
        "wall, used = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1e6)\n"
        "sys.exit(done.returncode and done.stderr[-500:])\n"
    )
    command = [sys.executable, "-m", "crmkit.cli", "report", kind, str(path), "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{kind} failed:\n{done.stderr}")
    return dict(zip(("CPU s", "wall s", "peak GB"), map(float, done.stdout.split()), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    chosen = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="crmkit-benchmarks-") as folder:
        path = Path(folder) / "order_lines.parquet"
        write_order_lines(path, chosen.rows)
        print(f"{'report on ' + format(chosen.rows, ',') + ' rows':<32}{'CPU s':>8}{'wall s':>8}{'peak GB':>9}  aims")
        for kind in chosen.kinds:
            found = run(kind, path, Path(folder) / kind)
            over = [what for what, most in AIM.items() if found[what] > most]
            missed |= bool(over)
            print(
                f"{kind:<32}{found['CPU s']:>8.1f}{found['wall s']:>8.1f}{found['peak GB']:>9.2f}  "
                + (f"missed: {', '.join(over)}" if over else "kept"),
                flush=True,
            )
    sys.exit(missed)


if __name__ == "__main__":
    main()
