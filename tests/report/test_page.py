"""The page: self-contained, without code, and readable by those who cannot see pictures."""

import matplotlib.pyplot as plt
import nbformat
import pytest

from crmkit.errors import CrmkitError
from crmkit.report import page
from crmkit.report.page import Picture


def executed(*outputs, source="secret_code()"):
    code = nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1)
    note = nbformat.v4.new_markdown_cell("only for the analyst", metadata={"tags": ["notebook-only"]})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## A heading with 5 $ and $x$"), note, code])


def shown(data, metadata=None, kind="display_data"):
    return nbformat.v4.new_output(kind, data=data, metadata=metadata or {})


def test_the_page_has_html_and_pictures_and_leaves_the_rest_to_the_notebook(tmp_path):
    axes = plt.subplots()[1]
    axes.alt_text = 'Sales "rose" <fast>'
    data, metadata = Picture(axes)._repr_mimebundle_()
    notebook = executed(
        shown({"text/html": "<p>a paragraph</p>", "text/plain": "<HTML object>"}),
        shown(data, metadata),
        shown({"text/plain": "bare value"}),
        nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: noise"),
    )
    page.write(notebook, tmp_path / "p.html", title="T <1>", description='"d"')
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<p>a paragraph</p>" in text
    assert 'src="data:image/png;base64,' in text
    assert "Sales &quot;rose&quot; &lt;fast&gt;" in text or 'Sales "rose" &lt;fast&gt;' in text
    assert "A heading with 5 $ and $x$" in text
    assert "<title>T &lt;1&gt;</title>" in text
    for left_out in ("secret_code", "bare value", "FutureWarning", "only for the analyst", "<HTML object>"):
        assert left_out not in text


def test_a_picture_without_words_is_refused(tmp_path):
    picture = shown({"image/png": "iVBORw0KGgo="}, {})
    with pytest.raises(CrmkitError, match="no alternative text"):
        page.write(executed(picture), tmp_path / "p.html", title="t")


def test_a_picture_closes_its_figure_and_is_the_same_each_time():
    def draw():
        axes = plt.subplots()[1]
        axes.plot([1, 2])
        return Picture(axes, "a line", width=300)

    open_before = plt.get_fignums()
    first, second = draw(), draw()
    assert plt.get_fignums() == open_before
    assert first.png == second.png
    assert first._repr_mimebundle_()[1]["image/png"] == {"alt": "a line", "width": 300}
