"""The frame of every widget: controls above one figure, and a headless twin whose HTML is what the widget shows."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from crmkit.escape import html
from crmkit.show import style
from crmkit.show.cards import block

if TYPE_CHECKING:
    from ipywidgets import VBox


class View:
    """What a widget shows for one setting. A view is a frozen dataclass with `ax` and `text`, and names its `KIND`.

    >>> class Small(View):
    ...     KIND, text = "crmkit-small-view", "2 < 3"
    >>> Small().html(picture=False).endswith("</style><p><b>2 &lt; 3</b></p></div>")
    True
    """

    #: The class of its HTML, to find it on a page.
    KIND: ClassVar[str]
    ax: Axes
    text: str

    def __repr__(self) -> str:
        return self.text

    def html(self, picture: bool = True) -> str:
        """Sentence, picture and what else the view tells as one piece of HTML, to the byte what the widget shows."""
        return block(self._content(style.picture(self.ax) if picture else ""), self.KIND)

    def _repr_html_(self) -> str:
        return self.html(picture=False)  # the notebook shows the figure by itself

    def _content(self, drawn: str) -> str:
        """The HTML around the picture; a view with a table adds it here."""
        return f"<p><b>{html(self.text)}</b></p>{drawn}"


def explorer(
    controls: Sequence[Any],
    view: Callable[[Axes], View],
    kind: type[View],
    size: tuple[float, float] = (9, 5),
    subject: str = "This setting",
) -> "VBox":
    """The controls, and below them what `view` makes of their values, drawn on the Axes it is given.

    `kind` is the class of the views. A setting that cannot be computed shows the message of its error, after `subject`.
    """
    import ipywidgets as widgets

    shown = widgets.HTML()
    with style.applied():
        figure = Figure(
            figsize=size, dpi=style.DPI, layout="constrained"
        )  # one for all updates; pyplot does not show it
    FigureCanvasAgg(figure)

    def update(_: object = None) -> None:
        figure.clear()
        try:
            with style.applied():
                ax = figure.subplots()
            shown.value = view(ax).html()
        except Exception as problem:  # a widget that raises shows nothing: whatever it is, tell it
            words = f'<p role="alert"><b>{subject} does not work:</b> {html(problem)}</p>'
            shown.value = block(words, kind.KIND)

    for control in controls:
        control.observe(update, names="value")
    update()
    return widgets.VBox([*controls, shown])
