"""An executed notebook as one HTML page that needs nothing else: no code, no script, no network.

The template is `crmkit/report/templates/crmkit`. Of a cell's outputs the page takes HTML and pictures; printed lines,
warnings and bare values stay in the notebook. A cell tagged "notebook-only" is left out.
"""

import base64
import io
from pathlib import Path
from typing import Any

from crmkit.errors import CrmkitError


class Picture:
    """A plot for a report: sharp on screen and in print, with its text for those who cannot see it.

    `axes` is what a function of `crmkit.show` returns; its figure is closed, so that it is shown once and its memory
    is free. `alt` replaces the text alternative that those functions give (`axes.alt_text`); `width` in CSS pixels
    shows the picture smaller than it was drawn.
    """

    def __init__(self, axes: Any, alt: str = "", *, width: int | None = None, dots_per_inch: int = 144):
        import matplotlib.pyplot as plt

        self.alt = alt or getattr(axes, "alt_text", "")
        # the picture is shown at the size it was drawn for: 80 dots an inch, as on any page of the kit
        self.width = width or round(axes.figure.get_size_inches()[0] * axes.figure.dpi)
        buffer = io.BytesIO()
        axes.figure.savefig(buffer, format="png", dpi=dots_per_inch, metadata={"Software": None})
        plt.close(axes.figure)
        self.png = buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        data = base64.b64encode(self.png).decode("ascii")
        described = {"alt": self.alt, "width": self.width}
        return {"image/png": data, "text/plain": f"<picture: {self.alt}>"}, {"image/png": described}


def write(notebook: Any, path: Path, *, title: str, description: str = "") -> None:
    """Write the page of an executed notebook.

    Raises CrmkitError if a picture has no alternative text: a report is for everybody who has to decide with it.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and not output.metadata.get("image/png", {}).get("alt"):
                raise CrmkitError(f"a picture in cell {cell.id!r} has no alternative text; wrap it in page.Picture(…).")
    config = Config()
    config.HTMLExporter.preprocessors = ["nbconvert.preprocessors.TagRemovePreprocessor"]
    config.TagRemovePreprocessor.remove_cell_tags = ("notebook-only",)
    templates = Path(__file__).parent / "templates"
    exporter = HTMLExporter(
        config=config,
        template_name="crmkit",
        extra_template_basedirs=[str(templates)],
        exclude_anchor_links=True,
        exclude_input=True,
    )
    style = (templates / "crmkit" / "page.css").read_text(encoding="utf-8")
    resources = {"title": title, "description": description, "style": style}
    html, _ = exporter.from_notebook_node(notebook, resources=resources)
    path.write_text(html, encoding="utf-8")
