"""Firms that never were: tables as a real firm has them, and the truth that a real firm never knows.

`simulate` makes a firm by its name. What firms are made of stands in small modules of pure functions: `clock` (days,
seasons), `processes` (who buys when, who leaves when), `people` (sources, consent, referrals), `marketing` (arms,
answers, costs), `dirt` (what real tables suffer from), `columns` (arrays become columns of a table). A firm is one
module with a function `make`; `FIRMS` lists them. `python -m crmkit.datasets.simulation shop` writes the files that ship.
"""

from crmkit.datasets.simulation.firm import FIRMS, SimulatedFirm, simulate

__all__ = ["FIRMS", "SimulatedFirm", "simulate"]
