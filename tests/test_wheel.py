"""The wheel carries the course: installed outside the checkout, the commands work in an empty folder."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from running_lab import RunningLab, free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built offline, without isolation, as `make` does."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel without its dependencies in a folder of its own; the other packages are this environment's."""
    site = tmp_path_factory.mktemp("site")
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    words = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run([*words, "--target", str(site), str(wheel)], check=True)
    return site


@pytest.fixture
def environment(installed) -> dict[str, str]:
    return {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}


def crmkit(*words: str) -> list[str]:
    return [sys.executable, "-m", "crmkit.cli", *words]


def test_the_wheel_holds_the_course_and_nothing_of_the_workshop(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    rooms = {name.split("/")[0] for name in names}
    assert rooms == {"crmkit", next(room for room in rooms if room.endswith(".dist-info"))}
    for needed in (
        "crmkit/_shipped/notebooks/2_segmentation/2_3_rfm.ipynb",
        "crmkit/_shipped/solutions/2_segmentation/2_3_rfm.ipynb",
        "crmkit/_shipped/lessons/2_segmentation/2_3_rfm.py",
        "crmkit/_shipped/datasets/ten_customers/orders.csv",
        "crmkit/_shipped/docs/glossary.csv",
        "crmkit/segmentation/maps/ten_segments.toml",
    ):
        assert needed in names
    assert [name for name in names if "my_course" in name or "__pycache__" in name or ".crmkit" in name] == []
    assert wheel.stat().st_size < 20_000_000


def test_the_course_opens_in_an_empty_folder(environment, installed, tmp_path):
    with RunningLab(crmkit("lab", "--no-browser", "--port", str(free_port())), tmp_path, **environment) as lab:
        assert "JupyterLab" in lab.page(lab.path.rstrip("?"))
        assert [path.name for path in tmp_path.iterdir()] == ["my_course"]
        assert (tmp_path / "my_course/2_segmentation/2_3_rfm.ipynb").is_file()
        assert "2_segmentation/2_3_rfm.ipynb" in (tmp_path / "my_course/START.md").read_text(encoding="utf-8")
        code = "import crmkit; from crmkit import datasets; print(crmkit.__file__, len(datasets.load('ten_customers').customers))"
        assert lab.printed(code).split() == [str(installed / "crmkit/__init__.py"), "10"]
        assert lab.stop(signal.SIGTERM) == (0, [])


def test_the_catalogue_and_a_report_in_an_empty_folder(environment, tmp_path):
    def run(*words: str) -> str:
        done = subprocess.run(
            crmkit(*words), cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "ten_customers" in run("datasets")
    rows = [f"c{n % 7},2026-{1 + n % 6:02d}-{1 + n % 28:02d},{5 + n}.50" for n in range(60)]
    (tmp_path / "orders.csv").write_text("\n".join(["member_no,paid_at,total", *rows]) + "\n")
    roles = ["--customer-id", "member_no", "--ordered-at", "paid_at", "--amount", "total"]
    assert "2,100.00" in run("check-data", "orders.csv", *roles)
    run("report", "rfm", "orders.csv", *roles, "--out", "report")
    made = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"rfm_report.html", "rfm_report.ipynb", "action_list.csv", "action_list.xlsx"} <= made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv", "report"]
