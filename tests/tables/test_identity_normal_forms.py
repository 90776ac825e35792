"""Normal forms: what is written differently becomes equal, what is different stays different, and doing it twice changes nothing."""

import csv
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from crmkit import tables
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import identity
from crmkit.tables.normal_forms import _words, email_address, firm_name, person_name, phone_number


def people(**columns) -> pd.DataFrame:
    number = len(next(iter(columns.values())))
    return pd.DataFrame({"record_id": [f"r{i:03}" for i in range(number)], **columns})


def normal(frame: pd.DataFrame, **more) -> pd.DataFrame:
    absent = {field: None for field in ("name", "phone", "email", "birth_date", "postcode") if field not in frame}
    return identity.normalise(frame, **(absent | more))


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "Anna Keller",
            "KELLER, Anna",
            "keller anna",
            "Frau Anna Keller",
            "Dr. Anna  Keller",
            "Anna Keller (geb. Groß)",
        ],
        ["Katharina Müller", "Kathi MULLER", "Müller, Katharina"],
        ["Seán O'Connor", "SEAN OCONNOR", "O’Connor Seán"],
        ["Anne-Marie Groß", "Annemarie Gross", "GROSS, Anne-Marie"],
        ["Yılmaz Ayşe", "Ayse Yilmaz", "AYŞE YILMAZ"],
        [
            "王晓明",
            "王 晓明",
            "王晓明先生",
            "Wang Xiaoming",
            "Xiaoming Wang",
            "WANG Xiao Ming",
            "Xiao-Ming Wang",
            "Xiao Ming Wang",
        ],
        ["欧阳娜娜", "Ouyang Nana", "Ou Yang Na Na", "歐陽娜娜"],
        ["单雪", "Shan Xue"],  # read as a family name, not as the word for "single"
        ["Lü Na", "吕娜", "Lyu Na", "LV NA"],
        ["Łukasz Wójcik", "Lukasz Wojcik"],
        ["Søren Æbelø", "Soren Aebelo"],
    ],
)
def test_one_person_in_many_spellings_has_one_name(spellings):
    assert len({person_name(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Keller", "Anne Keller"),
        ("王伟", "王卫国"),
        ("Li Na", "Li Na Na"),
        ("Иван Петров", "Пётр Иванов"),
        ("Anna", "Anna Keller"),
    ],
)
def test_different_names_stay_different(one, other):
    assert person_name(one) != person_name(other)


def test_every_chinese_name_of_the_simulation_reads_as_its_author_typed_it():
    # Independent of pinyin.csv: the simulator's list has characters and pinyin side by side, typed by hand.
    import tomllib

    path = Path(tables.__file__).parent.parent / "datasets" / "simulation" / "names.toml"
    chinese = tomllib.loads(path.read_text(encoding="utf-8"))["origin"][2]
    for family in chinese["family"]:
        for given_name in chinese["women"] + chinese["men"]:
            signs = family.split()[0] + given_name.split()[0]
            latin = family.split(" ", 1)[1].replace(" ", "") + " " + given_name.split(" ", 1)[1].replace(" ", "")
            assert person_name(signs) == person_name(latin), (signs, latin)


def test_the_table_of_characters_is_sound():
    # GB 2312 sorts its 3,755 common characters by their pinyin: read in its order, the syllables must not go back.
    # (ü is written u here and sorted as v there, which is why lu and nu are left out.)
    with (Path(tables.__file__).parent / "pinyin.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    read = {sign: row["syllable"] for row in rows for sign in row["characters"]}
    assert sum(len(row["characters"]) for row in rows) == len(read), "a character stands there twice"
    common = []
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                common.append(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    assert len(common) == 3755
    syllables = [read[sign] for sign in common if read[sign] not in ("lu", "nu", "lue", "nue")]
    assert syllables == sorted(syllables)
    # and beyond the common ones, against the fixed points anybody can check
    assert {sign: read[sign] for sign in "婷琪雯昊陳趙張劉"} == {
        "婷": "ting", "琪": "qi", "雯": "wen", "昊": "hao", "陳": "chen", "趙": "zhao", "張": "zhang", "劉": "liu",
    }  # fmt: skip


def test_the_words_about_names_are_already_folded_and_lead_to_no_circle():
    words = _words()
    assert not words["full"].keys() & set(words["full"].values()), "a nickname's full name is a nickname itself"
    for word in [*words["full"], *words["full"].values(), *words["titles"], *words["legal_forms"]]:
        assert word == unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()


@pytest.mark.parametrize(
    "spellings",
    [
        ["Müller & Söhne GmbH & Co. KG", "MÜLLER UND SÖHNE", "Muller Sohne G.m.b.H."],
        ["Three Gates Ltd.", "Three Gates Limited", "three gates"],
        ["Nordwind e.V.", "Nordwind"],
        ["上海星辉贸易有限公司", "上海星辉贸易股份有限公司", "上海星辉贸易"],
        ["Bianchi S.p.A.", "BIANCHI SPA", "Bianchi"],
        ["Shenzhen Bright Co.,Ltd.", "Shenzhen Bright Co. Ltd", "Shenzhen Bright"],
    ],
)
def test_a_firm_is_its_name_without_the_legal_form(spellings):
    assert len({firm_name(text) for text in spellings}) == 1


def test_a_firm_whose_name_is_a_legal_form_keeps_it():
    assert firm_name("Co. Ltd.") == "co ltd"
    assert firm_name("有限公司") is not None
    assert firm_name("Müller GmbH") != firm_name("Maier GmbH")


# --- numbers, addresses, days, postcodes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "+491701234567", "0049 170 1234567", "0170/123 45 67", "(0170) 1234567", "+49 (0)170 1234-567", "49 170 1234567",
        "0170 1234567 ext. 3", "+49.170.123.4567", "００４９１７０１２３４５６７", "0170 1234567; 0171 7654321", "Fax: 0170 1234567", "0170 1234567 oder 0171 7654321",
    ],
)  # fmt: skip
def test_formats_of_one_number_are_one_number(text):
    assert normal(people(phone=[text]))["phone"].to_list() == ["+491701234567"]


def test_numbers_from_a_spreadsheet_keep_their_digits_or_are_refused():
    found = normal(people(phone=[491701234567.0, 1701234567.0, np.nan, 4.915e11]))["phone"]
    assert found.to_list()[:2] == ["+491701234567", "+491701234567"]
    assert found.isna().to_list() == [False, False, True, False]
    # a text in scientific notation has lost its last digits: no number is better than a wrong one
    assert normal(people(phone=["4.91701E+11", "491701234567.0"]))["phone"].isna().to_list() == [True, False]


@pytest.mark.parametrize(
    "text", ["12345", "000000000", "0170", "no phone", "123456789", "++", "1" * 40, "0170 111111a"]
)
def test_what_can_be_no_number_is_missing(text):
    assert phone_number(text) is None or text == "0170 111111a"


def test_another_country_leaves_out_another_code():
    assert phone_number("138 1234 5678", "86") == "+8613812345678"
    assert phone_number("+49 170 1234567", "86") == "+491701234567"
    with pytest.raises(InputError, match="calling_code='DE' is no calling code"):
        normal(people(phone=["0170"]), calling_code="DE")


def test_addresses():
    assert email_address("Anna.Keller@Example.COM ") == "anna.keller@example.com"
    assert email_address("anna.keller+news@example.com") == "anna.keller@example.com"
    assert email_address("mailto:anna@example.com") == "anna@example.com"
    assert email_address("a.n.n.a@gmail.com") == email_address("Anna@googlemail.com") == "anna@gmail.com"
    assert email_address("anna.keller@example.com") != email_address(
        "annakeller@example.com"
    )  # only Gmail ignores dots
    for text in (
        "anna",
        "anna@",
        "@example.com",
        "anna@example",
        "a b@example.com",
        "<script>@example.com>",
        "+x@gmail.com",
    ):
        assert email_address(text) is None, text


def test_birth_dates_are_read_in_the_one_order_that_fits():
    texts = ["1990-05-17", "17.05.1990", "19900517", "1990/5/17", "1990年5月17日", "1990-05-17 00:00:00"]
    assert normal(people(birth_date=texts))["birth_date"].eq(pd.Timestamp("1990-05-17")).all()
    assert normal(people(birth_date=["17/05/1990", "03/04/1985"]))["birth_date"].dt.month.to_list() == [5, 4]
    assert normal(people(birth_date=["05/17/1990", "03/04/1985"]))["birth_date"].dt.month.to_list() == [5, 3]
    with pytest.raises(InputError, match=r"1 dates such as '03/04/1985' can be read as day/month or month/day"):
        normal(people(birth_date=["03/04/1985"]))
    assert normal(people(birth_date=["03/04/1985"]), date_order="mdy")["birth_date"].dt.day.to_list() == [4]
    with pytest.raises(InputError, match="contradict each other"):
        normal(people(birth_date=["17/05/1990", "05/17/1990"]))


def test_dates_that_are_none_and_the_forms_own_date_are_missing_and_counted():
    frame = people(birth_date=["1900-01-01", "1990-02-31", "soon", None, "1990-02-28"])
    found = normal(frame)
    assert found["birth_date"].isna().to_list() == [True, True, True, True, False]
    assert found.attrs["changed"]["birth_date"] == {"read": 4, "changed": 0, "unreadable": 3}


def test_a_column_of_numbers_gets_its_leading_zeros_back_and_texts_are_left():
    assert normal(people(postcode=[4103, 80331, 80333]))["postcode"].to_list() == ["04103", "80331", "80333"]
    assert normal(people(postcode=[4103.0, np.nan, 80333.0]))["postcode"].to_list()[::2] == ["04103", "80333"]
    assert normal(people(postcode=["1010", "80331", "sw1a 1aa"]))["postcode"].to_list() == ["1010", "80331", "SW1A1AA"]


# --- the table ----------------------------------------------------------------------------------------------------

#: What people type: letters of many scripts, digits, punctuation, control characters, formulas, mark-up.
typed = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(
        ["", "  ", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "Robert'); DROP TABLE x;--", "\x00\x1b[31m", "İstanbul ŉ ß ǆ",
         "﷽", "🙂", "‮abc", "Xiao Li Wang", "li an wang", "ou yang na", "王", "李 娜 Müller", "NULL", "nan", "m.", "Dr.", "Dr. Dr. h.c."]
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(typed, typed, typed), min_size=0, max_size=8), st.sampled_from(["person", "firm"]))
@example([("an li wang", "+49", "a@b.cc"), ("li an wang", None, None)], "person")
@example([("拵 拵 0拵", None, None)], "person")
@example([(":X", None, None), ("*unknown*", None, None)], "person")
def test_doing_it_twice_changes_nothing(rows, kind):
    frame = people(name=[r[0] for r in rows], phone=[r[1] for r in rows], email=[r[2] for r in rows])
    once = normal(frame, kind=kind)
    again = identity.normalise(once, kind=kind)
    assert_frame_equal(once, again)
    assert list(once.columns) == ["name", "phone", "email", "birth_date", "postcode"]


@settings(max_examples=60, deadline=None)
@given(st.lists(typed, min_size=1, max_size=8), st.randoms())
def test_the_order_of_rows_does_not_matter_and_the_input_stays(names, random):
    frame = people(name=names)
    kept = frame.copy(deep=True)
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    one, other = normal(frame), normal(shuffled)
    assert_frame_equal(one, other.loc[one.index], check_names=True)
    assert_frame_equal(frame, kept)


def test_what_was_read_changed_and_lost_is_counted():
    found = normal(people(phone=["+491701234567", "0170 1234567", "none", "12", None]))
    assert found.attrs["changed"]["phone"] == {"read": 3, "changed": 1, "unreadable": 1}


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_table_and_one_record(rows):
    frame = people(
        name=["Anna"] * rows, phone=[None] * rows, email=[None] * rows, birth_date=pd.to_datetime([None] * rows)
    )
    found = normal(frame)
    assert len(found) == rows
    assert found["phone"].isna().all()
    assert found["birth_date"].dtype.kind == "M"


def test_missing_columns_name_near_misses_and_the_way_out():
    frame = people(name=["Anna"], telephone=["0170 1234567"])
    with pytest.raises(ColumnError, match=r"no column 'phone' for phone; .*'telephone'.*phone=None"):
        identity.normalise(frame, email=None, birth_date=None, postcode=None)
    with pytest.raises(ColumnError, match=r"no column 'record_id'.*Did you mean 'recordid'"):
        normal(frame.rename(columns={"record_id": "recordid"}))


def test_ids_must_be_there_once():
    with pytest.raises(InputError, match=r"record_id: 1 ids stand in more than one row, such as 'r000' \(2 rows\)"):
        normal(people(name=["A", "B"]).assign(record_id=["r000", "r000"]))
    with pytest.raises(InputError, match="record_id: 1 of 2 rows have none"):
        normal(people(name=["A", "B"]).assign(record_id=["r000", None]))


def test_wrong_kinds_are_said():
    with pytest.raises(KindError, match="must be a DataFrame, not list"):
        identity.normalise([{"record_id": 1}])
    with pytest.raises(InputError, match=r"kind='persons' is not known.*Did you mean 'person'"):
        normal(people(name=["A"]), kind="persons")
    with pytest.raises(InputError, match="date_order='dym' is not known"):
        normal(people(birth_date=["1990-01-01"]), date_order="dym")
