"""The results in README.md, written from the full edition's records, for build.py."""

import re

from helpers import results, runs
from helpers.store import files, paths
from report import courses, tables

START = "<!-- results: written by `make report PROFILE=full`, do not edit -->"
END = "<!-- end of results -->"
HEADINGS = {
    "course-protocol": "Experiments of our own, each trained as the course report did where the "
    "run beside it was not (`notebooks/runs.yaml` says how):",
    "one-change": "And where no two runs of a course report differ in one thing alone:",
    "fast": "Shorter schedules for the same networks:",
    "beyond": "And beyond the course reports:",
}
LEFT = "Run", "Beside", "Data", "Verdict"  # columns of text; the others are numbers


def results_table(profile="full"):
    """The results as Markdown: a row a run, what is missing, and our experiments apart."""
    everything = results.load_all(profile)
    records = courses.of_all(everything)
    lines = _table(records, "Run Data Parameters Reported Measured n Seconds Verdict".split())
    wanted = (run for run in runs.select() if runs.entry(run)["report"] in courses.REPORTS)
    if missing := [f"`{run}`" for run in wanted if run not in records]:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    for report, heading in HEADINGS.items():
        if ours := courses.of_report(everything, report):
            columns = ["Run", "Parameters" if report == "beyond" else "Beside"]
            lines += ["", heading, "", *_table(ours, [*columns, "Data", "Measured", "n"])]
    return "\n".join(lines)


def _table(records, columns):
    rule = "|".join(":--" if name in LEFT else "--:" for name in columns)
    cells = tables.outcomes(records)[columns].fillna("-").values
    head, *rows = (f"| {' | '.join(row)} |" for row in [columns, *cells])
    return [head, f"|{rule}|", *rows]


def write(profile="full"):
    """Put the tables between their marks in README.md; returns whether that changed anything."""
    path = paths.ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    after = between.sub(lambda _: f"{START}\n\n{results_table(profile)}\n\n{END}", before)
    if after != before:
        files.save_bytes(path, after.encode())
    return after != before
