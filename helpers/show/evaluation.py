"""Figures of evaluation: which classes are confused, how far to trust probabilities, where a network puts images."""

import numpy as np

from helpers.show.canvas import (
    BAD,
    BLUE,
    CYCLE,
    GREY,
    RED,
    SMALL,
    WIDTH,
    fit,
    legend_below,
    new_figure,
    style,
)

ORDERED = 12  # more classes than this are ordered by their confusions, and the commonest confusions are listed


def confusion(y_true, y_pred, class_names, label):
    """Confusion matrix in percent of each true class; y_true (n,), y_pred (n,) or (seeds, n), all seeds together.

    Above 12 classes, classes that are confused with each other stand together, and the commonest confusions are named
    beside.
    """
    import seaborn
    from matplotlib.colors import PowerNorm

    counts = confusion_counts(y_true, y_pred, len(class_names))
    many = len(class_names) > ORDERED
    order = confusion_order(counts) if many else np.arange(len(class_names))
    counts = counts[np.ix_(order, order)]
    names = [class_names[index] for index in order]
    percent = 100 * counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    left, side = (0.42, 5.0) if many else (0.95, 4.6)
    cell = side * 72 / len(names)  # points
    upright = cell > 0.57 * SMALL * max(map(len, names))
    with style():
        fig = new_figure(side + (0.5 if upright else 0.85), label)
        axes = fig.place(left, 0.05, side, side)
        seaborn.heatmap(
            percent,
            ax=axes,
            cmap="mako_r",
            norm=PowerNorm(0.55, 0, 100),
            mask=counts == 0,
            cbar=False,
            linewidths=0.3,
            linecolor="#e6e6e6",
            xticklabels=[fit(name, 0.9, 1) for name in names],
            yticklabels=[fit(name, 0.9) for name in names],
            annot=_cell_texts(percent, cell),
            fmt="",
            annot_kws={"size": SMALL},
            clip_on=False,
        )
        axes.tick_params(length=0, pad=2, rotation=0, labelsize=SMALL if cell > 7.5 else 7.2)
        if not upright:
            turned = (
                {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
                if cell > 20
                else {"rotation": 90}
            )
            for text in axes.get_xticklabels():
                text.set(**turned)
        axes.set(xlabel="Predicted class", ylabel="True class")
        _colorbar(fig, axes, left + side + 0.12, side, many)
        if many:
            _confused_pairs(fig, counts, names, left + side + 0.1)
    return fig


def confusion_counts(y_true, y_pred, classes):
    """Counts (true class, predicted class), int64; predictions of several seeds are added up."""
    y_pred = np.atleast_2d(y_pred).astype("int64")
    pairs = np.asarray(y_true, "int64")[None] * classes + y_pred
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def confusion_order(counts):
    """Class indices such that confused classes are neighbours: average linkage on confusion rates, leaves in their
    optimal order (Bar-Joseph 2001).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    rates = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    distance = 1 - np.sqrt(
        np.clip((rates + rates.T) / 2, 0, 1)
    )  # the root lets rare confusions count
    np.fill_diagonal(distance, 0)
    return leaves_list(
        linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    )


def recalls(table, class_names, label):
    """Recall in percent of every class (columns) for every run (rows): `table` is a dict from a run to fractions (classes,), NaN for a class without
    images. Many classes are broken into bands, so that every number can be read.
    """
    import seaborn

    values, classes = 100 * np.stack(list(table.values())), len(class_names)
    left = 0.3 + 0.065 * max(map(len, table))
    width = WIDTH - left - 0.06
    bands = -(-classes // int(width * 72 / 17))  # a number takes 17 points
    columns = -(-classes // bands)
    cell, height = width / columns, 0.24 * len(table)
    with style():
        fig = new_figure(bands * (height + 0.4), label)
        for band in range(bands):
            here = slice(band * columns, min(classes, (band + 1) * columns))
            shown, names = values[:, here], [fit(name, 0.95 * cell) for name in class_names[here]]
            axes = fig.place(left, 0.04 + band * (height + 0.4), cell * len(names), height)
            seaborn.heatmap(
                shown,
                ax=axes,
                cmap="mako",
                vmin=40,
                vmax=100,
                cbar=False,
                linewidths=0.3,
                linecolor="#e6e6e6",
                xticklabels=names,
                yticklabels=list(table),
                annot=True,
                fmt=".1f" if cell > 0.34 else ".0f",
                annot_kws={"size": SMALL},
                clip_on=False,
            )
            axes.tick_params(length=0, pad=2, rotation=0)
    return fig


def reliability(confidences, correct, confidences_scaled, label):
    """Reliability diagram before and after temperature scaling, with the expected calibration error (15 bins of equal
    width, Guo et al. 2017).

    confidences, confidences_scaled (n,): probabilities of the predicted classes; correct (n,) bool. Below, how many
    images have which confidence.
    """
    with style():
        fig = new_figure(4.3, label)
        upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot(
            [0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="perfectly calibrated"
        )
        for values, name, color, line, marker in (
            (confidences, "before temperature scaling", RED, "--", "s"),
            (confidences_scaled, "after", BLUE, "-", "o"),
        ):
            counts, confidence, accuracy = calibration_bins(values, correct)
            error = np.sum(counts * np.abs(accuracy - confidence)) / counts.sum()
            filled = counts > 0
            upper.plot(
                confidence[filled],
                accuracy[filled],
                line,
                marker=marker,
                color=color,
                markersize=4,
                label=f"{name}: ECE {error:.4f}",
            )
            lower.stairs(
                np.maximum(counts, 0.5),
                np.linspace(0, 1, len(counts) + 1),
                color=color,
                linestyle=line,
                linewidth=1.3,
                baseline=0.5,
            )
        upper.set(ylabel="Share that is right", ylim=(-0.02, 1.03), xlim=(0, 1.01))
        lower.set(
            xlabel="Confidence: probability of the predicted class",
            ylabel="Images",
            yscale="log",
            ylim=(0.5, None),
        )
        upper.legend(loc="upper left")
        upper.grid()
        lower.grid(axis="y")
    return fig


def reliabilities(runs, label):
    """Reliability diagrams side by side, a panel a run: `runs` is a dict from a run to (confidences, correct, confidences_scaled), each (n,), as in
    `reliability`. Bins with fewer than ten images are left out.
    """
    columns = 5
    rows = -(-len(runs) // columns)
    with style():
        fig = new_figure(1.36 * rows + 0.35, label)
        panels = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, (run, (confidences, correct, scaled)) in zip(panels.flat, runs.items()):
            axes.plot(
                [0, 1],
                [0, 1],
                color=GREY,
                linewidth=0.8,
                linestyle=":",
                label="perfectly calibrated",
            )
            for values, name, color, line, marker in (
                (confidences, "before temperature scaling", RED, "--", "s"),
                (scaled, "after", BLUE, "-", "o"),
            ):
                counts, confidence, accuracy = calibration_bins(values, correct)
                filled = counts >= 10
                axes.plot(
                    confidence[filled],
                    accuracy[filled],
                    line,
                    marker=marker,
                    color=color,
                    markersize=2.5,
                    linewidth=1,
                    label=name,
                )
            axes.set_title(
                fit(run.replace("-", "- "), 1.2).replace("- ", "-"),
                size=SMALL,
                weight="normal",
                loc="center",
            )
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
            axes.grid()
        for axes in panels.flat[len(runs) :]:
            axes.axis("off")
        for axes in panels.flat[
            max(0, len(runs) - columns) : len(runs)
        ]:  # the lowest of each column
            axes.set_xlabel("Confidence")
            axes.tick_params(labelbottom=True)
        for axes in panels[:, 0]:
            axes.set_ylabel("Share right")
        handles, names = panels[0, 0].get_legend_handles_labels()
        legend_below(fig, handles, names, 3)
    return fig


def calibration_bins(confidences, correct, bins=15):
    """Count, mean confidence and accuracy of each bin of equal width over (0, 1]; the means of an empty bin are 0."""
    confidences = np.asarray(confidences, "float64")
    index = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    return counts, *(
        np.bincount(index, values, bins) / np.maximum(1, counts)
        for values in (confidences, np.asarray(correct, "float64"))
    )


def embedding(points, y, class_names, label):
    """Images as points (n, 2), for example the penultimate layer in two dimensions, coloured by class. A few
    classes are named beside the picture, many at their medians.
    """
    import matplotlib
    from matplotlib.patheffects import withStroke

    points, y, classes = np.asarray(points, "float64"), np.asarray(y), len(class_names)
    few = classes <= 2 * len(
        CYCLE
    )  # so many can be told apart by colour and shape, and named beside the picture
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 1, classes))
    with style():
        fig = new_figure(4.6 if few else 5.0, label)
        axes = fig.subplots()
        for index, name in enumerate(class_names):
            here = points[y == index]
            axes.scatter(
                *here.T,
                color=CYCLE[index % len(CYCLE)] if few else shades[index],
                s=9,
                linewidths=0,
                alpha=0.6,
                marker="^" if few and index >= len(CYCLE) else "o",
                label=name,
            )
            if not few and len(here):
                axes.text(
                    *np.median(here, axis=0),
                    name,
                    size=10,
                    weight="bold",
                    ha="center",
                    va="center",
                    path_effects=[withStroke(linewidth=3, foreground="white")],
                )
        if few:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
        axes.set(xticks=[], yticks=[], xlabel="First dimension", ylabel="Second dimension")
    return fig


def _cell_texts(percent, cell):
    # Numbers only where they fit: with one decimal, without, or none; values that would read 0 are left out.
    if cell < 13:
        return None
    decimals = 1 if cell > 24 else 0
    return np.where(
        percent >= 0.5 * 10**-decimals, np.char.mod(f"%.{decimals}f", percent), ""
    ).astype(str)


def _colorbar(fig, axes, left, side, many):
    box = fig.place(
        left, *(side * 0.8, 0.1, side * 0.2 + 0.05) if many else (side * 0.25, 0.12, side * 0.5)
    )
    ticks = (1, 5, 20, 50, 100)
    bar = fig.colorbar(axes.collections[0], cax=box, ticks=ticks)
    bar.ax.minorticks_off()
    bar.set_ticklabels([f"{value} %" for value in ticks])
    bar.outline.set_visible(False)


def _confused_pairs(fig, counts, names, left, n=22):
    wrong = counts * (1 - np.eye(len(names), dtype="int64"))
    rates = 100 * wrong / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes = fig.place(left, 0.05, WIDTH - left, 3.9)
    axes.axis("off")
    axes.text(0, 1, "True → read as", size=SMALL, weight="bold", va="top", transform=axes.transAxes)
    pairs = [
        divmod(int(index), len(names)) for index in np.argsort(-rates, axis=None, kind="stable")[:n]
    ]
    for row, (true, read) in enumerate(pair for pair in pairs if wrong[pair]):
        y = 1 - (row + 1.3) / (n + 1.3)
        axes.text(
            0,
            y,
            f"{fit(names[true], 0.3, 1)} → {fit(names[read], 0.3, 1)}",
            size=SMALL,
            va="top",
            transform=axes.transAxes,
        )
        axes.text(
            1,
            y,
            f"{rates[true, read]:.1f} %",
            size=SMALL,
            va="top",
            ha="right",
            color=BAD,
            transform=axes.transAxes,
        )
