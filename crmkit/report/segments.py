"""The segments report: value bands, RFM and clusters of one order book, judged by the four principles, on one page.

`crmkit report segments FILE …` calls `run`. What it computes stands in `notebooks/segments.py` and `segments_steps.py`, how it
is made in `production.py`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crmkit.errors import in_range
from crmkit.report.production import Kind, ReportFiles, produce

KIND = Kind(
    "segments",
    "Segments report",
    ("customers.csv", "value_bands.csv", "rfm_segments.csv", "clusters.csv", "score_card.csv", "ledger.csv"),
)


def run(
    source: str | Path,
    out: str | Path,
    *,
    roles: Mapping[str, str] | str | Path | None = None,
    reading: Mapping[str, Any] | None = None,
    as_of: object = None,
    segments: str | Path = "ten_segments",
    most_clusters: int = 6,
    smallest: int = 50,
    seed: int = 1,
    pseudonymise: bool = False,
    latest: object = None,
    recorded: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportFiles:
    """In which ways can this firm's customers be divided, which division is good for what, and who is in which?

    Parameters
        source, out, roles, reading, as_of, pseudonymise, latest, recorded, progress: as in `report.rfm.run`.
        segments: the RFM segment map, a name or the path of your own (TOML).
        most_clusters: the largest number of clusters that is tried, 2 to 12.
        smallest: customers below which a segment is not worth an action of its own.
        seed: of clusters and bootstrap.
    Returns: the files, see `ReportFiles`. `customers.csv` has every customer with all labels.
    Raises: as `report.rfm.run`.
    """
    in_range("most_clusters", most_clusters, 2, 12, what="a whole number")
    in_range("smallest", smallest, 1, what="a whole number of customers")
    if isinstance(segments, Path) or str(segments).endswith(".toml"):
        segments = Path(segments).absolute()
    values = {"segment_map": str(segments), "most_clusters": most_clusters, "smallest": smallest, "seed": seed}
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
