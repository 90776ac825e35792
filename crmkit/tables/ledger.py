"""The cleaning ledger: every row of the source was kept, merged or set aside, and why; to the cent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from crmkit.errors import InputError, near_misses

TREATMENTS = ("kept", "flagged", "merged", "set aside")


@dataclass
class Entry:
    """Rows that share a treatment and a reason; `rows` makes the lazy table when somebody asks.

    `where` says which of the kept rows they are, if a condition on one row can say it: all such entries are counted
    in one pass.
    """

    treatment: str
    reason: str
    rows: Callable[[], Any]
    counted: tuple[int, Decimal | None] | None = None
    where: Callable[[Any], Any] | None = None


@dataclass
class Ledger:
    """What was done to the rows of a source.

    The rows of the treatments kept, merged and set aside add up to the rows read, and so does their
    money. Flagged rows are among the kept, and may carry several flags: they are there to be looked
    at, not gone. A missing, unreadable or infinite amount counts as no money.
    """

    name: str
    entries: list[Entry]
    rows_read: int
    money_read: Decimal
    currency: str | None = None
    notes: list[str] = field(default_factory=list)  # what was decided while reading, in words

    def _count_together(self) -> None:
        """Count the kept rows, and those of them that a condition flags, in one pass."""
        kept = next(entry for entry in self.entries if entry.treatment == "kept")
        flagged = [entry for entry in self.entries if entry.where is not None and entry.counted is None]
        if kept.counted is not None or not flagged:
            return
        table = kept.rows()
        counts = {"rows": table.count(), "money": table.amount.sum()}
        for number, entry in enumerate(flagged):
            condition = entry.where(table)
            counts |= {
                f"rows{number}": table.count(where=condition),
                f"money{number}": table.amount.sum(where=condition),
            }
        found = table.aggregate(**counts).to_pyarrow().to_pylist()[0]
        kept.counted = found["rows"], found["money"]
        for number, entry in enumerate(flagged):
            entry.counted = found[f"rows{number}"], found[f"money{number}"]

    def _count(self, entry: Entry) -> tuple[int, Decimal]:
        if entry.counted is None:
            table = entry.rows()
            found = table.aggregate(rows=table.count(), money=table.amount.sum()).to_pyarrow().to_pylist()[0]
            entry.counted = found["rows"], found["money"]
        rows, money = entry.counted
        return rows, (money or Decimal(0)).quantize(Decimal(1).scaleb(self.money_read.as_tuple().exponent))

    @cached_property
    def table(self) -> Any:
        """DataFrame of `treatment`, `reason`, `rows` and `money` (Decimal); reasons without rows are left out."""
        import pandas as pd

        self._count_together()
        lines = [(entry.treatment, entry.reason, *self._count(entry)) for entry in self.entries]
        shown = [line for line in lines if line[2] or line[0] == "kept"]
        return pd.DataFrame(shown, columns=["treatment", "reason", "rows", "money"]).astype({"rows": "int64"})

    def rows(self, reason: str) -> Any:
        """A lazy Ibis table of the rows with this reason (or "kept"), with their number in the source where it has one.

        Raises InputError if the ledger has no such reason.
        """
        for entry in self.entries:
            if reason == (entry.reason or entry.treatment):
                return entry.rows()
        known = [entry.reason or entry.treatment for entry in self.entries]
        raise InputError(
            f"the ledger has no rows for {reason!r}.{near_misses(reason, known)} It has {', '.join(map(repr, known))}."
        )

    def reconciles(self) -> bool:
        """Whether kept, merged and set aside add up to what was read: rows, and money to the cent."""
        parts = self.table[self.table.treatment != "flagged"]
        return int(parts.rows.sum()) == self.rows_read and sum(parts.money, Decimal(0)) == self.money_read

    def __str__(self) -> str:
        unit = f" {self.currency}" if self.currency else ""
        lines = [f"{self.name}: {self.rows_read:,} rows read, {self.money_read:,}{unit}"]
        for treatment, reason, rows, money in self.table.itertuples(index=False):
            what = f"{treatment}: {reason}" if reason else treatment
            share = f"{rows / self.rows_read:.2%}" if self.rows_read else ""
            lines.append(f"  {what:<52} {rows:>13,} {share:>8} {money:>18,}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    __repr__ = __str__
