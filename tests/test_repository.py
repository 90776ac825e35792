"""What must be true of the repository as a whole: its environments, its size, its order."""

import ast
import io
import re
import resource
import subprocess
import sys
import tokenize
import tomllib
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import crmkit

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CARD = ["jupyterlab", "pandas", "seaborn", "lifetimes", "ipywidgets", "nbval"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
#: Folders of the checkout that are not part of the repository: environments, caches, the student's own work.
NOT_OURS = {"__pycache__", "build", "dist", "my_course", "reports"}
KEPT = {".ci", ".gitignore"}

# The plan was 2,500 lines after the first lesson and 8,000 for all; what stands needs more (docs/design.md, last decision). This holds
# it there.
LINES_OF_A_MODULE, LINES_OF_THE_PACKAGE = 450, 23_700


def ours(folder: Path = ROOT) -> list[Path]:
    """Every file of the repository, found without git: a downloaded archive is tested too."""
    files = []
    for entry in sorted(folder.iterdir()):
        hidden = entry.name.startswith(".") and entry.name not in KEPT
        if hidden or entry.name in NOT_OURS or entry.name.endswith(".egg-info"):
            continue
        files += ours(entry) if entry.is_dir() else [entry]
    return files


def modules() -> list[Path]:
    return [path for path in ours(ROOT / "crmkit") if path.suffix == ".py"]


# --- environments -------------------------------------------------------------------------------------------------


def test_environment_yml_is_pyproject_with_the_cards_six_from_conda():
    """Names are the same in conda for these six; the rest comes under pip, so no range can differ unseen."""
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = [line for line in lines if isinstance(line, str)]
    (pip,) = [line["pip"] for line in lines if isinstance(line, dict)]
    wanted = PROJECT["dependencies"]
    assert conda[:2] == [f"python{PROJECT['requires-python']}", "pip"]
    assert [Requirement(line).name for line in conda[2:]] == CARD
    assert conda[2:] + pip == wanted


def test_installed_versions_satisfy_pyproject():
    unmet = [
        f"{wanted} but {metadata.version(wanted.name)}"
        for wanted in map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
        if wanted.name != "crmkit" and not wanted.specifier.contains(metadata.version(wanted.name))
    ]
    assert unmet == []


def locked(name: str) -> list[tuple[Requirement, int]]:
    """The packages of a lock, each with its number of hashes."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().replace("\\\n", " ").strip())
    return [(Requirement(re.split(r"\s--hash|\s+#", entry)[0]), entry.count("--hash=sha256:")) for entry in entries]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_for_every_package_and_no_address(lock):
    text = (ROOT / lock).read_text()
    for address in ("://", "http:", "https:", "index-url", "find-links", "trusted-host", " @ "):
        assert address not in text
    packages = locked(lock)
    assert len(packages) > 100
    assert [str(package) for package, hashes in packages if hashes == 0] == []
    assert [str(p) for p, _ in packages if [s.operator for s in p.specifier] != ["=="]] == []


def test_the_readers_lock_holds_what_pyproject_asks_for_and_no_more():
    lock = {canonicalize_name(package.name): package for package, _ in locked("requirements.lock")}
    for wanted in map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["build"]):
        (version,) = lock[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(version.version), f"{wanted} but the lock has {version}"
    assert {"pyspark", "playwright", "pytest-xdist", "polars"} & set(lock) == set()


def test_the_developers_lock_is_the_readers_with_more():
    readers, developers = ({(str(p), str(p.marker)) for p, _ in locked(lock)} for lock in LOCKS)
    pins = {(Requirement(p).name, str(Requirement(p).specifier)) for p, _ in readers}
    assert pins <= {(Requirement(p).name, str(Requirement(p).specifier)) for p, _ in developers}
    assert {"pyspark", "playwright"} <= {Requirement(p).name for p, _ in developers}


def test_the_test_environment_is_the_developers_lock():
    def here(marker: Marker | None) -> bool:
        return marker is None or marker.evaluate()

    different = [
        f"{package} but {metadata.version(package.name)}"
        for package, _ in locked("requirements-dev.lock")
        if here(package.marker) and not package.specifier.contains(metadata.version(package.name))
    ]
    assert different == []


# --- size and order -----------------------------------------------------------------------------------------------


def test_no_file_is_over_3_mb_and_datasets_stay_under_20_mb():
    sizes = {path.relative_to(ROOT): path.stat().st_size for path in ours()}
    assert {str(path): size for path, size in sizes.items() if size > 3_000_000} == {}
    assert sum(size for path, size in sizes.items() if path.parts[0] == "datasets") <= 20_000_000


def test_no_room_is_a_cupboard():
    cupboards = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [str(path) for path in ours() if cupboards & {path.stem, *path.relative_to(ROOT).parts}] == []


def test_a_module_is_one_topic():
    long = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in modules() if "exercises" not in p.parts}
    assert {path: lines for path, lines in long.items() if lines > LINES_OF_A_MODULE} == {}


def lines_of_code(path: Path) -> int:
    """Lines that do something: without blanks, comments and docstrings."""
    text = path.read_text()
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def test_the_package_stays_small(record_property):
    lines = sum(lines_of_code(path) for path in modules() if "exercises" not in path.parts)
    record_property("lines of the package without exercises", lines)
    assert lines <= LINES_OF_THE_PACKAGE


def test_no_file_names_this_machine_or_a_registry():
    words = ["/work/", "/root/", "/home/", "/tmp/", "/Users/", "C:\\", "../shared", "pypi.org", "pythonhosted"]
    words += ["/simple/", "conda.anaconda", "npmjs", "repo1.maven", "artifactory"]
    found = {}
    for path in set(ours()) - {Path(__file__)}:
        text = path.read_bytes().decode("utf-8", errors="ignore")
        hits = [word for word in words if re.search(rf"(?<![\w.~$}}]){re.escape(word)}", text)]
        if hits:
            found[str(path.relative_to(ROOT))] = hits
    assert found == {}


# --- what a reader meets ------------------------------------------------------------------------------------------


def test_readme_is_one_screen_and_names_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 60
    assert "make lab" in text
    assert "make test" in text


def test_relative_links_in_pages_lead_somewhere():
    dead = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in ours()
        if path.suffix == ".md"
        for link in re.findall(r"\]\(([^)#\s]+)", path.read_text())
        if "://" not in link and not link.startswith("mailto:") and not (path.parent / link).exists()
    ]
    assert dead == []


def cpu(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_import_crmkit_is_light():
    heavy = "{'pandas', 'numpy', 'ibis', 'duckdb', 'seaborn', 'matplotlib', 'ipywidgets', 'typer'}"
    subprocess.run(
        [sys.executable, "-c", f"import sys, crmkit; assert not {heavy} & {{*sys.modules}}, sys.modules"], check=True
    )
    assert min(cpu("import crmkit") for _ in range(3)) - min(cpu("pass") for _ in range(3)) <= 0.3


# --- every public function earns its place ------------------------------------------------------------------------

#: Names that stand in no lesson, report or command YET. This list is empty when an issue is done.
NOT_YET_USED: set[str] = set()


def public(module: ModuleType) -> dict[str, object]:
    """`room.name` of every public function of a room, and of the modules that a room offers by name.

    A class is what a function gives; its methods are not counted.
    """
    found = {}
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            names = getattr(value, "__all__", None) or [
                inner for inner, it in vars(value).items() if getattr(it, "__module__", "") == value.__name__
            ]
            found |= {f"{name}.{inner}": getattr(value, inner) for inner in names if not inner.startswith("_")}
        else:
            found[f"{module.__name__.rpartition('.')[2]}.{name}"] = value
    return {name: value for name, value in found.items() if callable(value) and not isinstance(value, type)}


def used(text: str) -> set[str | int]:
    """What code uses: `rfm.score` by its words, `from crmkit.segmentation.rfm import score` by what it imports."""
    found: set[str | int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            found.add(f"{owner}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crmkit"):
            found |= {id(getattr(import_module(node.module), alias.name, None)) for alias in node.names}
    return found


def test_every_public_function_is_used_by_a_lesson_a_report_or_the_command_line():
    files = list((ROOT / "crmkit").glob("cli*.py"))
    for folder in ("lessons", "crmkit/report", "crmkit/classroom/exercises"):
        files += (ROOT / folder).rglob("*.py")
    somewhere = set().union(*(used(path.read_text()) for path in files))
    offered = {}
    for room in filter(room_stands, crmkit.ROOMS):
        offered |= public(import_module(f"crmkit.{room}"))
    unused = {name for name, value in offered.items() if name not in somewhere and id(value) not in somewhere}
    assert unused - NOT_YET_USED == set()
    assert NOT_YET_USED - unused == set(), "these are used now: take them off the list"


def room_stands(room: str) -> bool:
    """A floor may wait for its lessons (relationship); a room with code offers names."""
    return hasattr(import_module(f"crmkit.{room}"), "__all__")


def test_every_room_with_code_says_what_it_offers():
    silent = [
        room
        for room in crmkit.ROOMS
        if not room_stands(room) and len([*(ROOT / "crmkit" / room).glob("*.py")]) > 1 and room != "report"
    ]
    assert silent == []


def test_make_says_what_is_missing_instead_of_half_an_environment(tmp_path):
    """An old Python ends in a clear line, and nothing is left of the attempt."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), f"PYTHON={old}", f"LAB={tmp_path}/.venv", "lab"],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()
