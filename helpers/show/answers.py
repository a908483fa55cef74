"""Figures of test answers: confusions, recalls, calibration, the last hidden layer. Notebooks."""

import numpy as np

from helpers import results, statistics
from helpers.show.canvas import BAD, BLUE, CYCLE, GREY, SMALL, WIDTH, canvas, fit, legend
from helpers.show.canvas import panels as small_panels
from helpers.show.drawn import figure
from helpers.show.exhibits import plain
from helpers.show.words import titles

CELLS = {"linewidths": 0.3, "linecolor": "#e6e6e6", "clip_on": False, "annot_kws": {"size": SMALL}}
BEFORE = {"label": "before temperature scaling", "color": GREY, "linestyle": "--", "marker": "s"}
AFTER = {"label": "after", "color": BLUE, "linestyle": "-", "marker": "o"}


@figure
def confusion(record, answers):
    """{run}: what the test images of each class (row) are taken for (column), in percent of the
    class.

    All seeds together. Above 12 classes, classes that are confused with each other stand together,
    and the commonest confusions are named beside.
    """
    import pandas as pd
    import seaborn
    from matplotlib.colors import PowerNorm

    names, read = record["dataset"]["class_names"], np.atleast_2d(answers["y_pred"])
    true = np.tile(answers["y_true"], len(read))
    classes, many = range(len(names)), len(names) > 12
    shares = pd.crosstab(true, read.ravel(), normalize="index")
    percent = 100 * shares.reindex(index=classes, columns=classes, fill_value=0).to_numpy()
    if many:
        order = confusion_order(percent)
        percent, names = percent[np.ix_(order, order)], [names[place] for place in order]
    texts = False if many else np.where(percent < 0.05, "", np.char.mod("%.1f", percent))
    body = canvas(5.6, record["dataset"])
    axes, *beside = body.subplots(1, 1 + many, width_ratios=(5, 1)[: 1 + many], squeeze=False)[0]
    look = {"cmap": "mako_r", "norm": PowerNorm(0.55, 0, 100), "square": True, "cbar": False}
    look |= {"xticklabels": [fit(name, 4.8 / len(names)) for name in names], "fmt": ""}
    look |= {"yticklabels": [fit(name, 0.9, 1) for name in names], "rasterized": many}
    seaborn.heatmap(percent, mask=percent == 0, ax=axes, annot=texts, **look, **CELLS)
    axes.tick_params(length=0, pad=2, rotation=0)
    axes.set(xlabel="Predicted class", ylabel="True class")
    if many:
        _commonest(beside[0], percent, names)
    return body


def confusion_order(percent):
    """Class indices such that confused classes are neighbours; `percent` (true class, read as).

    Average linkage on confusion rates, leaves in their optimal order (Bar-Joseph 2001).
    """
    from scipy.cluster import hierarchy

    distance = 1 - np.sqrt((percent + percent.T) / 200)  # the root lets rare confusions count
    distance = distance[np.triu_indices(len(percent), 1)]
    return hierarchy.leaves_list(hierarchy.linkage(distance, "average", optimal_ordering=True))


def _commonest(axes, percent, names, n=26):
    wrong = percent * (1 - np.eye(len(names)))
    worst = np.argsort(-wrong, axis=None, kind="stable")[:n]
    axes.axis("off")
    axes.text(0, 1, "True → read as", va="top")
    for row, (true, read) in enumerate(zip(*np.unravel_index(worst, wrong.shape))):
        if wrong[true, read]:
            y = 1 - (row + 1.5) / (n + 1.5)
            axes.text(0, y, f"{fit(names[true], 0.3, 1)} → {fit(names[read], 0.3, 1)}", va="top")
            axes.text(1, y, f"{wrong[true, read]:.1f} %", va="top", ha="right", color=BAD)


def recalls(records, profile):
    """The recall of every class (columns) in every run (rows): a list, a figure a data set."""
    sets = {}
    for run, record in records.items():
        sets.setdefault(record["dataset"]["sha256"], {})[run] = record
    return [figure(_recalls, f"recalls-{s[:12]}")(group, profile) for s, group in sets.items()]


def _recalls(records, profile):
    """{label}: the recall of each class, the share of its test images that is named correctly, in
    percent; mean over seeds. Cells that stand out: the classes that a run gets wrong most often.
    """
    import pandas as pd
    import seaborn

    shares, dataset = {}, next(iter(records.values()))["dataset"]
    for run in records:
        y_true, y_pred = map(results.predictions(profile, run).get, ("y_true", "y_pred"))
        seeds = [statistics.recalls(y_true, y, dataset["classes"]) for y in y_pred]
        shares[run] = 100 * np.mean(seeds, axis=0)
    room = WIDTH - 0.3 - 0.065 * max(map(len, titles(records).values()))
    bands = -(-dataset["classes"] // int(room / 0.25))  # so that every number can be read
    columns = -(-dataset["classes"] // bands)
    frame = pd.DataFrame(shares).T.reindex(columns=range(bands * columns))
    frame.index = titles(records).values()
    names = [fit(name, room / columns) for name in dataset["class_names"]] + [""] * columns
    body = canvas(bands * (0.17 * len(records) + 0.4), dataset)
    look = {"cmap": "mako", "vmin": 40, "vmax": 100, "cbar": False, "annot": True}
    look["fmt"] = ".1f" if columns < 16 else ".0f"
    for band, axes in enumerate(body.subplots(bands, 1, squeeze=False)[:, 0]):
        here = slice(band * columns, (band + 1) * columns)
        seaborn.heatmap(frame.iloc[:, here], xticklabels=names[here], ax=axes, **look, **CELLS)
        axes.tick_params(length=0, pad=2, rotation=0)
    return body, {"label": plain(dataset["label"])}


@figure
def reliability(record, answers):
    """{run}: how often the network is right at each confidence, before and after temperature
    scaling.

    Of the first seed, with the expected calibration error (15 bins of equal width, Guo et al.
    2017) and, below, how many images have which confidence.
    """
    body = canvas(4.3, record["dataset"])
    upper, lower = body.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for bins, line in _diagram(upper, answers):
        gaps = (bins["right"] - bins["confidence"]).abs() * bins["images"]
        line.set_label(f"{line.get_label()}: ECE {gaps.sum() / bins['images'].sum():.4f}")
        counts = bins["images"].reindex(range(1, 16)).fillna(0.5)
        look = {"color": line.get_color(), "linestyle": line.get_linestyle(), "baseline": 0.5}
        lower.stairs(counts, np.linspace(0, 100, 16), linewidth=1.3, **look)
    upper.set_ylabel("Share that is right, %")
    upper.legend(loc="upper left")
    lower.set(xlabel="Confidence: probability of the predicted class, %", ylabel="Images")
    lower.set(yscale="log", ylim=(0.5, None))
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.grid(axis="y")
    return body


@figure
def reliabilities(records, profile):
    """How often each network is right at each confidence, before and after temperature scaling.
    Points below the diagonal: too sure of itself. Bins of fewer than ten images are left out.
    """
    body = canvas(1.36 * -(-len(records) // 5) + 0.4, [r["dataset"] for r in records.values()])
    grid = small_panels(body, list(titles(records).values()), sharex=True, sharey=True)
    for axes, run in zip(grid, records):
        _diagram(axes, results.predictions(profile, run), least=10, size=2.5)
        axes.set(xticks=(0, 50, 100), yticks=(0, 50, 100))
    for axes in grid[-5:]:
        axes.set_xlabel("Confidence, %")
        axes.tick_params(labelbottom=True)
    body.supylabel("Share that is right, %", size=8)
    legend(body, 3)
    return body


def calibration_bins(answers, name):
    """Of the first seed, a row a bin of confidence that holds images: how many `images`, their mean
    `confidence`, the share that is `right`."""
    import pandas as pd

    confidence = np.exp(answers[name][0].astype("float32")).astype("float64")
    right = answers["y_pred"][0] == answers["y_true"]
    frame = pd.DataFrame({"confidence": confidence, "right": right})
    bins = frame.groupby(np.ceil(15 * confidence).clip(1, 15).astype(int))
    return bins.mean().assign(images=bins.size())


def _diagram(axes, answers, least=1, size=4.0):
    axes.plot([0, 100], [0, 100], ":", label="perfectly calibrated", color=GREY, linewidth=0.8)
    axes.set(xlim=(0, 102), ylim=(-2, 103))
    axes.grid()
    drawn = []
    for name, look in (("logp_pred", BEFORE), ("logp_pred_scaled", AFTER)):
        bins = calibration_bins(answers, name).query("images >= @least")
        line = axes.plot(100 * bins["confidence"], 100 * bins["right"], markersize=size, **look)[0]
        drawn.append((bins, line))
    return drawn


@figure
def plane(record, images, labels, trained, n=2000):
    """{run}: the first seed's last hidden layer for {n:,} test images, on its two principal axes,
    which hold {share:.0f}\u00a0% of the variance.
    """
    import seaborn

    from helpers import explain

    points, share = explain.plane(trained.model, images[:n])
    names = record["dataset"]["class_names"]
    few = len(names) <= 2 * len(CYCLE)  # so many can be told apart by colour and shape
    colours = CYCLE * 2 if few else seaborn.color_palette("viridis", len(names))
    body = canvas(4.6 if few else 5.0, record["dataset"])
    axes = body.subplots()
    box = {"boxstyle": "round,pad=0.1", "color": "white", "alpha": 0.7, "linewidth": 0}
    for number, name in enumerate(names):
        x, y = points[labels[:n] == number].T
        shape = "^" if few and number >= len(CYCLE) else "o"
        look = {"color": colours[number], "marker": shape, "s": 9, "linewidths": 0, "alpha": 0.6}
        axes.scatter(x, y, label=name, rasterized=True, **look)
        if not few and len(x):
            axes.text(np.median(x), np.median(y), name, size=10, ha="center", bbox=box)
    if few:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    axes.set(xticks=[], yticks=[], xlabel="First dimension", ylabel="Second dimension")
    return body, {"n": len(points), "share": 100 * share}
