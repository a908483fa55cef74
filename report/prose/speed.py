"""Short schedules beside the faithful ones: the same network on the same images in less time, and what that costs in accuracy."""

import functools

import pandas as pd

from helpers import results, runs
from helpers.show import Prose, Table
from helpers.show.words import data_named, share
from report import claims
from report.courses import linked


def compared(fast, everything, profile):
    """For each fast run (record, the record beside it or None, the numbers of `claims.compare`, or None where the two did not learn from the same number of images)."""
    right, taken = functools.partial(claims.rightness, profile), []
    for run, record in fast.items():
        other = everything.get(runs.entry(run)["beside"])
        alike = other and record["dataset"]["train"] == other["dataset"]["train"]
        taken.append((record, other, claims.compare(record, other, right) if alike else None))
    return taken


def schedule_table(taken):
    """The short schedules and the runs beside them, as `compared` gives them: batch, epochs, test accuracy, the difference and its interval."""
    rows = [
        {
            "Run": linked(record["run"], record["parameters"]["profile"]),
            "Schedule": _schedule(record),
            "Accuracy": share(record, "test_accuracy"),
            "n": str(len(record["seeds"])),
            "Beside": Prose(f"`{runs.entry(record['run'])['beside']}`"),
            "Its schedule": _schedule(other) if other else "-",
            "Its accuracy": share(other, "test_accuracy") if other else "-",
            "Difference": claims.interval(gap) if gap else "-",
        }
        for record, other, gap in taken
    ]
    note = (
        "Difference in points of test accuracy, mean over the seeds that both have, with its 95 % interval for other seeds and other test images; - where the two did not learn from the same images. Epochs are means "
        "over seeds. " + data_named(record for record, _, _ in taken)
        if rows
        else "None of these runs has a record in this edition."
    )
    columns = [
        "Run",
        "Schedule",
        "Accuracy",
        "n",
        "Beside",
        "Its schedule",
        "Its accuracy",
        "Difference",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "The same networks on a short schedule, one cycle of the learning rate.",
        "tbl-fast",
        align="llrrllrr",
        note=note,
    )


def summary(taken):
    """One sentence: how many images the short schedules show the networks; "" where none can be compared."""
    shares = [_images(record) / _images(other) for record, other, gap in taken if gap and gap["n"]]
    if not shares:
        return ""
    return f"In training, the short schedules of @tbl-fast show the networks {min(shares):.2g} to {max(shares):.2g} times as many images as the faithful ones; whether the accuracy is the same stands in @tbl-claims-ours."


def _images(record):
    return record["dataset"]["train"] * results.mean_std(record, "epochs")[0]


def _schedule(record):
    epochs = results.mean_std(record, "epochs")[0]
    return f"{epochs:.3g} {'epoch' if epochs == 1 else 'epochs'} of batches of {record['parameters']['batch_size']}"
