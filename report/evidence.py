"""The evidence behind accuracies, frames for report.ipynb: intervals, balanced accuracy, twins, and
an epoch chosen on test images; reported figures that cannot be; what others reached."""

import math

import numpy as np
import pandas as pd

from helpers import results, runs, statistics
from helpers.show import Prose
from helpers.show.words import percent, share
from helpers.store import paths
from report import courses, tables


def accuracies(records, profile):
    """A row a run: accuracy over seeds, its interval over test images, balanced accuracy with its
    interval, and the class that is named worst."""
    rows = []
    for run, record in records.items():
        answers, data = results.predictions(profile, run), record["dataset"]
        truth, right = answers["y_true"], answers["y_pred"] == answers["y_true"]
        balanced, *ends = statistics.balanced_interval(truth, right)
        recalls = pd.Series(right.mean(axis=0)).groupby(truth).mean()
        row = {
            "Run": Prose(f"`{run}`"),
            "Accuracy": share(record, "test_accuracy"),
            "n": str(len(right)),
            "Over test images": interval(right.mean(), data["test"]),
            "Balanced": percent(balanced),
            "Its interval": _between(*ends),
            "Worst class": f"{data['class_names'][recalls.idxmin()]}: {percent(recalls.min(), 1)}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def without_twins(records, audits, profile):
    """Every run's accuracy with and without test images that have a twin in the training images, a
    row for each run on the images of an audit, unless all of these have twins, or none."""
    rows = []
    for audit in audits.values():
        known, data = results.predictions(profile, audit["run"]), audit["dataset"]["sha256"]
        twin, left = known["twin"], int((~known["twin"]).sum())
        alike = [run for run, record in records.items() if record["dataset"]["sha256"] == data]
        for run in alike if left and twin.any() else ():
            answers = results.predictions(profile, run)
            if np.array_equal(answers["y_true"], known["y_true"]):
                right = answers["y_pred"] == answers["y_true"]
                row = {
                    "Run": Prose(f"`{run}`"),
                    "Twins": percent(twin.mean(), 1),
                    "All test images": percent(right.mean()),
                    "Left": f"{left:,}",
                    "Without twins": percent(right[:, ~twin].mean()),
                    "95 % interval": interval(right[:, ~twin].mean(), left),
                }
                rows.append(row)
    return pd.DataFrame(rows)


def interval(share, images):
    """Wilson's interval of a share of so many images, in percent: "98.10 to 98.60"."""
    return _between(*statistics.wilson(share * images, images))


def _between(low, high):
    return f"{100 * low:.2f} to {100 * high:.2f}"


def swing(record):
    """Lowest and highest accuracy on the watched images in the second half of the training of any
    seed, and the mean of the last epochs: `low`, `high`, `mean`."""
    curves = np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]])
    later = curves[:, curves.shape[1] // 2 :]
    return {"low": later.min(), "high": later.max(), "mean": curves[:, -1].mean()}


def experiments(records):
    """A row an experiment: its outcome; over the later epochs, and of the best one, the accuracy on
    the test images, which chose it; and what that flatters."""
    rows = []
    for record in records.values():
        later, chosen = swing(record), pd.DataFrame([s["selection"] for s in record["seeds"]])
        row = {
            "Later epochs": f"{100 * later['low']:.2f} to {percent(later['high'])}",
            "Best epoch": percent(later["mean"] + chosen["lead"].mean()),
            "Flattery": f"{100 * chosen['optimism'].mean():.2f}",
        }
        rows.append(row)
    return tables.body(records).join(pd.DataFrame(rows))


def least_loss(accuracy):
    """The least mean cross-entropy, in nats, that goes with an accuracy: where the true class is
    not the most probable one, its probability is at most 1/2."""
    return (1 - accuracy) * math.log(2)


def impossible():
    """Reported pairs of accuracy and loss of which the loss is below the least possible."""
    reported = {run: line.get("reported", {}) for run, line in runs.table()["runs"].items()}
    given = [
        (run, images, *(figures.get(f"{part}_{name}") for name in ("accuracy", "loss")))
        for run, figures in courses.of_all(reported).items()
        for part, images in (("train", "training"), ("validation", "validation"), ("test", "test"))
    ]
    return pd.DataFrame(
        {
            "Run": Prose(f"`{run}`"),
            "Images": images,
            "Accuracy": percent(accuracy),
            "Loss": f"{loss:.5f}",
            "Least possible": f"{least_loss(accuracy):.5f}",
        }
        for run, images, accuracy, loss in given
        if None not in (accuracy, loss) and loss < least_loss(accuracy)
    )


def published():
    """The results of report/published.yaml, each with its interval, and the epoch that it tells."""
    import yaml

    text = (paths.REPORT_SOURCE / "published.yaml").read_text(encoding="utf-8")
    found = pd.DataFrame(yaml.safe_load(text))
    spread = (100 * found["deviation"]).map(" ± {:.2f}".format, na_action="ignore").fillna("")
    return pd.DataFrame(
        {
            "Data": found["data"],
            "Result": found["result"],
            "Accuracy": (100 * found["accuracy"]).map("{:.2f}".format) + spread,
            "95 % interval": list(map(interval, found["accuracy"], found["test"])),
            "Epoch": found["epoch"].map({"last": "last", "test": "best by test"}).fillna("unknown"),
            "Source": found["by"],
        }
    )
