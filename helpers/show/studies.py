"""Figures and tables of studies over several networks or sizes. Notebooks 14 and 15."""

import numpy as np
import pandas as pd

from helpers import runs
from helpers.augmentation import CHANGES, changed
from helpers.show.canvas import BLUE, CYCLE, GREY, RED, about, canvas, legend
from helpers.show.drawn import figure
from helpers.show.exhibits import Table, plain
from helpers.show.pictures import grid
from helpers.show.words import data_named, percent
from helpers.statistics import power_law

NEAREST = "nearest neighbour"
FITTED = 4  # the law is fitted to parts of at most a fourth of all images
AXES = {
    "shift": "Shift, pixels of 28",
    "rotation": "Rotation, degrees",
    "zoom": "Zoom, factor",
    "noise": "Noise, share of the range",
    "blur": "Blur, pixels of 28",
}


@figure
def changes(data, parts, run, profile):
    """{label}: test images of a few classes, as they are, and under each change by two amounts."""
    first = [np.flatnonzero(parts.y_test == label)[:1] for label in range(data.classes)]
    chosen = np.concatenate(first)[:10]
    images, names = [parts.x_test[chosen]], ["as it is"]
    for change, amounts in CHANGES.items():
        nothing = 1 if change == "zoom" else 0
        three = amounts[0], amounts[len(amounts) // 2], amounts[-1]
        for amount in (amount for amount in three if amount != nothing):
            images.append(changed(parts.x_test, change, amount)[chosen])
            names.append(f"{change} {amount:g}")
    body, _ = grid(np.concatenate(images), about(data), len(chosen), rows=names)
    return body, {"label": plain(data.label)}


@figure
def robustness(record):
    """{run}: accuracy on changed test images, by the amount of the change, and last by quarters of
    the test images, from those nearest to a training image to the farthest. Lines are {means}.
    """
    body = canvas(4.0, record["dataset"])
    panels = body.subplots(2, 3, sharey=True).ravel()
    for axes, change in zip(panels, AXES):
        _by_amount(axes, record, change)
    _by_network(panels[-1], record, _quarters(record), "quarter")
    panels[-1].set(xlabel="Quarter, nearest to farthest", xticks=range(1, 5))
    legend(body, 3, runs.network_title)
    return body, {"means": _means(record)}


@figure
def shifted(record):
    """{run}: accuracy on shifted test images, by how far they are shifted. Lines are {means}."""
    body = canvas(1.75, record["dataset"])
    axes = body.subplots()
    _by_amount(axes, record, "shift")
    axes.set_yticks(range(0, 101, 25))
    legend(body, 3, runs.network_title)
    return body, {"means": _means(record)}


def _by_amount(axes, record, change):
    points = pd.concat(pd.DataFrame(seed["points"]) for seed in record["seeds"])
    _by_network(axes, record, points[points["change"] == change], "amount")
    axes.set(xlabel=AXES[change], ylabel="Accuracy, %", ylim=(0, 103))


def _by_network(axes, record, frame, x):
    import seaborn

    networks, colours = record["extra"]["parameters"], [c for c in CYCLE if c != RED]
    # A colour and a marker for each network; red-orange is for what others reported.
    colours = {who: colours[n % 6] for n, who in enumerate(networks)} | {NEAREST: GREY}
    marks = {who: "osD^vP"[n % 6] for n, who in enumerate(networks)} | {NEAREST: "X"}
    look = {"hue": "network", "style": "network", "palette": colours, "markers": marks}
    look |= {"errorbar": ("pi", 100), "err_kws": {"alpha": 0.15, "linewidth": 0}}
    frame = frame.assign(accuracy=100 * frame["accuracy"].astype(float))
    seaborn.lineplot(frame, x=x, y="accuracy", ax=axes, markersize=5, dashes=False, **look)
    axes.grid(axis="y")


def _means(record):
    n = len(record["seeds"])
    means = f"means over {n} seeds, bands reach from the lowest to the highest"
    return means if n > 1 else "single trainings"


def _quarters(record):
    neighbour = {NEAREST: record["extra"]["neighbour_quarters"]}
    shares = pd.DataFrame([*(seed["quarters"] for seed in record["seeds"]), neighbour])
    frame = shares.melt(var_name="network", value_name="accuracy").dropna().explode("accuracy")
    return frame.assign(quarter=1 + frame.groupby(level=0).cumcount())


@figure
def how_many(record):
    """{run}: test error by the number of training images, both axes logarithmic; a point is one
    training. The line is a power law fitted to the blue circles; the band is where 95 % of single
    trainings should lie if it goes on, which the grey squares show.{found}
    """
    frame, law = _errors(record)
    body = canvas(2.7, record["dataset"])
    axes = body.subplots()
    axes.set(xscale="log", yscale="log", xlabel="Training images", ylabel="Test error, %")
    for fitted, marker, colour in ((True, "o", BLUE), (False, "s", GREY)):
        some = frame[frame["fitted"] == fitted]
        axes.plot(some["images"], some["error"], marker, color=colour, markersize=5, zorder=3)
    found = ""
    if law is not None:
        axes.plot(law["images"], law["expected"], color=BLUE)
        axes.fill_between(law["images"], law["low"], law["high"], color=BLUE, alpha=0.15, lw=0)
        inside = promised(record)[1]
        found = f" It holds {inside} of {sum(promised(record))}. By this law twice the images leave"
        found += f" {percent(law.attrs['left'], 0)} of the errors."
    numbers = sorted(frame["images"].unique())
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    low, high = frame["error"].min(), frame["error"].max()
    ticks = [tick for tick in (1, 2, 3, 5, 7, 10, 12, 15, 20, 30, 50, 70) if low <= tick <= high]
    axes.set_yticks(ticks, ticks)
    axes.set_ylim(0.75 * low, 1.3 * high)
    axes.minorticks_off()
    axes.grid()
    return body, {"found": found}


def promised(record):
    """How many of the larger trainings made fewer mistakes than the law fitted to the smaller parts
    promises, as many, and more, by its 95 % band: three counts; all 0 where there is no law."""
    frame, law = _errors(record)
    if law is None:
        return 0, 0, 0
    ends = frame[~frame["fitted"]].merge(law)
    fewer, more = (ends["error"] < ends["low"]).sum(), (ends["error"] > ends["high"]).sum()
    return int(fewer), int(len(ends) - fewer - more), int(more)


def twins(records):
    """The share of test images with a twin by the size at which the images are compared."""
    rows = []
    for record in records.values():
        sizes, shares = zip(*record["extra"]["twins"].items())
        shown = [percent(share, 1) for share in (shares[0], shares[1], shares[-1])]
        rows.append([record["dataset"]["title"], max(map(int, sizes)), *shown])
    head = ["Data", "Pixels a side", "at 14 pixels", "at 32 or 28", "at full size"]
    note = "A twin is an image that the networks learn from, nearer than `twin_distance` (0.03 of "
    note += "the pixel range if a run says no other), both averaged down to so many pixels a side; "
    note += f"smaller images agree more easily. {data_named(records.values())}"
    caption = "The share of test images with a twin, by the size at which they are compared."
    return Table(pd.DataFrame(rows, columns=head), caption, "tbl-twin-sizes", note=note)


def _errors(record):
    # A row for each seed and size, errors in percent; and the law at each size, None for too few.
    rows = [{"seed": s["seed"], **point} for s in record["seeds"] for point in s["points"]]
    frame = pd.DataFrame(rows).sort_values(["images", "seed"])
    # Half an image where none is wrong, which has a logarithm.
    error = np.maximum(1 - frame["test_accuracy"], 0.5 / record["dataset"]["test"])
    frame = frame.assign(error=100 * error, fitted=frame["images"] * FITTED <= max(frame["images"]))
    fitted = frame[frame["fitted"]]
    if fitted["images"].nunique() < 2 or len(fitted) < 3:
        return frame, None
    sizes = np.unique(frame["images"])
    slope, expected, low, high = power_law(fitted["images"], fitted["error"], sizes)
    law = pd.DataFrame({"images": sizes, "expected": expected, "low": low, "high": high})
    law["high"] = law["high"].clip(upper=100)
    law.attrs["left"] = 2**slope
    return frame, law
