"""The command `crmkit`: open the course, look at a file, write a report.

Only this module reads the system clock. Every mistake a person can make ends in one line on stderr and exit
code 2; what goes wrong in crmkit itself ends in one line and exit code 1 (CRMKIT_DEBUG=1 shows where).
Everything heavy is imported by the command that needs it, so that `crmkit --help` is there at once.
"""

import datetime
import functools
import importlib
import inspect
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import crmkit
from crmkit import cli_classroom, cli_present, cli_tags
from crmkit.errors import CrmkitError, InputError, near_misses

_PLAIN = {
    "add_completion": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(**_PLAIN)
report = typer.Typer(**_PLAIN, help="Write a report on your own data.")
app.add_typer(report, name="report")

#: How a file is read: the parameters of `Transactions.read`, told once for every command that reads one.
ROLES = {
    "customer_id": "Column with the customer.",
    "ordered_at": "Column with the day or the moment of the order.",
    "amount": "Column with the money of the row.",
    "order_id": "Column with the order, if an order has several rows.",
    "line_id": "Column that tells rows apart; repeats of it are merged.",
    "product_id": "Column with the product.",
    "category": "Column with the product's category.",
    "brand": "Column with the product's brand.",
    "quantity": "Column with the number of units.",
    "unit_cost": "Column with what a unit costs the firm.",
    "channel": "Column with the channel of the sale.",
    "store_id": "Column with the store.",
    "currency": "Column with the currency, or the currency itself (EUR).",
}
READING = {
    "sheet": "Sheet of an Excel file.",
    "encoding": "Encoding of a text file, such as utf-8 or gbk.",
    "delimiter": "What separates columns, such as ';'.",
    "decimal": "What separates cents: '.' or ','.",
    "date_order": "Order of the parts of a date: dmy, mdy or ymd.",
    "time_zone": "Time zone whose days are counted, such as Europe/Paris.",
    "stored_in": "Time zone in which the file's times are written, if another.",
    "duplicates": "What to do with exact repeats of a row: flag or drop.",
    "latest": "Last day that can be true; rows after it are set aside. [default: today]",
}


def reads_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument FILE and all options of reading; it receives them as `source` and `reading`."""

    def option(name: str, words: str, metavar: str, kind: type = str) -> inspect.Parameter:
        told = typer.Option(f"--{name.replace('_', '-')}", help=words, metavar=metavar, show_default=False)
        annotation = Annotated[kind | None, told]
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)

    shared = [option(name, words, "COLUMN") for name, words in ROLES.items()]
    shared += [option(name, words, "TEXT") for name, words in READING.items()]
    shared.append(option("roles", "Names of the columns, as check-data --save writes them.", "FILE", Path))

    @functools.wraps(command)
    def run(source: Path, **given: Any) -> None:
        _insist_there(source, "file")
        reading = {parameter.name: given.pop(parameter.name) for parameter in shared}
        reading = {name: value for name, value in reading.items() if value is not None}
        if "roles" in reading:
            _insist_there(reading["roles"], "roles file")
        command(source=str(source), reading=reading, **given)

    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in ("source", "reading")
    ]
    file = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV, Parquet or Excel file.", show_default=False)]
    first = inspect.Parameter("source", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=file)
    run.__signature__ = inspect.Signature([first, *shared, *own])
    run.__annotations__ = {p.name: p.annotation for p in (first, *shared, *own)}
    return run


def writes_a_report(command: Callable[..., None]) -> Callable[..., None]:
    """`command` has the words of the help and the options; the report of its name does the work."""

    @functools.wraps(command)
    def run(source: str, reading: dict[str, Any], **given: Any) -> None:
        made = importlib.import_module(f"crmkit.report.{command.__name__}").run
        _say(str(made(source, **_for_report(reading), **given)))

    return run


#: Options of several reports.
AsOf = Annotated[
    str | None, typer.Option(help="Day to look back from.", metavar="DAY", show_default="last day in the data")
]
ControlShare = Annotated[float, typer.Option(metavar="SHARE", help="Share held out to see the effect.")]
Pseudonymise = Annotated[bool, typer.Option("--pseudonymise", help="Put pseudonyms for the customers.")]


@app.callback(invoke_without_command=True)
def crmkit_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Learn customer relationship management by doing it, then do it on your own firm's data."""
    if version:
        print(f"crmkit {crmkit.__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command(short_help="Open the course in JupyterLab.")
def lab(
    browser: Annotated[bool, typer.Option(" /--no-browser", help="Only print the address to open.")] = True,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on.", min=0, max=65535, show_default="8888 or the next free one")
    ] = None,
    renew: Annotated[
        str | None, typer.Option(metavar="LESSON", help="Fetch a fresh copy of a lesson (2.3); yours is kept, dated.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where your copy of the course lies.", show_default="my_course")
    ] = None,
) -> None:
    """Open the course in JupyterLab, on your own copy of the notebooks."""
    from crmkit import shipped
    from crmkit.classroom import copies, course_map
    from crmkit.classroom import lab as jupyter

    folder = jupyter.course_folder(folder)
    jupyter.insist_free(port)
    if renew:
        fresh, kept = copies.renew(shipped.folder("notebooks"), folder, renew, datetime.date.today())
        print(f"Fresh: {fresh.name}." + (f" Your old one is kept as {kept.name}." if kept else ""))
    print(f"Your course is in {folder}\n{copies.bring(shipped.folder('notebooks'), folder)}")
    course_map.write_start(folder)
    jupyter.run(folder, port=port, browser=browser, say=functools.partial(print, flush=True))


@app.command(short_help="Tell what a file holds and what it can carry.")
@reads_a_file
def check_data(
    source: str,
    reading: dict[str, Any],
    save: Annotated[Path | None, typer.Option(help="Write the roles to this file (roles.toml).")] = None,
) -> None:
    """Tell what is in a file, what was done to its rows, and which analyses it can carry."""
    from crmkit import tables

    if save:
        _insist_roles_file(save)
    latest, told = _latest(reading)
    transactions = tables.Transactions.read(source, **reading | {"latest": latest})
    _say(f"{transactions.ledger}\n\n{tables.check(transactions)}\n")
    _say(f"Rows after {latest}{'' if told else ' (today)'} count as misdated and are set aside.")
    if save:
        kept = {**transactions.reading, **transactions.roles}
        if not told:  # next month has another today
            del kept["latest"]
        part = save.with_name(save.name + ".part")
        tables.save_roles(kept, part)
        part.replace(save)
        _say(f"The roles are in {save}; every command takes them with --roles {save}.")


@report.callback(invoke_without_command=True)
def report_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@report.command(short_help="RFM scores, segments and an action list.")
@reads_a_file
@writes_a_report
def rfm(
    source: str,
    reading: dict[str, Any],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report.")] = Path("reports/rfm"),
    as_of: AsOf = None,
    segments: Annotated[str, typer.Option(metavar="MAP", help="Segment map: its name, or your TOML file.")] = (
        "ten_segments"
    ),
    bins: Annotated[int, typer.Option(metavar="NUMBER", help="Scores a dimension, 3 to 10.")] = 5,
    capacity: Annotated[int, typer.Option(metavar="NUMBER", help="How many contacts you can make.", min=1)] = 200,
    control_share: ControlShare = 0.1,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of that random choice.")] = 1,
    pseudonymise: Pseudonymise = False,
) -> None:
    """Who the best customers are and what to do: RFM scores, segments, an action list with its control group."""


@report.command(short_help="Stages, cohorts, value, a watch list and a call list.")
@reads_a_file
@writes_a_report
def lifecycle(
    source: str,
    reading: dict[str, Any],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report.")] = Path("reports/lifecycle"),
    as_of: AsOf = None,
    rules: Annotated[str, typer.Option(metavar="RULES", help="Rules of the stages: a name, or your TOML file.")] = (
        "six_stages"
    ),
    margin: Annotated[float, typer.Option(metavar="SHARE", help="Of the money, what is left to you; 1 is all.")] = 1.0,
    discount: Annotated[float, typer.Option(metavar="SHARE", help="Discount of future money, a year.")] = 0.1,
    capacity: Annotated[int, typer.Option(metavar="NUMBER", help="How many calls you can make.", min=1)] = 200,
    control_share: ControlShare = 0.1,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of that random choice.")] = 1,
    pseudonymise: Pseudonymise = False,
) -> None:
    """Where customers are in their life with the firm, what they are still worth, and whom to call before they leave."""


@report.command(short_help="Value bands, RFM, clusters, and which of them is good for what.")
@reads_a_file
@writes_a_report
def segments(
    source: str,
    reading: dict[str, Any],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report.")] = Path("reports/segments"),
    as_of: AsOf = None,
    segments: Annotated[str, typer.Option(metavar="MAP", help="RFM segment map: its name, or your TOML file.")] = (
        "ten_segments"
    ),
    most_clusters: Annotated[int, typer.Option(metavar="NUMBER", help="Clusters to try at most, 2 to 12.")] = 6,
    smallest: Annotated[int, typer.Option(metavar="NUMBER", help="Customers that make a segment worth while.")] = 50,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of clusters and intervals.")] = 1,
    pseudonymise: Pseudonymise = False,
) -> None:
    """In which ways customers can be divided, which division is good for what, and who is in which."""


@app.command(short_help="List the data that lessons use.")
def datasets() -> None:
    """List the data that lessons use: what it is, how much, real or made up, on what terms."""
    from crmkit.datasets import catalogue

    for row in catalogue().itertuples():
        print(f"{row.name}: {row.what}.\n    {row.rows:,} rows, {row.real}; lessons {row.lessons}")
        print(f"    Licence: {row.licence}\n    Cite: {row.citation}\n")


@app.command()
def glossary(term: Annotated[str, typer.Argument(help="A term, in English or Chinese.", show_default=False)]) -> None:
    """Explain a term."""
    from crmkit import classroom

    _say(str(classroom.glossary(term)))


def _for_report(reading: dict[str, Any]) -> dict[str, Any]:
    """What every report is told: how to read the file, today as the last day that can be true, and how to tell its steps."""
    return {
        "roles": reading.get("roles"),
        "latest": _latest(reading)[0],
        "reading": {name: value for name, value in reading.items() if name not in ("roles", "latest")},
        "recorded": {"Run on": datetime.date.today().isoformat()},
        "progress": _progress,
    }


def _latest(reading: dict[str, Any]) -> tuple[str, bool]:
    """The last day that can be true, and whether the person told it: here, or in the roles file. Else it is today."""
    from crmkit import tables

    told = reading.get("latest") or (tables.load_roles(reading["roles"]).get("latest") if "roles" in reading else None)
    return str(told or datetime.date.today()), told is not None


def _insist_there(path: Path, what: str) -> None:
    if path.exists() or any(sign in str(path) for sign in "*?["):
        return
    folder = path.parent
    beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    raise InputError(f"there is no {what} {str(path)!r}." + near_misses(path.name, beside))


def _insist_roles_file(path: Path) -> None:
    """`--save orders.csv` must not cost anybody the orders."""
    import tomllib

    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not path.absolute().parent.is_dir():
            raise InputError(f"--save {path}: there is no folder {str(path.parent)!r}.") from None
    except (ValueError, OSError):
        raise InputError(f"--save {path}: that file is there and holds no roles; choose another name.") from None


def _say(text: str) -> None:
    print(_harmless(text))


def _harmless(text: str) -> str:
    """Words from data may stand in a text: nothing in it can command the terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


cli_classroom.register(app)
cli_present.register(app)
cli_tags.register(app, reads_a_file, _latest, _say)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _usage(error: Any) -> str:
    """What was wrong with the words of the command, with the nearest right ones and where to read on."""
    context = getattr(error, "ctx", None)
    words = error.format_message()
    if context is not None and hasattr(error, "option_name"):
        known = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        words = f"there is no option {error.option_name}." + near_misses(error.option_name, known)
    return f"{words.rstrip('.?')}{'?' if words.endswith('?') else '.'} See {context.command_path if context else 'crmkit'} --help."


def _complain(words: str) -> None:
    line = re.sub(r"\b([a-z_]+)=", lambda m: f"--{m[1].replace('_', '-')} " if m[1] in _OPTIONS else m[0], words)
    print(f"crmkit: {_harmless(' '.join(line.split()))}", file=sys.stderr)


_OPTIONS = {*ROLES, *READING, "roles", "as_of"}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    debug = bool(os.environ.get("CRMKIT_DEBUG"))
    if not debug and not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows "?" and goes on
    try:
        code = app(words, prog_name="crmkit", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # `crmkit datasets | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        if isinstance(error, CrmkitError):
            _complain(str(error))
        elif hasattr(error, "format_message"):  # typer's own complaints about the words of the command
            _complain(_usage(error))
        elif isinstance(error, OSError) and error.filename:
            _complain(f"{error.filename}: {error.strerror}")
        else:
            _complain(
                f"a fault in crmkit: {type(error).__name__}: {error}. CRMKIT_DEBUG=1 shows where; please tell us."
            )
            return 1
        return 2


if __name__ == "__main__":
    sys.exit(main())
