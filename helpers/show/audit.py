"""Figures of the data audit: class balance, test images beside their nearest training images, labels that networks doubt."""

import numpy as np

from helpers.show.canvas import BAD, BLACK, BLUE, CYCLE, GREY, RED, WIDTH, fit, new_figure, style
from helpers.show.pictures import LINE, answered, lines, picture, remark


def balance(train, test, class_names, label):
    """Share of each class: training images as bars, test images as points, and the line of equal shares. `train`, `test`: images a class (classes,)."""
    train, test = (
        np.asarray(counts, "float64") / max(1, np.sum(counts)) for counts in (train, test)
    )
    classes = len(class_names)
    with style():
        fig = new_figure(2.3, label)
        axes = fig.subplots()
        axes.bar(range(classes), 100 * train, color=BLUE, width=0.75, label="training images")
        axes.plot(range(classes), 100 * test, "D", color=RED, markersize=3.5, label="test images")
        axes.axhline(100 / classes, color=BLACK, linestyle="--", linewidth=1, label="equal shares")
        axes.set_xticks(range(classes), [fit(name, 5.6 / classes) for name in class_names])
        axes.tick_params(axis="x", length=0)
        axes.set(
            ylabel="Share of images, %",
            xlim=(-0.6, classes - 0.4),
            ylim=(0, 135 * max(train.max(), test.max())),
        )
        axes.legend(ncols=3, loc="upper right")
    return fig


def pairs(x, nearest, distance, y, y_nearest, class_names, label):
    """Test images (n, ...) over their nearest training images and the difference of the two, a column a pair.

    `distance` (n,) is the root-mean-square difference as a share of the pixel range; classes that differ are named in the colour of mistakes.
    """
    count, side = len(x), 0.72
    size = min((WIDTH - side) / count - 0.05, 1.0)
    head, height = LINE + 0.09, 3 * (size + 0.05) + 3 * LINE + 0.18
    gap = np.abs(np.asarray(x, "int16") - np.asarray(nearest, "int16"))
    with style():
        fig = new_figure(height, label)
        axes = fig.sheet(height)
        for row, (name, images) in enumerate(
            (("test", x), ("training", nearest), ("difference", gap))
        ):
            top = head + row * (size + 0.05)
            lines(axes, side - 0.08, top + size / 2 + 0.04, name, ha="right")
            for column in range(count):
                picture(axes, images[column], side + column * (size + 0.05), top, size)
        for column in range(count):
            middle, alike = side + column * (size + 0.05) + size / 2, y[column] == y_nearest[column]
            lines(axes, middle, LINE, fit(class_names[y[column]], size, 1))
            lines(
                axes,
                middle,
                head + 3 * (size + 0.05) + LINE,
                fit(class_names[y_nearest[column]], size, 1),
                color=BLACK if alike else BAD,
            )
            lines(
                axes,
                middle,
                head + 3 * (size + 0.05) + 2 * LINE,
                f"{distance[column]:.3f}",
                color=GREY,
            )
    return fig


def distances(sets, limit, label):
    """For each data set the share of test images whose nearest training image is nearer than the distance on the axis.

    `sets`: a dict from a title to distances (n,), root-mean-square differences as shares of the pixel range. `limit`: below it, two images count as twins.
    """
    with style():
        fig = new_figure(2.7, label)
        axes = fig.subplots()
        for index, (title, values) in enumerate(sets.items()):
            values = np.sort(np.asarray(values, "float64"))
            axes.plot(
                values,
                100 * np.arange(1, len(values) + 1) / len(values),
                color=CYCLE[index % len(CYCLE)],
                linestyle=("-", "--", "-.", ":")[index % 4],
                label=title,
            )
        axes.axvline(limit, color=GREY, linewidth=1)
        axes.annotate(
            "twins to the left",
            (limit, 101),
            xytext=(4, 0),
            textcoords="offset points",
            color=GREY,
            va="bottom",
        )
        axes.set(
            xlabel="Root-mean-square difference to the nearest training image, share of the pixel range",
            ylabel="Share of test images, %",
            xlim=(0, None),
            ylim=(0, 108),
        )
        axes.grid()
        axes.legend(loc="lower right")
    return fig


def doubts(x, labels, answers, confidence, class_names, label):
    """Images whose label networks doubt: the networks' answer and how sure the least sure of them was, over the label in the data set."""
    if not len(x):
        return remark("No label is doubted by every network.", label)
    return answered(
        x, labels, answers, confidence, np.arange(len(x)), class_names, label, truth="label"
    )
