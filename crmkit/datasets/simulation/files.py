"""The small version that ships: Parquet files beside a schema whose counted figures are counted again."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.datasets.simulation.firm import SimulatedFirm
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def write(firm: SimulatedFirm, folder: str | Path) -> Path:
    """Write every table of `firm` as Parquet into `folder`, and count again what its schema.toml counts.

    The schema is written by hand once: tables, types, units, meanings. Written anew are `customers` and `seed`, the
    rows and missing values, those `range` and `values` that are there, and the totals of the transactions. Raises
    InputError if the schema lacks a table or a column that the firm has, or has one that the firm lacks.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(folder)
    schema = tomllib.loads((folder / "schema.toml").read_text(encoding="utf-8"))
    frames = {name: getattr(firm, name) for name in [*firm.tables, *firm.truth]}
    _same(f"the tables of {firm.name}", frames, schema["tables"])
    schema["simulated"] |= {"generator": firm.name, "customers": firm.size, "seed": firm.seed, "truth": firm.truth}
    for name, frame in frames.items():
        told = schema["tables"][name]
        _same(f"the columns of {name}", frame, told["columns"])
        told["rows"] = len(frame)
        for column, said in told["columns"].items():
            _count(frame[column], said)
        types = [(column, _parquet_type(said["type"])) for column, said in told["columns"].items()]
        arrow = pa.Table.from_pandas(frame, preserve_index=False).cast(pa.schema(types), safe=False)
        pq.write_table(
            arrow.replace_schema_metadata(None),
            folder / told["file"],
            compression="zstd",
            compression_level=19,
            store_schema=False,
        )
    for name, told in schema.get("transactions", {}).items():
        if name == "transactions":
            told |= _totals(firm)
    (folder / "schema.toml").write_text(_toml(schema), encoding="utf-8")
    return folder


def _same(what: str, made: Any, told: Any) -> None:
    if list(made) != list(told):
        raise InputError(f"{what} are {', '.join(made)}, but its schema.toml says {', '.join(told)}; mend the schema.")


def _parquet_type(kind: str) -> Any:
    import pyarrow as pa

    types = {"text": pa.string(), "whole number": pa.int32(), "number": pa.float64(), "money": pa.decimal128(9, 2)}
    return (types | {"day": pa.date32(), "moment": pa.timestamp("ms"), "yes/no": pa.bool_()})[kind]


def _count(values: "pd.Series", said: dict[str, Any]) -> None:
    """The counted figures of one column."""
    missing = int(values.isna().sum())
    said.pop("missing", None)
    if missing:
        said["missing"] = missing
    if "values" in said and set(said["values"]) != (found := set(values.dropna())):
        said["values"] = [v for v in said["values"] if v in found] + sorted(found - set(said["values"]))
    if "range" in said and missing < len(values):
        ends = [values.min(), values.max()]
        if values.dtype.kind == "M":
            said["range"] = [end.isoformat(sep=" ") if said["type"] == "moment" else str(end.date()) for end in ends]
        elif values.dtype.kind in "iuf":
            said["range"] = [int(end) if end == int(end) else float(end) for end in ends]
        else:
            said["range"] = ends


def _totals(firm: SimulatedFirm) -> dict[str, Any]:
    checked = firm.transactions
    orders = checked.table
    what = {"rows": orders.count(), "customers": orders.customer_id.nunique(), "money": orders.amount.sum()}
    if "order_id" in orders.columns:
        what["orders"] = orders.order_id.nunique()
    found = orders.aggregate(**what).execute().iloc[0]
    counted = {name: str(value) if name == "money" else int(value) for name, value in found.items()}
    return counted | {"first_day": str(checked.first_day), "last_day": str(checked.last_day)}


def _toml(schema: dict[str, Any]) -> str:
    """TOML as people write it here: a line a column, a block a table."""
    plain = {name: value for name, value in schema.items() if not isinstance(value, dict)}
    blocks = [(["simulated"], schema["simulated"])]
    for kind in ("tables", "transactions"):
        for name, told in schema.get(kind, {}).items():
            blocks.append(([kind, name], {key: value for key, value in told.items() if key != "columns"}))
            if "columns" in told:
                blocks.append(([kind, name, "columns"], told["columns"]))
    lines = [f"{name} = {_value(value, spread=True)}" for name, value in plain.items()]
    for header, told in blocks:
        lines += ["", f"[{'.'.join(header)}]", *(f"{name} = {_value(value)}" for name, value in told.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any, *, spread: bool = False) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        inner = [_value(item) for item in value]
        if spread and any(len(item) > 40 for item in inner):
            return "[\n" + "".join(f"  {item},\n" for item in inner) + "]"
        return f"[{', '.join(inner)}]"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
