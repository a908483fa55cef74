"""Figures of training: learning curves, a schedule, a search, test accuracy by epoch. Notebooks."""

import numpy as np

from helpers.results import comparable, epochs
from helpers.show.canvas import BLACK, BLUE, GREEN, GREY, RED, about, canvas, legend, panels
from helpers.show.drawn import figure
from helpers.show.words import titles
from helpers.statistics import wilson

COLOURS = {"training": GREY, "validation": BLUE, "random search": BLUE, "Hyperband": GREEN}
COLOURS["evolution"] = RED
SCALE = {"accuracy": 100, "loss": 1}  # accuracies in percent
KEPT = {"marker": "D", "color": BLUE, "markeredgecolor": "black", "label": "weights kept"}
LOWEST = {"marker": "v", "color": BLACK, "label": "lowest validation loss"}


@figure
def curves(record):
    """{run}: accuracy and loss by epoch. Training figures are averages taken while the network
    learns, with dropout at work; validation figures are taken after the epoch.{over}

    The band lies between the lowest and the highest seed; mean and band end where the first seed
    stopped. Marked are the epoch whose weights the record's metrics belong to and, where it is
    another one, that of the lowest validation loss.
    """
    body, n = canvas(2.6, record["dataset"]), len(record["seeds"])
    for axes, metric in zip(body.subplots(1, 2), ("accuracy", "loss")):
        _by_epoch(axes, record, metric)
        for seed in record["seeds"]:
            values = SCALE[metric] * np.array(seed["history"][f"val_{metric}"])
            kept, lowest = kept_epoch(seed), int(np.argmin(seed["history"]["val_loss"]))
            for epoch, look in {lowest: LOWEST, kept: KEPT}.items():
                if epoch is not None:
                    look = {"markersize": 4.5, "linestyle": "none", "zorder": 4, **look}
                    axes.plot(epoch + 1, values[epoch], **look)
        axes.set(title="Accuracy, %" if metric == "accuracy" else "Loss", xlabel="Epoch")
    axes.set_ylim(bottom=0)
    legend(body, 4)
    over = f" A thin line is one of {n} seeds, the thick one their mean." if n > 1 else ""
    return body, {"over": over}


@figure(name="curves")
def all_curves(records, profile):
    """Accuracy in percent by epoch on training images (dashed, an average while the network learns)
    and on validation images; a thin line a seed, the thick one their mean. Each panel has its own
    scale.
    """
    body = canvas(1.3 * -(-len(records) // 5) + 0.3, [r["dataset"] for r in records.values()])
    for axes, record in zip(panels(body, list(titles(records).values())), records.values()):
        _by_epoch(axes, record, "accuracy", 1.2, 4)
    legend(body, 2)
    return body


def kept_epoch(seed):
    """Index of the epoch whose weights a seed's metrics are of, by its loss; None if averaged."""
    gaps = np.abs(np.array(seed["history"]["val_loss"]) - seed["validation_loss"])
    return int(gaps.argmin()) if gaps.min() < 1e-3 * max(1.0, seed["validation_loss"]) else None


def _by_epoch(axes, record, metric, width=1.8, ticks=8):
    import seaborn

    frame = epochs(record).rename(columns={metric: "training", f"val_{metric}": "validation"})
    frame = frame.melt(["seed", "epoch"], ["training", "validation"], "part", metric)
    frame[metric] *= SCALE[metric]
    common = frame[frame["epoch"] <= frame.groupby("seed")["epoch"].max().min()]
    look = {"x": "epoch", "y": metric, "hue": "part", "style": "part", "ax": axes}
    look |= {"palette": COLOURS, "dashes": {"training": (3, 1.5), "validation": ""}}
    if common["epoch"].max() < 4:
        look["markers"] = {"training": "o", "validation": "o"}
    band = {"errorbar": ("pi", 100), "err_kws": {"alpha": 0.15, "linewidth": 0}}
    seaborn.lineplot(common, linewidth=width, **look, **band)
    if len(record["seeds"]) > 1:
        thin = {"units": "seed", "estimator": None, "linewidth": 0.6, "alpha": 0.6}
        seaborn.lineplot(frame, **look, **thin, legend=False)
    axes.set(xlabel="", ylabel="")
    axes.locator_params(axis="x", integer=True, nbins=ticks)
    axes.grid(axis="y")


@figure
def rate(run, profile, data, schedule, steps):
    """{run}: the learning rate over the {steps:,} steps of the training; its peak is {peak:.2g}.

    `schedule` is a Keras schedule.
    """
    at = np.linspace(0, steps - 1, min(steps, 200)).astype(int)
    rates = [float(schedule(step)) for step in at]
    body = canvas(1.5, about(data))
    axes = body.subplots()
    axes.plot(at + 1, rates, "-o", color=BLUE, markersize=4, markevery=[int(np.argmax(rates))])
    axes.set(xlabel="Step", ylabel="Learning rate", ylim=(0, 1.1 * max(rates)))
    axes.grid(axis="y")
    return body, {"steps": steps, "peak": max(rates)}


@figure
def trials(record):
    """{run}: the validation accuracy of every trial beside each of its settings, and below, in the
    same colours, the best so far by epochs spent, mean and range over the seeds (the earliest may
    lie below the frame)."""
    import pandas as pd
    import seaborn

    rows = [{"seed": seed["seed"], **trial} for seed in record["seeds"] for trial in seed["trials"]]
    frame, body = pd.DataFrame(rows), canvas(5.4, record["dataset"])
    frame["score"] *= 100
    settings = pd.DataFrame(list(frame["values"])).dropna(axis=1)  # what every trial has
    settings = settings[[name for name in settings if "/" not in name]]
    upper, lower = body.subfigures(2, 1, height_ratios=(1.4, 1))
    look = {"y": frame["score"], "hue": frame["search"], "palette": COLOURS, "legend": False}
    look |= {"alpha": 0.6, "linewidth": 0}
    strip = {"size": 3, "native_scale": True, "dodge": True, "jitter": False}  # jitter is random
    for axes, name in zip(upper.subplots(1, settings.shape[1], sharey=True), settings):
        values = settings[name]
        if values.nunique() > 20:
            seaborn.scatterplot(x=values, s=9, ax=axes, **look)
        else:
            seaborn.stripplot(x=values, ax=axes, **look, **strip)
        axes.set(xlabel="", ylabel="Validation accuracy, %", title=name.replace("_", " "))
        axes.tick_params(axis="x", rotation=90)
        axes.grid(axis="y")
        if values.dtype == float and 0 < 20 * values.min() < values.max():
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
    _best_so_far(lower.subplots(), frame)
    return body


def _best_so_far(axes, frame):
    import seaborn

    best = frame.explode("curve").astype({"curve": float})
    best["curve"] *= 100
    search = best.groupby(["search", "seed"])["curve"]
    best = best.assign(epochs=search.cumcount() + 1, best=search.cummax())
    look = {"hue": "search", "style": "search", "palette": COLOURS, "drawstyle": "steps-post"}
    seaborn.lineplot(best, x="epochs", y="best", errorbar=("pi", 100), ax=axes, **look)
    axes.set(title="Best so far", xlabel="Epochs trained, all trials of a search together")
    axes.set_ylim(bottom=max(axes.get_ylim()[0], frame["score"].max() - 15))
    axes.set_ylabel("Validation accuracy, %")
    axes.grid(axis="y")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)  # beside the title


@figure
def watched(record):
    """{run}: left, accuracy on the test images after every epoch (the earliest may lie below the
    frame), beside the reported one; the dot is the last epoch. Right, by how much the epoch that
    does best on a random half of the test images leads the last epoch, on that half and on the
    other; thin lines span 95\u00a0% of the halves.
    """
    body = canvas(2.75, record["dataset"])
    left, right = body.subplots(1, 2, width_ratios=(1.45, 1))
    _test_accuracy(left, record)
    _choice(right, record["seeds"])
    legend(body, 3)
    return body


def _test_accuracy(axes, record):
    curves = 100 * np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]]).T
    n, last = record["dataset"]["test"], curves[-1].mean()
    low, high = (100 * limit for limit in wilson(last / 100 * n, n))
    look = {"color": BLUE, "alpha": 0.13, "linewidth": 0}
    axes.axhspan(low, high, label="95 % interval of the last epoch's mean", **look)
    look = {"marker": "o", "markersize": 4, "markevery": [-1], "color": BLUE, "linewidth": 1.1}
    axes.plot(range(1, 1 + len(curves)), curves, label="test accuracy, a line a seed", **look)
    shown = [curves[len(curves) // 3 :].min(), curves.max(), low, high]
    reported = record["reported"].get("test_accuracy")
    if reported is not None and record["dataset"]["kind"] != "stand-in":
        text = "reported" if comparable(record) else "reported (not comparable)"
        axes.axhline(100 * reported, color=RED, linestyle="--", label=text)
        shown.append(100 * reported)
    margin = 0.06 * (max(shown) - min(shown)) or 0.1
    axes.set(title="Test accuracy after each epoch", xlabel="Epoch", ylabel="%")
    axes.set_ylim(min(shown) - margin, max(shown) + margin)
    axes.locator_params(axis="x", integer=True)
    axes.grid(axis="y")


def _choice(axes, seeds):
    axes.axvline(0, color=GREY, linewidth=0.8)
    halves = ("promised", -0.13, GREEN, "D", "on the half that chose")
    for name, shift, colour, marker, label in (halves, ("kept", 0.13, BLUE, "o", "on the other")):
        ends = [f"{name}_low", name, f"{name}_high"]
        lows, means, highs = np.transpose([[100 * s["selection"][e] for e in ends] for s in seeds])
        rows = shift + np.arange(len(seeds))
        axes.hlines(rows, lows, highs, color=colour, linewidth=0.8)
        axes.plot(means, rows, marker, color=colour, markersize=5, label=label)
    axes.set(title="Lead of the chosen epoch", xlabel="Points above the last epoch")
    axes.set_yticks(range(len(seeds)), [f"seed {seed['seed']}" for seed in seeds])
    axes.set_ylim(len(seeds) - 0.5, -0.5)
    axes.grid(axis="x")
