"""Running a notebook: its parameters are checked, its errors are told as they were, its file stands alone."""

import sys

import nbformat
import pytest

from crmkit.errors import CrmkitError, InputError
from crmkit.report import notebook

SOURCE = """
# %% key="parameters" tags=["parameters"]
number = 1  # a comment
names = {}

# %% key="work" step="Working"
import crmkit, os, sys
if number == 2:
    raise crmkit.InputError("number=2 is too much; take 1")
if number == 3:
    1 / 0
if number == 4:
    os._exit(1)
print(sys.executable, os.getcwd(), sorted(names.items()))
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    (tmp_path / "small.py").write_text(SOURCE.lstrip(), encoding="utf-8")
    monkeypatch.setattr(notebook, "FOLDER", tmp_path)
    return notebook.load("small")


def test_it_runs_here_with_its_values_and_reruns_as_it_is(small, tmp_path):
    steps = []
    values = {"names": {"ö": '"quoted"\\'}, "number": 7}
    executed = notebook.run(small, values, tmp_path / "done.ipynb", progress=steps.append)
    assert steps == ["Working"]
    assert executed.cells[-1].outputs[0].text == f"{sys.executable} {tmp_path} {sorted(values['names'].items())}\n"
    saved = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    assert [cell.id for cell in saved.cells] == ["parameters", "work"]
    found = {}
    exec(saved.cells[0].source, found)
    assert {name: found[name] for name in values} == values
    assert "papermill" not in (tmp_path / "done.ipynb").read_text()


def test_a_mistyped_parameter_is_refused_before_anything_runs(small, tmp_path):
    with pytest.raises(InputError, match=r"'numbr' is not a parameter .* Did you mean 'number'\?"):
        notebook.run(small, {"numbr": 2}, tmp_path / "done.ipynb")
    assert not (tmp_path / "done.ipynb").exists()


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (2, InputError, r"^number=2 is too much; take 1$"),
        (3, CrmkitError, r"^the report stopped at 'Working' with ZeroDivisionError: division by zero$"),
        (4, CrmkitError, r"stopped at 'Working': its Python process was ended from outside"),
    ],
)
def test_the_error_of_a_cell_is_told_as_it_was_and_the_notebook_kept(small, tmp_path, number, kind, message):
    with pytest.raises(kind, match=message):
        notebook.run(small, {"number": number}, tmp_path / "done.ipynb")
    assert (tmp_path / "done.ipynb").exists()


def test_an_unknown_report_names_those_there_are():
    with pytest.raises(InputError, match=r"no report 'rmf'; there is .*rfm.* Did you mean 'rfm'\?"):
        notebook.load("rmf")
