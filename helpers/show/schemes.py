"""Networks drawn as rows of blocks: how an image becomes the answers. Report."""

import math
import re

from helpers import runs
from helpers.show.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE, WIDTH, canvas, fit
from helpers.show.drawn import figure

KINDS = {  # a part of a layer's name in Keras: what it is called here, its colour and opacity
    "Rescaling": ("image", GREY, 0.2),
    "Conv": ("convolution", BLUE, 0.45),
    "Pooling": ("pooling", GREEN, 0.45),
    "Normalization": ("normalisation", PURPLE, 0.9),
    "Dropout": ("dropout", GREY, 0.9),
    "Dense": ("dense layer", ORANGE, 0.45),
}
LOOKS = {kind: {"facecolor": c, "alpha": a, "linewidth": 0} for kind, c, a in KINDS.values()}
LEFT, RIGHT, ROW, TALL = 1.62, 5.78, 0.395, 0.27  # inches: where blocks stand, heights


@figure
def schemes(records, profile):
    """How an image becomes the answers, one row for each network. The height of a block is the side
    of its maps as a share of the image's, with the side in pixels below; its width grows with their
    number, which a convolution bears. A dense layer grows with its units and bears their number.
    Right: the number of parameters. Networks that differ in the number of classes alone share a
    row.
    """
    distinct = {}
    for record in records.values():
        if "parameter_count" not in record["seeds"][0]:  # a search has no network of its own
            layers = [(layer["layer"], layer["shape"]) for layer in record["layers"][:-1]]
            distinct.setdefault(str(layers), record)
    if not distinct:
        return ""
    height, told = ROW * len(distinct) + 0.42, set()
    body = canvas(height, [record["dataset"] for record in distinct.values()], free=True)
    axes = body.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    right = {"ha": "right", "va": "center"}
    axes.text(WIDTH - 0.06, 0.09, "parameters", color=GREY, **right)
    for row, record in enumerate(distinct.values()):
        middle, title = 0.18 + ROW * row + TALL / 2, record["dataset"]["title"].partition(",")[0]
        name = fit(runs.title(record["run"]), LEFT - 0.1)
        axes.text(0.03, middle, name, va="center", linespacing=1)
        if title not in told and "\n" not in name:
            axes.text(0.03, middle + 0.12, fit(title, LEFT - 0.1, 1), va="center", color=GREY)
        told.add(title)
        axes.text(WIDTH - 0.06, middle, f"{record['parameter_count']:,}", **right)
        _draw(axes, middle, _blocks(record["layers"]))
    from matplotlib.patches import Patch

    signs = [Patch(**look, label=kind) for kind, look in LOOKS.items()]
    look = {"handlelength": 1.2, "columnspacing": 1.4, "ncols": len(KINDS)}
    axes.legend(handles=signs, loc="lower center", **look)
    return body


def _blocks(layers):
    """(kind, height as a share, width in inches, number in it, number below it) of each layer."""
    image = _sides(layers[0])[0]
    tall, shown = 1.0, []
    for layer in layers:
        kind = next((of for part, (of, *_) in KINDS.items() if part in layer["layer"]), None)
        side, *others = _sides(layer)
        if kind in ("normalisation", "dropout"):  # a bar
            shown.append((kind, tall, 0.045, "", ""))
        elif kind and others:
            tall, maps = side / image, others[-1]
            number = str(maps) if kind == "convolution" else ""
            shown.append((kind, tall, max(0.2, 0.16 + 0.02 * math.log2(maps)), number, str(side)))
        elif kind:
            tall = min(1.0, math.log2(side) / 10)
            shown.append((kind, tall, 0.25, str(side), ""))
    return shown


def _sides(layer):
    # [28, 28, 32] of "28 x 28 x 32"; whatever else stands in a record's text is no size.
    known = re.match(r"[1-9]\d*( x [1-9]\d*)*", layer["shape"])
    return [int(side) for side in known[0].split(" x ")] if known else [1]


def _draw(axes, middle, blocks, gap=0.035):
    from matplotlib.patches import Rectangle

    needed = sum(block[2] + gap for block in blocks)
    scale, x = min(1, (RIGHT - LEFT) / needed), LEFT
    axes.plot([LEFT, LEFT + scale * (needed - gap)], [middle] * 2, color=GREY, lw=0.6, zorder=0)
    for kind, tall, wide, number, below in blocks:
        high, wide = max(0.04, tall * TALL), wide * scale
        at, centre = (x, middle - high / 2), x + wide / 2
        axes.add_patch(Rectangle(at, wide, high, facecolor="white", linewidth=0))
        axes.add_patch(Rectangle(at, wide, high, **LOOKS[kind]))
        inside = (middle, "center_baseline") if high > 0.1 else (at[1] - 0.015, "baseline")
        axes.text(centre, inside[0], number, ha="center", va=inside[1])
        axes.text(centre, middle + TALL / 2 + 0.015, below, ha="center", va="top", color=GREY)
        x += wide + gap * scale
