"""A lesson that keeps the grammar passes; each way of breaking it is named with file, cell and what to do."""

import subprocess
import sys

import pytest

from crmkit import shipped
from crmkit.classroom import grammar
from crmkit.errors import InputError


def faults(tree, source: str, old: str = "", new: str = "", name: str = "9_1_fixture.py") -> str:
    """What the lint says of the lesson with `old` replaced by `new`."""
    assert old in source
    path = tree.root / "lessons" / "9_testing" / name
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    return "\n".join(grammar.violations(grammar.read(path)))


def test_the_lesson_for_tests_is_without_fault(tree):
    lesson = grammar.read(tree.lessons()[0])
    assert grammar.violations(lesson) == []
    assert (lesson.number, lesson.front["title"]) == ("9.1", "A lesson for tests")
    assert lesson.cells[2].key == "data"


BROKEN = {
    "a cell without a key": ('key="remember" tags', "tags", "cell 2 ('An order has a customer.'): the key is missing"),
    "one key for two cells": ('key="claim"', 'key="opening"', "key 'opening' is used 2 times"),
    "keys that become one id": ('key="claim"', 'key="9-1-1-task"', "key '9-1-1-task' is used 2 times"),
    "a key with a space": ('key="claim"', 'key="the claim"', "a key has lower-case letters"),
    "a tag that nobody knows": ('tags=["recall"]', 'tags=["recal"]', "'recal' is not known. Did you mean 'recall'?"),
    "a section left out": ('key="claim" tags=["claim-check"]', 'key="claim"', "no cell has the tag 'claim-check'"),
    "sections out of order": ('tags=["recall"]', 'tags=["claim-check"]', "no cell has the tag 'recall'"),
    "data before recall": ('key="opening" tags=["question"]', 'key="opening" tags=["question", "data"]', "order is"),
    "no front matter for minutes": ("    exercise_minutes: 30\n#", "#", "exercise_minutes is missing; add it"),
    "front matter nobody knows": ("title: A", "titel: A", "titel is not known. Did you mean 'title'?"),
    "no objectives": ("[count repeat buyers, say what one number decides]", "[]", "objectives is empty"),
    "keypoints that YAML reads as a mapping": ("[A repeat buyer has two orders.]", "['a', b: c]", "list of texts"),
    "a title of nothing": ("title: A lesson for tests", "title: ''", "title must be a text, not ''"),
    "minutes in words": ("teaching_minutes: 20", "teaching_minutes: twenty", "whole number of minutes, not 'twenty'"),
    "more than two hours": ("teaching_minutes: 20", "teaching_minutes: 91", "take 121 minutes, 120 at most"),
    "exercises that take longer than told": (
        "exercise_minutes: 30",
        "exercise_minutes: 25",
        "the headings tell 30 of exercise_minutes, the front matter 25",
    ),
    "an optional section that nobody counts": (
        '[markdown] key="play" tags=["widget"]\n# No widget here.',
        '[markdown] key="play" tags=["widget", "optional"]\n# ## More · optional · 4 minutes',
        "the headings tell 4 of optional_minutes, the front matter 0",
    ),
    "an optional exercise whose heading does not say so": (
        'key="9.1-2-task"',
        'key="9.1-2-task" tags=["optional"]',
        "'Exercise 9.1-2 · defend' has the tag optional; the heading must say the same",
    ),
    "an optional heading without its tag": (
        "· defend · 20 minutes",
        "· defend · optional · 20 minutes",
        "'Exercise 9.1-2 · defend · optional' has not the tag optional",
    ),
    "a trailing semicolon": ('"amount": [1.0, 2.0, 4.0]})\norders\n', '"amount": [1.0]})\norders;\n', "trailing `;`"),
    "a semicolon and a comment": ("\norders\n", "\norders;  # no output\n", "cell 'data': a trailing `;`"),
    "a magic": ("\norders\n", "\n# %time orders\n", "not plain Python"),
    "a live widget": ("\norders\n", "\ninteract(print, x=3)\n", "interact shows live output; add the tag"),
    "a long line": ("\norders\n", "\norders  # " + "x" * 80 + "\n", "has 90 columns, 88 at most"),
    "a long line on a slide": (
        'rename("orders")',
        'rename("orders")  # a comment of some length',
        "has 78 columns, 70 at most",
    ),
    "an answer read by a later cell": (
        "\nimport pandas as pd\n\nfrom crmkit import shipped",
        "\nspend\n\n",
        "reads spend",
    ),
    "an answer read in a query": ("\norders\n", '\norders.query("amount in @spend")\n', "cell 'data': it reads spend"),
    "an answer read by the next solution": ("figure=1 / 2", "figure=len(spend)", "cell '9.1-2': it reads spend"),
    "an answer set by another cell": ("\norders\n", "\nspend = 3\n", "it sets spend, which a student sets"),
    "a name only a solution makes": (
        "my_roles)\n",
        "my_roles, by_customer)\n",
        "it reads by_customer, which a student",
    ),
    "a name only a trainer's cell makes": (
        "\norders\n",
        '\nsecret\n\n# %% key="x" tags=["instructor"]\nsecret = 1\n',
        "it reads secret, which the trainer's edition sets in cell 'x'",
    ),
    "a task without the variable": ("Set `spend` to", "Set spend to", "name the answer variable in backticks: `spend`"),
    "no task": ('key="9.1-1-task"', 'key="money"', "a markdown cell with the key 9.1-1-task must come before it"),
    "no check": ('key="9.1-1-check" tags=["check"]', 'key="money"', "code cell with the key 9.1-1-check must come"),
    "a check of another exercise": ('check("9.1-1")', 'check("9.1-2")', 'is check("9.1-1") and nothing else'),
    "a check that does more": ('check("9.1-1")', 'print(1)\ncheck("9.1-1")', "and nothing else"),
    "a check without its tag": ('key="9.1-1-check" tags=["check"]', 'key="9.1-1-check"', "has the tag check"),
    "a check somewhere else": ("\norders\n", '\ncheck("9.1-1")\n', "check(…) is called only in a cell with the tag"),
    "a solution that sets nothing": ("spend = by_customer", "result = by_customer", "the solution does not set its"),
    "a solution without its variable": (' answers="spend"', "", 'a solution is a code cell with answers="name"'),
    "a solution with another number": ('key="9.1-1" tags', 'key="9.2-1" tags', "a solution's key is the exercise's"),
    "a task without a solution": ('key="claim"', 'key="9.1-7-task"', "it belongs to no exercise"),
    "no own-data cell": ('tags=["own-data"]', "", "one code cell has the tag own-data, not 0"),
    "own data in two lines": ('my_roles = "roles.toml"', 'my_roles = (\n    "x"\n)', "one line `my_roles = …`"),
    "own data without an import": ("\nfrom crmkit import shipped\n", "\n", "import or make shipped in it"),
    "own data that ignores the roles": (" > 0, my_roles)", " > 0)", "it must use both my_file and my_roles"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_lesson_is_refused_in_words(name, tree, source):
    old, new, words = BROKEN[name]
    found = faults(tree, source, old, new)
    assert words in found
    assert all(line.startswith("lessons/9_testing/9_1_fixture.py, ") for line in found.splitlines())


@pytest.mark.parametrize("name", ["9_0_introduction.py", "9_9_take_away.py"])
def test_the_pages_that_open_and_close_a_part_need_only_a_question(name, tree, source):
    (tree.lessons()[0]).unlink()
    head = source.split('# %% [markdown] key="remember"')[0]
    head = head.replace("data: [three orders]", "data: []").replace("exercise_minutes: 30", "exercise_minutes: 0")
    assert faults(tree, head, name=name) == ""
    assert "no cell has the tag 'question'" in faults(tree, head, ' tags=["question"]', "", name)
    tree.lessons()[0].unlink()
    assert "no cell has the tag 'own-data'" in faults(tree, head)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("9_testing/rfm.py", "# %%\n", "name a lesson like 2_segmentation/2_3_rfm.py"),
        ("8_testing/9_1_x.py", "# %%\n", "name a lesson like"),
        ("9_testing/9_2_x.py", "# %%\n1\n", "must begin with front matter"),
        ("9_testing/9_2_x.py", "# ---\n# jupyter: [\n# ---\n", "the front matter cannot be read"),
        ("9_testing/9_2_x.py", "# ---\n# title: x\n# ---\n", "the front matter cannot be read"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused(name, text, words, tmp_path):
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        grammar.read(path)


def test_faults_between_lessons(tree, source):
    other = tree.root / "lessons" / "9_testing" / "9_1_again.py"
    other.write_text(source.replace("part: Testing", "part: Proving"))
    found = "\n".join(grammar.course_violations([grammar.read(path) for path in tree.lessons()]))
    assert "9.1 is the number of 2 files" in found
    assert "call the part Proving and Testing; choose one" in found


def test_lessons_come_in_the_order_of_the_course(tmp_path):
    for name in ("2_b/2_10_x.py", "10_c/10_1_x.py", "2_b/2_9_x.py", "1_a/1_1_x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in grammar.sources(tmp_path)] == ["1_1_x.py", "2_9_x.py", "2_10_x.py", "10_1_x.py"]


def test_exercises_are_counted_without_reading_all_cells(tree):
    assert grammar.exercise_ids(tree.lessons()[0]) == ["9.1-1", "9.1-2"]


def test_the_own_data_cell_runs_alone_on_another_file(tree, tmp_path):
    (cell,) = (cell for cell in grammar.read(tree.lessons()[0]).cells if cell.key == "own-data")
    other = tmp_path / "mine, 'quoted'.csv"
    other.write_text("a\n")
    code = grammar.with_own_data(cell.source, other, "other.toml")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False other.toml\n", done.stderr
    assert shipped.folder("docs").is_dir()
