"""The student's copy: new lessons arrive, untouched ones follow the course, and no work is ever lost."""

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit.classroom import copies
from crmkit.errors import InputError

TODAY = datetime.date(2026, 11, 23)
RFM = "2_segmentation/2_3_rfm.ipynb"


def write(path: Path, *sources: str, **more) -> Path:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for n, text in enumerate(sources)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": more, "nbformat": 4, "nbformat_minor": 5}))
    return path


def change(path: Path, edit) -> None:
    notebook = json.loads(path.read_text())
    edit(notebook)
    path.write_text(json.dumps(notebook, indent=1))


@pytest.fixture
def course(tmp_path) -> Path:
    """A course of two lessons as it ships."""
    write(tmp_path / "notebooks" / RFM, "scores = ...", 'check("2.3-1")')
    write(tmp_path / "notebooks/2_segmentation/2_0_introduction.ipynb", "1 + 1")
    (tmp_path / "notebooks/START.md").write_text("# the course")
    return tmp_path / "notebooks"


@pytest.fixture
def mine(tmp_path, course) -> Path:
    """The student's folder after the first start."""
    copies.bring(course, tmp_path / "my_course")
    return tmp_path / "my_course"


def test_the_first_start_copies_every_lesson_and_leaves_the_start_page_to_progress(course, tmp_path):
    done = copies.bring(course, tmp_path / "my_course")
    assert done.added == ["2_segmentation/2_0_introduction.ipynb", RFM]
    assert (tmp_path / "my_course" / RFM).read_bytes() == (course / RFM).read_bytes()
    assert not (tmp_path / "my_course/START.md").exists()
    assert str(done) == "2 new: 2.0, 2.3."


def test_a_second_start_changes_nothing_and_says_so(course, mine):
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")}
    done = copies.bring(course, mine)
    assert (len(done.current), done.added, done.refreshed, done.kept) == (2, [], [], [])
    assert {path: path.stat().st_mtime_ns for path in mine.rglob("*.ipynb")} == before
    assert str(done) == "The lessons are up to date."


def test_a_lesson_nobody_touched_follows_the_course(course, mine):
    write(course / RFM, "better = ...")
    assert copies.bring(course, mine).refreshed == [RFM]
    assert (mine / RFM).read_bytes() == (course / RFM).read_bytes()


def test_a_change_of_metadata_alone_reaches_the_student_too(course, mine):
    change(course / RFM, lambda notebook: notebook["metadata"].update(lesson="2.3"))
    assert copies.bring(course, mine).refreshed == [RFM]


def ran(notebook):
    notebook["cells"][0] |= {
        "execution_count": 7,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
    }


def empty_cell_below(notebook):
    notebook["cells"].append(
        {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    )


def sources_as_lists_with_spaces(notebook):
    for cell in notebook["cells"]:
        cell["source"] = [line + "  \r\n" for line in cell["source"].splitlines()]


def widget_state(notebook):
    notebook["metadata"]["widgets"] = {"state": {}}


@pytest.mark.parametrize("edit", [ran, empty_cell_below, sources_as_lists_with_spaces, widget_state])
def test_what_jupyter_writes_by_itself_is_not_the_students_work(course, mine, edit):
    change(mine / RFM, edit)
    write(course / RFM, "better = ...")
    assert copies.bring(course, mine).refreshed == [RFM]


def answered(notebook):
    notebook["cells"][0]["source"] = "scores = 3"


def note_added(notebook):
    notebook["cells"].insert(1, {"cell_type": "markdown", "metadata": {}, "source": "my note"})


def cell_deleted(notebook):
    del notebook["cells"][1]


def cells_moved(notebook):
    notebook["cells"].reverse()


def kind_changed(notebook):
    notebook["cells"][0]["cell_type"] = "markdown"


@pytest.mark.parametrize("edit", [answered, note_added, cell_deleted, cells_moved, kind_changed])
def test_what_the_student_wrote_is_kept_and_told(course, mine, edit):
    change(mine / RFM, edit)
    work = (mine / RFM).read_bytes()
    assert copies.bring(course, mine).kept == []  # the course has nothing newer: nothing to tell
    write(course / RFM, "better = ...")
    done = copies.bring(course, mine)
    assert done.kept == [RFM]
    assert (mine / RFM).read_bytes() == work
    assert "kept as you left it" in str(done)
    assert "2.3" in str(done)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"a": 1}', "null", "\x00\xff", f'{{"{RFM}": "x"}}', None])
def test_a_lost_or_broken_record_costs_no_work(course, mine, broken):
    record = mine / copies.OWN / "copies.json"
    record.unlink() if broken is None else record.write_text(broken, encoding="latin-1")
    change(mine / RFM, answered)
    work = (mine / RFM).read_bytes()
    write(course / RFM, "better = ...")
    write(course / "2_segmentation/2_0_introduction.ipynb", "2 + 2")
    done = copies.bring(course, mine)
    assert (mine / RFM).read_bytes() == work
    assert set(done.kept) == {RFM, "2_segmentation/2_0_introduction.ipynb"}  # the second too: it cannot be known


def test_after_a_lost_record_files_like_the_courses_are_followed_again(course, mine):
    (mine / copies.OWN / "copies.json").unlink()
    assert copies.bring(course, mine).kept == []
    write(course / RFM, "better = ...")
    assert copies.bring(course, mine).refreshed == [RFM]


@pytest.mark.parametrize("content", [b"", b"{not json", b"[]", b'{"cells": [{"cell_type": "code"}]}', b'{"cells": 3}'])
def test_a_notebook_that_cannot_be_read_is_kept(course, mine, content):
    (mine / RFM).write_bytes(content)
    write(course / RFM, "better = ...")
    assert copies.bring(course, mine).kept == [RFM]
    assert (mine / RFM).read_bytes() == content


def test_a_deleted_lesson_comes_back_and_a_renamed_one_stays(course, mine):
    change(mine / RFM, answered)
    (mine / RFM).rename(mine / "2_segmentation/my rfm.ipynb")
    work = (mine / "2_segmentation/my rfm.ipynb").read_bytes()
    assert copies.bring(course, mine).added == [RFM]
    assert (mine / "2_segmentation/my rfm.ipynb").read_bytes() == work


def test_new_lessons_are_added_beside_old_ones(course, mine):
    write(course / "1_lifecycle/1_1_stages.ipynb", "x")
    assert copies.bring(course, mine).added == ["1_lifecycle/1_1_stages.ipynb"]


def test_a_picture_of_the_course_is_followed_by_its_bytes(course, mine):
    (course / "2_segmentation/map.svg").write_bytes(b"<svg/>")
    assert copies.bring(course, mine).added == ["2_segmentation/map.svg"]
    (course / "2_segmentation/map.svg").write_bytes(b"<svg></svg>")
    assert copies.bring(course, mine).refreshed == ["2_segmentation/map.svg"]


def test_a_copy_that_breaks_off_leaves_the_old_file_whole(course, mine, monkeypatch):
    write(course / RFM, "better = ...")
    before = (mine / RFM).read_bytes()

    def disk_full(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(OSError, match="No space"):
        copies.bring(course, mine)
    monkeypatch.undo()
    assert (mine / RFM).read_bytes() == before
    assert copies.bring(course, mine).refreshed == [RFM]


@pytest.mark.parametrize("name", ["2.3", "2_3", "2_3_rfm", "2_3_rfm.ipynb", RFM])
def test_renew_keeps_the_old_file_dated_and_puts_a_fresh_one(course, mine, name):
    change(mine / RFM, answered)
    work = (mine / RFM).read_bytes()
    fresh, kept = copies.renew(course, mine, name, TODAY)
    assert kept == mine / "2_segmentation/2_3_rfm.2026-11-23.ipynb"
    assert kept.read_bytes() == work
    assert fresh.read_bytes() == (course / RFM).read_bytes()


def test_renew_never_writes_over_an_earlier_kept_file(course, mine):
    works = []
    for answer in ("first", "second", "third"):
        write(mine / RFM, answer)
        works.append((mine / RFM).read_bytes())
        copies.renew(course, mine, "2.3", TODAY)
    names = ["2_3_rfm.2026-11-23.ipynb", "2_3_rfm.2026-11-23.2.ipynb", "2_3_rfm.2026-11-23.3.ipynb"]
    assert [(mine / "2_segmentation" / name).read_bytes() for name in names] == works


def test_renew_of_a_lesson_that_is_not_there_names_the_near_ones(course, mine):
    with pytest.raises(InputError, match=r"'2.33' is not a lesson.*2.0, 2.3.*Did you mean '2.3'"):
        copies.renew(course, mine, "2.33", TODAY)


def test_without_notebooks_the_kit_says_so(tmp_path):
    with pytest.raises(InputError, match="no notebooks"):
        copies.bring(tmp_path / "nothing", tmp_path / "my_course")


sources = st.lists(st.sampled_from(["", "a", "b", "a\n", "x = 1  ", "x = 1"]), max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=sources, student=sources, second=sources, record_lost=st.booleans())
def test_whatever_happens_work_is_kept(tmp_path_factory, first, student, second, record_lost):
    """Work is lost only if the file had the sources the student got, or those the course now has."""
    root = tmp_path_factory.mktemp("course")
    shipped, own = root / "notebooks", root / "mine"
    write(shipped / "2_3_rfm.ipynb", *first)
    got = copies.fingerprint(shipped / "2_3_rfm.ipynb")
    copies.bring(shipped, own)
    write(own / "2_3_rfm.ipynb", *student)
    work, written = (own / "2_3_rfm.ipynb").read_bytes(), copies.fingerprint(own / "2_3_rfm.ipynb")
    write(shipped / "2_3_rfm.ipynb", *second)
    if record_lost:
        (own / copies.OWN / "copies.json").unlink()
    copies.bring(shipped, own)
    if written != got or record_lost:
        assert (own / "2_3_rfm.ipynb").read_bytes() == work
    else:
        assert copies.fingerprint(own / "2_3_rfm.ipynb") == copies.fingerprint(shipped / "2_3_rfm.ipynb")
