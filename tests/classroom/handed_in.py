"""What students hand in, for the tests of hand-in and grading: notebooks of the lesson for tests."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crmkit.classroom import editions, grammar

COURSE = Path(__file__).parent / "course"
RIGHT = {
    "9.1-1": 'by_customer = orders.groupby("customer")\nspend = by_customer["amount"].sum()',
    "9.1-2": 'decision = defend(choice="call", figure=1 / 2, because="Half of them came back.")',
}


def course(folder: Path) -> Path:
    """A folder with the lesson for tests and its exercises; returns the path of the lesson."""
    path, module = folder / "lessons" / "9_testing" / "9_1_fixture.py", folder / "exercises" / "lesson_9_1.py"
    for place, name in ((path, "9_1_fixture.py.txt"), (module, "lesson_9_1.py.txt")):
        place.parent.mkdir(parents=True)
        place.write_text((COURSE / name).read_text(encoding="utf-8"), encoding="utf-8")
    return path


def notebook(lesson: grammar.Lesson, answers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The student's edition with these answers."""
    made = json.loads(json.dumps(editions.student(lesson)))
    for cell in made["cells"]:
        cell["source"] = (answers or {}).get(cell["metadata"]["key"], cell["source"])
    return made


def with_new_ids(made: Mapping[str, Any]) -> dict[str, Any]:
    """As an editor leaves it that knows neither ids nor keys."""
    made = copy.deepcopy(made)
    for number, cell in enumerate(made["cells"]):
        cell["metadata"], cell["id"] = {}, f"cell{number}"
    return made


def with_cell(made: Mapping[str, Any], before: str, source: str) -> dict[str, Any]:
    """With a cell that the student added before the one with this key."""
    made = copy.deepcopy(made)
    place = next(place for place, cell in enumerate(made["cells"]) if cell["metadata"].get("key") == before)
    new = {"cell_type": "code", "id": f"added-{place}", "metadata": {}, "source": source, "outputs": []}
    made["cells"].insert(place, new)
    return made
