"""Run the notebook behind a report: names checked, each step told, the real error shown, the notebook kept.

A report's notebook is a py:percent file in `crmkit/report/notebooks/`. Its cell tagged "parameters" holds one
assignment a line; a cell's `step="Reading the file"` is what the user is told while it runs.
"""

import ast
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crmkit import errors
from crmkit.errors import CrmkitError, InputError, near_misses
from crmkit.tables.engines import literal

#: Give memory back to the system after each step instead of keeping it for the next (glibc and Arrow; elsewhere unused).
_FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
}
FOLDER = Path(__file__).parent / "notebooks"


def load(name: str) -> Any:
    """The notebook of a report, not executed, as an nbformat node whose cells have lasting ids.

    >>> [cell.id for cell in load("rfm").cells][:2]
    ['title', 'about-parameters']
    """
    import jupytext

    path = FOLDER / f"{name}.py"
    if not path.is_file():
        known = sorted(file.stem for file in FOLDER.glob("*.py"))
        raise InputError(f"there is no report {name!r}; there is {', '.join(known)}." + near_misses(name, known))
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for cell in notebook.cells:
        cell.id = cell.metadata.pop("key")
    return notebook


def parameters(notebook: Any) -> list[str]:
    """Names that the notebook's parameters cell assigns.

    >>> "as_of" in parameters(load("rfm"))
    True
    """
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            assignments = (line for line in ast.parse(cell.source).body if isinstance(line, ast.Assign))
            return [target.id for line in assignments for target in line.targets]
    return []


def run(
    notebook: Any,
    values: Mapping[str, Any],
    path: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> Any:
    """Execute `notebook` with `values` as parameters in the folder of `path`, and save it there, error or not.

    The kernel is the Python that runs now, whatever kernels are installed. The saved notebook stands alone: its
    parameters cell holds `values`, so it reruns as it is.

    Returns the executed notebook. Raises InputError if a value is not a parameter of the notebook; the notebook's own
    crmkit error, with its message, if a cell raises one; CrmkitError naming step and cause for any other failure.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    known = parameters(notebook)
    for name in values:
        if name not in known:
            raise InputError(f"{name!r} is not a parameter of this report." + near_misses(name, known))

    steps = ["Starting"]

    def tell(cell: Any, **_: Any) -> None:
        if step := cell.metadata.get("step"):
            steps.append(step)
            if progress:
                progress(step)

    try:
        executed = papermill.execute_notebook(
            notebook,
            str(path),
            parameters=dict(values),
            kernel_name="python3",
            progress_bar=False,
            on_cell_start=tell,
            kernel_manager_class=_kernel(),
            resources={"metadata": {"path": str(path.parent)}},
        )
    except papermill.PapermillExecutionError as error:
        # papermill names the class of the cell's error; a crmkit error is raised again as what it was
        kind = getattr(errors, error.ename, None)
        if isinstance(kind, type) and issubclass(kind, CrmkitError):
            raise kind(error.evalue) from None
        raise CrmkitError(f"the report stopped at {steps[-1]!r} with {error.ename}: {error.evalue}") from None
    except DeadKernelError:
        raise CrmkitError(
            f"the report stopped at {steps[-1]!r}: its Python process was ended from outside, most often because "
            "the machine ran out of memory. Close other programs, or report on fewer rows."
        ) from None
    tidy(executed)
    save(executed, path)
    return executed


def tidy(notebook: Any) -> None:
    """Leave the cells an analyst works with: one parameters cell, no traces of the run's folders and clocks."""
    if any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        notebook.cells = [cell for cell in notebook.cells if "parameters" not in cell.metadata.get("tags", [])]
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for trace in ("papermill", "execution"):
            cell.metadata.pop(trace, None)
        if cell.metadata.get("tags") == ["injected-parameters"]:
            cell.id = "parameters"
            cell.metadata.tags = ["parameters"]
            cell.source = cell.source.removeprefix("# Parameters\n")


def save(notebook: Any, path: Path) -> None:
    """Write the notebook as UTF-8 JSON."""
    import nbformat

    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def spare_memory(orders: Any, *, megabytes: int = 600, rows: int = 10_000_000) -> None:
    """Hold DuckDB to so much memory for so many rows, in proportion above; what does not fit goes through a file.

    It would take most of the machine's memory if it were let, and for ten million rows 600 MB are as fast. An
    engine that is not ours is left alone.
    """
    if orders.connection.name != "duckdb":
        return
    allowed = round(megabytes * max(1, orders.ledger.rows_read / rows))
    aside = Path(tempfile.gettempdir(), f"crmkit-{os.getpid()}")  # made when needed, removed by DuckDB at its end
    orders.connection.raw_sql(f"SET memory_limit = '{allowed}MB'")
    orders.connection.raw_sql(f"SET temp_directory = {literal(str(aside))}")
    with contextlib.suppress(Exception):  # not every build of DuckDB has it
        orders.connection.raw_sql("SET allocator_background_threads = true")


def _kernel() -> type:
    from jupyter_client.manager import AsyncKernelManager

    class SamePython(AsyncKernelManager):
        # a "python3" kernel registered by another installation must not be taken; no history of the cells is kept;
        # log level error: ipykernel warns on the terminal that messages on the loopback device are not encrypted
        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            own = [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]
            return [*own, "--HistoryManager.enabled=False", "--log-level=ERROR", *(extra_arguments or [])]

        async def start_kernel(self, **how: Any) -> None:
            await super().start_kernel(**{**how, "env": {**os.environ, **_FRUGAL}})

    return SamePython
