"""The customer archive: a static part (who), a dynamic part (what happened, in order), and the brief for a visit.

Source 000.b divides the data of a customer so; 002.A1 asks that whoever visits again sees what was said before.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables import consent as consent_words
from crmkit.tables.frames import id_text, needs, texts

#: Outcomes that leave a complaint open.
STILL_OPEN = ("open", "in progress", "waiting")


class Event(NamedTuple):
    """How a table tells events: the column that says who, the one that says when, the kind, and columns that say more.

    `kind` is a column of the table, or a word that holds for all its rows.
    """

    who: str
    when: str
    kind: str
    tells: tuple[str, ...] = ()


def timeline(
    tables: Mapping[str, pd.DataFrame],
    events: Mapping[str, Event],
    customer: "object | Iterable[object] | None" = None,
    *,
    clusters: "pd.Series[Any] | None" = None,
) -> pd.DataFrame:
    """What happened with a customer, in the order of time, whichever table of the firm it stands in?

    Parameters
        tables: the firm's tables by name.
        events: for each table to look at, an `Event`, or a tuple (who, when, kind, tells).
        customer: one customer_id, or several; everybody if not given.
        clusters: the customer of each record, by record id (`identity.clusters`); without it a record is a customer.
    Returns: one row an event, oldest first, of each customer: `customer_id`, `at`, `kind`, `what` (the told columns
        in words), `table`, `record_id`. An event without a time comes last. attrs: `anonymous` (rows without id) and
        `unknown` (rows whose id no record has): nobody's events, but counted.
    Raises: ColumnError for a missing column; InputError for a table that is not there, or a customer without any event.

    >>> tables = {
    ...     "cards": pd.DataFrame({"card": ["M1"], "since": pd.to_datetime(["2025-01-03"]), "channel": ["app"]}),
    ...     "tills": pd.DataFrame({"card": ["M1", None], "at": pd.to_datetime(["2025-02-01"] * 2), "amount": [5.0, 9.0]}),
    ... }
    >>> events = {"cards": Event("card", "since", "registration", ("channel",)), "tills": ("card", "at", "purchase", ("amount",))}
    >>> told = timeline(tables, events, "M1")
    >>> told[["at", "kind", "what"]]
              at          kind         what
    0 2025-01-03  registration  channel app
    1 2025-02-01      purchase  amount 5.00
    >>> told.attrs
    {'anonymous': 1, 'unknown': 0}
    """
    wanted, members, missing = _wanted(customer), _members(clusters), {"anonymous": 0, "unknown": 0}
    parts = []
    for name, event in events.items():
        if name not in tables:
            raise InputError(f"there is no table {name!r}; there are {', '.join(tables)}.{near_misses(name, tables)}")
        who, when, kind, tells = Event(*event)
        table = tables[name]
        needs(table, [who, when, *tells], f"table {name!r}")
        if not pd.api.types.is_datetime64_any_dtype(table[when]):
            raise KindError(
                f"{name}.{when} holds {table[when].dtype}, not times; read it with pandas.to_datetime first."
            )
        ids = table[who].map(id_text, na_action="ignore")
        persons = ids if members is None else ids.map(members)
        missing["anonymous"] += int(ids.isna().sum())
        missing["unknown"] += int((ids.notna() & persons.isna()).sum())
        mine = persons.notna() if wanted is None else persons.isin(wanted)
        rows = table[mine]
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": persons[mine].astype("str"),
                    "at": rows[when].dt.as_unit("us"),
                    "kind": texts(rows[kind] if kind in table.columns else pd.Series(kind, index=rows.index)),
                    "what": _words(rows, tells),
                    "table": name,
                    "record_id": ids[mine].astype("str"),
                }
            )
        )
    if not parts:
        raise InputError("events is empty; say for at least one table who, when and what kind.")
    found = pd.concat(parts, ignore_index=True)
    if wanted is not None and (absent := wanted - set(found["customer_id"])):
        raise InputError(
            f"no table has an event of customer {min(absent)!r}; is it the id of a record that was merged?"
        )
    found = found.sort_values(["customer_id", "at"], kind="stable", ignore_index=True)
    found.attrs = missing
    return found


def archive(customers: pd.DataFrame, timeline: pd.DataFrame, *, static: Iterable[str] | None = None) -> pd.DataFrame:
    """One row a customer: who they are, and what is recorded of what they did.

    Parameters
        customers: one row a customer, indexed by `customer_id` (`identity.merge(…).customers`).
        timeline: the events of everybody (`timeline`).
        static: the columns of the static part; all columns unless given.
    Returns: indexed by `customer_id`: the static columns, `known` (share of them that are filled), then the dynamic
        part: `events`, `first_event`, `last_event`, and `n_…` for every kind of event. attrs: `static`, `kinds`,
        `without_record` (customers who have events and are not in `customers`).
    Raises: ColumnError for a missing column; InputError for a customer twice, or if no event belongs to any of them.

    >>> who = pd.DataFrame({"name": ["Ada", "Bo"], "sex": ["f", None]}, index=pd.Index(["M1", "M2"], name="customer_id"))
    >>> tills = pd.DataFrame({"card": ["M1", "M1"], "at": pd.to_datetime(["2025-02-01", "2025-03-01"])})
    >>> archive(who, timeline({"tills": tills}, {"tills": Event("card", "at", "purchase")}))[["known", "events", "n_purchase"]]
                 known  events  n_purchase
    customer_id
    M1             1.0       2           2
    M2             0.5       0           0
    """
    needs(timeline, ["customer_id", "at", "kind"], "timeline")
    fields = list(customers.columns if static is None else static)
    needs(customers, fields, "customers")
    who = customers[fields].set_axis(customers.index.map(id_text).rename("customer_id"))
    if who.index.has_duplicates:
        twice = who.index[who.index.duplicated()]
        raise InputError(f"{len(twice):,} customers stand in the table twice, such as {twice[0]!r}; merge them first.")
    known = timeline["customer_id"].isin(who.index)
    if len(timeline) and not known.any():
        raise InputError(
            f"no event belongs to a customer of the table: {timeline['customer_id'].iloc[0]!r} is none of "
            f"{who.index[0]!r} …; make the timeline with the same clusters."
        )
    events = timeline[known]
    grouped = events.groupby("customer_id")["at"]
    kinds = sorted(timeline["kind"].unique())
    counts = pd.crosstab(events["customer_id"], events["kind"]).reindex(index=who.index, columns=kinds, fill_value=0)
    result = who.assign(
        known=who.map(_filled).mean(axis=1) if fields else 1.0,
        events=grouped.size().reindex(who.index, fill_value=0),
        first_event=grouped.min().reindex(who.index),
        last_event=grouped.max().reindex(who.index),
    ).join(counts.add_prefix("n_").astype("int64"))
    result.attrs = {
        "static": fields, "kinds": kinds, "without_record": int(timeline.loc[~known, "customer_id"].nunique()),
    }  # fmt: skip
    return result


def coverage(archive: pd.DataFrame) -> pd.DataFrame:
    """How much of the archive is there? For every field of the static part, every kind of event of the dynamic part.

    `archive` is what `archive` gives. Returns `part`, `field`, `customers` (with a value, or with at least one such
    event), `share` of all customers. Raises InputError if the table lost its attrs (a merge does that).

    >>> who = pd.DataFrame({"name": ["Ada", " "]}, index=pd.Index(["M1", "M2"], name="customer_id"))
    >>> tills = pd.DataFrame({"card": ["M1"], "at": pd.to_datetime(["2025-02-01"])})
    >>> coverage(archive(who, timeline({"tills": tills}, {"tills": Event("card", "at", "purchase")})))
          part     field  customers  share
    0   static      name          1    0.5
    1  dynamic  purchase          1    0.5
    """
    if "static" not in getattr(archive, "attrs", {}):
        raise InputError(
            "this is no archive, or its notes are lost (merge and join drop attrs); make it with archive(…)."
        )
    fields, kinds = archive.attrs["static"], archive.attrs["kinds"]
    counts = [("static", field, int(archive[field].map(_filled).sum())) for field in fields]
    counts += [("dynamic", kind, int((archive[f"n_{kind}"] > 0).sum())) for kind in kinds]
    found = pd.DataFrame(counts, columns=["part", "field", "customers"])
    return found.assign(share=found["customers"] / max(len(archive), 1))


@dataclass(frozen=True, repr=False)
class Brief:
    """What somebody should know before speaking with this customer.

    customer_id, as_of : who, and the day of the visit.
    last_contacts : the newest first: `at`, `days_ago`, `kind`, `channel`, `note`, `outcome`.
    open_issues : complaints that are still open: `at`, `days_open`, `note`, the oldest first.
    promises : what was promised and not yet done: `made_at`, `next_on`, `days_late` (negative: still to come), `note`.
    preferences : where the money goes: `group`, `purchases`, `money`, `share`.
    next_on : the day of the earliest promise not yet kept; None if there is none.
    rule, topic : why, and in words what to begin with.
    may_advertise : whether consent is a clear yes; None if it was not given.
    """

    customer_id: str
    as_of: datetime.date
    last_contacts: pd.DataFrame
    open_issues: pd.DataFrame
    promises: pd.DataFrame
    preferences: pd.DataFrame
    next_on: datetime.date | None
    rule: str
    topic: str
    may_advertise: bool | None

    def __str__(self) -> str:
        likes = ", ".join(f"{row.group} {row.share:.0%}" for row in self.preferences.head(3).itertuples())
        lines = [
            f"Brief for {self.customer_id}, {self.as_of.isoformat()}",
            f"Begin with: {self.topic}",
            f"Open complaints: {len(self.open_issues)}; next date: {self.next_on or 'none'}; buys: {likes or 'nothing known'}.",
        ]
        lines += [
            f"  {row.at:%Y-%m-%d} {row.kind} ({row.channel}): {_quoted(row.note)}"
            for row in self.last_contacts.itertuples()
        ]
        if self.may_advertise is False:
            lines.append("No advertising: there is no consent.")
        return "\n".join(lines)

    __repr__ = __str__


def brief(
    customer: object,
    contacts: pd.DataFrame,
    purchases: pd.DataFrame,
    *,
    as_of: object,
    consent: object = None,
    last: int = 5,
) -> Brief:
    """Tomorrow we see this customer: what was said last, what is still open, what does she like, what do we begin with?

    Parameters
        customer: the customer_id.
        contacts: one row a contact: `customer_id`, `at`, `kind`, `channel`, `note`, `outcome`, `next_on` (the day on
            which somebody promised to be in touch, missing if nobody did). A row of kind "complaint" is open while its
            outcome is missing or one of `STILL_OPEN`. A promise is kept by any contact on its day or later.
        purchases: one row a purchase: `customer_id`, `at`, `group` (kind of shop, category), `amount`.
        as_of: the day before which we look; later rows are not seen.
        consent: the customer's answer, in any spelling.
        last: how many contacts to list.
    Returns: `Brief`. The topic is the first of these that applies (`.rule`): "complaint" still open; "promise" not
        kept; "due" within a week; "quiet" (bought on three days or more, and has been away for twice the usual gap, by the
        median); "preference" (half of the money or more goes to one group); "ask" (nothing known).
    Raises: ColumnError for a missing column; InputError for a customer who is in neither table.

    >>> contacts = pd.DataFrame({"customer_id": ["M1"], "at": pd.to_datetime(["2025-12-01 10:00"]), "kind": ["complaint"],
    ...     "channel": ["phone"], "note": ["zip broke"], "outcome": ["open"], "next_on": pd.to_datetime([None])})
    >>> purchases = pd.DataFrame({"customer_id": ["M1"], "at": pd.to_datetime(["2025-11-20"]), "group": ["fashion"], "amount": [40.0]})
    >>> print(brief("M1", contacts, purchases, as_of="2025-12-31"))
    Brief for M1, 2025-12-31
    Begin with: the complaint of 2025-12-01, open for 30 days: "zip broke". Say what has been done.
    Open complaints: 1; next date: none; buys: fashion 100%.
      2025-12-01 complaint (phone): "zip broke"
    """
    needs(contacts, ["customer_id", "at", "kind", "channel", "note", "outcome", "next_on"], "contacts")
    needs(purchases, ["customer_id", "at", "group", "amount"], "purchases")
    who, day = id_text(customer), periods.day(as_of)
    end = pd.Timestamp(day) + pd.Timedelta(days=1)
    talks, bought = (
        table[(table["customer_id"].map(id_text, na_action="ignore") == who) & (table["at"] < end)].sort_values(
            "at", kind="stable", ignore_index=True
        )
        for table in (contacts, purchases)
    )
    if talks.empty and bought.empty:
        raise InputError(
            f"customer {who!r} has neither a contact nor a purchase up to {day}; is it the id of a record?"
        )
    today = pd.Timestamp(day)
    talks["days_ago"] = (today - talks["at"].dt.normalize()).dt.days

    outcomes = talks["outcome"].astype("str").str.strip().str.casefold()
    unsettled = (talks["kind"] == "complaint") & (talks["outcome"].isna() | outcomes.isin(STILL_OPEN))
    issues = talks.loc[unsettled, ["at", "days_ago", "note"]].rename(columns={"days_ago": "days_open"})
    latest = talks["at"].max()
    promised = talks[talks["next_on"].notna() & (talks["next_on"] > latest)]  # nobody was in touch on the day or later
    promises = pd.DataFrame(
        {
            "made_at": promised["at"],
            "next_on": promised["next_on"],
            "days_late": (today - promised["next_on"]).dt.days,
            "note": promised["note"],
        }
    ).sort_values("next_on", kind="stable", ignore_index=True)
    money = bought.groupby("group")["amount"].agg(["size", "sum"]).set_axis(["purchases", "money"], axis=1)
    likes = money.sort_values("money", ascending=False, kind="stable").reset_index()
    likes["share"] = likes["money"] / likes["money"].sum() if likes["money"].sum() > 0 else 0.0
    rule, topic = _topic(issues, promises, bought, likes, today)
    return Brief(
        customer_id=who,
        as_of=day,
        last_contacts=talks.iloc[::-1][["at", "days_ago", "kind", "channel", "note", "outcome"]]
        .head(last)
        .reset_index(drop=True),
        open_issues=issues.reset_index(drop=True),
        promises=promises,
        preferences=likes,
        next_on=promises["next_on"].iloc[0].date() if len(promises) else None,
        rule=rule,
        topic=topic,
        may_advertise=None if consent is None else consent_words.read(pd.Series([consent])).item() == "yes",
    )


def _topic(
    issues: pd.DataFrame, promises: pd.DataFrame, bought: pd.DataFrame, likes: pd.DataFrame, today: pd.Timestamp
) -> tuple[str, str]:
    if len(issues):
        first = issues.iloc[0]
        opened = f"the complaint of {first['at']:%Y-%m-%d}, open for {first['days_open']} days"
        return "complaint", f"{opened}: {_quoted(first['note'])}. Say what has been done."
    if len(promises):
        first = promises.iloc[0]
        promise = f"on {first['made_at']:%Y-%m-%d} ({_quoted(first['note'])}) we promised to be in touch on {first['next_on']:%Y-%m-%d}"
        if first["days_late"] > 0:
            return "promise", f"an apology: {promise} and were not."
        if first["days_late"] >= -7:
            return "due", f"what was agreed: {promise}."
    days = bought["at"].dt.normalize().drop_duplicates()
    away = (today - days.max()).days if len(days) else 0
    gap = days.diff().dt.days.median() if len(days) >= 3 else float("inf")
    if away > 2 * gap:
        return "quiet", f"what has changed: last here {away} days ago, and usually every {gap:.0f} days."
    if len(likes) and likes["share"].iloc[0] >= 0.5:
        return (
            "preference",
            f"what is new in {likes['group'].iloc[0]}: {likes['share'].iloc[0]:.0%} of the money goes there.",
        )
    return "ask", "a question: we do not know yet what this customer looks for."


def _quoted(note: Any) -> str:
    return f'"{note}"' if _filled(note) else "no note"


def _words(rows: pd.DataFrame, tells: Iterable[str]) -> "pd.Series[Any]":
    """The told columns of each row in words; what is missing is not told."""
    text = pd.Series("", index=rows.index, dtype="str")
    for column in tells:
        values = rows[column]
        if pd.api.types.is_float_dtype(values):
            said = values.map("{:,.2f}".format, na_action="ignore")
        elif pd.api.types.is_datetime64_any_dtype(values):
            said = values.dt.strftime("%Y-%m-%d")
        else:
            said = values.astype("str").str.strip()
        piece = text.mask(text != "", text + "; ") + f"{column} ".replace("_", " ") + said.astype("str")
        text = text.where(values.isna(), piece)
    return text


def _filled(value: Any) -> bool:
    return not pd.isna(value) and bool(str(value).strip())


def _wanted(customer: Any) -> set[str] | None:
    if customer is None:
        return None
    several = isinstance(customer, Iterable) and not isinstance(customer, str)
    return {id_text(each) for each in (customer if several else [customer])}


def _members(clusters: "pd.Series[Any] | None") -> dict[str, str] | None:
    if clusters is None:
        return None
    if not isinstance(clusters, pd.Series):
        raise KindError(f"clusters must be a Series of customers by record id, not {type(clusters).__name__}.")
    return {id_text(record): id_text(person) for record, person in clusters.items()}
