"""What every figure has in common: size, style, fonts, colours, and the stamp that says which images it shows.

Matplotlib is imported at the place of use, so that asking whether a figure is up to date costs nothing. No pyplot:
nothing global is left behind, and a notebook shows a figure once.
"""

import textwrap
from contextlib import contextmanager
from functools import cache

from helpers.show.files import DPI

WIDTH = 6.5  # inches; printed at 16 cm, so that 7.5 points become 7.3
SMALL = 7.5  # points: the smallest text of any figure

# Okabe and Ito's colours, which the colour-blind tell apart; GOOD and BAD are darkened so that text in them can be
# read.
BLUE, ORANGE, GREEN, RED, SKY, PURPLE, BLACK, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#000000",
    "#666666",
)
GOOD, BAD = "#007A5A", "#C04A00"
CYCLE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)

BANNER = "STAND-IN IMAGES, drawn by this program"
NOTES = {
    "partial": ("part", "part of the official set"),
    "substitute": ("substitute", "substitute for the official set"),
}

STYLE = {
    "text.parse_math": False,  # a class may be called $x$
    "figure.dpi": DPI,
    "font.family": ["DejaVu Sans", "IPAexGothic"],
    "font.size": SMALL,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#444444",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.5,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
}


@contextmanager
def style():
    """Matplotlib's defaults with this project's style on top, for as long as the block lasts; a user's own settings
    play no part.
    """
    import matplotlib.style

    _fonts()
    with matplotlib.style.context(["default", STYLE]):
        yield


def new_figure(height, dataset):
    """An empty, stamped figure of report width; `height` in inches is without the stamp. See `stamp` for `dataset`.

    Beside Matplotlib's methods it has `place`, which adds axes at a place given in inches, and it shows itself in
    JupyterLab.
    """
    return stamp(_figure_class()(figsize=(WIDTH, height), dpi=DPI), dataset)


def stamp(fig, dataset):
    """Say in the lower right corner which data a figure shows, and across the top if they are stand-ins. Returns the
    figure, made higher.

    `dataset` is a record's `dataset` (dict with `label` and `kind`), a label alone, or a list of either.
    """
    entries = [
        _described(one) for one in (dataset if isinstance(dataset, (list, tuple)) else [dataset])
    ]
    labels = list(dict.fromkeys(label for label, _ in entries))
    drawn = list(dict.fromkeys(label for label, stand_in in entries if stand_in))
    banner = BANNER if len(drawn) == len(labels) else f"{BANNER}: {'; '.join(drawn)}"
    foot = textwrap.wrap("; ".join(labels), 100)
    head = textwrap.wrap(banner, 72) if drawn else []
    bottom, top = 0.06 + 0.13 * len(foot), 0.1 + 0.17 * len(head) if head else 0.0
    width, height = fig.get_size_inches()
    height += top + bottom
    fig.set_size_inches(width, height)
    fig.margins = (top, bottom)
    with style():
        fig.text(
            1 - 0.03 / width,
            0.03 / height,
            "\n".join(foot),
            ha="right",
            va="bottom",
            size=SMALL,
            color=GREY,
            linespacing=1.1,
        )
        if head:
            fig.text(
                0.5,
                1 - 0.04 / height,
                "\n".join(head),
                ha="center",
                va="top",
                size=9,
                weight="bold",
                color=BAD,
                linespacing=1.1,
                bbox={"boxstyle": "square,pad=0.2", "facecolor": "#FFF1E0", "edgecolor": BAD},
            )
    if fig.get_layout_engine():
        fig.get_layout_engine().set(
            rect=(0, bottom / height, 1, 1 - (bottom + top) / height), w_pad=0.05, h_pad=0.04
        )
    return fig


def legend_below(fig, handles, labels, columns):
    """A legend between the axes and the stamp, where Matplotlib's own "outside" legend would run into the stamp."""
    width, height = fig.get_size_inches()
    top, bottom = fig.margins
    room = 0.1 + 0.17 * -(-len(handles) // columns)
    fig.legend(
        handles,
        labels,
        loc="lower center",
        bbox_to_anchor=(0.5, bottom / height),
        ncols=columns,
        borderaxespad=0,
        columnspacing=1.6,
        handlelength=2.2,
        labelspacing=0.35,
    )
    fig.get_layout_engine().set(
        rect=(0, (bottom + room) / height, 1, 1 - (bottom + room + top) / height)
    )


def fit(text, width, lines=2):
    """Break a name at blanks, slashes and underscores so that it fits `width` inches at the smallest size; what does
    not fit is cut with an ellipsis.
    """
    room = max(
        2,
        int(width * 72 / (SMALL * (1.0 if any(ord(letter) > 0x2E80 for letter in text) else 0.57))),
    )
    pieces, rows = (
        text.replace("/", "/\0").replace("_", "_\0").replace(" ", " \0").split("\0"),
        [""],
    )
    for piece in pieces:
        if rows[-1] and len(rows[-1]) + len(piece.rstrip()) > room:
            rows.append("")
        rows[-1] += piece
    rows = [row.rstrip() for row in rows]
    if len(rows) > lines:
        rows = [*rows[: lines - 1], "".join(rows[lines - 1 :])]
    return "\n".join(row if len(row) <= room else row[: room - 1] + "…" for row in rows)


def _described(dataset):
    if not isinstance(dataset, dict):
        return str(dataset), "STAND-IN" in str(dataset).upper()
    label, kind = dataset["label"], dataset.get("kind")
    word, note = NOTES.get(kind, ("", ""))
    return (
        label if word in label.lower() else f"{label} ({note})"
    ), kind == "stand-in" or "STAND-IN" in label.upper()


@cache
def _fonts():
    # The font is found without importing its package, which would change Matplotlib's settings for everybody.
    from dataclasses import replace
    from importlib.util import find_spec
    from pathlib import Path

    from matplotlib.font_manager import fontManager

    fontManager.addfont(Path(find_spec("matplotlib_fontja").origin).parent / "fonts" / "ipaexg.ttf")
    # It has no bold: the regular letters stand in, or Matplotlib would say so on every figure.
    fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))


@cache
def _figure_class():
    from matplotlib.figure import Figure

    from helpers.show.files import png

    class Drawing(Figure):
        margins = (0.0, 0.0)  # inches the stamp takes at the top and at the bottom

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, layout="constrained", **options)

        def draw(self, renderer):
            with style():  # ticks are made as late as this
                super().draw(renderer)

        def place(self, left, top, width, height, **options):
            full = self.get_size_inches()
            self.set_layout_engine("none")
            box = (
                left / full[0],
                1 - (self.margins[0] + top + height) / full[1],
                width / full[0],
                height / full[1],
            )
            return self.add_axes(box, **options)

        def sheet(self, height):
            axes = self.place(0, 0, WIDTH, height)
            axes.set(xlim=(0, WIDTH), ylim=(height, 0))
            axes.axis("off")
            return axes

        def _repr_png_(self):
            return png(self), {"width": round(WIDTH * 110)}

    return Drawing
