"""Who is kept: cohorts and repurchase without a contract, rates and curves with one, and what keeping may cost."""

from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, in_range, one_of
from crmkit.evaluation.intervals import share_interval
from crmkit.lifecycle.survival import contract_days, cox, kaplan_meier
from crmkit.tables.frames import rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["bought_again", "cohorts", "contract_rates", "cox", "kaplan_meier", "keep_or_win"]

#: Calendar periods: the engine's truncation and pandas' frequency. A week begins on Monday.
PERIODS = {"weeks": ("W", "W-SUN"), "months": ("M", "M"), "quarters": ("Q", "Q-DEC"), "years": ("Y", "Y-DEC")}


def cohorts(
    transactions: "Transactions", *, period: str = "months", as_of: object = None, complete_history: bool = False
) -> pd.DataFrame:
    """Of the customers who first bought in the same month: how many still buy, and for how much, month by month?

    Cells are calendar periods. A period that is not over by `as_of` is missing and not small; later ones have no
    row. Occasions, orders and money are those of `lifecycle.summary`: a day with refunds alone is no activity, and a
    refund dated before the first purchase belongs to it.

    Parameters
    ----------
    transactions : the checked table, one row an order line.
    period : "weeks" (from Monday), "months", "quarters" or "years".
    as_of : the last day to look at; the table's last day unless given.
    complete_history : True if the table begins with the firm, or holds only customers who were new in it.
        Otherwise the first cohort is marked `truncated`: it holds old customers who were merely seen first then.

    Returns
    -------
    DataFrame, one row a cohort and age, ascending: `cohort` (first day of the period of the first purchase), `age`
    (periods since, 0 is that period itself), `customers` (size of the cohort), `active` (of them, bought in this
    period), `orders`, `money`, `share` (active / customers), `money_per_customer`, `truncated`. A period in which
    nobody was new is no cohort.
    attrs: `period`, `as_of`, `currency`, `open_period` (the first day of the period that was not over, or None) with
    `open_orders` and `open_money`, which no cell holds; `note` (what the table cannot show, in words).

    Raises
    ------
    KindError if `transactions` is not a checked table; InputError for an unknown period, an `as_of` before the
    first purchase, or if no period is over.

    Source: the cohort version of the retention rate, source section 5.4.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann", "cem", "ann"],
    ...     "ordered_at": ["2026-01-05", "2026-01-30", "2026-02-03", "2026-02-28", "2026-03-31"],
    ...     "amount": [10.0, 20.0, 30.0, 40.0, 50.0],
    ... }))
    >>> found = cohorts(orders, complete_history=True)
    >>> found.pivot(index="cohort", columns="age", values="share").to_numpy().tolist()
    [[1.0, 0.5, 0.5], [1.0, 0.0, nan]]
    """
    rows, as_of, (unit, frequency) = _until(transactions, as_of), _day(transactions, as_of), _period(period)
    counted, numbered = _cells(rows, unit)
    cells = _frame(counted).set_index(["cohort", "period"])
    if cells.empty:
        raise InputError("the table holds no purchase (no row with an amount of 0 or more), so it has no cohorts.")
    if numbered is not None:
        cells["orders"] = cells["orders"].add(_frame(numbered).set_index(["cohort", "period"])["orders"], fill_value=0)
    cells.index = pd.MultiIndex.from_arrays([pd.PeriodIndex(part, freq=frequency) for part in _both(cells.index)])
    last = pd.Period(as_of, freq=frequency)
    calendar = pd.period_range(cells.index.levels[0].min(), last, freq=frequency)
    over = calendar[calendar.end_time.normalize() <= pd.Timestamp(as_of)]
    if over.empty:
        raise InputError(
            f"the purchases from {transactions.first_day} to {as_of} fill no whole period of period={period!r}, so no "
            "cell is known; use a shorter period, or as_of= with the last day of one."
        )
    size = cells["active"][cells.index.get_level_values(0) == cells.index.get_level_values(1)].droplevel(1)
    size = size.reindex(calendar, fill_value=0).to_numpy()  # everybody is active in the period of the first purchase
    cohort, then = np.triu_indices(len(calendar))
    cohort, then = cohort[size[cohort] > 0], then[size[cohort] > 0]
    grid = pd.MultiIndex.from_arrays([calendar[cohort], calendar[then]])
    table = cells.reindex(grid, fill_value=0).reset_index(drop=True)
    table.insert(0, "cohort", calendar.start_time[cohort])
    table.insert(1, "age", then - cohort)
    table.insert(2, "customers", size[cohort].astype(int))
    still_open = table[then >= len(over)]
    measured = ["active", "orders", "money"]
    table[measured] = table[measured].astype(float).mask(np.repeat(then >= len(over), 3).reshape(-1, 3))
    table["share"] = table["active"] / table["customers"]
    table["money_per_customer"] = table["money"] / table["customers"]
    table["truncated"] = False if complete_history else cohort == 0
    table.attrs = {
        "period": period,
        "as_of": as_of.isoformat(),
        "currency": transactions.currency,
        "open_period": last.start_time.date().isoformat() if len(over) < len(calendar) else None,
        "open_orders": int(still_open["orders"].sum()),
        "open_money": round(float(still_open["money"].sum()), 6),
        "note": _note(complete_history, int(size[0]), int(size.sum()), calendar[0].start_time.date(), period),
    }
    return table


def bought_again(
    transactions: "Transactions",
    *,
    within: str = "12 months",
    period: str | None = None,
    as_of: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Without a contract: which share of the customers bought a second time within the horizon after the first?

    A customer won last week had no chance yet to come back within a year. The plain share leaves such customers out;
    the estimate by Kaplan and Meier keeps them for as long as they have been seen.

    Parameters
    ----------
    transactions : the checked table, one row an order line. Two orders of a day are one occasion.
    within : the horizon, a number and a unit: "90 days", "12 months".
    period : one row for each calendar period of the first purchase ("weeks", "months", "quarters", "years"); else
        one row for all.
    as_of, level : the last day to look at (the table's last day unless given); of the intervals.

    Returns
    -------
    DataFrame, index `cohort` (first day of the period, or of the table): `customers`, `observed` (first bought early
    enough for the whole horizon to be over), `again` (of these, bought again within it), `share` (again / observed), `low`,
    `high` (Wilson), `estimate`, `estimate_low`, `estimate_high` (all customers). What nobody was seen long enough for is
    missing. attrs: `within`, `as_of`, `level`, `note`.

    Raises
    ------
    KindError, InputError as `cohorts`; InputError for a horizon without a unit.

    Source: the repurchase rate of source section 5.4, with a horizon.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob", "cem", "dan"],
    ...     "ordered_at": ["2026-01-01", "2026-01-21", "2026-01-05", "2026-01-10", "2026-03-01"],
    ...     "amount": 10,
    ... }))
    >>> bought_again(orders, within="30 days")[["customers", "observed", "again", "share", "estimate"]].round(2)
                customers  observed  again  share  estimate
    cohort
    2026-01-01          4         3      1   0.33      0.33
    """
    horizon, rows, as_of = periods.Horizon.parse(within).days, _until(transactions, as_of), _day(transactions, as_of)
    bought = rows.filter(rows.amount >= 0).select("customer_id", "day").distinct()
    first = bought.group_by("customer_id").aggregate(first=bought.day.min())
    later = bought.join(first, "customer_id")
    later = later.filter(later.day > later.first).group_by("customer_id").aggregate(second=lambda t: t.day.min())
    people = _frame(first.left_join(later, "customer_id").select("first", "second"))
    if people.empty:
        raise InputError("the table holds no purchase (no row with an amount of 0 or more): nobody could come back.")
    begin = people["first"].min()
    if period is None:
        groups = pd.Series(begin, people.index, name="cohort")
    else:
        groups = people["first"].dt.to_period(_period(period)[1]).dt.start_time.rename("cohort")
    found = (
        people.groupby(groups)
        .apply(lambda part: _again(part, horizon, as_of, level))
        .astype({"customers": int, "observed": int, "again": int})
    )
    early = people["first"].dt.to_period(_period(period or "months")[1])
    found.attrs = {"within": str(within), "as_of": as_of.isoformat(), "level": level}
    found.attrs["note"] = _note(False, int((early == early.min()).sum()), len(people), begin.date(), period or "months")
    return found


def contract_rates(
    contracts: pd.DataFrame,
    *,
    period: str = "months",
    started: str = "started_on",
    ended: str = "ended_on",
    as_of: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """With a contract: which share of the customers did each month keep?

    Two formulas go by the name of retention rate. (end − new) / start can be read off a month's report, but counts
    newcomers who left again in the same month against the old customers; the cohort version follows the people.

    Parameters
    ----------
    contracts : one row a contract with its days `started` and `ended` (missing: still running). On the day of its end a
        contract no longer runs.
    period : "weeks" (from Monday), "months", "quarters" or "years"; periods that are over by `as_of` are shown.
    as_of : the day up to which the ends are known; the frame's `attrs["as_of"]` unless given.

    Returns
    -------
    DataFrame, index `period` (its first day): `at_start` (running when it began), `new`, `left`, `at_end`, `retention`
    ((at_end − new) / at_start), `kept` (of those at the start, still there at the end), `share_kept` (kept / at_start),
    `low`, `high` (Wilson). Rates are missing where nobody was there at the start. attrs: `period`, `as_of`, `level`.

    Raises
    ------
    ColumnError, InputError as `kaplan_meier`; InputError for an unknown period, or if none is over.

    Source: source section 5.4 (KPI retention rate, both versions).

    >>> boxes = pd.DataFrame({"started_on": ["2026-01-05", "2026-01-09", "2026-02-03", "2026-02-10"],
    ...                       "ended_on": ["2026-02-20", None, "2026-02-25", None]})
    >>> contract_rates(boxes, as_of="2026-02-28")[["at_start", "new", "left", "at_end", "retention", "share_kept"]]
                at_start  new  left  at_end  retention  share_kept
    period
    2026-01-01         0    2     0       2        NaN         NaN
    2026-02-01         2    2     2       2        0.0         0.5
    """
    frequency = _period(period)[1]
    start, end, day = contract_days(contracts, started, ended, as_of)
    calendar = pd.period_range(start.min(), day, freq=frequency)
    calendar = calendar[calendar.end_time.normalize() <= day]
    if calendar.empty:
        raise InputError(f"no period of period={period!r} is over between {start.min().date()} and {day.date()}.")
    rows = []
    for one in calendar:
        begin, after = one.start_time, (one + 1).start_time
        old, goes = start < begin, (end >= begin) & (end < after)
        there = old & ~(end < begin)
        fresh = (start >= begin) & (start < after)
        gone = goes & (there | fresh)
        rows.append([there.sum(), fresh.sum(), gone.sum(), (there & ~goes).sum()])
    table = pd.DataFrame(rows, calendar.start_time.rename("period"), ["at_start", "new", "left", "kept"])
    table.insert(3, "at_end", table["at_start"] + table["new"] - table["left"])
    base = table["at_start"].where(table["at_start"] > 0)
    table.insert(4, "retention", (table["at_end"] - table["new"]) / base)
    for name, values in share_interval(table["kept"], table["at_start"], level)._asdict().items():
        table["share_kept" if name == "share" else name] = np.where(base.isna(), np.nan, values)
    table.attrs = {"period": period, "as_of": day.date().isoformat(), "level": level}
    return table


def keep_or_win(
    effect: Any, *, cost_per_contact: float, acquisition_cost: float, value_kept: float = 1.0, value_won: float = 1.0
) -> pd.DataFrame:
    """Is keeping a customer cheaper than winning one?

    Contacts are paid for everybody, but only those who would have left without them are kept by them. So one more kept
    customer costs `cost_per_contact` / effect, and the effect has to come from a comparison with a control group.

    Parameters
    ----------
    effect : of `evaluation.experiments.read_out` on a yes/no outcome: stayed, or bought again.
    cost_per_contact : what a contact costs, offer included; acquisition_cost : spend / customers won.
    value_kept, value_won : what one of each brings over the same horizon, after costs. Equal unless given.

    Returns
    -------
    DataFrame, index `measure`, columns `value`, `low`, `high` (missing where the data give no interval), `meaning`:
    "effect"; "cost of one more kept" (inf: the contact may keep nobody); "cost of one won"; "ratio" (keeping / winning,
    each per unit of value: below 1 keeping is cheaper); "break-even effect" (from it on keeping is cheaper);
    "break-even ratio" (the largest contact cost at which keeping is cheaper, as a share of the cost of winning).
    attrs: `verdict` ("keeping is cheaper", "winning is cheaper", "the data cannot tell"), `design`, `limits`.

    Raises
    ------
    KindError if `effect` is not a read-out of a share; InputError for costs or values that are not above zero.

    Source: puts claim F-19 of source section 2.1.2 into a formula; the source gives no ratio.

    >>> from crmkit.evaluation import experiments
    >>> trial = pd.DataFrame({"group": ["contact"] * 1000 + ["control"] * 1000,
    ...                       "stayed": [1] * 850 + [0] * 150 + [1] * 800 + [0] * 200})
    >>> effect = experiments.read_out(trial, "stayed", design="randomised")
    >>> found = keep_or_win(effect, cost_per_contact=2, acquisition_cost=30)
    >>> found[["value", "low", "high"]].round(2)
                           value    low    high
    measure
    effect                  0.05   0.02    0.08
    cost of one more kept  40.00  24.03  119.75
    cost of one won        30.00    NaN     NaN
    ratio                   1.33   0.80    3.99
    break-even effect       0.07    NaN     NaN
    break-even ratio        0.05   0.02    0.08
    >>> found.attrs["verdict"]
    'the data cannot tell'
    """
    if getattr(effect, "kind", None) != "share":
        raise KindError("effect must be the read-out of a yes/no outcome, from evaluation.experiments.read_out.")
    amounts = {
        "cost_per_contact": cost_per_contact,
        "acquisition_cost": acquisition_cost,
        "value_kept": value_kept,
        "value_won": value_won,
    }
    for name, amount in amounts.items():
        in_range(name, amount, 0, ends="(]")
    gain = np.array([effect.estimate, effect.low, effect.high])
    with np.errstate(divide="ignore"):
        cost = np.where(gain > 0, cost_per_contact / gain, np.inf)[[0, 2, 1]]  # the smallest effect is the dearest
    won = acquisition_cost / value_won
    ratio, even = cost / value_kept / won, cost_per_contact / value_kept / won
    none = [np.nan, np.nan]
    table = pd.DataFrame.from_dict(
        {
            "effect": [*gain, "more customers stay, of all contacted, than without the contact"],
            "cost of one more kept": [*cost, "contacts paid for each customer who would have left without them"],
            "cost of one won": [acquisition_cost, *none, "spend / customers won"],
            "ratio": [*ratio, "keeping / winning, per unit of value; below 1 keeping is cheaper"],
            "break-even effect": [even, *none, "from this effect on keeping is cheaper"],
            "break-even ratio": [
                *(gain.clip(0) * value_kept / value_won),
                "keeping is cheaper as long as a contact costs less than this share of winning a customer",
            ],
        },
        orient="index",
        columns=["value", "low", "high", "meaning"],
    ).rename_axis("measure")
    verdict = "keeping is cheaper" if ratio[2] < 1 else "winning is cheaper" if ratio[1] > 1 else "the data cannot tell"
    table.attrs = {"verdict": verdict, "design": effect.design, "limits": effect.limits}
    return table


def _until(transactions: "Transactions", as_of: object) -> ibis.Table:
    rows = rows_of(transactions, "retention")
    return rows if as_of is None else rows.filter(rows.day <= ibis.literal(periods.day(as_of)))


def _day(transactions: "Transactions", as_of: object) -> Any:
    day = transactions.last_day if as_of is None else periods.day(as_of)
    if day < transactions.first_day:
        raise InputError(f"as_of={str(day)!r} is before the first row of the table ({transactions.first_day}).")
    return day


def _period(name: str) -> tuple[str, str]:
    one_of("period", name, PERIODS)
    return PERIODS[name]


def _frame(table: ibis.Table) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas(date_as_object=False)  # datetime64, and no Python object a row


def _cells(rows: ibis.Table, unit: str) -> tuple[ibis.Table, ibis.Table | None]:
    """Customers active, orders and money by period of the first purchase and period, and the numbered orders."""
    amount, numbered = rows.amount, "order_id" in rows.columns
    bought = amount >= 0
    single = bought & rows.order_id.isnull() if numbered else bought
    whole = f"decimal(38, {amount.type().scale})"
    days = rows.group_by("customer_id", "day").aggregate(
        money=amount.sum().cast(whole), occasion=rows.day.max(where=bought), single=rows.day.max(where=single)
    )
    first = days.group_by("customer_id").aggregate(first=days.occasion.min())
    first = first.filter(first.first.notnull())

    def placed(table: ibis.Table) -> ibis.Table:
        joined = table.join(first, "customer_id")
        day = ibis.greatest(joined.day, joined.first)  # a refund before the first purchase belongs to it
        return joined.mutate(cohort=joined.first.truncate(unit), period=day.truncate(unit))

    by_customer = (
        placed(days)
        .group_by("customer_id", "cohort", "period")
        .aggregate(
            money=lambda t: t.money.sum().cast(whole),
            days=lambda t: t.occasion.count(),
            orders=lambda t: t.single.count(),
        )
    )
    cells = by_customer.group_by("cohort", "period").aggregate(
        active=lambda t: t.count(where=t.days > 0),
        orders=lambda t: t.orders.sum(),
        money=lambda t: t.money.sum().cast(whole).cast("float64"),
    )
    if not numbered:
        return cells, None
    purchases = rows.filter(bought, rows.order_id.notnull())
    orders = purchases.group_by("customer_id", "order_id").aggregate(day=purchases.day.min())
    return cells, placed(orders).group_by("cohort", "period").aggregate(orders=lambda t: t.count())


def _both(index: pd.MultiIndex) -> list[pd.DatetimeIndex]:
    return [pd.DatetimeIndex(index.get_level_values(level)) for level in (0, 1)]


def _again(part: pd.DataFrame, horizon: float, as_of: Any, level: float) -> pd.Series:
    seen = (pd.Timestamp(as_of) - part["first"]).dt.days
    took = (part["second"] - part["first"]).dt.days
    observed = int((seen >= horizon).sum())
    again = int(((took <= horizon) & (seen >= horizon)).sum())
    share, low, high = share_interval(again, observed, level) if observed else (np.nan,) * 3
    curve = kaplan_meier(part, started="first", ended="second", as_of=as_of, unit="days", level=level)
    then = curve[curve["age"] <= horizon].iloc[-1]
    known = seen.max() >= horizon or then["survival"] == 0
    found = 1 - then[["survival", "high", "low"]] if known else pd.Series([np.nan] * 3)
    names = ["customers", "observed", "again", "share", "low", "high", "estimate", "estimate_low", "estimate_high"]
    return pd.Series([len(part), observed, again, share, low, high, *found], names)


def _note(complete: bool, first: int, customers: int, day: Any, period: str) -> str:
    if complete:
        return ""
    return (
        f"First seen in the first {period[:-1]} of the table, from {day} on: {first:,} of {customers:,} customers. If the firm "
        "sold before, they and some of the following are old customers whose first purchase is missing (left-truncated)."
    )
