"""How our runs stand to the five course reports: which belong to which, what they reported.

report.ipynb, its tables and the README call it.
"""

import pandas as pd

from helpers import datasets, results, runs, statistics
from helpers.show import Prose
from helpers.store import paths

REPORTS = ("mnist-2019", "fashion-2021", "emnist-2021", "k49", "fingers")
REPORTED = ("test_accuracy", "test_loss", "train_accuracy", "train_loss")
ABOUT = (
    *("verdict", "multiplications", "averaged_accuracy", "averaged_loss"),
    *(f"reported_{name}" for name in REPORTED),
)
AUDIT = "06_data_audit"
KINDS = ("audit", "course-protocol", "one-change", "fast", "study")  # all that is our own
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


def kind(dataset):
    """What a record's data set is: official, ..., or of one's own, which nobody has published."""
    return dataset["kind"] if dataset["name"] in datasets.NAMES else "own"


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


def trainings(frame, records):
    """The rows of `results.frame` for some records, with what else their tables need.

    `reported_NAME`: the course report's figures; `verdict`; `multiplications` for one image;
    `averaged_accuracy` and `averaged_loss`: training figures of the last epoch, taken while the
    network learns.
    """
    rows = {run: _about(record) for run, record in records.items()}
    about = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=ABOUT)
    return frame.join(about, on="run", how="inner")


def _about(record):
    last = results.epochs(record).groupby("seed")[["accuracy", "loss"]].last().mean()
    return {
        "verdict": verdict(record),
        "multiplications": sum(layer["macs"] for layer in record["layers"]),
        **last.add_prefix("averaged_"),
        **{f"reported_{name}": reported(record).get(name) for name in REPORTED},
    }
