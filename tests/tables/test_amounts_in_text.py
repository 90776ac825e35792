"""Numbers in text: all rows decide which sign begins the decimals; where they do not, the person is asked."""

from decimal import Decimal

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.tables.amounts import Reading, read_texts
from crmkit.tables.engines import embedded


@pytest.fixture(scope="module")
def connection():
    return embedded()


def read(connection, texts: list, decimal: str | None = None, role: str = "amount") -> tuple[list, Reading]:
    table = pyarrow.table({"n": range(len(texts)), "text": pyarrow.array(texts, pyarrow.string())})
    connection.create_table("t", table, temp=True, overwrite=True)
    reading = read_texts(connection, "t", "text", role=role, column="total", decimal=decimal)
    return [
        value for (value,) in connection.raw_sql(f"SELECT {reading.sql} FROM t {reading.join} ORDER BY n").fetchall()
    ], reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u202f234,56 €", "1234.56"),
        ("1'234.56", "1234.56"),
        ("1’234.56", "1234.56"),
        ("1,23,456.78", "123456.78"),
        ("1.234.567", "1234567"),
        ("12,5", "12.5"),
        (".5", "0.5"),
        ("7", "7"),
        ("+7.10", "7.10"),
        ("-7.10", "-7.10"),
        ("−7.10", "-7.10"),
        ("7.10-", "-7.10"),
        ("(7.10)", "-7.10"),
        ("$7.10", "7.10"),
        ("-$7.10", "-7.10"),
        ("$ -7.10", "-7.10"),
        ("EUR 7,10", "7.10"),
        ("7.10 kr", "7.10"),
        ("R$ 7,10", "7.10"),
        ("¥1234.50", "1234.50"),
        ("12.345678", "12.345678"),
    ],
)
def test_numbers_as_people_write_them(connection, text, expected):
    assert read(connection, [text, None])[0] == [Decimal(expected), None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", 1000.0),
        ("2.5E-2", 0.025),
        ("inf", float("inf")),
        ("-Infinity", float("-inf")),
        ("0.30000000000000004", 0.30000000000000004),
    ],
)
def test_what_programs_write_becomes_a_double(connection, text, expected):
    assert read(connection, [text])[0] == [expected]


def test_the_scale_is_the_most_decimals_seen_and_at_least_two(connection):
    assert read(connection, ["1", "2.5"])[1].kind == "DECIMAL(18, 2)"
    assert read(connection, ["1.2345", "2.5"])[1].kind == "DECIMAL(18, 4)"


def test_a_text_that_fits_both_readings_is_asked_about(connection):
    message = (
        r"amount: the numbers of column 'total', such as '1\.234', can be read with decimals or with thousands"
        r".*decimal='\.' or decimal=','"
    )
    with pytest.raises(InputError, match=message):
        read(connection, ["1.234", "2.345", "7"])
    assert read(connection, ["1.234"], decimal=",")[0] == [Decimal("1234.00")]
    assert read(connection, ["1.234"], decimal=".")[0] == [Decimal("1.234")]
    assert read(connection, ["1.234", "5,5"])[0] == [Decimal("1234.00"), Decimal("5.50")]


def test_texts_that_contradict_are_shown(connection):
    message = r"contradict each other: 1 such as '5\.25' have a decimal point, 1 such as '1\.234,50' a decimal comma"
    with pytest.raises(InputError, match=message):
        read(connection, ["1.234,50", "5.25"])


def test_two_currencies_cannot_be_added(connection):
    with pytest.raises(InputError, match=r"amount \(column 'total'\).*2 currencies: 'EUR' \(2 rows\), '\$' \(1 rows\)"):
        read(connection, ["5 €", "EUR 5", "$5"])
    assert read(connection, ["5 €", "EUR 5", "5"])[1].currency == "EUR"


@pytest.mark.parametrize(
    "junk", ["abc", "12-34", "1.2.3", "12,34,5", "7 apples", "--5", "1.234.56", "€", "(5", "5%", "=1+1"]
)
def test_what_is_no_number_is_missing_and_too_many_are_refused(connection, junk):
    assert read(connection, ["5.50"] * 100 + [junk])[0][-1] is None
    with pytest.raises(InputError, match=r"quantity: 1 of 11 texts in column 'total' \(9\.1%\) cannot be read as num"):
        read(connection, ["5.50"] * 10 + [junk], role="quantity")


def test_missing_quantities_are_counted(connection):
    notes = read(connection, ["5.5"] * 100 + ["abc"], role="quantity")[1].notes
    assert notes[-1] == "quantity: 1 texts cannot be read as numbers and count as missing."


@settings(max_examples=20, deadline=None)
@given(cents=st.lists(st.integers(-(10**9), 10**9), min_size=1), german=st.booleans())
def test_cents_survive_both_ways_of_writing(connection, cents, german):
    texts = [f"{Decimal(number) / 100:,.2f}" for number in cents]
    if german:
        texts = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    assert read(connection, texts)[0] == [Decimal(number) / 100 for number in cents]
