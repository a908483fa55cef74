"""Accuracies side by side on a scale of errors: reported and measured, cost, training and test.

An error of 2 % and one of 1 % lie as far apart as one of 0.2 % and one of 0.1 %.
"""

import numpy as np

from helpers import runs
from helpers.results import comparable
from helpers.show.canvas import BLUE, GREY, RED, canvas, fit, legend, panels
from helpers.show.drawn import figure
from helpers.show.exhibits import Prose, slug
from helpers.show.words import set_names, titles
from helpers.statistics import next_training

HOLLOW = {"markerfacecolor": "white"}  # not comparable, here and nowhere else
MEAN = {"marker": "o", "color": BLUE, "markersize": 4.5, "label": "ours, mean"}
REPORTED = {"marker": "D", "color": RED, "markersize": 4, "label": "reported"}
LINE = {"color": BLUE, "linewidth": 1, "label": "95 % interval for one more training"}
SIGNS = {"within": "✓", "above": "▲", "below": "▼", "too few trainings": "–"}  # all else is a ring
# The span of an axis, largest error over smallest, up to which its ticks are at these digits.
TICKS = {4: (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8), 15: (1, 1.5, 2, 3, 5, 7), np.inf: (1, 2, 5)}


def error_scale(axes, wrong, which="x"):
    """Make an axis of errors in percent one of accuracies: logarithmic, the better to the right or
    to the top. `wrong`: all that is drawn; where an error is 0, the axis ends at 100 %."""
    from matplotlib.ticker import NullLocator

    some = [value for value in wrong if value > 0] or [1]
    least, most = min(some) / 1.15, min(100, 1.2 * max(some))
    perfect, axis = bool(min(wrong) <= 0), getattr(axes, f"{which}axis")
    getattr(axes, f"set_{which}scale")("symlog", linthresh=least, linscale=0.4)
    getattr(axes, f"set_{which}lim")(most, -0.1 * least if perfect else least)
    digits = next(of for span, of in TICKS.items() if most / least <= span)
    ticks = [digit * 10.0**power for power in range(-3, 2) for digit in digits]
    ticks = [tick for tick in ticks if least <= tick <= most] + [0] * perfect
    axis.set_ticks(ticks, [f"{100 - tick:g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())
    axes.grid(axis=which)


def _wrong(record):
    return np.array([100 * (1 - seed["test_accuracy"]) for seed in record["seeds"]])


@figure
def reported_measured(records, profile, verdicts=None):
    """Every test accuracy that a course report prints, beside ours: the mean of our trainings, and
    the interval in which one more training would lie with a probability of 95 % (of three trainings
    or more). Right: ✓ reported inside it, ▲ ours higher, ▼ ours lower, – too few trainings,
    ○ (and hollow) not comparable. The scale is logarithmic in the errors.

    `verdicts` maps a run to a word of `SIGNS`, or to why there is none. A stand-in's accuracy is
    never shown beside a published one.
    """
    shown = [record for record in records.values() if "test_accuracy" in record["reported"]]
    if not shown:
        return ""
    names = set_names(shown)
    shown.sort(key=lambda record: list(names).index(record["dataset"]["sha256"]))
    body = canvas(0.118 * max(4, len(shown)) + 0.48, [record["dataset"] for record in shown])
    axes, drawn = body.subplots(), []
    for row, record in enumerate(shown):
        fill, wrong = {} if comparable(record) else HOLLOW, _wrong(record)
        if interval := next_training(wrong):
            ends = np.clip(interval, 0, 100)
            axes.hlines(row, *ends, **LINE)
            drawn.extend(ends)
        drawn.append(wrong.mean())
        axes.plot(drawn[-1], row, **MEAN | fill, linestyle="none")
        if record["dataset"]["kind"] != "stand-in":
            drawn.append(100 * (1 - record["reported"]["test_accuracy"]))
            axes.plot(drawn[-1], row, **REPORTED | fill, linestyle="none")
        word = (verdicts or {}).get(record["run"], "" if fill == {} else "not comparable")
        right = {"transform": axes.get_yaxis_transform(), "ha": "center", "va": "center"}
        axes.text(1.025, row, SIGNS.get(word, "○") if word else "", size=8, **right)
    error_scale(axes, drawn)
    axes.set(xlabel="Test accuracy, %", ylim=(len(shown) - 0.4, -0.6))
    _group_names(axes, shown, names)
    legend(body, 3)
    return body


def _group_names(axes, shown, names):
    # The titles of the runs on the axis, and left of them those of the data sets.
    titles = [runs.title(record["run"]) for record in shown]
    axes.set_yticks(range(len(shown)), titles)
    axes.tick_params(axis="y", length=0)
    sets = [record["dataset"]["sha256"] for record in shown]
    where = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    look = {"xytext": (-4.0 * max(map(len, titles)) - 10, 0), "ha": "right", "va": "center"}
    for sha256 in dict.fromkeys(sets):
        row, name = sets.index(sha256), fit(names[sha256].partition(",")[0], 1.3, 1)
        axes.annotate(name, (0, row), annotation_clip=False, **where, **look)
        if row:
            axes.axhline(row - 0.5, color=GREY, linewidth=0.5)


@figure
def cost(records, profile):
    """Test accuracy against the multiplications for one image (k thousands, M millions), a panel
    for each data set with several networks. The line joins the networks that no cheaper one beats,
    which are named; grey crosses are the others. The scale of accuracies is logarithmic in the
    errors.

    A search has no network of its own and is left out, as is a data set with a single run.
    """
    shown = [r for r in records.values() if "parameter_count" not in r["seeds"][0]]
    sets, names = {}, set_names(shown)
    for record in shown:
        sets.setdefault(names[record["dataset"]["sha256"]], []).append(record)
    sets = {name: group for name, group in sets.items() if len(group) > 1}
    if not sets:
        return ""
    drawn = [record["dataset"] for group in sets.values() for record in group]
    body = canvas(1.55 * -(-len(sets) // 2) + 0.2, drawn)
    for axes, group in zip(panels(body, list(sets), min(2, len(sets))), sets.values()):
        _front(axes, group)
    body.supylabel("Test accuracy, %", size=8)
    body.supxlabel("Multiplications for one image", size=8)
    return body


def _front(axes, group):
    """The networks of one data set; those that no other beats on both are joined and named."""
    from matplotlib.ticker import EngFormatter, LogLocator

    work = [max(1, sum(layer["macs"] for layer in record["layers"])) for record in group]
    wrong = [_wrong(record).mean() for record in group]
    order = sorted(range(len(group)), key=lambda place: (work[place], wrong[place]))
    best = [p for n, p in enumerate(order) if all(wrong[p] < wrong[q] for q in order[:n])]
    others = [place for place in order if place not in best]
    axes.plot([work[p] for p in others], [wrong[p] for p in others], "x", color=GREY, markersize=4)
    axes.plot([work[p] for p in best], [wrong[p] for p in best], **MEAN, linewidth=1)
    names = {place: fit(runs.title(group[place]["run"]), 1.7, 1) for place in best}
    error_scale(axes, [1.3 * max(wrong), min(wrong) / 1.6 if min(wrong) else 0], "y")
    # So far left that the names, which end at their points, have room: 4.4 points a letter.
    right = np.log(1.3 * max(work))
    shares = {place: len(name) * 4.4 / 195 + 0.03 for place, name in names.items()}
    lefts = [(np.log(work[p]) - share * right) / (1 - share) for p, share in shares.items()]
    left = min(*lefts, np.log(0.7 * min(work)))
    axes.set(xscale="log", xlim=np.exp([left, right]))
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if right - left > np.log(30) else (1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter("")
    _names(axes, [(work[place], wrong[place], names[place]) for place in best])


def _names(axes, points):
    # Upwards from the worst, each at least a line above the last: left of and above the line that
    # joins the points there is nothing else. Heights are shares of the panel's.
    below, line = -1.0, 0.12
    for x, y, title in points:
        height = axes.transLimits.transform(axes.transScale.transform((x, y)))[1] + 0.03
        below = max(height, below + line)
        where = {"xytext": (-5, 0), "xycoords": ("data", "axes fraction"), "ha": "right"}
        axes.annotate(title, (x, below), textcoords="offset points", va="center", **where)


def gaps(records, profile):
    """Training and test accuracy of the runs of one course report, which the first one names."""
    if not records:
        return Prose("")
    report = runs.table()["runs"].get(next(iter(records)), {}).get("report", "own")
    return figure(_gaps, f"gaps-{slug(report)}")(records, profile)


def _gaps(records, profile):
    """Accuracy on training images and on test images, both of the trained network: means joined by
    a line, ranges over the seeds (thick). The scale is logarithmic in the errors.
    """
    import pandas as pd
    import seaborn

    parts = {"test_accuracy": "test images", "train_accuracy": "training images"}
    seeds = {titles(records)[run]: pd.DataFrame(r["seeds"]) for run, r in records.items()}
    frame = 100 - 100 * pd.concat(seeds, names=["run"])[list(parts)].rename(columns=parts)
    body = canvas(0.19 * len(records) + 0.75, [record["dataset"] for record in records.values()])
    axes, means = body.subplots(), frame.groupby("run", sort=False).mean()
    axes.hlines(range(len(means)), *means.to_numpy().T, color=GREY, linewidth=1)
    look = {"palette": [BLUE, GREY], "markers": ["o", "s"], "linestyle": "none", "markersize": 4.5}
    look |= {"errorbar": ("pi", 100), "err_kws": {"linewidth": 3, "alpha": 0.4}}
    tidy = frame.melt(var_name="images", value_name="wrong", ignore_index=False)
    seaborn.pointplot(tidy.reset_index(), x="wrong", y="run", hue="images", ax=axes, **look)
    error_scale(axes, frame.to_numpy().ravel())
    axes.set(xlabel="Accuracy, %", ylabel="")
    legend(body, 2)
    return body
