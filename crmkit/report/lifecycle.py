"""The lifecycle report: stages, cohorts, value with its scorecard, a watch list and a call list, on one page.

`crmkit report lifecycle FILE …` calls `run`. What it computes stands in `notebooks/lifecycle.py` and `lifecycle_steps.py`,
how it is made in `production.py`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crmkit.errors import in_range
from crmkit.report.production import Kind, ReportFiles, produce

KIND = Kind(
    "lifecycle",
    "Lifecycle report",
    (
        *("call_list.csv", "call_list.xlsx", "watch_list.csv", "customers.csv", "stages.csv", "cohorts.csv"),
        *("key_figures.csv", "scorecard.csv", "ledger.csv"),
    ),
)


def run(
    source: str | Path,
    out: str | Path,
    *,
    roles: Mapping[str, str] | str | Path | None = None,
    reading: Mapping[str, Any] | None = None,
    as_of: object = None,
    rules: str | Path = "six_stages",
    margin: float = 1.0,
    discount: float = 0.10,
    capacity: int | None = 200,
    control_share: float = 0.1,
    seed: int = 1,
    pseudonymise: bool = False,
    latest: object = None,
    recorded: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """Where are this firm's customers in their life with it, what are they still worth, and whom should it call?

    Parameters
        source, out, roles, reading, as_of, pseudonymise, latest, recorded, progress: as in `report.rfm.run`.
        rules: the rules of the stages: "six_stages", or the path of your own (TOML).
        margin: the share of the money that is left after the cost of the goods, 1.0 for the money itself.
        discount: of future money, per year.
        capacity: how many customers can be called; None for no limit.
        control_share: share of the chosen customers held out at random, to see later what the call did.
        seed: of that random choice.
    Returns: the files, see `ReportFiles`. `call_list.csv` is complete; `watch_list.csv` has every customer in decline;
        `customers.csv` stage, reason and value of everybody.
    Raises: as `report.rfm.run`.
    """
    in_range("margin", margin, 0, 1, ends="(]", what="a share", such_as=0.3)
    in_range("discount", discount, 0, 1, ends="[)", what="a share a year,", such_as=0.1)
    if isinstance(rules, Path) or str(rules).endswith(".toml"):
        rules = Path(rules).absolute()
    values = {
        "rules": str(rules),
        "margin": margin,
        "discount": discount,
        "capacity": capacity,
        "control_share": control_share,
        "seed": seed,
    }
    return produce(
        KIND,
        source,
        out,
        values,
        roles=roles,
        reading=reading,
        as_of=as_of,
        latest=latest,
        pseudonymise=pseudonymise,
        recorded=recorded,
        progress=progress,
    )
