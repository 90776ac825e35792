"""How a report is made: prepare the folder, run the notebook, make the page, and leave either everything or nothing.

`Kind` says what a report is called and what its notebook writes; `produce` is the same for every kind.
"""

import contextlib
import datetime
import html
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmkit import periods
from crmkit.errors import CrmkitError, InputError, KindError
from crmkit.report import notebook, page
from crmkit.tables import Transactions

#: Where the key and the translation lie if ids were replaced.
PRIVATE, KEY, TRANSLATIONS = "private", "private/pseudonym_key.txt", "private/pseudonyms.csv"


@dataclass(frozen=True)
class Kind:
    """A report: its notebook's name, what the page is called, and the files that the notebook writes beside itself."""

    name: str
    title: str
    exports: tuple[str, ...]

    @property
    def page(self) -> str:
        return f"{self.name}_report.html"

    @property
    def notebook(self) -> str:
        return f"{self.name}_report.ipynb"

    @property
    def failed(self) -> str:
        return f"{self.name}_report_failed.ipynb"


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


def produce(
    kind: Kind,
    source: str | Path,
    out: str | Path,
    values: Mapping[str, Any],
    *,
    roles: Mapping[str, str] | str | Path | None,
    reading: Mapping[str, Any] | None,
    as_of: object,
    latest: object,
    pseudonymise: bool,
    recorded: Mapping[str, Any] | None,
    progress: Callable[[str], None] | None,
) -> ReportFiles:
    """Run the notebook of a kind on a file, with `values` as further parameters, and leave its files in `out`.

    Everything is built in a hidden folder inside `out` and moved in at the end. A failure leaves `out` as it was, but for
    the notebook up to its error; where the file itself cannot be read, not even that.
    """
    new = not Path(out).exists()
    source, folder = _source(source), _folder(out)
    for name, value in (("roles", roles), ("reading", reading), ("recorded", recorded)):
        if value is not None and not isinstance(value, (Mapping, str, Path) if name == "roles" else Mapping):
            raise KindError(f"{name} must be a dict, not {value!r}.")
    parameters = {
        "source": str(source),
        "roles": dict(roles) if isinstance(roles, Mapping) else str(Path(roles).absolute()) if roles else {},
        "reading": {name: _plain(value) for name, value in (reading or {}).items() if value is not None},
        "as_of": None if as_of is None else periods.day(as_of).isoformat(),
        **values,
        "pseudonymise": bool(pseudonymise),
        "recorded": {str(name): str(value) for name, value in (recorded or {}).items()},
    }
    if latest is not None:
        parameters["reading"]["latest"] = periods.day(latest, "latest").isoformat()

    # inside `out`, not beside it: `out` may be another disk, and only on one disk is a move all or nothing
    with contextlib.ExitStack() as at_the_end:
        if new:  # a folder made for nothing goes again; one that holds something cannot
            at_the_end.callback(_remove_if_empty, folder)
        # a mistyped column is told at once, before a kernel starts
        Transactions.columns_of(str(source), roles=parameters["roles"] or None, **parameters["reading"])
        built = Path(at_the_end.enter_context(tempfile.TemporaryDirectory(prefix=".building-", dir=folder)))
        if pseudonymise and (folder / KEY).is_file():
            (built / PRIVATE).mkdir()
            shutil.copy2(folder / KEY, built / KEY)
        try:
            executed = notebook.run(notebook.load(kind.name), parameters, built / kind.notebook, progress=progress)
            answer = _answer(executed)
            if progress:
                progress("Writing the page")
            page.write(executed, built / kind.page, title=f"{kind.title}: {source.name}", description=answer)
        except CrmkitError as error:
            kept = _keep_failed(built / kind.notebook, folder / kind.failed, pseudonymise)
            raise type(error)(f"{error}{kept}") from None
        private = [KEY, TRANSLATIONS] if pseudonymise else []
        for name in (*private, *kind.exports, kind.notebook, kind.page):
            (folder / name).parent.mkdir(mode=0o700, exist_ok=True)
            try:
                (built / name).replace(folder / name)
            except OSError as error:
                raise InputError(
                    f"{folder / name} cannot be replaced ({error.strerror}); close it if another program has it open, "
                    "and run the report again."
                ) from None
    (folder / kind.failed).unlink(missing_ok=True)
    return ReportFiles(
        folder=folder,
        page=folder / kind.page,
        notebook=folder / kind.notebook,
        exports=tuple(folder / name for name in kind.exports),
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


def _keep_failed(built: Path, kept: Path, pseudonymise: bool) -> str:
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
    notebook.save(failed, kept)
    return f" (The notebook up to this error: {kept})"
