"""Which column plays which role: named once, kept in a `roles.toml`, read by every command and lesson."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crmkit.errors import ColumnError, InputError, KindError, near_misses

#: Each role, what it means, and names that such a column often has.
ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "customer_id": ("who bought", ("customer", "customerid", "custid", "cust", "memberno", "memberid", "clientid", "userid", "householdid", "kundennummer", "会员编号", "客户编号", "用户id")),
    "ordered_at": ("when", ("date", "orderdate", "orderedat", "paidat", "createdat", "invoicedate", "transactiondate", "transactiontimestamp", "timestamp", "datum", "下单时间", "订单日期", "支付时间")),
    "amount": ("for how much money, with the sign of the booking", ("amount", "total", "price", "sales", "salesvalue", "revenue", "value", "spend", "betrag", "金额", "支付金额")),
    "order_id": ("lines of one order share it", ()),
    "line_id": ("no two lines share it", ()),
    "product_id": ("what was bought", ()),
    "category": ("its category", ()),
    "brand": ("its brand", ()),
    "quantity": ("how many", ()),
    "unit_cost": ("what one cost the firm", ()),
    "channel": ("where it was sold: shop, web, telephone", ()),
    "store_id": ("in which shop", ()),
    "currency": ("of the amount", ()),
}  # fmt: skip
NEEDED = ("customer_id", "ordered_at", "amount")
NUMBERS = ("quantity", "unit_cost")
IDENTIFIERS = ("customer_id", "order_id", "line_id", "product_id", "store_id")
#: How the source is read; written to a roles.toml beside the roles.
READING = ("sheet", "encoding", "delimiter", "decimal", "date_order", "time_zone", "stored_in", "latest", "duplicates")


def load_roles(path: str | Path) -> dict[str, Any]:
    """Roles and reading options from a `roles.toml`, as one mapping for `Transactions.read(..., roles=)`.

    Raises InputError for a file that is missing or no TOML, and for a key that is no role and no option.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        found = sorted(entry.name for entry in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        raise InputError(f"roles: there is no file {str(path)!r}.{near_misses(path.name, found)}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"roles: {str(path)!r} cannot be read as TOML: {error}.") from None
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if not isinstance(value, dict):
            flat[key] = value
        elif key in ("roles", "reading"):
            flat.update(value)
        else:
            raise InputError(f"roles: {str(path)!r} has a table [{key}]; it may have [roles] and [reading].")
    _refuse_unknown(flat, str(path))
    return flat


def save_roles(transactions: Any, path: str | Path) -> Path:
    """Write the roles and reading options of a `Transactions`, or of a mapping of them, to a `roles.toml`."""
    import tomli_w

    if isinstance(transactions, Mapping):
        flat = dict(transactions)
    elif hasattr(transactions, "reading"):
        flat = {**transactions.reading, **transactions.roles}
    else:
        raise KindError(f"save_roles takes a Transactions or a mapping, not {type(transactions).__name__}.")
    _refuse_unknown(flat, "the mapping")
    content = {
        "roles": {role: flat[role] for role in ROLES if flat.get(role) is not None},
        "reading": {option: flat[option] for option in READING if flat.get(option) is not None},
    }
    head = "# Which column of the source plays which role, and how the source is read.\n"
    Path(path).write_text(head + tomli_w.dumps({k: v for k, v in content.items() if v}), encoding="utf-8")
    return Path(path)


def _refuse_unknown(flat: Mapping[str, Any], where: str) -> None:
    for key in flat:
        if key not in ROLES and key not in READING:
            raise InputError(
                f"roles: {where} names {key!r}, which is no role and no reading option.{near_misses(key, [*ROLES, *READING])} "
                f"Roles are {', '.join(ROLES)}; options are {', '.join(READING)}."
            )


def settle(named: Mapping[str, Any], roles: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """Roles and options of one reading: those named in the call win over those of the file or mapping."""
    if roles is None:
        flat: dict[str, Any] = {}
    elif isinstance(roles, str | Path):
        flat = load_roles(roles)
    elif isinstance(roles, Mapping):
        flat = dict(roles)
        _refuse_unknown(flat, "the mapping")
    else:
        raise KindError(f"roles must be the path of a roles.toml or a mapping, not {type(roles).__name__}.")
    return {**flat, **{key: value for key, value in named.items() if value is not None}}


def resolve(settled: Mapping[str, Any], columns: list[str], source: str) -> dict[str, str]:
    """The column of each role. A role that was not named takes the column of its own name, if there is one."""
    mapping: dict[str, str] = {}
    for role in ROLES:
        column = settled.get(role)
        if column is None:
            if role in columns and role not in mapping and role not in _named_columns(settled):
                mapping[role] = role
            continue
        column = str(column)
        if column not in columns:
            raise ColumnError(
                f"{role}: {source} has no column {column!r}.{near_misses(column, columns)} "
                f"Its columns are {', '.join(map(repr, columns[:30]))}{' …' if len(columns) > 30 else ''}."
            )
        mapping[role] = column
    missing = [role for role in NEEDED if role not in mapping]
    if missing:
        asks = "; ".join(f"{role} ({ROLES[role][0]}){_suggestion(role, columns)}" for role in missing)
        raise ColumnError(
            f"{source} has no column called {' or '.join(map(repr, missing))}; say which column it is: {asks}. "
            f"Its columns are {', '.join(map(repr, columns[:30]))}{' …' if len(columns) > 30 else ''}."
        )
    played: dict[str, str] = {}
    for role, column in mapping.items():
        if column in played:
            raise ColumnError(
                f"column {column!r} was named for two roles, {played[column]} and {role}; each role needs its own column."
            )
        if columns.count(column) > 1:
            raise ColumnError(
                f"{role}: {source} has {columns.count(column)} columns called {column!r}; rename all but the right one."
            )
        played[column] = role
    return mapping


def _named_columns(settled: Mapping[str, Any]) -> set[str]:
    return {str(settled[role]) for role in ROLES if settled.get(role) is not None}


def _suggestion(role: str, columns: list[str]) -> str:
    """`, perhaps member_no='…'`: a column whose name is common for the role."""
    plain = {"".join(filter(str.isalnum, column.casefold())): column for column in columns}
    usual = [plain[name] for name in (role.replace("_", ""), *ROLES[role][1]) if name in plain]
    return f", perhaps {role}={usual[0]!r}" if usual else ""
