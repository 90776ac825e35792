"""The command `crmkit tag`: who carries which tag, from an order book, a table of customers and rules; `cli` registers it."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crmkit.errors import InputError, near_misses

_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TABLES = ("tags", "preview", "audit", "overlaps", "ledger")


def register(
    app: typer.Typer,
    reads_a_file: Callable[..., Any],
    latest: Callable[..., tuple[str, bool]],
    say: Callable[..., None],
) -> None:
    """Add the command to `crmkit`, which reads the file of orders and the clock, and speaks, as its other commands do."""

    @functools.wraps(tag)
    def run(source: str, reading: dict[str, Any], **given: Any) -> None:
        say(tag(source, reading | {"latest": latest(reading)[0]}, **given))

    app.command("tag", short_help="Put tags on customers, by rules that you write.")(reads_a_file(run))


def tag(
    source: str,
    reading: dict[str, Any],
    rules: Annotated[Path, typer.Option(metavar="RULES.toml", help="The tags and their rules.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the tables.")] = Path("reports/tags"),
    as_of: Annotated[
        str | None,
        typer.Option(help="Day on which the tags are given.", metavar="DAY", show_default="last day in the data"),
    ] = None,
    customers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="More about customers: age, city, consent …", show_default="none"),
    ] = None,
    customer_key: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with the customer in that file.", show_default=False)
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show how many; write nothing.")] = False,
) -> str:
    """Put tags on customers by rules that you write: how many each would hit, who gets it, and on what it is based.

    A rule speaks of orders, spend, mean_order_value, recency_days, first_order and last_order, which are reckoned from
    FILE, and of the columns of --customers. Try it with --preview. RULES.toml holds, once for each tag:

    \b
    [[tag]]
    name = "regular"
    rule = "orders >= 3 AND recency_days <= 90"
    meaning = "comes back"
    from = 2026-01-01           # the first day of the rule
    expires_after = "90 days"   # how long a tag lasts; may be left out
    """
    from crmkit import lifecycle, tables
    from crmkit.report import export
    from crmkit.segmentation import tags

    if (customers is None) != (customer_key is None):
        raise InputError("--customers and --customer-key belong together: the file, and its column with the customer.")
    agreed = tags.read(rules)
    if not preview and out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: that is a file; name a folder.")
    read = {file.resolve() for file in (Path(source), customers, rules) if file}
    for path in (out / f"{name}.csv" for name in _TABLES if not preview):
        if path.resolve() in read or path.is_dir():
            what = "is a folder" if path.is_dir() else "would be written over"
            raise InputError(f"--out {out}: {path} {what}; name another folder.")
    orders = tables.Transactions.read(source, **reading)
    table, told = lifecycle.summary(orders, as_of=as_of), []
    if customers is not None and customer_key is not None:
        table, told = _join(table, customers, customer_key)
    day = table.attrs["as_of"]
    found, given = tags.preview(table, agreed), tags.apply(table, agreed)
    live = [hand for hand in agreed.by_hand if str(hand["since"]) <= day <= str(hand["until"] or day)]
    given, twice = _by_hand(given, live, table)

    shown = found.assign(share=[f"{share:.1%}" for share in found["share"]])
    told = [str(orders.ledger), "", f"{len(table):,} customers, as of {day}.", *told, ""]
    told += [shown.rename(columns=lambda name: name.replace("_", " ")).to_string(index=False), ""]
    told += [
        f"Left out: {n!r}, {state}; its rule fits {fits:,}." for n, (state, fits) in given.attrs["left_out"].items()
    ]
    if agreed.by_hand:
        told.append(f"By hand: {len(live):,} in force, {len(agreed.by_hand) - len(live):,} not yet or expired.")
    told += [f"By hand: {who} carries {tag!r} by its rule already; the rule's tag stands." for who, tag in twice]
    if unknown := [name for name in agreed.sensitive if name not in table.columns]:
        close = "".join(near_misses(name, table.columns) for name in unknown)
        told.append(f"Marked sensitive, but no attribute here: {', '.join(map(repr, unknown))}.{close}")
    for pair in tags.conflicts(given, agreed).itertuples():
        told.append(f"Conflict: {pair.customers:,} with both {pair.tag!r} and {pair.other!r}, such as {pair.example}.")
    if not preview:
        both = tags.overlaps(given).rename_axis("tag").reset_index()
        out.mkdir(parents=True, exist_ok=True)
        parts = [out / f"{name}.csv.part" for name in _TABLES]
        try:
            for part, frame in zip(parts, (given, found, tags.audit(agreed), both, orders.ledger.table), strict=True):
                export.write_csv(frame, part)
            for part in parts:  # all of them, or none
                part.replace(part.with_suffix(""))
        finally:
            for part in parts:
                part.unlink(missing_ok=True)
        told.append(
            f"{len(given):,} tags are in {out / 'tags.csv'}; beside it preview, audit, overlaps and the ledger of rows."
        )
    return "\n".join(told)


def _by_hand(given: Any, live: list[Mapping[str, Any]], table: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The tags with those that people gave; and who carries one of these by its rule already."""
    import pandas as pd

    from crmkit.segmentation import tags
    from crmkit.tables import frames

    given = given.assign(by=None, why=None)  # the same columns in every run
    ids = {frames.id_text(one): one for one in table.index} if live else {}
    for hand in live:
        if str(hand["customer_id"]) not in ids:
            raise InputError(
                f"by_hand: there is no customer {hand['customer_id']!r}, who should get {hand['tag']!r}; look at the id."
            )
    # only the rows of these customers: copying all tags for each of them would take minutes
    few = given[given["customer_id"].isin({ids[str(hand["customer_id"])] for hand in live})]
    by_rule, twice, count = set(zip(few["customer_id"], few["tag"], strict=True)), [], len(few)
    for hand in live:
        who = ids[str(hand["customer_id"])]
        if (who, hand["tag"]) in by_rule:
            twice.append((str(who), hand["tag"]))
        else:
            few = tags.add_manual(few, **hand | {"customer_id": who})
    if len(few) == count:
        return given, twice
    whole = pd.concat([given.astype({"tag": few["tag"].dtype}), few.iloc[count:]], ignore_index=True)
    whole.attrs = dict(given.attrs)
    return whole, twice


def _join(summary: Any, path: Path, key: str) -> tuple[Any, list[str]]:
    """The order book's figures and the file's attributes, every customer of either; and what a reader should know."""
    import pandas as pd

    from crmkit.tables import frames, reading

    source = reading.open_source(path, sheet=None, encoding=None, delimiter=None, wanted=[key])
    if key not in source.columns:
        raise InputError(
            f"--customer-key {key}: {path} has the columns {', '.join(source.columns)}."
            + near_misses(key, source.columns)
        )
    loaded = source.load({name: name for name in source.columns})
    table = loaded.table.select(*source.columns).to_pandas()
    notes = [f"{path}: {loaded.rejected_rows:,} lines are no rows and are left out."] if loaded.rejected_rows else []
    if table[key].isna().any():
        raise InputError(f"{path}: {int(table[key].isna().sum()):,} rows have no {key!r}; a tag needs to know on whom.")
    if taken := [name for name in table.columns if name in summary.columns and name != key]:
        raise InputError(f"{path}: the order book gives {', '.join(taken)} too; rename the column in the file.")
    ids = table.pop(key).map(frames.id_text).str.strip()
    if summary.index.dtype.kind in "iu":
        number = pd.to_numeric(ids, errors="coerce")
        ids = number.astype("int64") if number.notna().all() and (number % 1 == 0).all() else ids
    table = table.apply(_typed).set_axis(pd.Index(ids, name="customer_id"))
    if not table.index.is_unique:
        raise InputError(f"{path}: the customer {table.index[table.index.duplicated()][0]!r} stands in it twice.")
    known = table.index.get_indexer(summary.index) >= 0  # isin takes ten times as long with texts
    if not known.any():
        whose = f"{', '.join(map(str, ids[:3]))} there, {', '.join(map(str, summary.index[:3]))} in the order book"
        raise InputError(f"{path}: by {key!r} no customer is in both tables ({whose}); is it the right column?")
    joined = summary.join(table, how="outer")
    joined.attrs = dict(summary.attrs)
    notes.append(
        f"Customers only in the order book: {(~known).sum():,}, only in {path}: {len(joined) - len(summary):,}."
    )
    return joined, notes


def _typed(values: Any) -> Any:
    """A column of a text file: numbers or days if all that is there is one; ids with leading zeros stay texts."""
    import pandas as pd

    from crmkit.tables import columns

    if values.dtype != object and not isinstance(values.dtype, pd.StringDtype):
        return values
    texts = values.where(~values.isin(columns.MISSING))
    told = texts.dropna()
    if len(told) and (values.dtype != object or all(isinstance(one, str) for one in told)):
        if told.str.fullmatch(_NUMBER).all():
            return pd.to_numeric(texts)
        if told.str.fullmatch(_DAY).all():
            days = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
            return days if days.notna().sum() == len(told) else texts
    return texts
