"""Measure, print a table, write report/bench.json: `make bench`, or `make bench ROWS=load,noop` for
some rows; `make bench-long` for those that take hours.

Each row is written as soon as it is measured, so that an interrupted benchmark keeps what it has.
report/bench-machine.json says when and on what each was measured.
"""

import argparse
import importlib
import os
import sys
import time
from datetime import UTC, datetime

from benchmarks import measure, rows
from helpers.store import files, paths

RESULT, MACHINE = paths.REPORT_SOURCE / "bench.json", paths.REPORT_SOURCE / "bench-machine.json"


def main(arguments=None):
    """Command line; returns the exit status: 0 once everything is measured, whether the goals are
    met or not."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure what this project's speed is worth."
    )
    parser.add_argument(
        "--rows",
        default="",
        help=f"rows, separated by commas; all by default: {', '.join(rows.STEPS)}",
    )
    parser.add_argument(
        "--long", action="store_true", help=f"the long rows: {', '.join(rows.LONG)}"
    )
    options = parser.parse_args(arguments)
    steps = rows.LONG if options.long else rows.STEPS
    wanted = [name for name in options.rows.split(",") if name] or list(steps)
    unknown = [name for name in wanted if name not in steps]
    if unknown:
        print(
            f"Error: there is no row {', '.join(unknown)}. The rows are: {', '.join(steps)}.",
            file=sys.stderr,
        )
        return 2
    started = time.perf_counter()
    try:
        for name in steps:
            if name in wanted:
                print(name, flush=True)
                measured(name)
    except paths.UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{table(files.load_json(RESULT))}\n")
    print(f"Measured in {minutes:.1f} minutes, written to {RESULT}.")
    return 0


def measured(name):
    """Measure one row and add it, with its parts, to the result."""
    from helpers import results

    before, started = load(), time.perf_counter()
    function = getattr(
        importlib.import_module(f"benchmarks.{(rows.STEPS | rows.LONG)[name]}"), name
    )
    found = {
        part: measure.row(ratios, *rows.GOALS[part])
        for part, ratios in function(lambda line: print(line, flush=True)).items()
    }
    held = {
        part: entry
        for part, entry in (files.load_json(RESULT) or {}).items()
        if part not in rows.parts(name, rows.GOALS)
    } | found
    files.save_json(RESULT, {part: held[part] for part in rows.GOALS if part in held})
    about = {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "seconds": round(time.perf_counter() - started),
        "load_before": before,
        "load_after": load(),
        "hardware": results.hardware(),
        "versions": results.versions(),
    }
    files.save_json(MACHINE, {**(files.load_json(MACHINE) or {}), name: about})


def load():
    """Processes that wanted a core in the last minute, on average; None where the system does not
    say."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def table(held):
    """The result as text, a line a row."""
    lines = [f"{'row':30} {'ratio':>8} {'low':>8} {'high':>8}  {'goal':>8}"]
    for name, entry in held.items():
        goal = f"{'>=' if entry['better'] == 'higher' else '<='} {entry['goal']:g}"
        ratios = " ".join(f"{entry[key]:8.3g}" for key in ("ratio", "low", "high"))
        verdict = "met" if measure.met(entry) else "NOT MET"
        lines.append(f"{name:30} {ratios}  {goal:>8}  {verdict:7}  {entry['unit']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
