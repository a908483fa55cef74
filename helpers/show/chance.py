"""What moves an accuracy without a cause: a figure and a table. Notebook 16."""

import numpy as np
import pandas as pd

from helpers.show.canvas import BLUE, GREY, canvas
from helpers.show.drawn import figure
from helpers.show.exhibits import Table, slug
from helpers.show.words import data_named

LATE = 5  # epochs that count as the last ones


@figure
def moves(record):
    """{run}: how far the accuracy moves with one thing changed. Left three groups: test accuracy of
    other seeds, of other choices of validation images, and of the seeds' networks on {images} other
    test images, by chance alone (drawn); right: validation accuracy of the last {late} epochs, each
    around its own mean.
    """
    import seaborn

    frame = _moves(record)
    body = canvas(2.6, record["dataset"])
    axes = body.subplots()
    look = {"size": 4, "jitter": False, "alpha": 0.6, "color": BLUE}
    seaborn.stripplot(frame, x="what", y="moved", ax=axes, **look)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set(xlabel="", ylabel="Accuracy around its mean, points")
    axes.grid(axis="y")
    return body, {"images": f"{record['dataset']['test']:,}", "late": LATE}


def moved(record):
    """The deviations of the four kinds of chance, in points."""
    frame = _moves(record)
    rows = [
        {"What is changed": what, "n": str(len(some)), "Deviation": some["moved"].std(ddof=1)}
        for what, some in frame.groupby("what", sort=False)
    ]
    rows = [row for row in rows if row["n"] != "1"]
    caption = f"{record['run']}: standard deviation of the accuracy with one thing changed, points."
    note = "Of other test images: the binomial deviation of the mean accuracy, not a simulation. "
    p = np.mean([seed["test_accuracy"] for seed in record["seeds"]])
    for row in rows:
        if row["What is changed"] == "other test images":
            row |= {"n": None, "Deviation": 100 * (p * (1 - p) / record["dataset"]["test"]) ** 0.5}
    label = f"tbl-{slug(record['run'])}-moved"
    return Table(pd.DataFrame(rows), caption, label, note=note + data_named([record]))


def _moves(record):
    # Accuracies in points around the mean of their group, a row each.
    seeds, test = record["seeds"], record["dataset"]["test"]
    accuracies = [seed["test_accuracy"] for seed in seeds]
    drawn = np.random.default_rng(0).binomial(test, np.mean(accuracies), max(10, len(seeds))) / test
    late = [
        np.subtract(h, np.mean(h)) for s in seeds for h in [s["history"]["val_accuracy"][-LATE:]]
    ]
    groups = {
        "another seed": accuracies,
        "another split": [seed["other_split"] for seed in seeds],
        "other test images": drawn,
        "another of the last epochs": np.concatenate(late),
    }
    rows = [
        {"what": what, "moved": 100 * (value - np.mean(values))}
        for what, values in groups.items()
        for value in values
    ]
    return pd.DataFrame(rows)
