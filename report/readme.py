"""The results in README.md, written from the full edition's records, for build.py."""

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
LEFT = "run", "beside", "data", "verdict"  # columns of text; the others are numbers


def results_table(profile="full"):
    """The results as Markdown: a row a run, what is missing, and our experiments apart."""
    everything = results.load_all(profile)
    records = courses.of_all(everything)
    lines = _table(records, "run data parameters reported measured n seconds verdict".split())
    wanted = (run for run in runs.select() if runs.entry(run)["report"] in courses.REPORTS)
    if missing := [f"`{run}`" for run in wanted if run not in records]:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    for report, heading in HEADINGS.items():
        if ours := courses.of_report(everything, report):
            lines += ["", heading, "", *_table(ours, "run beside data measured n".split())]
    return "\n".join(lines)


def _table(records, columns):
    rule = "|".join(":--" if name in LEFT else "--:" for name in columns)
    cells = [[_cells(run, record)[name] for name in columns] for run, record in records.items()]
    rows = [f"| {' | '.join(row)} |" for row in [columns, *cells]]
    return [rows[0], f"|{rule}|", *rows[1:]]


def _cells(run, record):
    reported = courses.reported(record).get("test_accuracy")
    return {
        "run": f"`{run}`",
        "beside": f"`{runs.entry(run).get('beside')}`",
        "data": _data(record),
        "parameters": results.network_size(record),
        "reported": "-" if reported is None else percent(reported),
        "measured": share(record, "test_accuracy"),
        "n": str(len(record["seeds"])),
        "seconds": f"{results.median(record, 'seconds'):,.0f}",
        "verdict": courses.verdict(record),
    }


def _data(record):
    """The data set's title, with a sign where its images are not all the official ones."""
    return record["dataset"]["title"] + courses.SIGNS.get(record["dataset"]["kind"], "")


def write(profile="full"):
    """Put the tables between their marks in README.md; returns whether that changed anything."""
    path = paths.ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    after = between.sub(lambda _: f"{START}\n\n{results_table(profile)}\n\n{END}", before)
    if after != before:
        files.save_bytes(path, after.encode())
    return after != before
