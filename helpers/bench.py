"""The benchmark's result as a table for the report: `make bench` writes report/bench.json, and this reads it."""

import pandas as pd

from helpers import files, paths
from helpers.exhibits import Prose, Table, plain


def table(folder=None):
    """A row for each ratio, with its spread, its goal and whether the median meets it; empty prose where nothing has been measured."""
    folder = folder or paths.REPORT_SOURCE
    measured, machine = files.load_json(folder / "bench.json"), files.load_json(folder / "bench-machine.json") or {}
    if not measured:
        return Prose("")
    rows = [{"What": Prose(f"`{name}`: {plain(entry['unit'])}"), "Median": f"{entry['ratio']:.3g}", "Lowest to highest": f"{entry['low']:.3g} to {entry['high']:.3g}",
             "Goal": f"{'≥' if entry['better'] == 'higher' else '≤'} {entry['goal']:g}", "Met": "yes" if met(entry) else "no"} for name, entry in measured.items()]
    columns = ["What", "Median", "Lowest to highest", "Goal", "Met"]
    return Table(pd.DataFrame(rows, columns=columns), "What this project's speed is worth: ratios to what a careful user would write without it.", "tbl-bench",
                 align="lrrrl", note="Both sides of a ratio were measured in turn in the same run, five times, or three times where that takes a minute or more; same network, batch size and images. "
                                     + _machines(machine))


def reading(folder=None):
    """One sentence: how many goals are met, and which are not."""
    measured = files.load_json((folder or paths.REPORT_SOURCE) / "bench.json")
    if not measured:
        return Prose("")
    missed = [f"`{name}`" for name, entry in measured.items() if not met(entry)]
    rest = f"; not {', '.join(missed)}, of which `benchmarks/NOTES.md` says what bounds them" if missed else ""
    return Prose(f"@tbl-bench says what the code saves of a user's time. Of {len(measured)} goals {len(measured) - len(missed)} are met{rest}.")


def met(entry):
    """Whether the median of a row reaches its goal."""
    return entry["ratio"] >= entry["goal"] if entry["better"] == "higher" else entry["ratio"] <= entry["goal"]


def _machines(machine):
    kinds = {f"{about['hardware']['processor']}, {about['hardware']['cores']} cores" for about in machine.values()}
    loads = [about["load_before"] for about in machine.values() if about["load_before"] is not None]
    busy = f", which had other work too: {min(loads):.1f} to {max(loads):.1f} processes wanted a core when a row began" if loads and max(loads) >= 0.5 else ""
    return f"Measured on {plain('; '.join(sorted(kinds)))}{busy}." if kinds else ""
