"""What each part of a network buys: figures and a table. Notebook 13, report."""

import numpy as np
import pandas as pd

from helpers import runs
from helpers.show.canvas import BLUE, GREEN, GREY, canvas, fit, legend, sign
from helpers.show.drawn import figure
from helpers.show.exhibits import Table, slug
from helpers.show.words import data_named, spread
from helpers.statistics import paired

OUT, ALONE = {"marker": "o", "color": BLUE}, {"marker": "^", "color": GREEN}
CONFOUNDED = {"marker": "D", "color": GREY}
LATE = 5  # epochs that count as the last ones


def _points(record):
    rows = [{"seed": s["seed"], **point} for s in record["seeds"] for point in s["points"]]
    frame = pd.DataFrame(rows)
    return frame.assign(gap=frame["train_accuracy"] - frame["test_accuracy"])


def _gains(record, metric):
    """(part, "out" or "alone", what `statistics.paired` says of it in points) for each part."""
    seeds = _points(record).pivot(index="seed", columns="variant", values=metric)
    for part in record["extra"]["parts"]:
        yield part, "out", paired(100 * seeds["all"], 100 * seeds[f"all but {part}"])
        yield part, "alone", paired(100 * seeds[f"only {part}"], 100 * seeds["none"])


@figure
def bought(record):
    """{run}: what each part adds to the test accuracy and to the gap between training and test
    accuracy, in points, mean over {n} and 95 % interval: circles where all other parts are there,
    triangles where no other is.
    """
    parts, n = record["extra"]["parts"], len(record["seeds"])
    body = canvas(0.36 * len(parts) + 0.9, record["dataset"])
    titles = {"test_accuracy": "Test accuracy, points", "gap": "Training minus test, points"}
    for axes, (metric, title) in zip(body.subplots(1, 2, sharey=True), titles.items()):
        for part, how, gain in _gains(record, metric):
            row = parts.index(part) + (-0.14 if how == "out" else 0.14)
            look = OUT if how == "out" else ALONE
            axes.plot(gain["difference"], row, markersize=5, **look)
            if gain["low"] is not None:
                axes.hlines(row, gain["low"], gain["high"], color=look["color"], linewidth=1.2)
        axes.axvline(0, color=GREY, linewidth=1, zorder=0)
        axes.set(title=title, yticks=range(len(parts)), yticklabels=parts)
        axes.set_ylim(len(parts) - 0.5, -0.5)
        axes.grid(axis="x")
    look = {"markersize": 5}
    legend(body, [sign("beside all others", **OUT, **look), sign("alone", **ALONE, **look)], 2)
    return body, {"n": f"{n} paired seeds" if n > 1 else "one training"}


@figure
def forest(steps, profile):
    """What each part buys: test accuracy with it minus without it, in points, mean over n paired
    seeds and 95 % interval for other seeds and other test images (none of a single pair). Blue
    circles: this one thing changed. Grey diamonds: other things changed with it.

    `steps`: dicts with `part`, `what`, `alone`, `n`, `difference` and the ends of its interval,
    fractions, as report/prose/parts.py makes them, and the records `before` and `after`.
    """
    steps = sorted(steps, key=lambda step: [s["part"] for s in steps].index(step["part"]))
    names = [fit(step["what"], 2.5, 3) for step in steps]
    rows, parts = np.cumsum([1 + 0.7 * name.count("\n") for name in names]), set()
    body = canvas(0.165 * rows[-1] + 0.65, [step["after"]["dataset"] for step in steps])
    axes, places = body.subplots(), rows - np.diff(rows, prepend=0) / 2
    across = {"transform": axes.get_yaxis_transform(), "va": "center"}
    axes.axvline(0, color=GREY, linewidth=1)
    for row, top, step in zip(places, [0, *rows], steps):
        look = OUT if step.get("alone") else CONFOUNDED
        ends = [step.get("low_images"), step.get("high_images")]
        ends = [step["low"], step["high"]] if None in ends else ends
        if None not in ends:
            axes.hlines(row, *(100 * end for end in ends), color=look["color"], linewidth=1.2)
        axes.plot(100 * step["difference"], row, markersize=5, **look)
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
    both = sign("this alone changed", **OUT), sign("other things too", **CONFOUNDED)
    legend(body, both, 2)
    return body


def variants(record):
    """Every variant of a network: accuracies, gap and negative log-likelihood, best first."""
    rows = []
    for name, some in _points(record).groupby("variant"):
        accuracies = some[["train_accuracy", "test_accuracy", "gap"]]
        shown = [spread(accuracies[column], 2, 100) for column in accuracies]
        rows.append([name, *shown, spread(some["nll"], 4), some["test_accuracy"].mean()])
    rows.sort(key=lambda row: (-row.pop(), row[0]))
    columns = ["Variant", "Training", "Test", "Gap", "NLL"]
    n = len(record["seeds"])
    return Table(
        pd.DataFrame(rows, columns=columns),
        f"{runs.title(record['run'])}: the network with some of its parts, best first.",
        f"tbl-{slug(record['run'])}-variants",
        note="Accuracies in percent, their gap in points, NLL: negative log-likelihood of the test "
        f"images in nats; mean and deviation, n = {n}. {data_named([record])}",
    )
