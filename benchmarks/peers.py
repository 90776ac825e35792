"""How each peer makes one row a customer from a Parquet file of order lines, as its good users would write it.

A peer is a function that imports what it needs and returns two functions: `prepare(path)`, which is not
measured, and `work(prepared)`, which is, and which returns a pandas frame.
"""

from collections.abc import Callable

Peer = Callable[[], tuple[Callable, Callable]]


def crmkit_summary():
    from crmkit import lifecycle
    from crmkit.tables import Transactions

    return Transactions.read, lifecycle.summary


def crmkit_read_ledger_summary():
    from crmkit import lifecycle
    from crmkit.tables import Transactions

    def work(path):
        transactions = Transactions.read(path)
        assert transactions.ledger.reconciles()
        return lifecycle.summary(transactions)

    return str, work


def duckdb_sql():
    import duckdb
    import pandas  # noqa: F401  (the frame that comes out; imported here so that no peer's work includes it)

    days = """
        SELECT customer_id, ordered_at::DATE AS day, sum(amount::DECIMAL(18, 2))::DECIMAL(18, 2) AS money,
               max(ordered_at::DATE) FILTER (amount >= 0) AS occasion
        FROM read_parquet(?) GROUP BY ALL
    """
    customers = """
        SELECT customer_id, min(occasion) AS first_order, max(occasion) AS last_order, min(day) AS earliest_row,
               count(occasion) AS orders, sum(money) AS spend, sum(money) - arg_min(money, occasion) AS repeat_money
        FROM days GROUP BY customer_id
    """
    columns = """
        SELECT customer_id, orders, first_order, last_order, $2 - last_order AS recency_days, orders - 1 AS x,
               (last_order - first_order)::DOUBLE AS t_x, ($2 - first_order)::DOUBLE AS T, spend::DOUBLE AS spend,
               spend::DOUBLE / orders AS mean_order_value, repeat_money::DOUBLE / nullif(orders - 1, 0)
               AS mean_repeat_value, earliest_row < first_order AS refunded_early
        FROM customers WHERE orders > 0 ORDER BY customer_id
    """

    def work(path):
        connection = duckdb.connect()
        connection.execute("SET enable_progress_bar = false")
        (last_day,) = connection.execute("SELECT max(ordered_at)::DATE FROM read_parquet(?)", [path]).fetchone()
        query = f"WITH days AS ({days.replace('?', '$1')}), customers AS ({customers}) {columns}"
        frame = connection.execute(query, [path, last_day]).df()
        # these lines hold no refund before a first sale; if they did, a second query would correct repeat money
        assert not frame.pop("refunded_early").any()
        return frame.set_index("customer_id")

    return str, work


def polars():
    import pandas  # noqa: F401
    import polars as pl

    def work(path):
        lines = pl.scan_parquet(path)
        last_day = lines.select(pl.col("ordered_at").max().dt.date()).collect().item()
        days = lines.group_by("customer_id", pl.col("ordered_at").dt.date().alias("day")).agg(
            pl.col("amount").sum().alias("money"), (pl.col("amount") >= 0).any().alias("bought")
        )
        day, bought = pl.col("day"), pl.col("bought")
        customers = days.group_by("customer_id").agg(
            day.filter(bought).min().alias("first_order"),
            day.filter(bought).max().alias("last_order"),
            bought.sum().cast(pl.Int64).alias("orders"),
            pl.col("money").sum().alias("spend"),
            pl.col("money").filter(bought).get(day.filter(bought).arg_min()).alias("first_money"),
        )
        x, first, last = pl.col("orders") - 1, pl.col("first_order"), pl.col("last_order")
        table = customers.sort("customer_id").select(
            "customer_id",
            "orders",
            first,
            last,
            (pl.lit(last_day) - last).dt.total_days().alias("recency_days"),
            x.alias("x"),
            (last - first).dt.total_days().cast(pl.Float64).alias("t_x"),
            (pl.lit(last_day) - first).dt.total_days().cast(pl.Float64).alias("T"),
            "spend",
            (pl.col("spend") / pl.col("orders")).alias("mean_order_value"),
            pl.when(x > 0).then((pl.col("spend") - pl.col("first_money")) / x).alias("mean_repeat_value"),
        )
        return table.collect(engine="streaming").to_pandas().set_index("customer_id")

    return str, work


def pandas():
    import pandas as pd

    def work(path):
        lines = pd.read_parquet(path)
        last_day = lines.ordered_at.max().normalize()
        lines["day"] = lines.ordered_at.dt.normalize()
        lines["bought"] = lines.amount >= 0
        days = lines.groupby(["customer_id", "day"], as_index=False).agg(
            money=("amount", "sum"), bought=("bought", "any")
        )
        spend = days.groupby("customer_id").money.sum()
        occasions = days[days.bought].groupby("customer_id")  # sorted by day within a customer
        frame = occasions.agg(orders=("day", "size"), first_order=("day", "first"), last_order=("day", "last"))
        frame["recency_days"] = (last_day - frame.last_order).dt.days
        frame["x"] = frame.orders - 1
        frame["t_x"] = (frame.last_order - frame.first_order).dt.days.astype(float)
        frame["T"] = (last_day - frame.first_order).dt.days.astype(float)
        frame["spend"] = spend
        frame["mean_order_value"] = frame.spend / frame.orders
        frame["mean_repeat_value"] = ((frame.spend - occasions.money.first()) / frame.x).where(frame.x > 0)
        return frame

    return str, work


def lifetimes():
    import warnings

    import pandas as pd

    warnings.simplefilter("ignore")  # it is archived and pandas has moved on
    from lifetimes.utils import summary_data_from_transaction_data

    def work(path):
        lines = pd.read_parquet(path)
        frame = summary_data_from_transaction_data(
            lines,
            "customer_id",
            "ordered_at",
            monetary_value_col="amount",
            observation_period_end=lines.ordered_at.max(),
        )
        return frame.rename(columns={"frequency": "x", "recency": "t_x", "monetary_value": "mean_repeat_value"})

    return str, work


PEERS: dict[str, Peer] = {
    "crmkit: summary": crmkit_summary,
    "crmkit: read + ledger + summary": crmkit_read_ledger_summary,
    "DuckDB SQL": duckdb_sql,
    "polars": polars,
    "pandas": pandas,
    "lifetimes": lifetimes,
}
