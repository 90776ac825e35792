"""`crmkit tag`: from a file of orders, a file of customers and rules to tables; one clear line for a mistake."""

from pathlib import Path

import pandas as pd
import pytest

from crmkit.segmentation import tags

ORDERS = """member_no,paid_at,total
m1,2025-01-03,10.00
m2,2025-02-11,25.50
m1,2025-03-04,4.25
m3,2025-03-30,99.99
m2,2025-05-01,7.00
"""
PEOPLE = """member_no;age;city;joined;postcode
m1;31;Köln;2024-01-01;01234
m2;;Aachen;2024-06-01;50667
m4;70;"=HYPERLINK(1)";2023-01-01;52062
"""
RULES = """
[attributes]
sensitive = ["age", "sex"]
allow_sensitive = { age = "A. Weber, data protection" }

[[tag]]
name = "regular"
rule = "orders >= 2 AND recency_days <= 90"
meaning = "comes back"
from = 2025-01-01
expires_after = "90 days"
exclusive_with = ["far"]

[[tag]]
name = "far"
rule = "postcode < '5' OR postcode >= '6'"
meaning = "must be written to"
from = 2025-01-01
until = 2025-12-31

[[tag]]
name = "=senior"
rule = "age >= 65"
meaning = "65 plus"
from = 2025-01-01

[[tag]]
name = "spring"
rule = "last_order - joined > 30 AND spend / (orders - 1) > 0"
meaning = "over"
from = 2025-01-01
until = 2025-02-28

[[by_hand]]
customer_id = "m3"
tag = "founder"
by = "Lena"
why = "knows the owner"
from = 2025-04-01

[[by_hand]]
customer_id = "m1"
tag = "founder"
by = "Lena"
why = "helped us to move"
from = 2025-01-01
until = 2025-01-31
"""
WORDS = ["tag", "orders.csv", "--customer-id", "member_no", "--ordered-at", "paid_at", "--amount", "total"]
WORDS += ["--rules", "rules.toml"]
JOIN = ["--customers", "people.csv", "--customer-key", "member_no"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"orders.csv": ORDERS, "people.csv": PEOPLE, "rules.toml": RULES}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)


def test_tags_preview_audit_and_overlaps_by_hand(here, crmkit):
    code, out, err = crmkit(*WORDS, *JOIN, "--out", "made")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (here / "made").iterdir()) == [
        "audit.csv", "ledger.csv", "overlaps.csv", "preview.csv", "tags.csv",
    ]  # fmt: skip
    given = read(here / "made/tags.csv")
    assert given[["customer_id", "tag", "since", "until", "by", "why"]].to_numpy().tolist() == [
        ["m1", "regular", "2025-05-01", "2025-07-30", "", ""],
        ["m2", "regular", "2025-05-01", "2025-07-30", "", ""],
        ["m1", "far", "2025-05-01", "2025-12-31", "", ""],
        ["m4", "'=senior", "2025-05-01", "", "", ""],  # no formula, and never bought: the file of customers counts too
        ["m3", "founder", "2025-04-01", "", "Lena", "knows the owner"],
    ]
    shown = read(here / "made/preview.csv").set_index("tag")
    assert shown.loc["regular"].to_list() == ["holds", "2", "0.5", "1", "0", "1"]  # m4 has no orders
    assert shown.loc["far"].to_list() == ["holds", "1", "0.25", "1", "0", "1"]  # m3 has no postcode
    assert shown.loc["spring"].to_list() == ["expired", "2", "0.5", "1", "1", "0"]  # m4 unknown; m3 divides by 1 - 1
    audit = read(here / "made/audit.csv").set_index("tag")
    assert audit.loc["'=senior", "allowed_by"] == "age: A. Weber, data protection"
    assert audit.loc["spring", "attributes"] == "last_order, joined, spend, orders"
    both = read(here / "made/overlaps.csv").set_index("tag")
    assert both.loc["regular", "far"] == "1"
    assert "'=senior" in both.columns  # a header is no formula either
    for words in (
        "4 customers, as of 2025-05-01.",
        "Customers only in the order book: 1, only in people.csv: 1.",
        "Left out: 'spring', expired; its rule fits 2.",
        "By hand: 1 in force, 1 not yet or expired.",
        "Conflict: 1 with both 'regular' and 'far', such as m1.",
        "50.0%",
        "Marked sensitive, but no attribute here: 'sex'.",
    ):
        assert words in out


def test_who_earns_a_tag_that_a_person_gave_before_keeps_one_and_it_is_told(here, crmkit):
    change('customer_id = "m3"\ntag = "founder"', 'customer_id = "m1"\ntag = "regular"')(here)
    code, out, err = crmkit(*WORDS, *JOIN, "--out", "made")
    assert (code, err) == (0, "")
    assert "By hand: m1 carries 'regular' by its rule already; the rule's tag stands." in out
    given = read(here / "made/tags.csv")
    assert (given["tag"] == "regular").sum() == 2
    assert given[["by", "why"]].eq("").all(axis=None)  # the same columns in every run


def test_the_rule_that_the_help_shows_works(here, crmkit):
    code, out, _ = crmkit("tag", "--help")
    lines = [line.strip() for line in out.splitlines()]
    place = lines.index("[[tag]]")
    (here / "rules.toml").write_text("\n".join(lines[place : place + 6]).replace("2026-01-01", "2025-01-01"))
    assert code == 0
    code, out, err = crmkit(*WORDS, "--preview")
    assert (code, err) == (0, "")
    assert "regular holds" in out


@pytest.mark.parametrize(("first", "last", "live"), [
    ("2025-05-01", "2025-05-01", 1), ("2025-05-02", "2025-06-01", 0), ("2025-01-01", "2025-04-30", 0),
])  # fmt: skip
def test_a_tag_by_hand_counts_on_its_first_and_its_last_day(here, crmkit, first, last, live):
    hand = f'[[by_hand]]\ncustomer_id = "m3"\ntag = "host"\nby = "L"\nwhy = "w"\nfrom = {first}\nuntil = {last}'
    (here / "rules.toml").write_text(RULES.split("[[by_hand]]")[0] + hand, encoding="utf-8")
    assert f"By hand: {live} in force, {1 - live} not yet" in crmkit(*WORDS, *JOIN, "--preview")[1]


def test_a_mistyped_sensitive_attribute_is_told(here, crmkit):
    change('sensitive = ["age", "sex"]', 'sensitive = ["age", "postcod"]')(here)
    out = crmkit(*WORDS, *JOIN, "--preview")[1]
    assert "Marked sensitive, but no attribute here: 'postcod'. Did you mean 'postcode'?" in out


def test_blanks_around_ids_and_words_for_missing_do_no_harm(here, crmkit):
    people("m1;31", "  m1 ;NA")(here)
    assert crmkit(*WORDS, *JOIN, "--out", "made")[0] == 0
    shown = read(here / "made/preview.csv").set_index("tag")
    assert shown.loc["'=senior"].to_list() == ["holds", "1", "0.25", "3", "0", "0"]  # age is a number still
    assert shown.loc["far", "customers"] == "1"  # m1 found its postcode


def test_many_tags_by_hand_stand_below_those_by_rule_in_their_order(here, crmkit):
    hands = "".join(
        f'[[by_hand]]\ncustomer_id = "m{n}"\ntag = "{tag}"\nby = "L"\nwhy = "w"\nfrom = 2025-01-01\n'
        for tag in ("host", "=far") for n in (4, 1)
    )  # fmt: skip
    (here / "rules.toml").write_text(RULES.split("[[by_hand]]")[0] + hands, encoding="utf-8")
    assert crmkit(*WORDS, *JOIN, "--out", "made")[0] == 0
    given = read(here / "made/tags.csv")
    assert given["tag"].to_list() == ["regular", "regular", "far", "'=senior", "host", "host", "'=far", "'=far"]
    assert given["customer_id"].to_list()[-4:] == ["m4", "m1", "m4", "m1"]
    assert given["rule"].to_list()[-4:] == [""] * 4
    assert (given["until"].to_list()[2], given["by"].to_list()[2:5]) == ("2025-12-31", ["", "", "L"])


def test_preview_shows_the_same_and_writes_nothing(here, crmkit):
    before = sorted(here.rglob("*"))
    code, shown, err = crmkit(*WORDS, *JOIN, "--preview", "--out", "made")
    assert (code, err, sorted(here.rglob("*"))) == (0, "", before)
    assert crmkit(*WORDS, *JOIN, "--out", "made")[1].startswith(shown.rstrip())


def test_the_order_book_alone_and_a_day_to_look_back_from(here, crmkit):
    (here / "rules.toml").write_text('[[tag]]\nname = "once"\nrule = "orders = 1"\nmeaning = ""\nfrom = 2025-01-01')
    assert crmkit(*WORDS, "--as-of", "2025-03-31", "--out", "made")[0] == 0
    given = read(here / "made/tags.csv")
    assert given[["customer_id", "since"]].to_numpy().tolist() == [["m2", "2025-03-31"], ["m3", "2025-03-31"]]


def test_numbers_of_customers_meet_numbers_written_as_text_in_the_other_file(here, crmkit):
    for name in ("orders.csv", "people.csv", "rules.toml"):
        text = (here / name).read_text(encoding="utf-8")
        for number in "1234":
            text = text.replace(f'"m{number}"', number).replace(f"m{number}", number)
        (here / name).write_text(text, encoding="utf-8")
    assert crmkit(*WORDS, *JOIN, "--out", "made")[0] == 0
    assert read(here / "made/tags.csv")["customer_id"].to_list() == ["1", "2", "1", "4", "3"]


def test_a_second_run_puts_its_tables_in_place_of_the_first_and_leaves_other_files(here, crmkit):
    (here / "made").mkdir()
    (here / "made/mine.txt").write_text("keep")
    for _ in range(2):
        assert crmkit(*WORDS, *JOIN, "--out", "made")[0] == 0
    assert (here / "made/mine.txt").read_text() == "keep"
    assert len(list((here / "made").iterdir())) == 6


def change(old: str, new: str):
    return lambda here: (here / "rules.toml").write_text(RULES.replace(old, new), encoding="utf-8")


def people(old: str, new: str):
    return lambda here: (here / "people.csv").write_text(PEOPLE.replace(old, new), encoding="utf-8")


def later(here):
    (here / "rules.toml").write_text('[[tag]]\nname = "later"\nrule = "orders > 0"\nmeaning = ""\nfrom = 2025-06-01')


MISTAKES = {
    "no rules": (None, WORDS[:-2], "--rules"),
    "rules that are not there": (None, [*WORDS[:-1], "rule.toml"], "no file of rules 'rule.toml'"),
    "a file without its key": (None, [*WORDS, *JOIN[:2]], "--customers and --customer-key belong together"),
    "a mistyped key": (None, [*WORDS, *JOIN[:3], "membre_no"], "Did you mean 'member_no'?"),
    "a file that is not there": (None, [*WORDS, "--customers", "peple.csv", *JOIN[2:]], "Did you mean 'people.csv'?"),
    "the wrong key": (None, [*WORDS, *JOIN[:3], "postcode"], "no customer is in both tables"),
    "an attribute that is not there": (None, WORDS, "tag 'far': the rule"),
    "a customer twice": (people("m2;", "m1;"), [*WORDS, *JOIN], "'m1' stands in it twice"),
    "a row without a customer": (people("m2;", ";"), [*WORDS, *JOIN], "1 rows have no 'member_no'"),
    "a column of both": (people("age;", "spend;"), [*WORDS, *JOIN], "the order book gives spend too"),
    "an injection": (change("age >= 65", "age >= 65; DROP TABLE x"), [*WORDS, *JOIN], "tag 3 ('=senior')"),
    "a function": (change("age >= 65", "abs(age) >= 65"), [*WORDS, *JOIN], "holds ABS(age) at character 1"),
    "a wrong kind": (change("age >= 65", "city >= 65"), [*WORDS, *JOIN], "compares a text with a number"),
    "sensitive without leave": (change("allow_sensitive", "#"), [*WORDS, *JOIN], "'age' at character 1, which is marked"),
    "nobody of that name": (change('"m3"', '"m33"'), [*WORDS, *JOIN], "there is no customer 'm33'"),
    "nobody signed": (change('by = "Lena"', ""), [*WORDS, *JOIN], "by_hand 1: by is missing"),
    "a day that is none": (None, [*WORDS, *JOIN, "--as-of", "31.12.25"], "31.12.25"),
    "a day before the data": (None, [*WORDS, *JOIN, "--as-of", "2024-12-31"], "before the first row"),
    "a day before all rules": (later, [*WORDS, *JOIN], "no rule is in force (later from 2025-06-01)"),
    "orders that would be written over": (
        lambda here: (here / "orders.csv").rename(here / "tags.csv"),
        ["tag", "tags.csv", *WORDS[2:], *JOIN, "--out", "."],
        "--out .: tags.csv would be written over",
    ),
    "customers that would be written over": (
        lambda here: (here / "people.csv").rename(here / "audit.csv"),
        [*WORDS, "--customers", "audit.csv", *JOIN[2:], "--out", "../" + "{here}"],
        "audit.csv would be written over",
    ),
    "a folder where a table should go": (
        lambda here: (here / "made" / "audit.csv").mkdir(parents=True),
        [*WORDS, *JOIN, "--out", "made"],
        "--out made: made/audit.csv is a folder",
    ),
    "a number for a name": (change('by = "Lena"', "by = 5"), [*WORDS, *JOIN], "by_hand 1: by is 5"),
    "a bomb": (change("[attributes]", "x = " + "[" * 50_000), [*WORDS, *JOIN], "is no TOML file"),
    "a name in another case": (change('name = "=senior"', 'name = "FAR"'), [*WORDS, *JOIN], "has that name too"),
    "a file for a folder": (None, [*WORDS, *JOIN, "--out", "orders.csv"], "--out orders.csv: that is a file"),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "words", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_ends_in_one_clear_line_and_exit_code_2_and_writes_nothing(here, crmkit, prepare, words, says):
    if prepare:
        prepare(here)
    before = {path: path.is_file() and path.read_bytes() for path in here.rglob("*")}
    code, out, err = crmkit(*(word.replace("{here}", here.name) for word in words))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("crmkit: ")
    assert says in err
    assert {path: path.is_file() and path.read_bytes() for path in here.rglob("*")} == before


def test_words_from_the_rules_cannot_command_the_terminal(here, crmkit):
    change('name = "far"', r'name = "fa\u001b[2Jr"')(here)
    (here / "rules.toml").write_text((here / "rules.toml").read_text().replace('["far"]', r'["fa\u001b[2Jr"]'))
    code, out, _ = crmkit(*WORDS, *JOIN, "--preview")
    assert code == 0
    assert "\x1b" not in out


def test_the_rules_of_the_file_are_those_of_the_library(here):
    rules = tags.read(here / "rules.toml")
    assert [tag.name for tag in rules.tags] == ["regular", "far", "=senior", "spring"]
    assert rules.sensitive == ("age", "sex")
    assert len(rules.by_hand) == 2


def test_every_row_of_a_dirty_file_is_accounted_for(here, crmkit):
    """A bad day, a refund, a refund of nobody's purchase, a repeat, an unreadable amount; money by hand."""
    (here / "dirty.csv").write_text(
        "Kunde;bezahlt am;Summe\n"
        "ann;01.03.2025;10,00\nann;05.04.2025;20,00\nann;05.04.2025;20,00\nbob;01.05.2025;9,00\n"
        "ann;31.02.2025;7,00\nbob;02.05.2025;-4,00\neve;02.05.2025;-5,00\nbob;03.05.2025;much\n"
        + "".join(f"c{number};01.02.2025;1,00\n" for number in range(300)),  # else the bad ones are too many to go on
        encoding="utf-8",
    )
    roles = ["--customer-id", "Kunde", "--ordered-at", "bezahlt am", "--amount", "Summe"]
    rule = '[[tag]]\nname = "big"\nrule = "spend >= 50"\nmeaning = ""\nfrom = 2025-01-01\n'
    (here / "big.toml").write_text(rule, encoding="utf-8")
    words = ["tag", "dirty.csv", *roles, "--rules", "big.toml"]
    code, out, _ = crmkit(*words, "--out", "made")
    assert code == 0
    assert "dirty: 308 rows read, 357.00" in out
    assert "set aside: unreadable date" in crmkit(*words, "--preview")[1]
    ledger = read(here / "made/ledger.csv").set_index(["treatment", "reason"])
    assert ledger["rows"].to_dict() == {
        ("kept", ""): "305",
        ("flagged", "exact repeat"): "1",
        ("flagged", "refund"): "1",
        ("set aside", "unreadable date"): "1",
        ("set aside", "unreadable amount"): "1",
        ("set aside", "refund, never bought"): "1",
    }
    gone = ledger.loc[["kept", "set aside"], "money"].astype(float)
    assert gone.sum() == pytest.approx(357)
