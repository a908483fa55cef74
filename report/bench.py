"""The benchmark's result as a table for the report: `make bench` writes report/bench.json, and this reads it."""

import pandas as pd

from helpers.show.exhibits import Prose, Table, plain
from helpers.show.tables import counted
from helpers.store import files, paths

LONG = (
    "time_to_accuracy",
    "search",
)  # the rows of `make bench-long`, which stand in a table of their own


def table(folder=None, long=False):
    """A row for each ratio, with its spread, its goal and whether the median meets it; empty prose where nothing has been measured. `long`: those of `make bench-long`."""
    folder = folder or paths.REPORT_SOURCE
    measured, machine = (
        {
            name: entry
            for name, entry in (files.load_json(folder / file) or {}).items()
            if (name.split(".")[0] in LONG) == long
        }
        for file in ("bench.json", "bench-machine.json")
    )
    if not measured:
        return Prose("")
    rows = [
        {
            "What": Prose(f"`{name}`: {plain(entry['unit'])}"),
            "Median": f"{entry['ratio']:.3g}",
            "Lowest to highest": f"{entry['low']:.3g} to {entry['high']:.3g}",
            "Goal": f"{'≥' if entry['better'] == 'higher' else '≤'} {entry['goal']:g}",
            "Met": "yes" if met(entry) else "no",
        }
        for name, entry in measured.items()
    ]
    columns = ["What", "Median", "Lowest to highest", "Goal", "Met"]
    caption, note = (
        (
            "What a shorter schedule and another search save.",
            "Whole trainings on real images, of both sides in turn, over five seeds; what an interrupted measurement had finished was not trained "
            "again, so that the machine's state is that of the last call. ",
        )
        if long
        else (
            "What this project's speed is worth: ratios to what a careful user would write without it.",
            "Both sides of a ratio were measured in turn in the same run, five times, or three times where "
            "that takes a minute or more; same network, batch size and images. ",
        )
    )
    return Table(
        pd.DataFrame(rows, columns=columns),
        caption,
        "tbl-bench-long" if long else "tbl-bench",
        align="lrrrl",
        note=note + _machines(machine),
    )


def reading(folder=None, long=False):
    """One sentence: how many goals are met, and which are not."""
    measured = {
        name: entry
        for name, entry in (
            files.load_json((folder or paths.REPORT_SOURCE) / "bench.json") or {}
        ).items()
        if (name.split(".")[0] in LONG) == long
    }
    if not measured:
        return Prose("")
    missed = [f"`{name}`" for name, entry in measured.items() if not met(entry)]
    told = (
        f"Of {counted(len(measured), 'goal')} {len(measured) - len(missed)} are met; not {', '.join(missed)}, of which `benchmarks/NOTES.md` says what bounds them"
        if missed
        else "Every goal is met"
    )
    what = (
        "@tbl-bench-long says what a shorter schedule and another search save"
        if long
        else "@tbl-bench says what the code saves of a user's time"
    )
    return Prose(f"{what}. {told}.")


def met(entry):
    """Whether the median of a row reaches its goal."""
    return (
        entry["ratio"] >= entry["goal"]
        if entry["better"] == "higher"
        else entry["ratio"] <= entry["goal"]
    )


def _machines(machine):
    kinds = {
        f"{about['hardware']['processor']}, {counted(about['hardware']['cores'], 'core')}"
        for about in machine.values()
    }
    loads = [about["load_before"] for about in machine.values() if about["load_before"] is not None]
    # What a row leaves behind is still in the load when the next one begins: only the least of them speaks of other work.
    busy = (
        f", which had other work too: at least {min(loads):.1f} processes wanted a core when a row began"
        if loads and min(loads) >= 0.5
        else ""
    )
    return f"Measured on {plain('; '.join(sorted(kinds)))}{busy}." if kinds else ""
