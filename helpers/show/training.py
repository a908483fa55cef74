"""Figures of training: learning curves, and the trials of a hyper-parameter search."""

import numpy as np

from helpers.show.canvas import BLUE, GREEN, GREY, RED, SMALL, fit, legend_below, new_figure, style

PARTS = (("", "training", BLUE, "--"), ("val_", "validation", RED, "-"))
SEARCHES = (("-", BLUE, "o"), ("--", RED, "s"), (":", GREEN, "^"))


def curves(record):
    """Accuracy and loss by epoch on training and validation images: a thin line a seed, their mean, and a band from the
    lowest to the highest.

    Marked are the epoch whose weights the record's metrics belong to and, where it is another one, that of the lowest
    validation loss. Mean and band end where the first seed stopped.
    """
    from matplotlib.ticker import MaxNLocator

    seeds = record["seeds"]
    with style():
        fig = new_figure(2.6, record["dataset"])
        for axes, metric in zip(fig.subplots(1, 2), ("accuracy", "loss")):
            for prefix, part, color, line in PARTS:
                _over_seeds(
                    axes, [seed["history"][prefix + metric] for seed in seeds], color, line, part
                )
            _mark(axes, seeds, metric)
            axes.set(title=metric.capitalize(), xlabel="Epoch")
            axes.grid(axis="y")
            axes.margins(x=0.03)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=8))
            if metric == "loss":
                axes.set_ylim(bottom=0)
        handles = {
            text: handle
            for axes in fig.axes
            for handle, text in zip(*axes.get_legend_handles_labels())
        }
        legend_below(fig, list(handles.values()), list(handles), len(handles))
    return fig


def all_curves(records):
    """Accuracy by epoch of many runs, a panel a run, each on a scale of its own. `records`: a list of records."""
    from matplotlib.ticker import MaxNLocator

    columns = 5
    rows = -(-len(records) // columns)
    with style():
        fig = new_figure(1.3 * rows + 0.3, [record["dataset"] for record in records])
        panels = fig.subplots(rows, columns, squeeze=False).flat
        for axes, record in zip(panels, records):
            for prefix, part, color, line in PARTS:
                _over_seeds(
                    axes,
                    [seed["history"][prefix + "accuracy"] for seed in record["seeds"]],
                    color,
                    line,
                    part,
                    width=1.2,
                )
            axes.set_title(
                fit(record["run"].replace("-", "- "), 1.2).replace("- ", "-"),
                size=SMALL,
                weight="normal",
                loc="center",
            )
            axes.grid(axis="y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=4))
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        handles, _ = fig.axes[0].get_legend_handles_labels()
        for axes in fig.axes[len(records) :]:
            axes.axis("off")
        legend_below(fig, handles, [part for _, part, _, _ in PARTS], 2)
    return fig


def kept_epoch(seed):
    """Index of the epoch whose weights a seed's metrics belong to, found by its validation loss; None if no epoch has
    it (averaged weights).
    """
    gaps = np.abs(np.array(seed["history"]["val_loss"]) - seed["validation_loss"])
    index = int(np.argmin(gaps))
    return index if gaps[index] < 1e-3 * max(1.0, seed["validation_loss"]) else None


def trials(trials, label):
    """A search in pictures: every trial as a line through its settings, coloured by validation accuracy, and the best
    accuracy so far by epochs spent.

    A trial is a dict with `values` (setting: number, text or None), `score` (validation accuracy), `curve` (validation
    accuracy by epoch) and, where searches are compared or repeated, `search` (its name) and `seed`. The lines are those
    of the seed of the first trial, the steps those of all seeds; the earliest steps may lie below the frame.
    """
    from matplotlib.ticker import MaxNLocator

    searches = list(dict.fromkeys(trial.get("search", "search") for trial in trials))
    with style():
        fig = new_figure(5.2, label)
        upper, lower = fig.subplots(2, 1, height_ratios=(3, 2))
        _parallel(
            fig,
            upper,
            [trial for trial in trials if trial.get("seed") == trials[0].get("seed")],
            searches,
        )
        top = max(trial["score"] for trial in trials)
        for search, (line, color, marker) in zip(searches, SEARCHES):
            mine = [trial for trial in trials if trial.get("search", "search") == search]
            bests = _best_so_far(mine)
            if len(bests) > 1:
                for best in bests:
                    lower.step(
                        np.arange(1, len(best) + 1),
                        best,
                        line,
                        where="post",
                        color=color,
                        linewidth=0.5,
                        alpha=0.6,
                    )
            best = np.mean([one[: min(map(len, bests))] for one in bests], axis=0)
            what = (
                f"{len(mine)} trials"
                if len(bests) == 1
                else f"{len(mine)} trials, mean of {len(bests)} searches"
            )
            lower.step(
                np.arange(1, len(best) + 1),
                best,
                line,
                where="post",
                color=color,
                label=f"{search}: {best[-1]:.4f} with {what}",
            )
            lower.plot(len(best), best[-1], marker, color=color, markersize=5)
        lower.set(
            title="Best so far",
            xlabel="Epochs trained, all trials of a search together",
            ylabel="Validation accuracy",
        )
        lower.grid(axis="y")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        lower.set_ylim(bottom=max(lower.get_ylim()[0], top - 0.15))
        lower.legend(loc="lower right")
    return fig


def rate(values, steps, label):
    """A learning rate over the `steps` of a training; `values`: the rate at evenly spaced steps, the first and the last among them."""
    with style():
        fig = new_figure(1.5, label)
        axes = fig.subplots()
        at = np.linspace(1, steps, len(values))
        peak = int(np.argmax(values))
        axes.plot(at, values, color=BLUE)
        axes.plot(at[peak], values[peak], "o", color=BLUE, markersize=4)
        axes.annotate(
            f"{values[peak]:.2g}",
            (at[peak], values[peak]),
            xytext=(5, -2),
            textcoords="offset points",
            size=SMALL,
        )
        axes.set(xlabel="Step", ylabel="Learning rate", ylim=(0, 1.1 * max(values)))
        axes.grid(axis="y")
    return fig


def _best_so_far(trials):
    # The best validation accuracy by epochs spent, of each search in turn.
    seeds = dict.fromkeys(trial.get("seed") for trial in trials)
    return [
        np.maximum.accumulate(
            np.concatenate([trial["curve"] for trial in trials if trial.get("seed") == seed])
        )
        for seed in seeds
    ]


def _over_seeds(axes, histories, color, line, part, width=1.8):
    shortest = min(map(len, histories))
    stack = np.array([values[:shortest] for values in histories])
    epochs = np.arange(1, shortest + 1)
    few = {"marker": "o", "markersize": 3} if shortest < 4 else {}
    if len(histories) > 1:
        for values in histories:
            axes.plot(
                np.arange(1, len(values) + 1), values, line, color=color, linewidth=0.6, alpha=0.6
            )
        axes.fill_between(
            epochs, stack.min(axis=0), stack.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
        part = f"{part}, mean of {len(histories)} seeds"
    axes.plot(epochs, stack.mean(axis=0), line, color=color, linewidth=width, label=part, **few)


def _mark(axes, seeds, metric):
    for seed in seeds:
        values, losses = seed["history"][f"val_{metric}"], seed["history"]["val_loss"]
        kept, lowest = kept_epoch(seed), int(np.argmin(losses))
        if kept is not None:
            axes.plot(
                kept + 1,
                values[kept],
                "D",
                color=RED,
                markersize=4.5,
                markeredgecolor="black",
                markeredgewidth=0.6,
                label="weights kept",
                zorder=4,
            )
        if kept != lowest:
            axes.plot(
                lowest + 1,
                values[lowest],
                "o",
                color="white",
                markersize=5,
                markeredgecolor="black",
                markeredgewidth=0.9,
                label="lowest validation loss",
                zorder=4,
            )


def _parallel(fig, axes, trials, searches):
    import matplotlib
    from matplotlib.colors import Normalize

    names = [
        name
        for name in dict.fromkeys(name for trial in trials for name in trial["values"])
        if not name.startswith("tuner/")
    ]
    columns = {name: _scaled([trial["values"].get(name) for trial in trials]) for name in names}
    scores = np.array([trial["score"] for trial in trials])
    low = np.quantile(scores, 0.2)  # one hopeless trial must not take all the colours
    norm, cmap = Normalize(low, max(scores.max(), low + 1e-6)), matplotlib.colormaps["viridis_r"]
    for index in np.argsort(scores):
        line = SEARCHES[searches.index(trials[index].get("search", "search")) % len(SEARCHES)][0]
        best = (
            {"linewidth": 3, "zorder": 3}
            if index == np.argmax(scores)
            else {"linewidth": 1.1, "zorder": 2}
        )
        axes.plot(
            [columns[name][0][index] for name in names],
            line,
            color=cmap(norm(scores[index])),
            **best,
        )
    for x, name in enumerate(names):
        axes.axvline(x, color=GREY, linewidth=0.6, zorder=1)
        for y, text in columns[name][1]:
            axes.annotate(
                fit(text, 0.56),
                (x, y),
                (2, 0),
                textcoords="offset points",
                va="center",
                zorder=4,
                linespacing=0.9,
                bbox={"boxstyle": "square,pad=0.08", "color": "white", "alpha": 0.8},
            )
    crowded = len(names) > 6  # every second name then stands a line lower
    axes.set_xticks(
        range(len(names)),
        [
            "\n" * (crowded and x % 2) + fit(name, (10 if crowded else 5) / len(names), 1)
            for x, name in enumerate(names)
        ],
    )
    axes.set(
        yticks=[],
        xlim=(-0.1, len(names) - 1 + 0.55),
        ylim=(-0.2, 1.06),
        title="Trials" + _key(searches),
    )
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    fig.colorbar(
        matplotlib.cm.ScalarMappable(norm, cmap),
        ax=axes,
        label="Validation accuracy",
        pad=0.01,
        aspect=25,
        extend="min" if scores.min() < low else "neither",
    )


def _key(searches):
    words = ("solid", "dashed", "dotted")
    return (
        f" ({', '.join(f'{search}: {word}' for search, word in zip(searches, words))})"
        if len(searches) > 1
        else ""
    )


def _scaled(values):
    # Heights between 0 and 1 for one setting, with its tick labels; a setting that a trial does not have lies below.
    used = [value for value in values if value is not None]
    if used and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in used
    ):
        logarithmic = min(used) > 0 and max(used) / min(used) >= 20
        numbers = (
            np.log([value if value is not None else min(used) for value in values])
            if logarithmic
            else np.array(
                [value if value is not None else min(used) for value in values], "float64"
            )
        )
        low, span = numbers.min(), np.ptp(numbers) or 1.0
        heights = (numbers - low) / span
        ticks = [
            (float(heights[values.index(value)]), f"{value:.3g}")
            for value in sorted({min(used), max(used)})
        ]
    else:
        kinds = sorted(map(str, set(used)))
        heights = np.array(
            [
                kinds.index(str(value)) / max(1, len(kinds) - 1) if value is not None else 0
                for value in values
            ]
        )
        ticks = [(place / max(1, len(kinds) - 1), kind) for place, kind in enumerate(kinds)]
    missing = [value is None for value in values]
    heights = np.where(missing, -0.15, heights)
    return heights, [*ticks, (-0.15, "none")] if any(missing) else ticks
