"""The results in README.md, written from the full edition's records: `python -m report.readme`."""

import re

from helpers import results, runs
from helpers.show.words import percent, share
from helpers.store import files, paths
from report import courses

START = "<!-- results: written by `make report PROFILE=full`, do not edit -->"
END = "<!-- end of results -->"
HEADINGS = {
    "course-protocol": "Experiments of our own, each trained as the course report did where the "
    "run beside it was not (`notebooks/runs.yaml` says how):",
    "one-change": "And where no two runs of a course report differ in one thing alone:",
    "fast": "Shorter schedules for the same networks:",
}


def results_table(profile="full"):
    """The results as Markdown: a row a run, what is missing, and our experiments apart."""
    everything = results.load_all(profile)
    records = courses.of_all(everything)
    lines = [
        "| run | data | parameters | reported | measured | n | seconds | verdict |",
        "|:--|:--|--:|--:|--:|--:|--:|:--|",
        *(_line(run, record) for run, record in records.items()),
    ]
    missing = [
        f"`{run}`"
        for run in runs.select()
        if runs.entry(run)["report"] in courses.REPORTS and run not in records
    ]
    if missing:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    for report, heading in HEADINGS.items():
        if rows := courses.of_report(everything, report):
            lines += ["", heading, "", "| run | beside | data | measured | n |"]
            lines += ["|:--|:--|:--|--:|--:|", *(_beside(run, rows[run]) for run in rows)]
    return "\n".join(lines)


def _data(record):
    """The data set's title, with a sign where its images are not all the official ones."""
    return record["dataset"]["title"] + courses.SIGNS.get(record["dataset"]["kind"], "")


def _line(run, record):
    reported = runs.entry(run).get("reported", {}).get("test_accuracy")
    cells = [
        f"`{run}`",
        _data(record),
        results.network_size(record),
        "-" if reported is None else percent(reported),
        share(record, "test_accuracy"),
        str(len(record["seeds"])),
        f"{results.median(record, 'seconds'):,.0f}",
        courses.verdict(record),
    ]
    return f"| {' | '.join(cells)} |"


def _beside(run, record):
    measured, n = share(record, "test_accuracy"), len(record["seeds"])
    other = runs.entry(run)["beside"]
    return f"| `{run}` | `{other}` | {_data(record)} | {measured} | {n} |"


def write(profile="full"):
    """Put the tables between their marks in README.md; returns whether that changed anything."""
    path = paths.ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    after = between.sub(lambda _: f"{START}\n\n{results_table(profile)}\n\n{END}", before)
    if after != before:
        files.save_bytes(path, after.encode())
    return after != before


if __name__ == "__main__":
    print("README.md:", "written" if write() else "up to date")
