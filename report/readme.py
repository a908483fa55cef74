"""The table at the top of the README, written from the records of the full edition: `python -m report.readme`."""

import re

from helpers import results, runs
from helpers.show.tables import share
from helpers.store import files, paths
from report import overview

START, END = (
    "<!-- results: written by `make report PROFILE=full`, do not edit -->",
    "<!-- end of results -->",
)


def table(profile="full"):
    """The results as a Markdown table, a row a run, and a line on what is missing."""
    everything = results.load_all(profile)
    records = overview.courses(everything)
    lines = [
        "| run | data | parameters | reported | measured | n | seconds | verdict |",
        "|:--|:--|--:|--:|--:|--:|--:|:--|",
    ]
    for run, record in records.items():
        reported = runs.entry(run).get("reported", {}).get("test_accuracy")
        lines.append(
            f"| `{run}` | {record['dataset']['label']} | {results.network_size(record)} | {'-' if reported is None else f'{100 * reported:.2f} %'} | "
            f"{share(record, 'test_accuracy')} | {len(record['seeds'])} | {results.median(record, 'seconds'):,.0f} | {overview.verdict(record)} |"
        )
    missing = [
        f"`{run}`"
        for run in runs.select()
        if run not in records and runs.entry(run)["report"] in overview.REPORTS
    ]
    if missing:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    experiments, alone, fast = (
        overview.of_report(everything, kind) for kind in ("course-protocol", "one-change", "fast")
    )
    return "\n".join(
        [
            *lines,
            *_beside(
                experiments,
                "Experiments of our own, each trained as the course report did where the run beside it was not (`notebooks/runs.yaml` says how):",
            ),
            *_beside(alone, "And where no two runs of a course report differ in one thing alone:"),
            *_beside(fast, "Shorter schedules for the same networks:"),
        ]
    )


def _beside(records, heading):
    """Runs of our own that stand beside others, in a table apart; nothing where none has a record."""
    rows = [
        f"| `{run}` | `{runs.entry(run)['beside']}` | {record['dataset']['label']} | {share(record, 'test_accuracy')} | {len(record['seeds'])} |"
        for run, record in records.items()
    ]
    head = ["", heading, "", "| run | beside | data | measured | n |", "|:--|:--|:--|--:|--:|"]
    return [*head, *rows] if rows else []


def write(profile="full"):
    """Put the table between its marks in README.md; returns whether that changed anything."""
    path = paths.ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = re.sub(
        f"{re.escape(START)}.*?{re.escape(END)}",
        lambda _: f"{START}\n\n{table(profile)}\n\n{END}",
        before,
        flags=re.DOTALL,
    )
    if after != before:
        files.save_bytes(path, after.encode())
    return after != before


if __name__ == "__main__":
    print("README.md:", "written" if write() else "up to date")
