"""Order lines of a firm that never was: the same file for the same seed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_A_CUSTOMER = 5
DAYS = 730


def write_order_lines(path: Path, rows: int, seed: int = 1) -> None:
    """Two years of lines, five a customer on average, some customers far more active than others.

    One line in a hundred costs nothing, and one in a hundred is an article given back at the till a minute
    after it was bought: that keeps purchase occasions equal under every peer's definition of them.
    """
    random = np.random.default_rng(seed)
    customers = max(rows // ROWS_A_CUSTOMER, 1)
    activity = random.gamma(0.8, 1, customers)
    customer = np.concatenate(
        [np.arange(customers), random.choice(customers, rows - customers, p=activity / activity.sum())]
    )
    seconds = random.integers(0, DAYS, rows) * 86_400 + random.integers(8 * 3600, 22 * 3600, rows)
    cents = random.gamma(1.5, 2_000, rows).astype("int64")
    cents[random.random(rows) < 0.01] = 0
    bought, returned = random.permutation(rows)[: rows // 100 * 2].reshape(2, -1)
    returned = returned[returned >= customers]  # every customer keeps a purchase
    bought = bought[: len(returned)]
    customer[returned], seconds[returned], cents[returned] = customer[bought], seconds[bought] + 60, -cents[bought]
    order = random.permutation(rows)
    lines = {
        "customer_id": 10_000_000 + customer[order],
        "ordered_at": np.datetime64("2024-01-01", "us") + seconds[order] * np.timedelta64(1_000_000, "us"),
        "amount": cents[order] / 100,
    }
    pq.write_table(pa.table(lines), path)
