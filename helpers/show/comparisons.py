"""Figures that compare runs, transformations, classes or data sets. Notebooks 04, 06, report."""

import numpy as np

from helpers.results import comparable, mean_std
from helpers.show.canvas import BLACK, BLUE, CYCLE, GREY, RED, canvas, fit, legend, sign
from helpers.show.drawn import figure
from helpers.show.words import set_names
from helpers.statistics import next_training

RANGE, SAMPLE = {"color": BLUE, "linewidth": 3.2, "alpha": 0.45}, {"color": BLUE, "linewidth": 0.8}
MEAN, HOLLOW = {"marker": "o", "color": BLUE, "markersize": 5}, {"markerfacecolor": "white"}
REPORTED = {"marker": "D", "color": RED, "markersize": 4.5}
LINE = {"color": BLACK, "linestyle": "--", "linewidth": 1.2}


@figure
def reported_measured(records, profile):
    """Test accuracy, reported and measured: mean, range over seeds (thick) and 95 % prediction
    interval for one more training on the same images (thin; of three trainings or more). Hollow
    signs are not to be compared: other data, or a short run.

    A stand-in's accuracy is never shown beside a published one.
    """
    body, groups = _by_data_set(list(records.values()))
    for axes, group in groups:
        for row, record in enumerate(group):
            fill = {} if comparable(record) else HOLLOW
            if interval := next_training(_measured(axes, row, record, fill)):
                axes.hlines(row, *np.clip(interval, 0, 1), **SAMPLE)
            reported = record["reported"].get("test_accuracy")
            if reported is not None and record["dataset"]["kind"] != "stand-in":
                axes.plot(reported, row, **REPORTED | fill)
    signs = [sign("measured, mean", **MEAN), sign("reported", **REPORTED)]
    signs += [sign("range over seeds", "-", **RANGE)]
    signs += [sign("95 % interval for one more training", "-", **SAMPLE)]
    legend(body, [*signs, sign("hollow: not comparable", **MEAN | HOLLOW | {"color": GREY})], 3)
    return body


@figure
def cost(records, profile):
    """Test accuracy against cost: the networks of each data set from the cheapest to the dearest,
    with the multiply-accumulates for one image (k thousands, M millions), and the range over seeds.
    Full signs are the runs that no other beats on both.

    A search has no network of its own and is left out, as is a data set with a single run.
    """
    from matplotlib.ticker import EngFormatter

    def order(record):  # the better one first of those that cost the same
        accuracy = mean_std(record, "test_accuracy")[0]
        return sets.index(record["dataset"]["sha256"]), _macs(record), -accuracy

    shown = [r for r in records.values() if "parameter_count" not in r["seeds"][0]]
    sets = [record["dataset"]["sha256"] for record in shown]
    shown = [record for record in shown if sets.count(record["dataset"]["sha256"]) > 1]
    if not shown:
        return ""
    body, groups = _by_data_set(sorted(shown, key=order))
    number = EngFormatter(places=1, sep=" ")
    for axes, group in groups:
        means = [mean_std(record, "test_accuracy")[0] for record in group]
        for row, record in enumerate(group):
            beaten = row and means[row] <= max(means[:row])
            _measured(axes, row, record, HOLLOW if beaten else {})
        names = [f"{record['run']}  {number(_macs(record))}" for record in group]
        axes.set_yticks(range(len(group)), names)
    signs = sign("better than every cheaper one", **MEAN), sign("not better", **MEAN | HOLLOW)
    legend(body, [*signs, sign("range over seeds", "-", **RANGE)], 3)
    return body


def _by_data_set(records):
    """A canvas with a panel a data set, and (axes, records of that data set) for each."""
    groups, names = {}, set_names(records)
    for record in records:
        groups.setdefault(record["dataset"]["sha256"], []).append(record)
    rows = [len(group) + 0.6 for group in groups.values()]
    body = canvas(0.19 * len(records) + 0.5 * len(groups) + 0.35, [r["dataset"] for r in records])
    panels = body.subplots(len(groups), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axes, (sha256, group) in zip(panels, groups.items()):
        axes.set_yticks(range(len(group)), [record["run"] for record in group])
        axes.set_ylim(len(group) - 0.4, -0.6)
        axes.set_title(names[sha256], pad=3)
        axes.grid(axis="x")
    axes.set_xlabel("Test accuracy")
    return body, list(zip(panels, groups.values()))


def _measured(axes, row, record, fill):
    values = [seed["test_accuracy"] for seed in record["seeds"]]
    axes.hlines(row, min(values), max(values), **RANGE)
    axes.plot(np.mean(values), row, **MEAN | fill)
    return values


def _macs(record):
    return sum(layer["macs"] for layer in record["layers"])


@figure
def transformations(record):
    """{run}: accuracy on test images under one random transformation at a time, worst last; black
    lines span the seeds.
    """
    import pandas as pd
    import seaborn

    seeds, chance = record["seeds"], record["extra"]["chance"]
    frame = pd.DataFrame([seed["single"] for seed in seeds])
    frame = frame.rename(columns=lambda name: name.replace("_", " "))
    frame["none"] = [seed["test_accuracy"] for seed in seeds]
    frame["all together"] = [seed["transformed"]["test"] for seed in seeds]
    means = frame.mean().sort_values(ascending=False, kind="stable")
    body = canvas(0.24 * len(means) + 0.7, record["dataset"])
    axes = body.subplots()
    look = {"orient": "h", "color": BLUE, "saturation": 1, "width": 0.68, "errorbar": ("pi", 100)}
    look["err_kws"] = {"color": BLACK, "linewidth": 1.4}
    seaborn.barplot(frame, order=means.index, ax=axes, **look)
    for row, mean in enumerate(means):
        axes.text(1.01, row, f"{mean:.3f}", va="center")
    axes.axvline(chance, label=f"chance: {chance:.3f}", **LINE)
    axes.set(xlim=(0, 1.08), xlabel="Accuracy", ylabel="")
    axes.legend(loc="lower right", bbox_to_anchor=(0.9, 0))
    return body


@figure
def balance(record):
    """{run}: the share of each class among training images (bars) and test images (points); where
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
    axes.plot(places, test, "D", color=RED, markersize=3.5, label="test images")
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
