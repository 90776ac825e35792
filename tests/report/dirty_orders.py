"""A deliberately dirty file of orders, and the truth about it: every row's fate is written down as the row is made."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

ROLES = {"customer_id": "Kundennr.", "ordered_at": "Kaufdatum", "amount": "Umsatz"}
#: Customers whose names are attacks on a spreadsheet, a page, a plot; the best payers, so that they head the list.
HOSTILE = (
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd",
    "+4930123456",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'a;b "quoted", and\\comma $x_1$',
    "张伟 & Söhne",
)
FIRST, LAST = date(2025, 1, 2), date(2026, 6, 28)


def german(amount: Decimal) -> str:
    """1234.5 as a German till writes it: 1.234,50."""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


class DirtyOrders:
    """`lines` of the CSV; `kept` rows as (customer, day, amount); `fate`: rows and money by treatment and reason."""

    def __init__(self) -> None:
        chance = random.Random(23)
        self.lines: list[str] = []
        self.kept: list[tuple[str, date, Decimal]] = []
        self.fate: Counter[tuple[str, str]] = Counter()
        self.money: Counter[tuple[str, str]] = Counter()
        regulars = [f"K-{number:04d}" for number in range(1, 301)]
        for customer in regulars:
            for _ in range(1 + int(chance.expovariate(0.3))):
                day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
                self.add(customer, day, Decimal(chance.randrange(500, 25000)) / 100)
        for customer in HOSTILE:
            for _ in range(12):
                self.add(
                    customer,
                    LAST - timedelta(days=chance.randrange(120)),
                    Decimal(chance.randrange(90000, 200000)) / 100,
                )
        self.add(regulars[0], LAST, Decimal("1234.56"))
        for customer, day, amount in self.kept[40:45]:  # refunds of what they bought before
            self.add(customer, day + timedelta(days=1), -amount, flag="refund")
        for customer, day, amount in self.kept[100:107]:  # a till that sent some rows twice
            self.add(customer, day, amount, flag="exact repeat")
        for customer in regulars[20:23]:
            self.add(customer, LAST - timedelta(days=3), Decimal("0.00"), flag="zero amount")
        self.aside("K-9001", "14.03.2026", Decimal("-80.00"), "refund, never bought")
        self.aside("K-0005", "28.06.2099", Decimal("19.90"), "date far beyond the rest")
        for text in ("gestern", "31.02.2026", "00.00.0000"):
            self.aside("K-0007", text, Decimal("11.00"), "unreadable date")
        self.aside("K-0008", "", Decimal("12.00"), "no date")
        for amount in ("5.00", "7.25"):
            self.aside("", "01.04.2026", Decimal(amount), "no customer")
        self.lines.append('"K-0009";02.04.2026;')
        self.fate["set aside", "no amount"] += 1
        chance.shuffle(self.lines)

    def add(self, customer: str, day: date, amount: Decimal, flag: str = "") -> None:
        self.lines.append(f"{quoted(customer)};{day:%d.%m.%Y};{german(amount)}")
        self.kept.append((customer, day, amount))
        for key in [("kept", "")] + ([("flagged", flag)] if flag else []):
            self.fate[key] += 1
            self.money[key] += amount

    def aside(self, customer: str, day: str, amount: Decimal, reason: str) -> None:
        self.lines.append(f"{quoted(customer)};{day};{german(amount)}")
        self.fate["set aside", reason] += 1
        self.money["set aside", reason] += amount

    def write(self, path: Path) -> Path:
        path.write_text("\n".join(["Kundennr.;Kaufdatum;Umsatz", *self.lines]) + "\n", encoding="utf-8-sig")
        return path
