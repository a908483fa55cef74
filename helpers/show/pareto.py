"""Accuracy against cost, with labels that keep out of each other's way."""

from textwrap import wrap

import numpy as np

from helpers.show.canvas import BLUE, GREY, ORANGE, SMALL, new_figure, style
from helpers.show.comparison import accuracies, listed

COSTS = {
    "macs": "Multiply-accumulates for one image",
    "seconds": "Seconds of training",
    "parameters": "Parameters",
}


def cost(records, against="macs"):
    """Test accuracy against cost (log scale), a panel a data set: mean and range over seeds, and the Pareto front, the
    runs that no other beats on both.

    `against`: "macs" (multiply-accumulates for one image), "seconds" (of training, mean over seeds) or "parameters". A
    data set with a single run is left out, as long as another has more.
    """
    groups = {}
    for record in listed(records):
        groups.setdefault(record["dataset"]["title"], []).append(record)
    most = max(map(len, groups.values()))
    groups = {title: group for title, group in groups.items() if len(group) > 1 or most == 1}
    cells, rows = _cells([len(group) > 5 or len(groups) == 1 for group in groups.values()])
    with style():
        fig = new_figure(
            2.2 * rows + 0.3, [record["dataset"] for group in groups.values() for record in group]
        )
        grid = fig.add_gridspec(rows, 2)
        panels = [fig.add_subplot(grid[row, columns]) for row, columns in cells]
        points = [
            _cost_panel(axes, title, group, against)
            for axes, (title, group) in zip(panels, groups.items())
        ]
        fig.draw_without_rendering()  # labels can be placed only where the axes have theirs
        fig.set_layout_engine("none")
        for axes, group, places in zip(panels, groups.values(), points):
            _place_labels(axes, [record["run"].split("-", 1)[-1] for record in group], places)
    return fig


def _cost_of(record, against):
    if against == "seconds":
        return float(np.mean([seed["seconds"] for seed in record["seeds"]]))
    return (
        record["parameter_count"]
        if against == "parameters"
        else sum(layer["macs"] for layer in record["layers"])
    )


def _cells(wide):
    # Row and columns of each panel in a grid of two columns; a wide panel takes a row of its own.
    cells, row, column = [], 0, 0
    for needs_both in wide:
        if needs_both and column:
            row, column = row + 1, 0
        cells.append((row, slice(0, 2) if needs_both else column))
        row, column = (row, 1) if not needs_both and column == 0 else (row + 1, 0)
    return cells, row + column


def _cost_panel(axes, title, group, against):
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    points = [(_cost_of(record, against), float(accuracies(record).mean())) for record in group]
    best = sorted(
        point
        for point in points
        if not any(
            other[0] <= point[0] and other[1] >= point[1] and other != point for other in points
        )
    )
    axes.plot(*np.transpose(best), drawstyle="steps-post", color=ORANGE, linewidth=1.2, zorder=1)
    for record, point in zip(group, points):
        values = accuracies(record)
        axes.plot([point[0]] * 2, [values.min(), values.max()], color=BLUE, linewidth=1)
        axes.plot(
            *point,
            "o",
            color=BLUE,
            markersize=5,
            markerfacecolor=BLUE if point in best else "white",
        )
    axes.set_xscale("log")
    costs = [cost for cost, _ in points]
    axes.xaxis.set_major_locator(
        LogLocator(subs=(1,) if max(costs) > 40 * min(costs) else (1, 2, 5))
    )
    axes.xaxis.set_major_formatter(EngFormatter(sep="" if against == "seconds" else " "))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(
        xlim=(min(costs) / 2.5, max(costs) * 2.5), xlabel=COSTS[against], ylabel="Test accuracy"
    )
    axes.set_title("\n".join(wrap(title, 34)))
    axes.margins(y=0.2)
    axes.grid()
    return points


def _place_labels(axes, texts, points):
    # Each label takes the place near its point that meets the least of other labels, points and the edge; a far one
    # gets a thin line.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    frame = axes.get_window_extent(renderer)
    taken = [_around(axes.transData.transform(point)) for point in points]
    places = [
        (7, 0, "left", "center"),
        (-7, 0, "right", "center"),
        (0, 7, "center", "bottom"),
        (0, -7, "center", "top"),
    ]
    places += [
        (side * x, y, "left" if side > 0 else "right", "center")
        for x in (10, 24, 45, 70)
        for y in (8, -8, 17, -17, 26, -26, 35, -35)
        for side in (1, -1)
    ]
    for text, point in zip(texts, points):
        note = axes.annotate(
            text,
            point,
            (0, 0),
            textcoords="offset points",
            size=SMALL,
            zorder=5,
            path_effects=[withStroke(linewidth=2, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 3},
        )
        costs = []
        for x, y, ha, va in places:
            note.set(position=(x, y), ha=ha, va=va)
            note.update_positions(renderer)
            box = Text.get_window_extent(note, renderer)
            inside = (
                frame.x0 <= box.x0
                and box.x1 <= frame.x1
                and frame.y0 <= box.y0
                and box.y1 <= frame.y1
            )
            costs.append(sum(box.overlaps(other) for other in taken) + (0 if inside else 2))
            if not costs[-1]:
                break
        x, y, ha, va = places[int(np.argmin(costs))]
        note.set(position=(x, y), ha=ha, va=va)
        note.update_positions(renderer)
        note.arrow_patch.set_visible(abs(x) > 7 and bool(y))
        taken.append(Text.get_window_extent(note, renderer))


def _around(point, half=8):
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(point[0] - half, point[1] - half, point[0] + half, point[1] + half)
