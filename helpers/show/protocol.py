"""Figures of the course reports' protocol: test accuracy watched epoch by epoch, and what choosing an epoch by it keeps."""

import numpy as np

from helpers.results import comparable
from helpers.show.canvas import BLUE, GREY, RED, SMALL, legend_below, new_figure, style
from helpers.statistics import wilson


def watched(record):
    """Left, the accuracy on the test images after every epoch, a line a seed, with the reported one and the Wilson 95 % interval of the last epochs' mean. Right, for each seed, by how much
    the epoch chosen on half of the test images leads the last one, on that half and on the other; thin lines span 95 % of the random halves.

    The reported accuracy of a stand-in is not shown. The frame leaves out the first epochs where they lie far below.
    """
    with style():
        fig = new_figure(2.75, record["dataset"])
        left, right = fig.subplots(1, 2, width_ratios=(1.45, 1))
        _epochs(left, record)
        _choice(right, record["seeds"])
        handles = {
            text: handle
            for axes in fig.axes
            for handle, text in zip(*axes.get_legend_handles_labels())
        }
        legend_below(fig, list(handles.values()), list(handles), 3)
    return fig


def _epochs(axes, record):
    from matplotlib.ticker import MaxNLocator

    curves = 100 * np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]])
    n, last = record["dataset"]["test"], curves[:, -1].mean()
    low, high = (100 * limit for limit in wilson(last / 100 * n, n))
    epochs = np.arange(1, curves.shape[1] + 1)
    axes.axhspan(
        low,
        high,
        color=BLUE,
        alpha=0.13,
        linewidth=0,
        label="95 % interval of the last epoch's mean",
    )
    for number, curve in enumerate(curves):
        axes.plot(
            epochs,
            curve,
            color=BLUE,
            linewidth=1.1,
            alpha=0.85,
            label=None if number else "test accuracy, a line a seed",
        )
        axes.plot(epochs[-1], curve[-1], "o", color=BLUE, markersize=4)
    shown = [curves[:, len(epochs) // 3 :].min(), curves.max(), low, high]
    reported = record["reported"].get("test_accuracy")
    if reported is not None and record["dataset"]["kind"] != "stand-in":
        axes.axhline(
            100 * reported,
            color=RED,
            linestyle="--",
            linewidth=1.4,
            label="reported" if comparable(record) else "reported (not comparable)",
        )
        shown.append(100 * reported)
    margin = 0.06 * (max(shown) - min(shown)) or 0.1
    axes.set(
        title="Test accuracy after each epoch",
        xlabel="Epoch",
        ylabel="%",
        ylim=(min(shown) - margin, max(shown) + margin),
    )
    axes.grid(axis="y")
    axes.margins(x=0.03)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=8))


def _choice(axes, seeds):
    axes.axvline(0, color=GREY, linewidth=0.8)
    for row, seed in enumerate(seeds):
        found = {
            name: 100 * number
            for name, number in seed["selection"].items()
            if name not in ("halves", "epoch")
        }
        for name, shift, color, marker, text in (
            ("promised", -0.13, RED, "D", "on the half that chose"),
            ("kept", 0.13, BLUE, "o", "on the other half"),
        ):
            above = name == "promised"
            axes.plot(
                [found[f"{name}_low"], found[f"{name}_high"]],
                [row + shift] * 2,
                color=color,
                linewidth=0.8,
            )
            axes.plot(
                found[name],
                row + shift,
                marker,
                color=color,
                markersize=5,
                linestyle="none",
                label=None if row else text,
            )
            axes.annotate(
                f"{found[name]:+.2f}".replace("-", "−"),
                (found[name], row + shift),
                (0, 4 if above else -4),
                textcoords="offset points",
                ha="center",
                va="bottom" if above else "top",
                size=SMALL,
                color=color,
            )
    axes.set(
        title="Lead of the chosen epoch",
        xlabel="Points above the last epoch",
        ylim=(len(seeds) - 0.45, -0.6),
    )
    axes.set_yticks(range(len(seeds)), [f"seed {seed['seed']}" for seed in seeds])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
