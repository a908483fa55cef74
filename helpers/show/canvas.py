"""What every figure of helpers.show shares: size, style, colours, the stamp that names its images.

Matplotlib is imported at the place of use, so that asking whether a figure is up to date costs
nothing. No pyplot: nothing global is left behind.
"""

import importlib.util
import io
import re
import textwrap
from contextlib import contextmanager
from functools import cache
from pathlib import Path

WIDTH = 6.5  # inches; printed at 16 cm, so that 7.5 points become 7.3
SMALL = 7.5  # points: the smallest text of any figure
DPI = 160

# Okabe and Ito's colours, which the colour-blind tell apart; GOOD and BAD are darkened so that
# text in them can be read.
BLUE, RED, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#666666"
CYCLE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
GOOD, BAD = "#007A5A", "#C04A00"
BANNER = "STAND-IN IMAGES, drawn by this program"
SPARE = {  # what makes an SVG file longer than its drawing needs
    r"^.*?(?=<svg)|<!--.*?-->": "",
    r'<g id="[^"]*"': "<g",
    r"\s+": " ",
    r"(?<=>) (?=<)": "",
    r'(<use [^>]*)transform="translate\((\S+) 0\)"': r'\1x="\2"',
    # points; a scale is smaller than 1 and stays
    r"[1-9]\d*\.\d{3,}": lambda number: f"{float(number[0]):.2f}",
}


@contextmanager
def style():
    """Matplotlib's defaults with figures.mplstyle on top, for as long as the block lasts."""
    import matplotlib.style

    with matplotlib.style.context("default"):
        import matplotlib_fontja  # noqa: F401  (kana; it changes settings that are set right here)

        matplotlib.style.use(Path(__file__).with_name("figures.mplstyle"))
        yield


def canvas(height, datasets, free=False):
    """The part of a new figure that is drawn on, `height` inches high and as wide as the report.

    `datasets`: a dict with `label` and `kind`, as in a record, or a list of them. They are named
    below the drawing, and stand-ins are announced above it. `free`: axes are placed by hand.
    """
    from matplotlib.figure import Figure

    datasets = datasets if isinstance(datasets, list) else [datasets]
    labels = list(dict.fromkeys(dataset["label"] for dataset in datasets))
    drawn = list(dict.fromkeys(d["label"] for d in datasets if d["kind"] == "stand-in"))
    banner = BANNER if len(drawn) == len(labels) else f"{BANNER}: {'; '.join(drawn)}"
    foot = textwrap.wrap(spell("; ".join(labels)), 100)
    head = textwrap.wrap(spell(banner), 72) if drawn else []
    top, bottom = 0.1 * bool(head) + 0.17 * len(head), 0.06 + 0.13 * len(foot)
    size = WIDTH, top + height + bottom
    fig = Figure(figsize=size, dpi=DPI, layout="none" if free else "constrained")
    upper, body, lower = fig.subfigures(3, 1, height_ratios=(top or 0.001, height, bottom))
    lower.text(0.995, 0.1, "\n".join(foot), ha="right", va="bottom", color=GREY, linespacing=1.1)
    if head:
        box = {"boxstyle": "square,pad=0.2", "facecolor": "#FFF1E0", "edgecolor": BAD}
        look = {"ha": "center", "va": "center", "linespacing": 1.1, "color": BAD, "bbox": box}
        upper.text(0.5, 0.5, "\n".join(head), size=9, **look)
    return body


def about(data):
    """What `canvas` asks of a data set that is loaded and has no record yet."""
    return {"label": data.label, "kind": data.kind}


def panels(body, names, columns=5, **options):
    """Small axes under their names, so many in a row; `options` are Matplotlib's of subplots."""
    grid = body.subplots(-(-len(names) // columns), columns, squeeze=False, **options).ravel()
    for axes in grid[len(names) :]:
        axes.remove()
    for axes, name in zip(grid, names):
        axes.set_title(fit(name, 0.86 * WIDTH / columns), size=SMALL, loc="center")
    return grid[: len(names)]


def legend(body, columns, named=str):
    """A legend below all axes of what is labelled in them, each label once, as it is `named`."""
    entries = {}
    for axes in body.axes:
        for drawn, label in zip(*axes.get_legend_handles_labels()):
            entries.setdefault(label, drawn)
        if axes.get_legend():  # seaborn's, in the drawing
            axes.get_legend().remove()
    look = {"columnspacing": 1.6, "handlelength": 2.2, "labelspacing": 0.35}
    look |= {"loc": "outside lower center", "ncols": columns}
    body.legend(entries.values(), map(named, entries), **look)


def fit(text, width, lines=2):
    """A name broken to fit `width` inches at the smallest size; a cut one ends in an ellipsis."""
    text = spell(text)
    wide = any(ord(letter) > 0x2E80 for letter in text)  # kana and kanji are square
    room = max(2, int(width * 72 / (SMALL * (1.0 if wide else 0.57))))
    rows = textwrap.wrap(text.replace("/", "/ "), room) or [""]
    if len(rows) > lines:
        rows[lines - 1 :] = [rows[lines - 1][: room - 1] + "…"]
    return "\n".join(row.replace("/ ", "/") for row in rows)


def kana_folder():
    """The folder of the font that matplotlib-fontja brings, found without importing Matplotlib."""
    package = importlib.util.find_spec("matplotlib_fontja")
    return Path(package.submodule_search_locations[0]) / "fonts"


@cache
def glyphs(font="DejaVuSans"):
    """Code points of all signs in one of Matplotlib's fonts and in the kana font beside it."""
    from fontTools.ttLib import TTFont

    folder = Path(importlib.util.find_spec("matplotlib").submodule_search_locations[0])
    own = folder / "mpl-data" / "fonts" / "ttf" / f"{font}.ttf"
    files = own, kana_folder() / "ipaexg.ttf"
    points = set()
    for path in files:
        with TTFont(path, lazy=True) as known:
            points |= known.getBestCmap().keys()
    return points


def spell(text):
    """A text in which a sign that the figures' fonts lack stands as its code point: U+4EBF."""
    if text.isascii():  # most are, and the fonts need not be opened
        return text
    lacking = {sign for sign in text if ord(sign) not in glyphs()} - {"\n"}
    return text.translate({ord(sign): f"U+{ord(sign):04X}" for sign in lacking})


def spelled(body):
    """Spell out all texts of a figure; whether it shows a code point in place of a sign."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    whole = body.get_figure(root=True)
    for axis in whole.findobj(Axis):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if any(spell(name) != name for name in names):
            axis.set_ticklabels(map(spell, names))
    texts = whole.findobj(Text)
    for text in texts:
        text.set_text(spell(text.get_text()))
    return any(re.search(r"U\+[0-9A-F]{4}", text.get_text()) for text in texts)


def encoded(body):
    """The figure of a `canvas` as a file, and its kind: "svg", sharp at any size, or, where there
    are images in it, "png". The same bytes for the same figure: no date, no program."""
    from matplotlib.image import AxesImage

    fig = body.get_figure(root=True)
    return (_png(fig), "png") if fig.findobj(AxesImage) else (_svg(fig), "svg")


def _png(fig):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    drawn = FigureCanvasAgg(fig)
    drawn.draw()
    image = Image.frombuffer("RGBA", drawn.get_width_height(), drawn.buffer_rgba()).convert("RGB")
    # One byte a pixel makes files of a third of the size, in the PDF too, and the report carries
    # every figure three times.
    buffer, few = io.BytesIO(), {"method": Image.Quantize.MEDIANCUT, "dither": Image.Dither.NONE}
    image.quantize(256, **few).save(buffer, "PNG", dpi=(DPI, DPI), optimize=True)
    return buffer.getvalue()


def _svg(fig):
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer, about = io.BytesIO(), dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(fig).print_svg(buffer, metadata=about)
    text = buffer.getvalue().decode()
    for pattern, replacement in SPARE.items():
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    # Matplotlib's names are hashes of lengths, whose last digits differ between drawings.
    names = re.findall(r' id="([^"]*)"', text)
    short = {name: f"_{number}" for number, name in enumerate(names)}
    text = re.sub(r'(?<=["#])[\w-]+(?=[")])', lambda name: short.get(name[0], name[0]), text)
    return text.encode()
