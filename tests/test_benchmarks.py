"""The benchmark compares like with like: every peer gives the same customers, occasions and money."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks import peers
from benchmarks.simulate import write_order_lines


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    path = tmp_path_factory.mktemp("benchmark") / "order_lines.parquet"
    write_order_lines(path, rows=5_000)
    return path


@pytest.fixture(scope="module")
def ours(lines) -> pd.DataFrame:
    return result_of("crmkit: read + ledger + summary", lines)


def result_of(peer: str, path) -> pd.DataFrame:
    prepare, work = peers.PEERS[peer]()
    return work(prepare(str(path)))


def test_the_lines_are_the_same_each_time_and_hold_what_makes_a_summary_hard(lines, tmp_path):
    write_order_lines(tmp_path / "again.parquet", rows=5_000)
    assert (tmp_path / "again.parquet").read_bytes() == lines.read_bytes()
    amount = pq.read_table(lines)["amount"].to_numpy()
    assert len(amount) == 5_000
    assert (amount < 0).sum() > 20
    assert (amount == 0).sum() > 20


@pytest.mark.parametrize("peer", ["crmkit: summary", "DuckDB SQL", "polars", "pandas"])
def test_a_peer_gives_all_ten_columns_of_the_summary(peer, lines, ours):
    theirs = result_of(peer, lines)[list(ours.columns)]
    money = ["spend", "mean_order_value", "mean_repeat_value"]
    pd.testing.assert_frame_equal(theirs.drop(columns=money), ours.drop(columns=money), check_dtype=False)
    assert np.allclose(theirs[money], ours[money], rtol=1e-9, atol=1e-9, equal_nan=True)


def test_lifetimes_gives_its_four_columns(lines, ours):
    theirs = result_of("lifetimes", lines)
    pd.testing.assert_frame_equal(theirs[["x", "t_x", "T"]], ours[["x", "t_x", "T"]], check_dtype=False)
    assert np.allclose(theirs.mean_repeat_value, ours.mean_repeat_value.fillna(0))


def test_a_report_that_fails_stops_the_benchmark_with_its_reason(tmp_path):
    from benchmarks import reports

    with pytest.raises(SystemExit, match=r"(?s)rfm failed.*nowhere\.parquet"):
        reports.run("rfm", tmp_path / "nowhere.parquet", tmp_path / "out")
