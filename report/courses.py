"""How our runs stand to the five course reports: which belong to which, what they reported.

report.ipynb, its tables and the README call it.
"""

from helpers import runs, statistics
from helpers.show import Prose
from helpers.store import paths

REPORTS = ("mnist-2019", "fashion-2021", "emnist-2021", "k49", "fingers")
AUDIT = "06_data_audit"
KINDS = ("audit", "course-protocol", "one-change", "fast", "study", "beyond")  # all that is our own
SIGNS = {"partial": " †", "substitute": " ‡"}  # explained once, where the data are told
INCOMPARABLE = {
    "stand-in": "stand-in",
    "partial": "part of the data",
    "substitute": "substitute data",
    "own": "data of one's own",
}


def _report(run):
    # An audit stands with the audits, whatever report it names: it has no training to compare.
    line = runs.entry(run)
    return "audit" if line["notebook"] == AUDIT else line["report"]


def of_all(records):
    """The records of the course reports and of runs that a user added, without those of KINDS."""
    return {run: record for run, record in records.items() if _report(run) not in KINDS}


def of_report(records, report):
    """The records of one course report, in the order of runs.yaml."""
    return {run: record for run, record in records.items() if _report(run) == report}


def linked(run, profile):
    """A run's name, linked to its executed notebook where that lies beside the report."""
    page = paths.executed(profile) / f"{run}.html"
    return Prose(f"[`{run}`](notebooks/{run}.html)" if page.exists() else f"`{run}`")


def apart(record):
    """Why a record must not stand against a published figure, in two or three words, or None."""
    kind = record["dataset"]["kind"]
    if kind != "stand-in" and record["parameters"].get("profile") != "full":
        return "short run"
    return INCOMPARABLE.get(kind)


def reported(record):
    """The course report's figures for a record's run; none beside stand-in images, which must
    never stand beside a published figure."""
    drawn = record["dataset"]["kind"] == "stand-in"
    return {} if drawn else runs.entry(record["run"]).get("reported", {})


def verdict(record):
    """The reported test accuracy against those measured: "within", where it lies in the prediction
    interval for one more training, else the measured ones lie "above" or "below" it; or why there
    is no verdict."""
    figure = reported(record).get("test_accuracy")
    if why := apart(record) or (figure is None and "not reported"):
        return why
    accuracies = [seed["test_accuracy"] for seed in record["seeds"]]
    if not (interval := statistics.next_training(accuracies)):
        return "too few trainings"
    low, high = interval
    return "within" if low <= figure <= high else "above" if figure < low else "below"
