"""What moves an accuracy without a cause, a figure. Notebook 16."""

import numpy as np

from helpers.show.canvas import BLUE, GREY, canvas
from helpers.show.drawn import figure

DRAWN = "other test images"


@figure
def moves(record):
    """{run}: how far the accuracy moves with one thing changed. Each of n points is an accuracy
    minus its mean; the bar reaches one standard deviation to either side, which stands right. First
    three rows: test accuracy of other seeds, of other choices of validation images, and on {images}
    other test images (by chance alone, drawn; the deviation is that of the binomial distribution);
    last: validation accuracy in the last {late} epochs, minus the mean of that training.
    """
    import seaborn

    frame, late = chances(record)
    body = canvas(1.55, record["dataset"])
    axes = body.subplots()
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    look = {"color": BLUE, "size": 4, "alpha": 0.5, "jitter": False}
    seaborn.stripplot(frame, x="moved", y="what", ax=axes, **look)
    found = deviations(record, frame)
    for row, (reach, n) in enumerate(zip(found["deviation"], found["n"])):
        if n > 1:
            axes.barh(row, 2 * reach, 0.7, -reach, color=BLUE, alpha=0.2, zorder=0)
            right = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text(1.01, row, f"± {reach:.2f}  (n = {n})", **right)
    axes.set(xlabel="Accuracy, points around its mean", ylabel="")
    axes.grid(axis="x")
    return body, {"images": f"{record['dataset']['test']:,}", "late": late}


def deviations(record, frame):
    """A frame by what is changed: `deviation` in points, NaN of a single value, and `n`."""
    found = frame.groupby("what", sort=False)["moved"].agg(deviation="std", n="size")
    p = np.mean([seed["test_accuracy"] for seed in record["seeds"]])
    found.loc[DRAWN, "deviation"] = 100 * (p * (1 - p) / record["dataset"]["test"]) ** 0.5
    return found


def chances(record):
    """A frame of accuracies, a row each: `what` is changed, and how far it `moved` in points from
    the mean of its group; and how many epochs count as the last ones, five or as many as the
    second half has, but two."""
    import pandas as pd

    curves = [seed["history"]["val_accuracy"] for seed in record["seeds"]]
    late = max(min(2, len(curves[0])), min(5, len(curves[0]) // 2))
    last = [np.array(curve[-late:]) - np.mean(curve[-late:]) for curve in curves]
    seeds, test = [seed["test_accuracy"] for seed in record["seeds"]], record["dataset"]["test"]
    draws = np.random.default_rng(0).binomial(test, np.mean(seeds), max(10, len(seeds)))
    groups = {
        "another seed": seeds,
        "another split": [seed["other_split"] for seed in record["seeds"]],
        DRAWN: draws / test,
        "another of the last epochs": np.concatenate(last),
    }
    moved = {what: 100 * pd.Series(values - np.mean(values)) for what, values in groups.items()}
    return pd.concat(moved, names=["what"]).rename("moved").reset_index(), late
