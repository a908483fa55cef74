"""The fault suite's account of itself, report/faults.json, as a table for the report. `make test-all` writes the file."""

import pandas as pd

from helpers.show.exhibits import Prose, Table
from helpers.show.markup import plain
from helpers.store import files, paths

ACCOUNT = paths.REPORT_SOURCE / "faults.json"


def table(path=ACCOUNT):
    """Fault, tries and outcome of the suite's last whole run; a sentence where there is none."""
    told = files.load_json(path)
    if not isinstance(told, dict) or not told.get("faults"):
        return Prose(
            "The fault suite has not been run on this copy: `make test-all` runs it and fills this section."
        )
    rows = [
        {"Fault": one["fault"].replace("`", ""), "Tries": one["tries"], "Outcome": outcome(one)}
        for one in told["faults"]
    ]
    tries = sum(one["tries"] for one in told["faults"])
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    return Table(
        pd.DataFrame(rows, columns=["Fault", "Tries", "Outcome"]),
        f"Faults injected by the test suite: {tries:,} tries, {lost(told)} lost.",
        "tbl-faults",
        align="lrl",
        note=plain(
            f"Run of {told['date'][:10]}, {told['seconds'] / 60:.0f} minutes, on {told['system']}, Python {told['python']}, {versions}."
        ),
    )


def outcome(one):
    """What came of one fault, in words."""
    if not one["tries"]:
        return f"not tried: {one['skipped'][0]}"
    return (
        f"LOST in {one['tries'] - one['held']} tries"
        if one["held"] < one["tries"]
        else one["outcome"].replace("`", "")
    )


def lost(told):
    """Tries after which what must hold did not."""
    return sum(one["tries"] - one["held"] for one in told["faults"])
