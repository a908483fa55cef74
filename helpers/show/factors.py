"""What each part of a network and of its training buys. Notebook 13, report."""

import itertools

import numpy as np
import pandas as pd

from helpers import runs
from helpers.show.canvas import BLUE, GREEN, GREY, canvas, fit, legend
from helpers.show.drawn import figure
from helpers.show.exhibits import Table, slug
from helpers.show.words import data_named, spread
from helpers.statistics import holm, paired

ALONE = {"marker": "o", "color": BLUE, "label": "this alone changed"}
CONFOUNDED = {"marker": "D", "color": GREY, "label": "other things too"}
COMPANY = {"marker": "o", "color": BLUE, "label": "beside all others"}
NO_OTHER = {"marker": "^", "color": GREEN, "label": "alone"}


@figure
def bought(record):
    """{run}: what each part adds to the test accuracy and to the gap between training and test
    accuracy, in points, mean over {n} and 95 % interval: circles where all other parts are there,
    triangles where no other is.
    """
    parts = record["extra"]["parts"]
    body = canvas(0.36 * len(parts) + 0.9, record["dataset"])
    titles = {"test_accuracy": "Test accuracy, points", "gap": "Training minus test, points"}
    for axes, (metric, title) in zip(body.subplots(1, 2, sharey=True), titles.items()):
        for row, part in enumerate(parts):
            _draw(axes, row - 0.14, gain(record, part, False, metric), COMPANY)
            _draw(axes, row + 0.14, gain(record, part, True, metric), NO_OTHER)
        axes.axvline(0, color=GREY, linewidth=1, zorder=0)
        axes.set(title=title, yticks=range(len(parts)), yticklabels=parts)
        axes.set_ylim(len(parts) - 0.5, -0.5)
        axes.grid(axis="x")
    legend(body, 2)
    n = len(record["seeds"])
    return body, {"n": f"{n} paired seeds" if n > 1 else "one training"}


def _draw(axes, row, found, look):
    axes.plot(100 * found["difference"], row, markersize=5, linestyle="none", **look)
    if found["low"] is not None:
        ends = (100 * found[end] for end in ("low", "high"))
        axes.hlines(row, *ends, color=look["color"], linewidth=1.2)


def gain(record, part, alone=False, metric="test_accuracy"):
    """What a part adds to a metric, a fraction, where all other parts are there or, `alone`, where
    no other is: `statistics.paired` over the seeds of a study of parts."""
    of = _points(record).pivot(index="seed", columns="variant", values=metric)
    if alone:
        return paired(of[f"only {part}"], of["none"])
    return paired(of["all"], of[f"all but {part}"])


def standing(record):
    """The comparisons of a study of parts that are told from chance at 5 %, corrected for all of
    them (Holm): a set of (part, alone, metric), as `gain` takes them."""
    asked = itertools.product(record["extra"]["parts"], (False, True), ("test_accuracy", "gap"))
    asked = list(asked)
    corrected = holm([gain(record, *one)["p"] for one in asked])
    return {one for one, p in zip(asked, corrected) if p < 0.05}


def variants(record):
    """Every variant of a network: accuracies, gap and negative log-likelihood, best first."""
    rows = []
    for name, some in _points(record).groupby("variant"):
        columns = [some[metric] for metric in ("train_accuracy", "test_accuracy", "gap")]
        shown = [spread(column, 2, 100) for column in columns]
        rows.append([name, *shown, spread(some["nll"], 4), some["test_accuracy"].mean()])
    rows.sort(key=lambda row: (-row.pop(), row[0]))
    n, note = len(record["seeds"]), "Accuracies in percent, their gap in points, NLL: negative "
    note += "log-likelihood of the test images in nats; mean and sample deviation, n = "
    return Table(
        pd.DataFrame(rows, columns=["Variant", "Training", "Test", "Gap", "NLL"]),
        f"{runs.title(record['run'])}: the network with some of its parts, best first.",
        f"tbl-{slug(record['run'])}-variants",
        note=f"{note}{n}. {data_named([record])}",
    )


def _points(record):
    rows = [{"seed": s["seed"], **point} for s in record["seeds"] for point in s["points"]]
    frame = pd.DataFrame(rows)
    return frame.assign(gap=frame["train_accuracy"] - frame["test_accuracy"])


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
