"""`python -m crmkit.datasets.simulation shop [subscription …]`: makes the small versions that ship, from their schemas."""

import argparse

from crmkit import shipped
from crmkit.datasets.simulation.files import write
from crmkit.datasets.simulation.firm import FIRMS, simulate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m crmkit.datasets.simulation", description=__doc__)
    parser.add_argument("firms", nargs="+", choices=list(FIRMS), metavar="FIRM", help=", ".join(FIRMS))
    for name in parser.parse_args().firms:
        folder = write(simulate(name), shipped.folder("datasets") / name)
        for file in sorted(folder.glob("*.parquet")):
            print(f"{file.stat().st_size / 1e6:6.2f} MB  {name}/{file.name}")


if __name__ == "__main__":
    main()
