"""The benchmark of lifetime value compares like with like: both give the same figures for the same customers."""

import warnings

import pytest

from benchmarks import value
from benchmarks.simulate import write_order_lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("benchmark")
    value.write_histories(path / "histories.parquet", 3_000)
    write_order_lines(path / "orders.parquet", 5_000)
    return path


@pytest.mark.parametrize("task", value.TASKS)
def test_a_task_gives_the_same_by_both(task, folder):
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for prepare in (value.TASKS[task].crmkit, value.TASKS[task].lifetimes):
            run, figures = prepare(folder)
            found.append(figures(run()))
    assert value.digits(*found) >= (6 if "Pareto" in task else 9)
    assert all(figure for figure in found[0].values())


def test_digits_count_where_two_differ_most():
    assert value.digits({"a": 1.0, "b": 100.0}, {"a": 1.0, "b": 101.0}) == pytest.approx(2.0, abs=0.01)
    assert value.digits({"a": 5}, {"a": 5}) == 12


def test_the_customers_are_the_same_each_time(folder, tmp_path):
    value.write_histories(tmp_path / "again.parquet", 3_000)
    assert (tmp_path / "again.parquet").read_bytes() == (folder / "histories.parquet").read_bytes()
