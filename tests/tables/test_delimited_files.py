"""Text files as people have them: encodings, delimiters, and lines that are no rows."""

import pytest

from crmkit.errors import ColumnError, InputError
from crmkit.tables import Transactions
from crmkit.tables.delimited import TextFile

NAMED = {"customer_id": "m", "ordered_at": "d", "amount": "a"}
ROWS = [f"{number},2026-01-{number % 28 + 1:02d},{number}.50,tea" for number in range(1, 301)]
CHINESE = {"customer_id": "会员编号", "ordered_at": "下单时间", "amount": "金额"}


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes, name: str = "orders.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def text(*more: str, header: str = "m,d,a,what", end: str = "\n") -> str:
    return end.join([header, *ROWS, *more]) + end


def fates(orders: Transactions) -> dict[str, int]:
    assert orders.ledger.reconciles()
    return {line.reason or line.treatment: line.rows for line in orders.ledger.table.itertuples()}


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk"])
    def test_chinese_headers_are_read_whatever_the_encoding(self, file, encoding):
        orders = Transactions.read(file(text(header="会员编号,下单时间,金额,商品").encode(encoding)), **CHINESE)
        assert fates(orders) == {"kept": 300}

    def test_names_usual_for_a_role_tell_the_encoding_even_if_no_role_was_named(self, file):
        """Ten letters of GBK are as good Korean as Chinese: the statistics alone guess wrong here."""
        with pytest.raises(ColumnError, match=r"perhaps customer_id='会员编号'; ordered_at .*'下单时间'; .*'金额'"):
            Transactions.read(file(text(header="会员编号,下单时间,金额,商品").encode("gbk")))

    @pytest.mark.parametrize(
        ("encoding", "column"),
        [("cp1252", "Größe"), ("cp1251", "сумма"), ("big5", "會員編號"), ("shift_jis", "顧客番号")],
    )
    def test_the_encoding_is_one_in_which_the_header_has_the_named_columns(self, file, encoding, column):
        found = TextFile(file(f"{column},d,a\n1,2,3\n".encode(encoding)), None, None, [column])
        assert found.columns == [column, "d", "a"]
        assert "name encoding=" in found.notes[0]

    def test_a_named_encoding_is_believed(self, file):
        path = file(text(header="会员编号,下单时间,金额,商品").encode("gbk"))
        assert fates(Transactions.read(path, **CHINESE, encoding="gbk")) == {"kept": 300}
        with pytest.raises(InputError, match="encoding='klingon' is not known"):
            Transactions.read(path, **CHINESE, encoding="klingon")
        with pytest.raises(InputError, match=r"cannot be read as utf-8.*Name another encoding"):
            Transactions.read(file(text("9,2026-01-01,5,Käse").encode("cp1252")), **NAMED, encoding="utf-8")

    def test_something_that_is_no_text(self, file):
        with pytest.raises(InputError, match="is no text: it holds zero bytes"):
            Transactions.read(file(b"PK\x03\x04" + b"abcdefgh\x00" * 50))
        with pytest.raises(InputError, match="cannot be read: Not a gzipped file"):
            Transactions.read(file("m,d,a\n", "orders.csv.gz"))


class TestDelimiters:
    @pytest.mark.parametrize("sign", [";", "\t", "|"])
    def test_they_are_found(self, file, sign):
        assert fates(Transactions.read(file(text().replace(",", sign)), **NAMED)) == {"kept": 300}

    def test_decimal_commas_do_not_confuse(self, file):
        lines = "m;d;a\n1;01.02.2026;1.234,56\n2;13.02.2026;7,00\n"
        orders = Transactions.read(file(lines), **NAMED)
        assert str(orders.ledger.money_read) == "1241.56"

    def test_a_named_one_is_believed(self, file):
        with pytest.raises(ColumnError, match=r"has no column 'm'.*'m,d,a,what'"):
            Transactions.read(file(text()), **NAMED, delimiter=";")
        with pytest.raises(InputError, match="must be one sign"):
            Transactions.read(file(text()), **NAMED, delimiter=";;")


class TestLineEnds:
    @pytest.mark.parametrize("end", ["\r\n", "\r"])
    def test_every_kind(self, file, end):
        assert fates(Transactions.read(file(text(end=end)), **NAMED)) == {"kept": 300}

    def test_mixed_kinds_blank_lines_and_no_end_after_the_last_line(self, file):
        mixed = "\n\n" + text().replace("\n", "\r\n", 100) + "\n  \n\n"
        assert fates(Transactions.read(file(mixed), **NAMED)) == {"kept": 300}
        assert fates(Transactions.read(file(text().rstrip("\n")), **NAMED)) == {"kept": 300}

    def test_line_breaks_inside_quotes_are_part_of_the_field(self, file):
        lines = text('301,2026-01-01,5,"green\n\ntea"', '"302",2026-01-01,5,"a ""b"""')
        orders = Transactions.read(file(lines), **NAMED)
        assert fates(orders) == {"kept": 302}
        assert any("2 line breaks stand inside quoted fields" in note for note in orders.ledger.notes)


class TestLinesThatAreNoRows:
    def test_a_few_go_to_the_ledger_with_their_text(self, file):
        orders = Transactions.read(file(text("301,2026-01-01", "302,2026-01-02,5,tea,more")), **NAMED)
        assert fates(orders) == {"kept": 300, "unreadable line": 2}
        assert orders.ledger.rows("unreadable line").to_pyarrow().select(["line", "text"]).to_pylist() == [
            {"line": 302, "text": "301,2026-01-01"},
            {"line": 303, "text": "302,2026-01-02,5,tea,more"},
        ]

    def test_many_are_refused(self, file):
        with pytest.raises(InputError, match=r"4 of 304 lines \(1\.3%\) do not have the 4 fields.*line 302: '1,2'"):
            Transactions.read(file(text(*["1,2"] * 4)), **NAMED)

    def test_a_quotation_mark_that_is_never_closed_loses_nothing_in_silence(self, file):
        """DuckDB reads on to the end of the file, or gives up after 2 MB and skips the rest without an error."""
        short = Transactions.read(file(text('301,2026-01-01,5,"tea', "302,2026-01-01,5,tea")), **NAMED)
        assert fates(short) == {"kept": 300, "unreadable line": 2}
        endless = text('301,2026-01-01,5,"tea', *["302,2026-01-01,5,tea"] * 150_000)
        with pytest.raises(InputError, match=r"lines would be lost, because a quotation mark.*opens in line 302"):
            Transactions.read(file(endless), **NAMED)

    def test_a_row_of_totals_names_no_customer(self, file):
        assert fates(Transactions.read(file(text(",,45150.00,")), **NAMED)) == {"kept": 300, "no customer": 1}


class TestHeaders:
    def test_empty_blank_and_header_only(self, file):
        with pytest.raises(InputError, match="is empty: 0 bytes"):
            Transactions.read(file(""))
        with pytest.raises(InputError, match="nothing but blanks"):
            Transactions.read(file("\n \n"))
        with pytest.raises(InputError, match="orders has a header but no rows"):
            Transactions.read(file("m,d,a\n"), **NAMED)

    def test_columns_of_the_same_name(self, file):
        path = file("m,d,a,a,x,x\n1,2026-01-01,5,6,7,8\n")
        with pytest.raises(ColumnError, match=r"amount: 'orders\.csv' has 2 columns called 'a'; rename"):
            Transactions.read(path, **NAMED)
        assert Transactions.read(file("m,d,a,x,x\n1,2026-01-01,5,7,8\n"), **NAMED).ledger.rows_read == 1

    def test_a_header_over_two_lines_and_without_a_name(self, file):
        path = file('m,"d\nday",a,\n1,2026-01-01,5,\n')
        assert Transactions.read(path, customer_id="m", ordered_at="d\nday", amount="a").ledger.rows_read == 1
