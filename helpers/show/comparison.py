"""Figures that compare runs: reported against measured, accuracy against cost, plain against augmented images."""

import numpy as np

from helpers.results import comparable
from helpers.show.canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    SMALL,
    legend_below,
    new_figure,
    style,
)
from helpers.statistics import wilson
from helpers.store.paths import UserError

SPLITS = ("train", "validation", "test")


def reported_measured(records):
    """Test accuracy, reported and measured, a row a run: mean, range over seeds (thick) and Wilson 95 % interval of the
    test sample (thin).

    Full signs where the two may be compared: the official data set, trained by the full protocol. Hollow where not. A
    stand-in's accuracy is never shown beside a published one. `records`: a list of records, or a dict of them.
    """
    records = listed(records)
    groups = {}
    for record in records:
        groups.setdefault(record["run"].split("-")[0], []).append(record)
    with style():
        fig = new_figure(
            sum(0.19 * len(group) + 0.5 for group in groups.values()) + 0.35,
            [record["dataset"] for record in records],
        )
        panels = fig.subplots(
            len(groups),
            1,
            squeeze=False,
            height_ratios=[len(group) + 0.6 for group in groups.values()],
        )[:, 0]
        for axes, group in zip(panels, groups.values()):
            for row, record in enumerate(group):
                _row(axes, row, record)
            axes.set_yticks(range(len(group)), [record["run"] for record in group])
            axes.set(ylim=(len(group) - 0.4, -0.6))
            axes.set_title(
                "; ".join(dict.fromkeys(record["dataset"]["title"] for record in group)), pad=3
            )
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.03)
        panels[-1].set_xlabel("Test accuracy")
        signs = _row_legend()
        legend_below(fig, signs, [sign.get_label() for sign in signs], 3)
    return fig


def transformations(record_extra, label):
    """Accuracy on images under one transformation at a time, as horizontal bars, worst last, with the line of chance.

    `record_extra`: dict with `transformations` (name: accuracy, or a list of them over seeds) and `chance` (share of
    the commonest class).
    """
    values = {
        name: np.atleast_1d(value).astype("float64")
        for name, value in record_extra["transformations"].items()
    }
    names = sorted(values, key=lambda name: -values[name].mean())
    with style():
        fig = new_figure(0.24 * len(names) + 0.7, label)
        axes = fig.subplots()
        for row, name in enumerate(names):
            mean = values[name].mean()
            axes.barh(row, mean, height=0.68, color=BLUE)
            if len(values[name]) > 1:
                axes.plot(
                    [values[name].min(), values[name].max()],
                    [row, row],
                    color=BLACK,
                    linewidth=1.4,
                    solid_capstyle="butt",
                )
            axes.text(
                max(mean, values[name].max()) + 0.01, row, f"{mean:.3f}", va="center", size=SMALL
            )
        axes.axvline(
            record_extra["chance"],
            color=BLACK,
            linestyle="--",
            linewidth=1.2,
            label=f"chance: {record_extra['chance']:.3f}",
        )
        axes.set_yticks(range(len(names)), names)
        axes.set(xlim=(0, 1.08), ylim=(len(names) - 0.4, -0.6), xlabel="Accuracy")
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="lower right", framealpha=1, frameon=True, edgecolor="none")
    return fig


def generalisation(table, label, chance=None, neighbour=None):
    """Accuracy on plain and on augmented images of each split, a panel for each of the two, for every network as it was
    trained.

    `table`: a list of dicts with `network`, `trained` and `images` (each "plain" or "augmented"), `split` (train,
    validation, test) and `accuracy` (a number, or a list over seeds). `neighbour`: nearest-neighbour accuracy on test
    images, a dict from "plain" and "augmented".
    """
    cases = list(dict.fromkeys((row["network"], row["trained"]) for row in table))
    kinds = list(dict.fromkeys(row["images"] for row in table))
    with style():
        fig = new_figure(2.9, label)
        panels = fig.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
        for axes, kind in zip(panels, kinds):
            for index, case in enumerate(cases):
                rows = [
                    row
                    for row in table
                    if (row["network"], row["trained"], row["images"]) == (*case, kind)
                ]
                _bars(axes, rows, index, len(cases), case)
            if chance is not None:
                axes.axhline(chance, color=BLACK, linestyle="--", linewidth=1.2, label="chance")
            if neighbour and kind in neighbour:
                axes.plot(
                    [1.55, 2.45],
                    [neighbour[kind]] * 2,
                    color=GREEN,
                    linestyle=":",
                    linewidth=2.2,
                    label="nearest neighbour, test images",
                )
            axes.set_xticks(range(len(SPLITS)), SPLITS)
            axes.set(title=f"Judged on {kind} images", ylim=(0, 1.04))
            axes.tick_params(axis="x", length=0)
        panels[0].set_ylabel("Accuracy")
        handles = {
            text: handle
            for axes in panels
            for handle, text in zip(*axes.get_legend_handles_labels())
        }
        handles = dict(sorted(handles.items(), key=lambda item: "trained on" not in item[0]))
        legend_below(fig, list(handles.values()), list(handles), 2)
    return fig


def listed(records):
    """Records as a list, from a list or a dict of them."""
    if not records:
        raise UserError("There are no records to draw: make some with `make all`.")
    return list(records.values()) if isinstance(records, dict) else list(records)


def accuracies(record):
    """Test accuracies, one a seed."""
    return np.array([seed["test_accuracy"] for seed in record["seeds"]])


def _row(axes, row, record):
    values, test = accuracies(record), record["dataset"]["test"]
    low, high = wilson(values.mean() * test, test)
    full = comparable(record)
    axes.plot([low, high], [row, row], color=BLUE, linewidth=0.8)
    if len(values) > 1:
        axes.plot(
            [values.min(), values.max()],
            [row, row],
            color=BLUE,
            linewidth=3.2,
            alpha=0.45,
            solid_capstyle="butt",
        )
    axes.plot(
        values.mean(), row, "o", color=BLUE, markerfacecolor=BLUE if full else "white", markersize=5
    )
    published = record.get("reported", {}).get("test_accuracy")
    if published is not None and record["dataset"]["kind"] != "stand-in":
        axes.plot(
            published, row, "D", color=RED, markerfacecolor=RED if full else "white", markersize=4.5
        )


def _row_legend():
    from matplotlib.lines import Line2D

    def sign(text, **options):
        return Line2D([], [], **{"linestyle": "none", **options}, label=text)

    return [
        sign("measured, mean", marker="o", color=BLUE, markersize=5),
        sign("reported", marker="D", color=RED, markersize=4.5),
        sign("range over seeds", linestyle="-", color=BLUE, linewidth=3.2, alpha=0.45),
        sign("95 % interval of the test sample", linestyle="-", color=BLUE, linewidth=0.8),
        sign(
            "hollow: not comparable", marker="o", color=GREY, markerfacecolor="white", markersize=5
        ),
    ]


def _bars(axes, rows, index, count, case):
    width = 0.8 / count
    color, hatch = (BLUE, SKY, RED, ORANGE)[index % 4], ("", "///", "", "...")[index % 4]
    for row in rows:
        values = np.atleast_1d(row["accuracy"]).astype("float64")
        x = SPLITS.index(row["split"]) + (index - (count - 1) / 2) * width
        axes.bar(
            x,
            values.mean(),
            width * 0.92,
            color=color,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            label=f"{case[0]}, trained on {case[1]} images",
        )
        if len(values) > 1:
            axes.plot([x, x], [values.min(), values.max()], color=BLACK, linewidth=1.2)
