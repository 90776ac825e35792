"""The RFM report: one call from a table of order lines to a page for a manager and files for an analyst.

`crmkit report rfm FILE …` calls `run`. What it computes stands in `notebooks/rfm.py`, how it is made in `production.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crmkit.report.production import Kind, ReportFiles, produce

KIND = Kind("rfm", "RFM report", ("action_list.csv", "action_list.xlsx", "customers.csv", "segments.csv", "ledger.csv"))


def run(
    source: str | Path,
    out: str | Path,
    *,
    roles: Mapping[str, str] | str | Path | None = None,
    reading: Mapping[str, Any] | None = None,
    as_of: object = None,
    segments: str | Path = "ten_segments",
    bins: int = 5,
    capacity: int | None = 200,
    control_share: float = 0.1,
    segments_wanted: Sequence[str] | None = None,
    seed: int = 1,
    pseudonymise: bool = False,
    latest: object = None,
    recorded: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """Whom should this firm contact first, how much money is concerned, and what can its data not show?

    Parameters
        source: path of a CSV, Parquet or Excel file of order lines, or a pattern such as `orders_*.csv`.
        out: folder for the report; made if missing. An older report in it is replaced, other files stay.
        roles: which column is what, `{"customer_id": "member_no", …}`, or the path of a `roles.toml`.
        reading: more for `Transactions.read`, such as `{"decimal": ",", "time_zone": "Europe/Berlin"}`; roles named
            here win over `roles`.
        as_of: the day to look back from; the last day in the data unless given.
        segments: a shipped segment map by name, or the path of a map of your own (TOML).
        bins: scores a dimension, 3 to 10. A map written for other bins is stretched, and the page says so.
        capacity: how many contacts can be made; None for no limit.
        control_share: share of the chosen customers held out at random, to see later what the contact did.
        segments_wanted: list only customers of these segments; all segments with an action unless given.
        seed: of that random choice.
        pseudonymise: replace every customer id before anything is shown or written. The key and the translation are
            written to `private/` in `out`: they never belong with the report. A key that is there already is used again.
        latest: a day; rows after it are set aside in the ledger as misdated.
        recorded: facts for the method section, such as `{"Run on": "2026-07-01"}`; the kit reads no clock itself.
        progress: called with a short text at each step.
    Returns: the files, see `ReportFiles`. `action_list.csv` is complete, `action_list.xlsx` says what it holds;
        `customers.csv` has scores and segment of every customer.
    Raises: InputError, ColumnError or KindError with the message of the step that failed. Then `out` is as before, but
        for `rfm_report_failed.ipynb`: the notebook up to the error.
    """
    if isinstance(segments, Path) or str(segments).endswith(".toml"):
        segments = Path(segments).absolute()
    values = {
        "segment_map": str(segments),
        "bins": bins,
        "capacity": capacity,
        "control_share": control_share,
        "segments_wanted": None if segments_wanted is None else list(segments_wanted),
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
