"""What each part of a network and of its training buys, a figure of the report."""

import numpy as np

from helpers.show.canvas import BLUE, GREY, canvas, fit, legend
from helpers.show.drawn import figure

ALONE = {"marker": "o", "color": BLUE, "label": "this alone changed"}
CONFOUNDED = {"marker": "D", "color": GREY, "label": "other things too"}


@figure
def forest(steps, profile):
    """What each part buys: test accuracy with it minus without it, in points, mean over n paired
    seeds and 95 % interval for other seeds and other test images (none of a single pair). Blue
    circles: this one thing changed. Grey diamonds: other things changed with it.

    `steps`: dicts with `part`, `what`, `alone`, `n`, `difference` and the ends of its interval,
    fractions, as report/claims.py makes them, and the records `before` and `after`.
    """
    steps = sorted(steps, key=lambda step: [s["part"] for s in steps].index(step["part"]))
    names = [fit(step["what"], 2.5, 3) for step in steps]
    rows, parts = np.cumsum([1 + 0.7 * name.count("\n") for name in names]), set()
    body = canvas(max(1.5, 0.165 * rows[-1] + 0.65), [step["after"]["dataset"] for step in steps])
    axes, places = body.subplots(), rows - np.diff(rows, prepend=0) / 2
    across = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.axvline(0, color=GREY, linewidth=1)
    for row, top, step in zip(places, [0, *rows], steps):
        look = ALONE if step.get("alone") else CONFOUNDED
        ends = [step.get("low_images"), step.get("high_images")]
        ends = [step["low"], step["high"]] if None in ends else ends
        if None not in ends:
            axes.hlines(row, *(100 * end for end in ends), color=look["color"], linewidth=1.2)
        axes.plot(100 * step["difference"], row, markersize=5, linestyle="none", **look)
        axes.text(1.04, row, str(step["n"]), ha="center", **across)
        if step["part"] not in parts:
            axes.axhline(top, color=GREY, linewidth=0.5 if parts else 0)
            axes.text(0.99, row, step["part"], ha="right", color=GREY, zorder=0, **across)
        parts.add(step["part"])
    axes.text(1.04, -0.5, "n", ha="center", color=GREY, **across)
    axes.set_yticks(places, names, linespacing=0.95)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="Test accuracy, points", ylim=(rows[-1], 0))
    axes.grid(axis="x")
    legend(body, 2)
    return body
