"""What moves an accuracy without a cause: a figure and a table. Notebook 16."""

import numpy as np
import pandas as pd

from helpers import runs
from helpers.show.canvas import BLUE, GREY, canvas
from helpers.show.drawn import figure
from helpers.show.exhibits import Table, slug
from helpers.show.words import data_named

DRAWN = "other test images"


@figure
def moves(record):
    """{run}: how far the accuracy moves with one thing changed. Each point is the accuracy
    around the mean of its row; the bar reaches one standard deviation to either side, which stands
    right. First three rows: test accuracy of other seeds, of other choices of validation images,
    and on {images} other test images (by chance alone, drawn); last: validation accuracy in the
    last {late} epochs.
    """
    frame = _moves(record)
    deviations, groups = _deviations(record, frame), list(frame.groupby("what", sort=False))
    body = canvas(1.55, record["dataset"])
    axes = body.subplots()
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    for row, (what, some) in enumerate(groups):
        axes.plot(some["moved"], [row] * len(some), "o", color=BLUE, markersize=4, alpha=0.5)
        if what in deviations:
            reach = deviations[what]
            axes.barh(row, 2 * reach, 0.7, -reach, color=BLUE, alpha=0.2, zorder=0)
            right = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text(1.01, row, f"± {reach:.2f}", **right)
    axes.set_yticks(range(len(groups)), [what for what, _ in groups])
    axes.set(xlabel="Accuracy, points around its mean", ylim=(len(groups) - 0.5, -0.5))
    axes.grid(axis="x")
    return body, {"images": f"{record['dataset']['test']:,}", "late": _late(record)}


def moved(record):
    """The deviations of the four kinds of chance, in points."""
    frame = _moves(record)
    counts = frame["what"].value_counts()
    rows = [
        {
            "What is changed": what,
            "n": None if what == DRAWN else str(counts[what]),
            "Deviation": deviation,
        }
        for what, deviation in _deviations(record, frame).items()
    ]
    title = runs.title(record["run"])
    caption = f"{title}: standard deviation of the accuracy with one thing changed, points."
    note = "Of other test images: the binomial deviation of the mean accuracy, not a simulation. "
    label = f"tbl-{slug(record['run'])}-moved"
    return Table(pd.DataFrame(rows), caption, label, note=note + data_named([record]))


def _deviations(record, frame):
    # In points, by what is changed; of a single value there is none.
    p = np.mean([seed["test_accuracy"] for seed in record["seeds"]])
    known = frame.groupby("what", sort=False)["moved"].std(ddof=1).dropna()
    return {**known, DRAWN: 100 * (p * (1 - p) / record["dataset"]["test"]) ** 0.5}


def _late(record):
    # How many epochs count as the last ones: five, or as many as the second half has, but two.
    epochs = len(record["seeds"][0]["history"]["val_accuracy"])
    return max(min(2, epochs), min(5, epochs // 2))


def _moves(record):
    # Accuracies in points around the mean of their group, a row each.
    seeds, test = record["seeds"], record["dataset"]["test"]
    accuracies = [seed["test_accuracy"] for seed in seeds]
    drawn = np.random.default_rng(0).binomial(test, np.mean(accuracies), max(10, len(seeds))) / test
    late = [
        np.subtract(h, np.mean(h))
        for s in seeds
        for h in [s["history"]["val_accuracy"][-_late(record) :]]
    ]
    groups = {
        "another seed": accuracies,
        "another split": [seed["other_split"] for seed in seeds],
        DRAWN: drawn,
        "another of the last epochs": np.concatenate(late),
    }
    rows = [
        {"what": what, "moved": 100 * (value - np.mean(values))}
        for what, values in groups.items()
        for value in values
    ]
    return pd.DataFrame(rows)
