"""The fault suite's account of itself, report/faults.json, which `make test-all` writes."""

import pandas as pd

from helpers.show import Prose, Table, plain
from helpers.store import files, paths

ACCOUNT = paths.REPORT_SOURCE / "faults.json"
NONE = (
    "The fault suite has not been run on this copy: `make test-all` runs it and fills this section."
)


def fault_table(path=ACCOUNT):
    """Fault, tries and outcome of the suite's last whole run; a sentence where there is none."""
    account = files.load_json(path)
    if not isinstance(account, dict) or not account.get("faults"):
        return Prose(NONE)
    rows = pd.DataFrame(account["faults"])
    frame = rows[["fault", "tries"]].assign(outcome=rows.apply(_outcome, axis=1))
    frame["fault"] = frame["fault"].str.replace("`", "")
    versions = ", ".join(f"{name} {version}" for name, version in account["versions"].items())
    lost = (rows["tries"] - rows["held"]).sum()
    return Table(
        frame.rename(columns=str.capitalize),
        f"Faults injected by the test suite: {rows['tries'].sum():,} tries, {lost} lost.",
        "tbl-faults",
        align="lrl",
        note=plain(
            f"Run of {account['date'][:10]}, {account['seconds'] / 60:.0f} minutes, on "
            f"{account['system']}, Python {account['python']}, {versions}."
        ),
    )


def _outcome(row):
    lost = row["tries"] - row["held"]
    if not row["tries"]:
        return f"not tried: {row['skipped'][0]}"
    return f"LOST in {lost} tries" if lost else row["outcome"].replace("`", "")
