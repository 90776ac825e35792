"""docs/glossary.csv: English, Simplified Chinese, one plain sentence, and the lesson that teaches the term."""

import csv
import re
from collections import Counter

from crmkit import shipped


def read(name: str) -> list[dict[str, str]]:
    with (shipped.folder("docs") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TERMS = read("glossary.csv")
CHINESE = {term["english"]: term["simplified_chinese"] for term in TERMS}


def test_the_table_has_four_filled_columns_and_every_term_once():
    assert list(TERMS[0]) == ["english", "simplified_chinese", "definition", "lesson"]
    assert all(value and value == value.strip() for term in TERMS for value in term.values())
    assert [
        term for term, times in Counter(t["english"].casefold() for t in TERMS).items() if times > 1 and term != "t"
    ] == []


def test_no_term_of_the_sources_and_of_the_kit_is_missing():
    assert len(TERMS) >= 162 + 60
    kit = {"recency_days", "orders", "x", "t_x", "T", "purchase occasion", "cut point", "tie", "effective bins"}
    kit |= {
        "RFM cell",
        "segment map",
        "segment card",
        "migration",
        "action list",
        "control group",
        "ledger",
        "switcher",
    }
    assert kit <= CHINESE.keys()


def test_every_term_belongs_to_a_lesson_of_the_course():
    assert {term["lesson"] for term in TERMS} <= {row["lesson"] for row in read("lessons.csv")}


def test_a_definition_is_one_sentence():
    for term in TERMS:
        assert term["definition"].endswith("."), term
        assert not re.search(r"[.!?] [A-Z]", term["definition"]), term
        assert term["definition"][0].isupper(), term
        assert 5 <= len(term["definition"].split()) <= 32, term


def test_chinese_is_simplified():
    for english, chinese in CHINESE.items():
        chinese.encode("gb2312")  # the code of simplified characters: a traditional one raises
        assert re.search(r"[\u4e00-\u9fff]", chinese) or english.startswith("key performance"), english


def test_near_synonyms_stay_apart():
    assert CHINESE["retention attempt, save"] == "挽留"
    assert CHINESE["win back"] == "挽回"
    assert CHINESE["retention rate"] == "客户保留率"
    assert CHINESE["customer stay rate"] == "客户留存率"
    kinds = [CHINESE[name] for name in ("contact management", "contact person management", "contact record")]
    assert kinds == ["接触管理", "联系人管理", "联系记录"]
    assert CHINESE["lift"] != CHINESE["uplift"] != CHINESE["incremental effect"]
    assert len({CHINESE[name] for name in ("recency_days", "t_x", "T", "recency")}) == 4
