"""Figures that compare transformations, classes or data sets. Notebooks 04, 06, report."""

import numpy as np

from helpers.show.canvas import BLACK, BLUE, CYCLE, GREY, canvas, fit
from helpers.show.drawn import figure
from helpers.show.words import set_names

LINE = {"color": BLACK, "linestyle": "--", "linewidth": 1.2}


@figure
def transformations(record):
    """{run}: accuracy on test images under one random transformation at a time, worst last;
    thin lines span the seeds.
    """
    import pandas as pd
    import seaborn

    seeds, chance = record["seeds"], record["extra"]["chance"]
    frame = pd.DataFrame([seed["single"] for seed in seeds])
    frame = frame.rename(columns=lambda name: name.replace("_", " "))
    frame["none"] = [seed["test_accuracy"] for seed in seeds]
    frame["all together"] = [seed["transformed"]["test"] for seed in seeds]
    frame, chance = 100 * frame, 100 * chance
    means = frame.mean().sort_values(ascending=False, kind="stable")
    body = canvas(0.24 * len(means) + 0.7, record["dataset"])
    axes = body.subplots()
    look = {"orient": "h", "color": BLUE, "saturation": 1, "width": 0.68, "errorbar": ("pi", 100)}
    look["err_kws"] = {"color": BLACK, "linewidth": 1.4}
    seaborn.barplot(frame, order=means.index, ax=axes, **look)
    for row, mean in enumerate(means):
        axes.text(101, row, f"{mean:.1f}", va="center")
    axes.axvline(chance, label=f"chance: {chance:.1f} %", **LINE)
    axes.set(xlim=(0, 108), xlabel="Accuracy, %", ylabel="")
    axes.legend(loc="lower right", bbox_to_anchor=(0.9, 0))
    return body


@figure
def balance(record):
    """{data}: the share of each class among training images (bars) and test images (points); where
    points leave the bars, training and test differ.
    """
    import seaborn

    names, counts = record["dataset"]["class_names"], record["extra"]["balance"]
    train, test = (100 * np.array(counts[p]) / max(1, sum(counts[p])) for p in ("train", "test"))
    places = np.arange(len(names))
    body = canvas(2.3, record["dataset"])
    axes = body.subplots()
    bars = {"color": BLUE, "saturation": 1, "width": 0.75, "label": "training images"}
    seaborn.barplot(x=places, y=train, ax=axes, **bars)
    axes.plot(places, test, "D", color=BLACK, markersize=3.5, label="test images")
    axes.axhline(100 / len(names), label="equal shares", **LINE)
    axes.set_xticks(places, [fit(name, 5.6 / len(names)) for name in names])
    axes.set(ylabel="Share of images, %", ylim=(0, 1.35 * max(train.max(), test.max())))
    axes.legend(ncols=3, loc="upper right")
    return body


@figure
def distances(audits, distances, profile):
    """How near the nearest training image is: the share of test images (vertical) that have a
    training image nearer than the distance (horizontal). Left of the grey line two images count as
    twins; a curve that rises early belongs to a test that can be passed from memory.

    `distances` is a dict from a run of `audits` to its distances (n,).
    """
    import seaborn

    body = canvas(2.7, [record["dataset"] for record in audits.values()])
    names = set_names(audits.values())
    axes = body.subplots()
    for number, (run, record) in enumerate(audits.items()):
        look = {"color": CYCLE[number % 7], "linestyle": ("-", "--", "-.", ":")[number % 4]}
        values, title = distances[run].astype("float64"), names[record["dataset"]["sha256"]]
        seaborn.ecdfplot(x=values, stat="percent", label=title, ax=axes, **look)
        limit = record["parameters"]["twin_distance"]
    axes.axvline(limit, color=GREY, linewidth=1, label="twins to the left")
    axes.set(xlim=(0, None), ylim=(0, 103), ylabel="Share of test images, %")
    axes.set_xlabel("Root-mean-square difference to the nearest training image, share of the range")
    axes.grid()
    axes.legend(loc="lower right")
    return body
