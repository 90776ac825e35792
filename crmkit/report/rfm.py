"""The RFM report: one call from a table of order lines to a page for a manager and files for an analyst.

`crmkit report rfm FILE …` calls `run`. What it computes stands in `notebooks/rfm.py`; this module prepares the folder,
runs that notebook, makes the page, and leaves either everything or nothing but the notebook with its error.
"""

import contextlib
import datetime
import html
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmkit import periods
from crmkit.errors import CrmkitError, InputError, KindError
from crmkit.report import notebook, page

PAGE, NOTEBOOK, FAILED = "rfm_report.html", "rfm_report.ipynb", "rfm_report_failed.ipynb"
#: What the notebook writes beside itself. `private` is there only if ids were replaced.
EXPORTS = ("action_list.csv", "action_list.xlsx", "customers.csv", "segments.csv", "ledger.csv")
PRIVATE, KEY, TRANSLATIONS = "private", "private/pseudonym_key.txt", "private/pseudonyms.csv"


@dataclass(frozen=True)
class ReportFiles:
    """What a report left behind: absolute paths, and the page's first paragraph as plain text."""

    folder: Path
    page: Path
    notebook: Path
    exports: tuple[Path, ...]
    private: tuple[Path, ...]
    answer: str

    def __str__(self) -> str:
        """The answer and the files, for a terminal."""
        lines = [self.answer, "", f"In {self.folder}:"]
        lines += [f"  {path.name}" for path in (self.page, *self.exports, self.notebook)]
        if self.private:
            lines += ["", "KEEP PRIVATE, never send with the report: these files translate pseudonyms into customers."]
            lines += [f"  {path}" for path in self.private]
        return "\n".join(lines)


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
    new = not Path(out).exists()
    source, folder = _source(source), _folder(out)
    for name, value in (("roles", roles), ("reading", reading), ("recorded", recorded)):
        if value is not None and not isinstance(value, (Mapping, str, Path) if name == "roles" else Mapping):
            raise KindError(f"{name} must be a dict, not {value!r}.")
    if isinstance(segments, Path) or str(segments).endswith(".toml"):
        segments = Path(segments).absolute()
    values = {
        "source": str(source),
        "roles": dict(roles) if isinstance(roles, Mapping) else str(Path(roles).absolute()) if roles else {},
        "reading": {name: _plain(value) for name, value in (reading or {}).items() if value is not None},
        "as_of": None if as_of is None else periods.day(as_of).isoformat(),
        "segment_map": str(segments),
        "bins": bins,
        "capacity": capacity,
        "control_share": control_share,
        "segments_wanted": None if segments_wanted is None else list(segments_wanted),
        "seed": seed,
        "pseudonymise": bool(pseudonymise),
        "recorded": {str(name): str(value) for name, value in (recorded or {}).items()},
    }
    if latest is not None:
        values["reading"]["latest"] = periods.day(latest, "latest").isoformat()

    # inside `out`, not beside it: `out` may be another disk, and only on one disk is a move all or nothing
    with contextlib.ExitStack() as at_the_end:
        if new:  # a folder made for nothing goes again; one that holds something cannot
            at_the_end.callback(_remove_if_empty, folder)
        built = Path(at_the_end.enter_context(tempfile.TemporaryDirectory(prefix=".building-", dir=folder)))
        if pseudonymise and (folder / KEY).is_file():
            (built / PRIVATE).mkdir()
            shutil.copy2(folder / KEY, built / KEY)
        try:
            executed = notebook.run(notebook.load("rfm"), values, built / NOTEBOOK, progress=progress)
            answer = _answer(executed)
            if progress:
                progress("Writing the page")
            page.write(executed, built / PAGE, title=f"RFM report: {source.name}", description=answer)
        except CrmkitError as error:
            kept = _keep_failed(built / NOTEBOOK, folder, pseudonymise)
            raise type(error)(f"{error}{kept}") from None
        private = [KEY, TRANSLATIONS] if pseudonymise else []
        for name in (*private, *EXPORTS, NOTEBOOK, PAGE):
            (folder / name).parent.mkdir(mode=0o700, exist_ok=True)
            try:
                (built / name).replace(folder / name)
            except OSError as error:
                raise InputError(
                    f"{folder / name} cannot be replaced ({error.strerror}); close it if another program has it open, "
                    "and run the report again."
                ) from None
    (folder / FAILED).unlink(missing_ok=True)
    return ReportFiles(
        folder=folder,
        page=folder / PAGE,
        notebook=folder / NOTEBOOK,
        exports=tuple(folder / name for name in EXPORTS),
        private=tuple(folder / name for name in private),
        answer=answer,
    )


def _source(source: Any) -> Path:
    if not isinstance(source, (str, Path)):
        raise KindError(
            f"source must be the path of a file, not {type(source).__name__}; write a frame to Parquet first, "
            "so that the report can be run again."
        )
    path = Path(source).absolute()
    if not path.exists() and not any(sign in path.name for sign in "*?["):
        raise InputError(f"there is no file {str(source)!r}.")
    return path


def _folder(out: Any) -> Path:
    """The folder of the report, made and proven writable before anything is computed."""
    folder = Path(out).absolute()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"out={str(out)!r} is a file; name a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"out={str(out)!r} cannot be written ({error.strerror}); name another folder.") from None
    return folder


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _plain(value: Any) -> Any:
    """A value that can be written into a notebook's parameters cell."""
    return value.isoformat() if isinstance(value, datetime.date) else str(value) if isinstance(value, Path) else value


def _answer(executed: Any) -> str:
    """The page's first paragraph, without its tags."""
    for cell in executed.cells:
        if cell.id == "answer":
            shown = "".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)
            plain = re.sub(r"<[^>]+>", " ", re.sub(r"</?b>", "", shown))
            return " ".join(html.unescape(plain).split())
    return ""


def _keep_failed(built: Path, folder: Path, pseudonymise: bool) -> str:
    """Leave the notebook up to its error; where ids must not be shown, without what its cells printed."""
    if not built.exists():
        return ""
    import nbformat

    failed = nbformat.read(built, as_version=4)
    notebook.tidy(failed)
    if pseudonymise:
        for cell in failed.cells:
            if cell.cell_type == "code":
                cell.outputs = []
    notebook.save(failed, folder / FAILED)
    return f" (The notebook up to this error: {folder / FAILED})"
