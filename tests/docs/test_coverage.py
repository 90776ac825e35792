"""docs/coverage.csv: nothing of the source documents is lost, and what is called taught is really there."""

import csv
import importlib.util
import re
from collections import Counter

import crmkit
from crmkit import shipped

COLUMNS = ["section", "id", "capability", "lesson", "module", "exercise", "status"]
STATUSES = {"planned", "in work", "taught", "out of scope"}
#: Rows of the inventory of the sources: concepts, capabilities, cases, claims, gaps, lists, KPIs, part 2, decisions, sections.
FAMILIES = {"C": 95, "K": 118, "CS": 15, "F": 40, "G": 21, "L": 11, "KPI": 20, "P": 31, "D": 16, "S": 8}


def read(name: str) -> list[dict[str, str]]:
    with (shipped.folder("docs") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = read("coverage.csv")
LESSONS = {row["lesson"] for row in read("lessons.csv")}


def source_of(lesson: str) -> str | None:
    found = sorted(shipped.folder("lessons").glob(f"*/{lesson.replace('.', '_')}_*.py"))
    return found[0].read_text(encoding="utf-8") if found else None


def not_there(row: dict[str, str]) -> list[str]:
    """What a row that says "taught" names and does not exist."""
    source = source_of(row["lesson"])
    if source is None:
        return [f"lesson {row['lesson']} has no source"]
    missing = [] if importlib.util.find_spec(row["module"] or "missing") else [f"module {row['module']}"]
    exercises = row["exercise"].split()
    if not exercises:
        missing.append("no exercise is named")
    known = set(re.findall(r'^# %%.*\bkey="([^"]+)"', source, flags=re.M))
    return missing + [f"exercise {exercise}" for exercise in exercises if exercise not in known]


def test_the_table_has_its_columns_and_every_id_once():
    assert list(ROWS[0]) == COLUMNS
    repeated = [identity for identity, times in Counter(row["id"] for row in ROWS).items() if times > 1]
    assert repeated == []
    assert all(row["section"] and row["capability"] for row in ROWS)
    assert {row["status"] for row in ROWS} <= STATUSES


def test_every_family_of_the_inventory_is_whole():
    assert Counter(row["id"].split("-")[0] for row in ROWS) == FAMILIES
    for family, last in (("CS", 15), ("F", 40), ("G", 16), ("D", 16), ("KPI", 20)):
        assert {f"{family}-{number:02d}" for number in range(1, last + 1)} <= {row["id"] for row in ROWS}


def test_every_row_has_a_lesson_of_the_course_and_every_lesson_a_row():
    assert len(LESSONS) == 28
    assert {row["lesson"] for row in ROWS if row["status"] != "out of scope"} == LESSONS
    assert {row["lesson"] for row in ROWS if row["status"] == "out of scope"} == {""}


def test_every_module_lies_in_a_room():
    named = [row["module"] for row in ROWS if row["module"]]
    assert all(module.split(".")[0] == "crmkit" and module.split(".")[1] in crmkit.ROOMS for module in named)
    assert all(row["module"] for row in ROWS if row["status"] != "out of scope")


def test_what_is_called_taught_is_there():
    assert {row["id"]: not_there(row) for row in ROWS if row["status"] == "taught" and not_there(row)} == {}


def test_a_false_claim_to_be_taught_is_found_out(monkeypatch):
    right = {"lesson": "2.3", "module": "crmkit.segmentation.rfm", "exercise": "2.3-1 2.3-2"}
    source = '# %% key="2.3-1" tags=["solution"]\n# %% key="2.3-2"\n'
    monkeypatch.setitem(globals(), "source_of", lambda lesson: source if lesson == "2.3" else None)
    assert not_there(right) == []
    assert not_there({**right, "lesson": "9.9"}) == ["lesson 9.9 has no source"]
    assert not_there({**right, "module": "crmkit.segmentation.nothing"}) == ["module crmkit.segmentation.nothing"]
    assert not_there({**right, "exercise": "2.3-1 2.3-…"}) == ["exercise 2.3-…"]
    assert not_there({**right, "exercise": ""}) == ["no exercise is named"]
