"""What `make bench` measured, report/bench.json, as two tables of report.ipynb."""

import pandas as pd

from helpers.show import Prose, Table, plain
from helpers.show.words import counted
from helpers.store import files, paths

LONG = ("time_to_accuracy", "search")  # rows of `make bench-long`, in a table of their own
SHORT_TABLE = (
    "What this project's speed is worth: ratios to what a careful user would write without it.",
    "tbl-bench",
    "Both sides of a ratio were measured in turn in the same run, five times, or three times where "
    "that takes a minute or more; same network, batch size and images. ",
)
LONG_TABLE = (
    "What a shorter schedule and another search save.",
    "tbl-bench-long",
    "Whole trainings on real images, of both sides in turn, over five seeds; what an interrupted "
    "measurement had finished was not trained again, so that the machine's state is that of the "
    "last call. ",
)


def ratios(long=False, name="bench.json", folder=paths.REPORT_SOURCE):
    """The rows of `make bench`, or of `make bench-long`; a dict, empty where there are none."""
    rows = files.load_json(folder / name) or {}
    return {row: entry for row, entry in rows.items() if (row.split(".")[0] in LONG) == long}


def met(entry):
    """Whether the median of a row reaches its goal."""
    ratio, goal = entry["ratio"], entry["goal"]
    return ratio >= goal if entry["better"] == "higher" else ratio <= goal


def ratio_table(long=False, folder=paths.REPORT_SOURCE):
    """A row for each ratio, with its spread, its goal and whether the median meets it."""
    rows = [
        {
            "What": Prose(f"`{name}`: {plain(entry['unit'])}"),
            "Median": f"{entry['ratio']:.3g}",
            "Lowest to highest": f"{entry['low']:.3g} to {entry['high']:.3g}",
            "Goal": f"{'≥' if entry['better'] == 'higher' else '≤'} {entry['goal']:g}",
            "Met": "yes" if met(entry) else "no",
        }
        for name, entry in ratios(long, folder=folder).items()
    ]
    if not rows:
        return Prose("")
    caption, label, note = LONG_TABLE if long else SHORT_TABLE
    note += _machines(ratios(long, "bench-machine.json", folder))
    return Table(pd.DataFrame(rows), caption, label, align="lrrrl", note=note)


def _machines(rows):
    hardware = [about["hardware"] for about in rows.values()]
    kinds = {f"{each['processor']}, {counted(each['cores'], 'core')}" for each in hardware}
    loads = [about["load_before"] for about in rows.values() if about["load_before"] is not None]
    # A row's own load is still there when the next begins: the least speaks of other work.
    least = min(loads, default=0)
    wanted = f"at least {least:.1f} processes wanted a core when a row began"
    busy = f", which had other work too: {wanted}" if least >= 0.5 else ""
    return f"Measured on {plain('; '.join(sorted(kinds)))}{busy}." if kinds else ""
