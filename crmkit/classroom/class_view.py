"""`crmkit class`: which exercises and which mistakes were common, so that the next hour can start there.

No student is named: the picture and the page can be shown to the class.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from crmkit import escape
from crmkit.errors import ColumnError, InputError

#: Result as in the table of grades → colour of the house palette, pattern and words.
_SHOWN = {
    "right": ("blue", "", "right"),
    "wrong": ("vermillion", "//", "wrong"),
    "not run": ("purple", "xx", "could not be run"),
    "not answered": ("grey", "", "not answered"),
}
_COLUMNS = ["exercise", "students", *_SHOWN, "share_right", "most_common_mistake", "how_often"]


def read(path: Path | str) -> pd.DataFrame:
    """A table of grades as `grading.grade` wrote it; only the rows that were graded.

    Raises InputError if the file is not there, is no such table, or holds nobody.
    """
    path = Path(path)
    try:
        grades = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}; `crmkit grade` writes it.") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{str(path)!r} cannot be read as a table of grades ({type(error).__name__}).") from None
    if "state" not in grades or not _exercises(grades):
        raise ColumnError(f"{str(path)!r} is no table of grades: it has no columns 'state' and '2.3-1 result'.")
    graded = grades[grades["state"] == "graded"]
    if graded.empty:
        raise InputError(f"in {str(path)!r} nobody was graded ({len(grades)} rows); see its column 'reason'.")
    return graded


def by_exercise(grades: pd.DataFrame) -> pd.DataFrame:
    """One row an exercise, in the lesson's order.

    Columns: `exercise`, `students`, how many were `right`, `wrong`, `not run`, `not answered`, `share_right` (of all
    students), `most_common_mistake` in the exercise's own words, `how_often`.
    """
    rows = []
    for name in _exercises(grades):
        counts = grades[f"{name} result"].replace(["failed", "stopped", "not checked"], "not run").value_counts()
        common = mistakes(grades, name)
        most = [common.index[0], int(common.iloc[0])] if len(common) else ["", 0]
        numbers = [int(counts.get(result, 0)) for result in _SHOWN]
        rows.append([name, len(grades), *numbers, numbers[0] / len(grades), *most])
    return pd.DataFrame(rows, columns=_COLUMNS)


def mistakes(grades: pd.DataFrame, exercise: str) -> pd.Series:
    """How often each mistake was made in an exercise, the most common first, in the words that its check uses."""
    words = grades.loc[grades[f"{exercise} result"].isin(["wrong", "failed", "stopped"]), f"{exercise} words"]
    counts = words[words != ""].str.removeprefix("'").rename(None).value_counts()
    return counts.sort_index(kind="stable").sort_values(ascending=False, kind="stable").rename("students")


def picture(table: pd.DataFrame, ax: Any = None) -> Any:
    """The table of `by_exercise` as bars, one an exercise; the title says where to start. Returns Axes."""
    from crmkit.show import style

    with style.house(ax, size=(10, 1.8 + 0.5 * len(table))) as ax:
        left = pd.Series(0.0, table.index)
        for result, (colour, hatch, words) in _SHOWN.items():
            width = table[result] / table["students"] * 100
            look = {"color": style.PALETTE[colour], "hatch": hatch, "edgecolor": "white", "height": 0.72}
            bars = ax.barh(table["exercise"], width, left=left, label=words, **look)
            texts = [str(number) if share >= 4 else "" for number, share in zip(table[result], width, strict=True)]
            ground = {"facecolor": style.PALETTE[colour], "edgecolor": "none", "pad": 1.5} if hatch else None
            ax.bar_label(bars, texts, label_type="center", color=style.ink(style.PALETTE[colour]), bbox=ground)
            left += width
        ax.set(xlabel=f"Share of {style.count(int(table['students'].max()), 'student')}, %", xlim=(0, 100))
        ax.set_ylabel("Exercise")
        ax.invert_yaxis()
        ax.grid(visible=False)
        ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.75 / (0.5 * len(table) + 0.2)), frameon=False)
        told = [f"{row.exercise}: {row.right} right, {row.wrong} wrong" for row in table.itertuples()]
        return style.conclude(ax, conclusion(table), f"Bars by exercise. {'; '.join(told)}")


def conclusion(table: pd.DataFrame) -> str:
    """In one sentence, where the next hour should start."""
    open_ = table[table["share_right"] < 1]
    if open_.empty:
        return "Everybody has everything right: go on to the next lesson"
    wrong = open_["wrong"] + open_["not run"]
    if not wrong.any():
        row = open_.loc[open_["not answered"].idxmax()]
        return (
            f"Nothing is wrong; {row['exercise']} was left open most often ({row['not answered']} of {row['students']})"
        )
    row = open_.loc[wrong.idxmax()]
    return f"Start with {row['exercise']}: {wrong.max()} of {row['students']} students went wrong there"


def write(path: Path | str, out: Path | str | None = None) -> str:
    """Write `class.html`, `class.png` and `class.csv` into `out` (beside the grades unless told); returns what to say."""
    import matplotlib.pyplot as plt

    from crmkit.classroom import pages

    grades, folder = read(path), Path(out) if out else Path(path).parent
    pages.insist_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = by_exercise(grades)
    ax = picture(table)
    ax.figure.savefig(folder / "class.png", dpi=144)
    pages.write(folder / "class.html", _page(grades, table, ax))
    plt.close(ax.figure)
    escape.cells(table).to_csv(folder / "class.csv", index=False, encoding="utf-8-sig", lineterminator="\n")
    lines = [conclusion(table) + "."]
    worst = table[table["how_often"] > 0].sort_values("how_often", ascending=False, kind="stable").head(3)
    lines += [f"  {row.exercise}, {row.how_often} students: {row.most_common_mistake}" for row in worst.itertuples()]
    return "\n".join([*lines, f"Page, picture and table are in {folder}."])


def _page(grades: pd.DataFrame, table: pd.DataFrame, ax: Any) -> str:
    from crmkit.show import style

    rows = []
    for row in table.itertuples():
        common = mistakes(grades, row.exercise).head(5).items()
        items = "".join(f"<li>{number} × {escape.html(words)}</li>" for words, number in common)
        cells = [
            row.exercise,
            row.right,
            row.wrong,
            table.loc[row.Index, "not run"],
            table.loc[row.Index, "not answered"],
        ]
        line = "".join(f"<td>{escape.html(cell)}</td>" for cell in cells)
        rows.append(f"<tr>{line}<td><ul>{items}</ul></td></tr>")
    names = ("Exercise", "Right", "Wrong", "Could not be run", "Not answered", "Most common, in the words of the check")
    look = (
        "body{font:17px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;vertical-align:top;padding:.4rem .8rem;border-bottom:1px solid #ddd}ul{margin:0;padding-left:1rem}"
    )
    head = f"<meta charset='utf-8'><title>The class</title><style>{look}</style>"
    header = "".join(f"<th>{name}</th>" for name in names)
    body = f"<h1>{escape.html(conclusion(table))}</h1><p>{style.count(len(grades), 'student')} graded.</p>"
    body += f"{style.picture(ax)}<table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>\n"


def _exercises(grades: pd.DataFrame) -> list[str]:
    return [name.removesuffix(" result") for name in grades.columns if name.endswith(" result")]
