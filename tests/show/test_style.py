"""The house style: what every picture has in common."""

import math
from decimal import Decimal

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import rgb_to_hsv, to_rgb

from crmkit import show
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import rfm
from crmkit.show import style


def pictures(scores, segments, cards):
    yield show.rfm_heat_map(scores)
    yield show.rfm_heat_map(scores, "mean spend")
    yield show.rfm_heat_map(segments, "segment")
    yield show.score_distribution(scores, "f")
    yield show.segment_bars(cards)
    yield show.migration(rfm.migration(segments, segments))


def drawn_texts(figure):
    return [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]


def test_every_picture_can_be_read_from_the_last_row(scores, segments, cards):
    """At nine inches wide, no letter is smaller than 12 points, also in ticks that are made while drawing."""
    for ax in pictures(scores, segments, cards):
        ax.figure.canvas.draw()
        assert ax.figure.dpi <= 80
        assert min(text.get_fontsize() for text in drawn_texts(ax.figure)) >= 12
        assert ax.get_xlabel()


def ticks(axis):
    axis.axes.figure.canvas.draw()
    return [text for label in axis.get_ticklabels(which="both") if (text := label.get_text())]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_large_numbers_on_axes_have_their_thousands_told_apart(scale):
    with style.house() as ax:
        ax.plot([100, 40_000_000], [-2_500, 95_000] if scale == "linear" else [20, 80])
        ax.set_xscale(scale)
        ax.set_yscale(scale)
        style.conclude(ax, "A title", "A text.")
    across, up = ticks(ax.xaxis), ticks(ax.yaxis)
    assert "10,000,000" in across
    assert not any(sign in text for text in across + up for sign in ("e", "$", "×"))
    assert "80,000" in up and "0" in up if scale == "linear" else {"20", "60"} <= set(up)


def test_small_numbers_years_and_names_on_axes_stay_as_they_are():
    with style.house() as ax:
        ax.plot([1980, 2020], [0.0125, 0.0175])
        ax.xaxis.set_major_formatter("{x:.0f}")
        style.conclude(ax, "A title", "A text.")
    assert "1990" in ticks(ax.xaxis)
    assert "0.015" in ticks(ax.yaxis)
    with style.house() as ax:
        ax.bar(["1000", "b"], [0.001, 1234])
        style.conclude(ax, "A title", "A text.")
    assert ticks(ax.xaxis) == ["1000", "b"]


def test_every_picture_tells_itself_in_words(scores, segments, cards, title):
    for ax in pictures(scores, segments, cards):
        assert ax.alt_text.startswith(title(ax))
        assert len(ax.alt_text) > len(title(ax)) + 40


def test_the_number_of_every_cell_reads_on_its_colour(scores, segments):
    matrix = rfm.migration(segments, segments.assign(segment=segments["segment"].to_numpy()[::-1]))
    grids = [show.rfm_heat_map(scores), show.rfm_heat_map(segments, "segment"), show.migration(matrix)]
    for ax in grids:
        ax.figure.canvas.draw()
        columns = ax.collections[0].get_array().shape[1]
        grounds = ax.collections[0].get_facecolors()
        for text in ax.texts:
            x, y = text.get_position()
            assert contrast(text.get_color(), grounds[int(y) * columns + int(x)]) > 3, text.get_text()


def contrast(one, other):
    """The contrast of two colours by WCAG 2."""

    def luminance(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_no_text_leaves_the_figure(scores, segments, cards, title):
    for ax in pictures(scores, segments, cards):
        ax.figure.canvas.draw()
        drawn, (width, height) = ax.figure.get_tightbbox(), ax.figure.get_size_inches()
        assert min(drawn.x0, drawn.y0) >= -0.01, title(ax)
        assert drawn.x1 <= width + 0.01, title(ax)
        assert drawn.y1 <= height + 0.01, title(ax)


def test_a_figure_in_another_style_stays_in_that_style(scores):
    with plt.style.context("dark_background"):
        settings = mpl.rcParams.copy()
        figure, (left, right) = plt.subplots(1, 2)
        assert show.rfm_heat_map(scores, ax=left) is left
        assert mpl.rcParams == settings
    assert right.get_title() == ""
    assert len(figure.axes) == 3  # the two and the colour bar


def test_inputs_are_not_touched(scores, segments, cards):
    frames = [scores, segments, cards]
    before = [(frame.copy(deep=True), dict(frame.attrs)) for frame in frames]
    for ax in pictures(scores, segments, cards):
        plt.close(ax.figure)
    for frame, (copy, attrs) in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
        assert frame.attrs == attrs


def test_a_picture_is_one_tag_with_its_words_and_equal_bytes(scores):
    tag, again = (show.style.picture(show.rfm_heat_map(scores)) for _ in range(2))
    assert tag == again
    assert tag.startswith('<img alt="No cell stands out: 3 cells share')
    ax = show.rfm_heat_map(scores)
    ax.alt_text = '"<b>'
    assert show.style.picture(ax).startswith('<img alt="&quot;&lt;b&gt;"')
    assert "http" not in tag


def test_segments_keep_their_colour_whoever_is_there(segments, cards):
    """The colour comes from the place in the map, so an empty segment does not shift the others."""
    everybody = style.segment_colours(list(cards["segment"]))
    few = segments[segments["segment"] == "Champions"]
    legend = show.rfm_heat_map(few, "segment").get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["1 Champions"]
    assert mpl.colors.to_hex(legend.get_patches()[0].get_facecolor()) == everybody["Champions"]


def test_segment_colours_run_from_blue_by_orange_to_grey():
    colours = list(style.segment_colours(range(11)).values())
    assert len(set(colours)) == 11
    hue = [rgb_to_hsv(to_rgb(colour))[0] * 360 for colour in colours]
    assert 190 < hue[0] < 215
    assert 15 < hue[8] < 45
    assert rgb_to_hsv(to_rgb(colours[-1]))[1] < 0.05


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_ink_reads_on_any_ground(colour):
    """At least 3 : 1, what WCAG 2 asks for large text, on every colour there is."""
    ground = mpl.colors.to_hex(colour)
    assert contrast(ground, style.ink(ground)) > 3


@given(st.floats(0, 1))
def test_a_percentage_never_says_none_or_all_unless_it_is_so(share):
    told = style.percent(share)
    assert (told == "0 %") == (share == 0)
    assert (told == "100 %") == (share == 1)
    if told[0] not in "<>":
        assert abs(int(told.removesuffix(" %")) / 100 - share) <= 0.005 + 1e-9


def test_shares_beyond_the_whole_are_told_as_they_are():
    assert [style.percent(share) for share in (-0.153, 1.2, math.nan)] == ["−15 %", "120 %", "–"]


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0, "0"), (-0.001, "0"), (0.5, "0.50"), (99.999, "100"), (-3, "−3"), (1e7, "10,000,000"), (math.inf, "–")],
)
def test_money_is_rounded_and_never_minus_zero(amount, told):
    assert style.money(amount) == told
    assert style.money(Decimal(7), "CNY") == "7 CNY"


@given(st.text(), st.integers(6, 60))
def test_wrapping_loses_nothing_and_fits(text, width):
    lines = style.wrap(text, width).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(style._width(line) <= width or line.endswith("%") for line in lines)


def test_a_figure_and_its_percent_sign_stay_on_one_line():
    assert style.wrap("Champions: 17 % of customers", 15) == "Champions: 17 %\nof customers"
    assert style.wrap("重要价值客户", 6) == "重要价\n值客户"


@pytest.mark.parametrize("family", style.fonts())
def test_fonts_of_the_style_are_on_this_machine(family, caplog):
    mpl.font_manager.findfont(mpl.font_manager.FontProperties(family=family), fallback_to_default=False)
    assert not caplog.records


def test_wrong_tables_are_refused_with_what_to_do(scores, cards):
    with pytest.raises(KindError, match=r"segmentation\.rfm\.score"):
        show.rfm_heat_map(scores["r_score"])
    with pytest.raises(ColumnError, match=r"'f_score' is missing.*segmentation\.rfm\.score"):
        show.rfm_heat_map(scores.drop(columns="f_score"))
    with pytest.raises(InputError, match="0 rows"):
        show.segment_bars(cards.iloc[:0])
    with pytest.raises(KindError, match="matplotlib Axes"):
        show.rfm_heat_map(scores, ax=plt.figure())
