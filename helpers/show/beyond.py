"""Ensembles, evolution and what each ingredient brings, figures. Notebooks 09, 10 and 11."""

import numpy as np

from helpers.show.accuracies import error_scale
from helpers.show.canvas import BLUE, CYCLE, GREY, RED, canvas, legend
from helpers.show.drawn import figure
from helpers.show.pictures import grid
from helpers.show.schemes import schemes
from helpers.statistics import paired

KINDS = {"member": BLUE, "together": RED, "control": GREY}


def _points(axes, groups):
    """A row of points for each of `groups`, name: (colour, values), and a bar at their mean."""
    for place, (colour, values) in enumerate(groups.values()):
        look = {"color": colour, "clip_on": False}
        axes.plot(values, [place] * len(values), "o", markersize=4, alpha=0.5, **look)
        axes.plot(np.mean(values), place, "|", markersize=11, markeredgewidth=2, **look)
    axes.set_yticks(range(len(groups)), groups)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.grid(axis="x")


@figure
def members(record):
    """{run}: test accuracy and likelihood of each network alone (blue), of all together (red) and
    of the controls (grey); points are seeds, bars their means. Right: mean negative log-likelihood
    of the test images in nats, after a temperature was fitted for each on validation images; lower
    is better."""
    errors, losses = {}, {}
    for row in (row for seed in record["seeds"] for row in seed["members"]):
        start = KINDS[row["kind"]], []
        errors.setdefault(row["name"], start)[1].append(100 * (1 - row["accuracy"]))
        losses.setdefault(row["name"], (start[0], []))[1].append(row["nll_scaled"])
    body = canvas(0.22 * len(errors) + 0.55, record["dataset"])
    left, right = body.subplots(1, 2, sharey=True)
    _points(left, errors)
    _points(right, losses)
    error_scale(left, [wrong for _, some in errors.values() for wrong in some])
    left.set_xlabel("Test accuracy, %")
    right.set_xlabel("Negative log-likelihood, nats")
    return body


@figure
def disputed(record, images):
    """{run}: test images that its networks name differently, drawn at random among these, with what
    each says and the truth; framed where the vote is wrong. Where those who are right are outvoted,
    a vote does not help."""
    some, names = record["extra"]["disputed"], record["dataset"]["class_names"]
    if not some:
        return "No test image is named differently by two networks."
    texts, frames = [], []
    for one in some:
        said = [f"{name}: {names[answer]}" for name, answer in one["answers"].items()]
        texts.append("\n".join([*said, f"true: {names[one['true']]}"]))
        frames.append(RED if one["vote"] != one["true"] else None)
    shown = images[[one["image"] for one in some]]
    return grid(shown, record["dataset"], 6, below=texts, frames=frames)[0]


@figure
def regrets(record):
    """{run}: left, how far the best topology that a search has found lies below the best of the
    table, in points, by evaluations spent: mean over {repeats} searches and the band of their
    middle half. A search sees one training of a topology, and what it found is judged by another;
    grey: the end of a search that has seen all. Right: mean lead over random search, with a band of
    two standard errors."""
    content = record["extra"]["replay"]
    body = canvas(2.6, record["extra"]["table"])
    left, right = body.subplots(1, 2)
    for colour, (kind, curve) in zip(CYCLE, content["curves"].items()):
        names = "mean", "low", "high", "lead", "error"
        middle, low, high, lead, error = (100 * np.array(curve[name]) for name in names)
        steps = curve["first"] + np.arange(len(middle))
        left.plot(steps, middle, color=colour, label=kind)
        left.fill_between(steps, low, high, color=colour, alpha=0.12, linewidth=0)
        right.plot(steps, lead, color=colour)
        right.fill_between(steps, lead - 2 * error, lead + 2 * error, color=colour, alpha=0.2, lw=0)
    left.axhline(100 * content["floor"], color=GREY, linewidth=1)
    left.set(xlabel="Evaluations", ylabel="Regret, points", ylim=(0, None), xscale="log")
    left.xaxis.set_major_formatter("{x:g}")
    right.set(xlabel="Evaluations", ylabel="Lead over random search, points")
    for axes in (left, right):
        axes.grid()
    legend(body, 4)
    return body, {"repeats": content["repeats"]}


@figure
def cloud(record):
    """{run}: all {n} topologies of the table by cost and accuracy on validation images, mean of the
    seeds, coloured by the number of convolutions; the line joins those that nothing cheaper beats.
    """
    import seaborn

    points = record["extra"]["points"]
    body = canvas(3.4, record["extra"]["table"])
    axes, cost, best = body.subplots(), points["multiplications"], points["accuracy"]
    look = {"s": 12, "linewidth": 0, "alpha": 0.7, "palette": "viridis", "ax": axes}
    seaborn.scatterplot(x=cost, y=100 * np.array(best), hue=points["convolutions"], **look)
    order = np.lexsort((-np.array(best), cost))
    front = np.array(best)[order]
    kept = front > np.concatenate([[0], np.maximum.accumulate(front)[:-1]])
    axes.plot(np.array(cost)[order][kept], 100 * front[kept], color=GREY, linewidth=1)
    axes.set(xscale="log", xlabel="Multiplications for an image", ylabel="Accuracy, %")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid()
    legend(body, 4, "convolutions: {}".format)
    return body, {"n": len(best)}


@figure(name="best-topologies")
def best_topologies(record):
    """{run}: the best topologies of the table, then average ones, as rows of blocks. A block's
    height is the side of its maps, its width their number; a dense layer bears its units. Left:
    accuracy on validation images, mean of the seeds. Right: the number of parameters."""
    about = {"seeds": [{}], "dataset": {**record["extra"]["table"], "title": ""}}
    return schemes.__wrapped__(
        {n: about | row for n, row in enumerate(record["extra"]["shown"])}, ""
    )


@figure
def family(record):
    """{run}: accuracy on validation images of the trials of one evolution, in the order in which
    they were trained, with a line from each parent to its child. Red: the ancestors of the best
    one, and what each step changed. Trials without a parent were drawn at random."""
    tried = [row for row in record["seeds"][0]["trials"] if row["search"] == "evolution"]
    known, line = {row["trial"]: row for row in tried}, set()
    child = max(tried, key=lambda row: row["score"])
    while child:
        line.add(child["trial"])
        child = known.get(child.get("parent"))
    body = canvas(2.8, record["dataset"])
    axes, order = body.subplots(), list(known)
    for name, row in known.items():
        winner, x, y = name in line, order.index(name) + 1, 100 * row["score"]
        look = {"color": RED if winner else GREY, "zorder": 3 if winner else 2}
        axes.plot(x, y, "o", markersize=5, **look)
        if parent := known.get(row.get("parent")):
            start = order.index(parent["trial"]) + 1, 100 * parent["score"]
            axes.plot(*zip(start, (x, y)), linewidth=1.5 if winner else 0.8, **look)
            new = [f"{n}: {v}" for n, v in row["values"].items() if parent["values"].get(n) != v]
            look = {"rotation": 60, "textcoords": "offset points"}
            text = ", ".join(new).replace("_", " ") if winner else ""
            axes.annotate(text, (x, y), (-3, 7), **look)
    axes.set(xlabel="Trial", ylabel="Validation accuracy, %")
    axes.spines[["top", "right"]].set_visible(False)  # the words go on above
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y")
    return body


@figure(name="left-out")
def left_out(record):
    """{run}: accuracy on validation images without one ingredient, minus that with all, in points:
    to the left, what it brings. Beyond one point the axis is logarithmic. A point is a seed; the
    bar is their mean."""
    groups = {name: (BLUE, 100 * np.array(some)) for name, some in _without(record).items()}
    if not groups:
        return "Nothing was left out."
    body = canvas(0.22 * len(groups) + 0.6, record["dataset"])
    axes = body.subplots()
    _points(axes, groups)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xscale("symlog", linthresh=1)  # a training that fails may lie far to the left
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("Accuracy without it, points")
    return body


def brought(record, ingredient):
    """What an ingredient brings on validation images, a fraction: `paired` over the seeds."""
    return paired(0.0, _without(record)[ingredient])


def _without(record):
    found = {}
    for row in (row for seed in record["seeds"] for row in seed["left_out"]):
        found.setdefault(row["without"], []).append(row["difference"])
    return found
